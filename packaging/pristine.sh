# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the tests of packages: a pristine root of Debian 12 with a kernel and its headers, and
# checks. Whoever sources this sets out, a directory to work in, and root, where the root shall be.
# shellcheck disable=SC2154  # out and root

# shellcheck source=vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
# shellcheck source=vm/apt.sh
. "$VM_DIR/apt.sh"
# shellcheck source=vm/root.sh
. "$VM_DIR/root.sh"

PRISTINE=(linux-image-amd64 linux-headers-amd64 systemd udev kmod procps gcc libc6-dev make
	pkg-config ca-certificates)
passed=0 failed=0

# check WHAT COMMAND...
check() {
	if "${@:2}" >"$out/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $1"
		tail -n 20 "$out/log" | sed 's/^/    /'
	fi
}

make_pristine() {
	make_root "$1" bookworm --variant=apt --include="${PRISTINE[*]}"
}

# A copy, so that the next run finds it pristine, too.
copy_root() {
	local entry
	entry=roots/bookworm-pristine-$(key "${PRISTINE[@]}")
	cached "$entry" make_pristine
	rm -rf "$root"
	cp -a --reflink=auto "$CACHE/$entry/root" "$root"
	cp /etc/resolv.conf "$root/etc/"
}

# inside COMMAND...: in the root, with what a package's scripts want to see
inside() {
	# shellcheck disable=SC2016  # for the shell inside
	unshare --mount bash -euc '
		mount --rbind /dev "$1/dev"
		mount -t proc proc "$1/proc"
		mount -t sysfs sysfs "$1/sys"
		exec chroot "$1" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "${@:2}"
	' bash "$root" "$@"
}

# packages_of VERSION
packages_of() {
	local name
	for name in hpage-map-dkms hpage-map-tools libhpage-map0 libhpage-map-dev \
		python3-hpage-map; do
		echo "$TOP_DIR/build/deb/${name}_${1}_"*.deb
	done
}

# install_packages VERSION
install_packages() {
	mkdir -p "$root/debs"
	# shellcheck disable=SC2046  # one word a package
	cp $(packages_of "$1") "$root/debs" &&
		inside apt-get -q=2 update &&
		inside sh -c 'apt-get -q=2 -y install --no-install-recommends /debs/*.deb' &&
		rm -r "$root/debs"
}

# Of ours by name; what DKMS and apt have of their own stays.
nothing_stays() {
	local left
	left=$(find "$root" -xdev \
		\( -name '*hpage[-_]map*' -o -name '*hpagectl*' -o -name '*hpmap*' \) \
		! -path '*/var/lib/apt/*' ! -path '*/var/log/*' ! -path '*/kernels/*')
	echo "$left"
	[[ -z $left ]]
}
