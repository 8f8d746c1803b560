# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of hpagectl. Commands and options are what --help says.

_hpagectl()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words=$(hpagectl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
	elif [[ $before == --near ]]; then
		words=$(cd /sys/bus/pci/devices 2>/dev/null && echo ./* | sed 's|\./||g')
	elif [[ $before == --page-size || $before == -p ]]; then
		words=$(find /sys/kernel/mm/hugepages -mindepth 1 -printf '%f\n' 2>/dev/null |
			sed -n 's/^hugepages-\([0-9]*\)kB$/\1K/p')
	elif [[ $before == --backing ]]; then
		words='hugetlb thp'
	elif [[ $before == --owner || $before == -o ]]; then
		mapfile -t COMPREPLY < <(compgen -u -- "$word")
		return
	elif [[ $before == --group || $before == -g ]]; then
		mapfile -t COMPREPLY < <(compgen -g -- "$word")
		return
	elif [[ $before == --svg || ($command == apply && $word != -*) ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	elif [[ $word == -* ]]; then
		words=$(hpagectl "$command" --help 2>/dev/null | grep -o -- '--[a-z0-9][a-z0-9-]*')
	elif [[ $command == run ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
		return
	elif [[ $command == destroy || $command == info || $command == layout ||
		$command == who ]]; then
		words=$(cd /dev/hpage 2>/dev/null && ls)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
} && complete -F _hpagectl hpagectl
