# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by scripts/check.d. A check is called as CHECK TREE [KERNEL]: it looks at TREE, which is
# the project or its own planted tree, and prints what it finds as FILE:LINE: TEXT on stdout.
# Silence and exit status 0 mean that it looked and found nothing.
set -euo pipefail
shopt -s inherit_errexit

# shellcheck disable=SC2034  # for the checks
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec 3>&1
cd "${1:?usage: ${0##*/} TREE}"

# finding FILE:LINE TEXT
finding() {
	printf '%s: %s\n' "$1" "${*:2}"
}

# files PATHSPEC...: the files git tracks or would add, without links and without planted faults
files() {
	local file
	while read -r file; do
		# Not as a pathspec: git 2.39 takes that for samples/minimal, too.
		[[ ! -f $file || -L $file || $file == scripts/planted/* ]] || echo "$file"
	done < <(git ls-files -co --exclude-standard -- "$@")
}

# text_files: those with text in them
text_files() {
	files . | xargs -r -d '\n' grep -Il . || true
}

# Where modules are made, the driver first: others may use its symbols.
MODULE_DIRS=(driver)
while read -r kbuild; do
	[[ $kbuild == driver/Kbuild ]] || MODULE_DIRS+=("${kbuild%/Kbuild}")
done < <(files '*/Kbuild')

# Where kernel code lives. What is not there cannot be checked; what is there must be.
KERNEL_DIRS=(compat include "${MODULE_DIRS[@]}")

# kernel_files: every C file of the kernel's side
kernel_files() {
	local dir found
	for dir in "${KERNEL_DIRS[@]}"; do
		[[ -d $dir ]] || continue
		found=$(files "$dir/*.[ch]")
		if [[ -z $found ]]; then
			# Past stdout, which is the list.
			finding "$dir:0" "the directory has no C file: it would go unchecked" >&3
			return 1
		fi
		echo "$found"
	done
}

# user_files: every C file of the programs' side
user_files() {
	files '*.c' "${KERNEL_DIRS[@]/#/:!}"
}

# forbid PATTERN FILE...: every line that matches is a finding; no file at all is a fault
forbid() {
	local pattern=$1 status=0
	shift
	if ! (($#)); then
		finding "${0##*/}:0" "has nothing to look at"
		return 1
	fi
	grep -nHE -e "$pattern" -- "$@" || status=$?
	((status <= 1))
}
