# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels that are there already: the running one, or one unpacked or installed under some
# directory. They are not copied, and nothing of theirs is changed: an entry of the cache points
# to them.

# first PATH...: print the first that exists
first() {
	local path
	for path; do
		[[ -e $path ]] && echo "$path" && return
	done
	return 1
}

# link_headers BUILD HEADERS: HEADERS at another place than the one Debian made them for
link_headers() {
	local build=$1 headers=$2
	if [[ ! -e $headers/.kernelvariables ]]; then
		ln -s "$headers" "$build"
		return
	fi
	mkdir "$build"
	find "$headers" -mindepth 1 -maxdepth 1 ! -name Makefile -exec ln -s -t "$build" {} +
	sed "s,/usr/src/,$(dirname "$headers")/," "$headers/Makefile" >"$build/Makefile"
}

# make_foreign DIR ROOT RELEASE IMAGE CONFIG
make_foreign() {
	local dir=$1 root=$2 release=$3 image=$4 config=$5 modules headers
	modules=$(first "$root/lib/modules/$release" "$root/usr/lib/modules/$release")
	ln -s "$image" "$dir/vmlinuz"
	case $config in
	*.gz) zcat "$config" >"$dir/config" ;;
	*) ln -s "$config" "$dir/config" ;;
	esac
	mkdir -p "$dir/lib/modules"
	if [[ -e $modules/modules.dep ]]; then
		ln -s "$modules" "$dir/lib/modules/$release"
	else
		say "listing what the modules of $release depend on"
		cp -a "$modules" "$dir/lib/modules/"
		depmod --basedir "$dir" "$release"
	fi
	headers=$(first "$root/usr/src/linux-headers-$release" "$modules/build") &&
		link_headers "$dir/build" "$(readlink -f "$headers")"
	if grep -q '^CONFIG_ARM64=y' "$dir/config"; then
		echo arm64 >"$dir/arch"
	else
		echo amd64 >"$dir/arch"
	fi
	echo "$release" >"$dir/release"
}

# foreign ROOT [RELEASE]: print the directory of the kernel that lies under ROOT
foreign() {
	local root release image config entry
	root=$(realpath "$1")
	if [[ -e $root/release && -e $root/vmlinuz ]]; then
		echo "$root"
		return
	fi
	release=${2:-}
	if [[ -z $release ]]; then
		release=$(find "$root/lib/modules/" "$root/usr/lib/modules/" -mindepth 1 \
			-maxdepth 1 -printf "%f\n" 2>/dev/null | sort -u) || true
		[[ -n $release ]] ||
			die "no lib/modules/RELEASE under $1: is it an unpacked kernel?"
		[[ $release != *$'\n'* ]] ||
			die "several kernels under $1: leave one:" "${release//$'\n'/ }"
	fi
	root=${root%/}
	[[ -d $root/lib/modules/$release || -d $root/usr/lib/modules/$release ]] ||
		die "the modules of kernel $release are not in $root/lib/modules;" \
			"install its package"
	image=$(first "$root/boot/vmlinuz-$release" "$root/lib/modules/$release/vmlinuz" \
		"$root/usr/lib/modules/$release/vmlinuz" "$root/boot/Image-$release") ||
		die "no image of kernel $release under ${root:-/}boot; install its package"
	config=$(first "$root/boot/config-$release" "$root/lib/modules/$release/config" \
		"$root/usr/lib/modules/$release/config" "$root/lib/modules/$release/build/.config" \
		"$root/usr/src/linux-headers-$release/.config") ||
		config=$(first ${2:+/proc/config.gz}) ||
		die "no configuration of kernel $release under $root/boot"
	[[ -r $image ]] || die "$image cannot be read; run this as root"
	entry=kernels/foreign/$release-$(key "$root" "$(stat -c '%i %Y %s' "$image")")
	cached "$entry" make_foreign "$root" "$release" "$image" "$config"
	echo "$CACHE/$entry"
}
