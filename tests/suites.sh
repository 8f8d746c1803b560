# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How tests/run chooses, orders and divides suites.

# suites_for TABLE KERNEL ARCH MACHINE: the names of those that run there, one a line. The kernel
# with pages of 64 KiB has suites of its own alone; with PREEMPT_RT there are no transparent huge
# pages, and only what is tried with every backing runs.
suites_for() {
	awk -v machine="$4" -v arch="$3" -v kernel="$2" '
		/^#/ || !NF || $2 != machine { next }
		$3 == kernel { print $1 }
		kernel == "64k" { next }
		kernel == "rt" && ($5 != "*" || $1 ~ /^thp/) { next }
		$3 == "any" || $3 == arch || ($3 == "stock" && kernel != "debug") { print $1 }
		' "$1"
}

# only NAME...: the lines of the input that are these, or all of them
only() {
	if (($#)); then
		grep -xF "$(printf '%s\n' "$@")" || :
	else
		cat
	fi
}

# shuffled SEED: the lines of the input in an order that is the same on every machine. What needs a
# machine just booted stays the first, what takes memory away for good the last.
shuffled() {
	local name place
	while read -r name; do
		case $name in
		gigantic) place=0 ;;
		poison) place=2 ;;
		*) place=1 ;;
		esac
		echo "$place$(sha256sum <<<"$1 $name") $name"
	done | sort | awk '{ print $NF }'
}

# halves SECONDS COLUMN: the lines of the input with 1 or 2 before them, so that either half takes
# about as long by that column of the table SECONDS. One that is not there yet counts as short.
halves() {
	awk -v column="$2" '
		NR == FNR {
			if (!/^#/ && NF)
				seconds[$1] = $column
			next
		}
		{ name[++n] = $1 }
		END {
			for (;;) {
				longest = 0
				for (i = 1; i <= n; i++)
					if (!part[i] && (!longest ||
					    cost(name[i]) > cost(name[longest])))
						longest = i
				if (!longest)
					break
				part[longest] = sum[2] < sum[1] ? 2 : 1
				sum[part[longest]] += cost(name[longest])
			}
			for (i = 1; i <= n; i++)
				print part[i], name[i]
		}
		function cost(suite) {
			return suite in seconds ? seconds[suite] : 3
		}' "$1" -
}
