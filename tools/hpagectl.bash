# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of hpagectl. Commands and options are what --help prints.

# Programs that can be run, which words of the shell are not; or the path of one.
_hpagectl_programs()
{
	local word=$1 dir file
	local -a dirs
	local -A names=()

	if [[ $word == */* ]]; then
		compopt -o filenames 2>/dev/null
		for file in "$word"*; do
			[[ -x $file ]] && COMPREPLY+=("$file")
		done
		return
	fi
	IFS=: read -ra dirs <<<"$PATH"
	for dir in "${dirs[@]}"; do
		for file in "${dir:-.}/$word"*; do
			[[ -f $file && -x $file ]] && names[${file##*/}]=1
		done
	done
	COMPREPLY=("${!names[@]}")
}

# The number of the word in which the program of "run" stands, or nothing if there is none yet.
_hpagectl_program()
{
	local i
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			echo $((i + 1))
			return
			;;
		--size | --page-size | --node | --near | -[spn]) i=$((i + 1)) ;;
		-*) ;;
		*)
			echo "$i"
			return
			;;
		esac
	done
}

_hpagectl()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} program='' words=''

	COMPREPLY=()
	[[ $command != run ]] || program=$(_hpagectl_program)
	if ((COMP_CWORD == 1)); then
		words=$(hpagectl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
	elif [[ -n $program ]] && ((program < COMP_CWORD)); then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	elif [[ -n $program ]]; then
		_hpagectl_programs "$word"
		return
	elif [[ $before == --near ]]; then
		words=$(cd /sys/bus/pci/devices 2>/dev/null && echo ./* | sed 's|\./||g')
	elif [[ $before == --page-size || $before == -p ]]; then
		words=$(find /sys/kernel/mm/hugepages -mindepth 1 -printf '%f\n' 2>/dev/null |
			sed -n 's/^hugepages-\([0-9]*\)kB$/\1K/p')
	elif [[ $before == --backing ]]; then
		words='hugetlb thp'
	elif [[ $before == --output || ($before == -o && $command != create) ]]; then
		words=$(hpagectl "$command" --help 2>/dev/null |
			sed -n '/^columns:/,/^$/s/^[a-z:]*//p')
	elif [[ $before == --owner || $before == -o ]]; then
		mapfile -t COMPREPLY < <(compgen -u -- "$word")
		return
	elif [[ $before == --group || $before == -g ]]; then
		mapfile -t COMPREPLY < <(compgen -g -- "$word")
		return
	elif [[ $before == --size || $before == --node || $before == --mode || $before == --set ||
		$before == --overcommit ||
		$before == -[snm] || $before == --interval || $before == --iterations ]]; then
		return
	elif [[ $before == --svg || ($command == apply && $word != -*) ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	elif [[ $word == -* ]]; then
		words=$(hpagectl "$command" --help 2>/dev/null |
			sed -n 's/^  .\{4\}\(--[a-z0-9-]*\).*/\1/p')
	elif [[ $command == run ]]; then
		_hpagectl_programs "$word"
		return
	elif [[ $command == help ]]; then
		words=$(hpagectl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
	elif [[ $before == --write ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		((${#COMPREPLY[@]})) || COMPREPLY=(/etc/cdi /var/run/cdi)
		return
	elif [[ $command == cdi ]]; then
		words="$(cd /dev/hpage 2>/dev/null && ls) hpage_map"
	elif [[ $command == destroy || $command == info || $command == layout ||
		$command == who ]]; then
		words=$(cd /dev/hpage 2>/dev/null && ls)
		[[ $command == destroy ]] || words+=' default'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
} && complete -F _hpagectl hpagectl
