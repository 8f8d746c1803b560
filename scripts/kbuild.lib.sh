# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the checks that build modules: what kbuild says of them, as findings.

# kbuild KERNEL [ARCH] -- MAKE-ARGUMENT...: build all modules of the tree with vm/module, in a copy
# that has no object yet: a compiler is silent about what it does not compile.
kbuild() {
	local list dir status=0
	list=$(kernel_files)
	mapfile -t list < <(files "${KERNEL_DIRS[@]}")
	COPY=$(mktemp -d)
	trap 'rm -rf "$COPY"' EXIT
	cp -r --parents -- "${list[@]}" "$COPY"
	cp -r "$TOP/vm" "$TOP/VERSION" "$COPY"
	for dir in "${MODULE_DIRS[@]}"; do
		"$COPY/vm/module" --dir "$COPY/$dir" "$@" -k W=1 2>&1 >/dev/null | tidy "$dir" ||
			status=$?
	done
	return "$status"
}

# tidy DIR: name files as they are called in the tree, and drop what is true of every module built
# outside the kernel: other tools than the kernel's, and no vmlinux to take types from.
tidy() {
	sed -E -e "s,$COPY/(build/[^/]*/)?,,g" -e "s,^([^/ :]+\.[chS]:),$1/\1," \
		-e 's,\b[a-z]+/\.\./,,' \
		-e '/^warning: (the compiler|pahole version) differs from the one used to build/d' \
		-e '/^  (The kernel was built (by|with)|You are using): /d' \
		-e '/^Skipping BTF generation for /d' -e '/^$/d'
}
