# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Trees of Debian user space made by mmdebstrap: a chroot to build modules in, and a root for a
# virtual machine of another architecture.

# What the headers' own tools and make need, beside the essential packages.
CHROOT_PACKAGES=(gcc make binutils libelf1)

# What the tests run and are built against on arm64. Nothing is configured there, only unpacked, so
# packages must work without their maintainer scripts.
ARM64_PACKAGES=(base-files base-passwd bash dash coreutils util-linux mount kmod procps grep sed
	mawk findutils libc-bin libc6-dev libcmocka-dev liburing-dev)

# make_root DIR SUITE OPTION...
make_root() {
	local dir=$1 suite=$2 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	shift 2
	need mmdebstrap mmdebstrap
	mirror=$(apt_mirror Debian)
	say "unpacking a tree of Debian $suite"
	mmdebstrap --quiet "$@" "$suite" "$dir/root" \
		"deb [signed-by=$keyring] $mirror $suite main" >&2
}

# key WORD...: a short name for a list of words
key() {
	sha256sum <<<"$*" | cut -c 1-12
}

# build_chroot SUITE: make sure of the chroot and print its directory
build_chroot() {
	local suite=$1 entry
	entry=roots/$suite-build-$(key "${CHROOT_PACKAGES[@]}")
	cached "$entry" make_root "$suite" --variant=essential --include="${CHROOT_PACKAGES[*]}"
	echo "$CACHE/$entry/root"
}

# make_arm64 DIR: the tree, and the few things in it that maintainer scripts would have done
make_arm64() {
	local root=$1/root file
	make_root "$1" bookworm --architectures=arm64 --variant=extract \
		--include="${ARM64_PACKAGES[*]}"
	ln -sf mawk "$root/usr/bin/awk"
	for file in passwd group; do
		cp "$root/usr/share/base-passwd/$file.master" "$root/etc/$file"
	done
}

# arm64_root: make sure of the arm64 user space and print its directory
arm64_root() {
	local entry
	entry=roots/bookworm-arm64-$(key "${ARM64_PACKAGES[@]}")
	cached "$entry" make_arm64
	echo "$CACHE/$entry/root"
}
