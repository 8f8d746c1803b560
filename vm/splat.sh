# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Looks for what vm/splat.list lists.

# find_splat LOG: LINE:TEXT of the first one
find_splat() {
	grep -nE -m 1 -f <(grep -v '^\(#\|$\)' "$VM_DIR/splat.list") -- "$1"
}

# show_splat LOG LINE:TEXT: it and what stands around it
show_splat() {
	local line=${2%%:*}
	sed -n "$((line > 3 ? line - 3 : 1)),$((line + 80))p" "$1"
}
