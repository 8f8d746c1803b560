# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the scripts of vm/: where the cache is, how a message looks, and how an entry of the
# cache is made so that a killed or a second run can do no harm.

# A failure inside $(...) must not go on to give a half-made entry its name.
shopt -s inherit_errexit

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # for those who source this
TOP_DIR=$(dirname "$VM_DIR")

CACHE=${HPAGE_MAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hpage_map}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)

# Progress goes to stderr: stdout of these scripts is an answer that others read.
say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# need COMMAND PACKAGE...: fail early, with what to type
need() {
	local command=$1
	shift
	command -v "$command" >/dev/null ||
		die "$command is missing; install it with: apt-get install $*"
}

# One maker at a time for each entry; the lock falls with the process that holds it.
# lock NAME: held until this (sub)shell ends
lock() {
	local fd
	mkdir -p "$CACHE/locks"
	exec {fd}>"$CACHE/locks/${1//\//-}"
	if ! flock --nonblock "$fd"; then
		say "waiting for another run that makes $1"
		flock "$fd"
	fi
}

# cached ENTRY MAKER ARGS...: make the directory ENTRY of the cache unless it is there.
# MAKER gets an empty directory beside it as its first argument and fills it; only a filled one
# gets the name ENTRY, so whatever has the name is complete.
cached() {
	local entry=$1
	shift
	[[ -d $CACHE/$entry ]] && return
	(
		lock "$entry"
		[[ -d $CACHE/$entry ]] && exit
		rm -rf "$CACHE/$entry.part"
		mkdir -p "$CACHE/$entry.part"
		"$1" "$CACHE/$entry.part" "${@:2}"
		mv -T "$CACHE/$entry.part" "$CACHE/$entry"
	)
}
