# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Debian packages by name, fetched and unpacked, never installed. apt runs with a configuration of
# its own inside the cache, so the machine's sources, architectures and package state stay as they
# are; only the address of the mirror and the proxy settings are taken from them.

# apt_mirror LABEL: the address that this machine uses for Debian or for Debian-Security
apt_mirror() {
	local uri
	if [[ -n ${HPAGE_MAP_MIRROR:-} ]]; then
		# One variable for both: the archives lie side by side on every mirror.
		uri=${HPAGE_MAP_MIRROR%/}
		[[ $1 == Debian ]] || uri+=-security
		echo "$uri"
		return
	fi
	need apt-get apt
	# shellcheck disable=SC2016  # for apt, not for the shell
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' "Label: $1" |
		sed -n 1p)
	[[ -n $uri ]] || die "apt names no mirror of $1 on this machine;" \
		"set HPAGE_MAP_MIRROR to the address of a Debian mirror (up to /debian)"
	echo "${uri%/}"
}

# apt_use SUITE: set APT to the options of the private configuration for SUITE
apt_use() {
	local suite=$1 dir=$CACHE/apt/$1 label=Debian mirror
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ $suite == *-security ]] && label=Debian-Security
	mirror=$(apt_mirror "$label")
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	touch "$dir/status"
	[[ -e $keyring ]] || die "$keyring is missing;" \
		"install it with: apt-get install debian-archive-keyring"
	echo "deb [signed-by=$keyring] $mirror $suite main" >"$dir/sources.list.$$"
	mv "$dir/sources.list.$$" "$dir/sources.list"
	APT=(
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=-
		-o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status"
		-o Dir::Cache::archives="$dir/archives"
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
		-o APT::Architectures::=amd64 -o APT::Architectures::=arm64
		-o APT::Sandbox::User=root -o Acquire::Retries=3 -q=2
	)
}

# apt_update SUITE: bring the package lists of SUITE up to date
apt_update() {
	apt_use "$1"
	(
		lock "apt-$1"
		say "reading the package lists of $1"
		apt-get "${APT[@]}" update >&2
	)
}

# apt_closure PACKAGE...: the kernel packages that these depend on, they included, one a line.
# Only the kernel's own packages are followed: what they need to be installed does not matter here.
# apt shows a name that has no package of the same architecture in <>, and below it who provides it.
apt_closure() {
	local -A seen=()
	local queue=("$@") package dependency
	local kernels='linux-(image|headers|modules|binary|base|kbuild)-'
	while ((${#queue[@]})); do
		package=${queue[0]}
		queue=("${queue[@]:1}")
		[[ -n ${seen[$package]:-} ]] && continue
		seen[$package]=1
		echo "$package"
		while read -r dependency; do
			queue+=("$dependency")
		done < <(apt-cache "${APT[@]}" depends --no-recommends --no-suggests --no-breaks \
			--no-conflicts --no-replaces --no-enhances "$package" |
			sed -nE 's/^ +(\|?(Pre)?Depends: )?('"$kernels"')/\3/p' |
			grep -v -e -unsigned)
	done
}

# apt_version PACKAGE: the version that would be fetched
apt_version() {
	apt-cache "${APT[@]}" show --no-all-versions "$1" | sed -n 's/^Version: //p'
}

# apt_unpack DIR PACKAGE...: fetch packages and unpack them under DIR. What is fetched stays until
# it is unpacked, so a run that was killed does not have to fetch it again.
apt_unpack() {
	local dir=$1 package
	shift
	mkdir -p "$dir"
	for package; do
		apt_unpack_one "$dir" "$package"
	done
}

# In a subshell, for its lock: several kernels share packages.
apt_unpack_one() (
	dir=$1 package=$2
	debs=$CACHE/debs/${package//:/-}
	version=$(apt_version "$package")
	lock "deb-$package"
	mkdir -p "$debs"
	cd "$debs" || exit
	say "fetching $package $version"
	apt-get "${APT[@]}" download "$package" >&2
	deb=$(echo "${package%:*}_$version"_*.deb)
	say "unpacking $deb ($(($(stat -c %s "$deb") >> 20)) MiB)"
	dpkg-deb --extract "$deb" "$dir"
	rm -r "$debs"
)
