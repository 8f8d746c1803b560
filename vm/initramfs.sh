# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The part of the initramfs that depends only on the kernel and on vm/init.c, kept in the cache.

# Which option of the kernel's configuration makes it. Not every distribution delivers
# modules.builtin, so what is built in is told by K/config.
declare -A MODULE_OPTION=(
	[virtio_pci]=VIRTIO_PCI [virtio_console]=VIRTIO_CONSOLE [virtio_blk]=VIRTIO_BLK
	[9pnet_virtio]=NET_9P_VIRTIO [9p]=9P_FS [overlay]=OVERLAY_FS [ext4]=EXT4_FS
)

# boot_modules KERNEL_DIR RELEASE NAME...: the files of these modules in the order to load them
boot_modules() {
	local dir=$1 release=$2 name
	shift 2
	for name; do
		! grep -qx "CONFIG_${MODULE_OPTION[$name]}=y" "$dir/config" || continue
		# without the options and aliases of this machine
		modprobe -C /dev/null -d "$dir" -S "$release" --show-depends "$name" ||
			die "the kernel $release has no $name, which its root would need"
	done | sed -n 's/^insmod \(.*[^ ]\) *$/\1/p' | awk '!seen[$0]++'
}

# make_initramfs DIR CC KERNEL_DIR RELEASE NAME...: called by cached
make_initramfs() {
	local dir=$1 cc=$2 file name nr=100 tree=$1/tree
	shift 2
	mkdir -p "$tree/modules"
	"$cc" -O2 -Wall -static -pthread -s -o "$tree/init" "$VM_DIR/init.c"
	boot_modules "$@" >"$dir/list"
	while read -r file; do
		name=${file##*/}
		# The kernel would complain of a compressed one.
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -qdc "$file" ;;
		*.gz) gzip -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$tree/modules/$((nr++))-${name%%.ko*}"
	done <"$dir/list"
	pack_tree "$tree" >"$dir/initramfs"
	rm -r "$tree" "$dir/list"
}

pack_tree() {
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc)
}

# base_initramfs CC KERNEL_DIR RELEASE NAME...: prints the file, and makes it when need be
base_initramfs() {
	local key dep=$2/lib/modules/$3/modules.dep
	key=$(
		{
			cat "$VM_DIR/init.c" "$VM_DIR/initramfs.sh" "$dep"
			stat -c '%Y %n' "$dep"
			echo "$@"
		} | sha256sum
	)
	key=initramfs/$3-${key::16}
	cached "$key" make_initramfs "$@"
	echo "$CACHE/$key/initramfs"
}
