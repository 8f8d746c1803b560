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

# The number of the last of the words that the shell has made of the one at I: _hpagectl_last I
_hpagectl_last()
{
	local i=$1

	while [[ ${COMP_WORDS[i + 1]-} == : ]]; do
		i=$((i + 2))
	done
	echo "$i"
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
		--size | --page-size | --node | --near | -[spn])
			[[ ${COMP_WORDS[i + 1]} != = ]] || i=$((i + 1))
			i=$(_hpagectl_last $((i + 1)))
			;;
		-*) ;;
		*)
			echo "$i"
			return
			;;
		esac
	done
}

# The shell makes several words of what has a colon or an equals sign: 0000:00:03.0 is five. This
# puts together what it has taken apart around the cursor, in "word", "before" and "pieces", which
# is how many the word was made of.
_hpagectl_join()
{
	local i=$COMP_CWORD

	word=${COMP_WORDS[i]} pieces=1
	while ((i > 2)) && [[ ${COMP_WORDS[i]} == : || ${COMP_WORDS[i - 1]} == : ]]; do
		i=$((i - 1)) pieces=$((pieces + 1))
		word=${COMP_WORDS[i]}$word
	done
	before=${COMP_WORDS[i - 1]}
	if [[ $word == = ]]; then
		word=''
	elif [[ $before == = ]] && ((i > 2)); then
		before=${COMP_WORDS[i - 2]}
	fi
}

# Page sizes with a pool, as they are typed.
_hpagectl_page_sizes()
{
	hpagectl pool --noheadings --bytes --output page 2>/dev/null | sort -nu |
		while read -r bytes; do
			if ((bytes % (1 << 30) == 0)); then
				echo "$((bytes >> 30))G"
			elif ((bytes % (1 << 20) == 0)); then
				echo "$((bytes >> 20))M"
			else
				echo "$((bytes >> 10))K"
			fi
		done
}

# The names in a directory of devices or nodes: _hpagectl_names DIRECTORY [PREFIX]
_hpagectl_names()
{
	local path
	for path in "$1/${2:-}"*; do
		[[ ! -e $path ]] || printf '%s\n' "${path#"$1/${2:-}"}"
	done
}

# _hpagectl_value OPTION: what its argument may be, in "words"; fails if it has none. What files,
# users and groups there are is in COMPREPLY at once.
_hpagectl_value()
{
	case $1 in
	--near) words=$(_hpagectl_names /sys/bus/pci/devices && _hpagectl_names \
		/sys/bus/platform/devices) ;;
	--page-size | -p) words=$(_hpagectl_page_sizes) ;;
	--node | -n) words=$(_hpagectl_names /sys/devices/system/node node | grep -x '[0-9]*') ;;
	--backing) words='hugetlb thp' ;;
	--mode | -m) words='0600 0640 0660 0666' ;;
	--size | -s | --set | --overcommit | --interval | --iterations) ;;
	--svg)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--write)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		[[ -n $word ]] || COMPREPLY+=(/etc/cdi /var/run/cdi)
		;;
	--group | -g) mapfile -t COMPREPLY < <(compgen -g -- "$word") ;;
	--owner) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
	--output | -o)
		if [[ $1 == -o && $command == create ]]; then
			mapfile -t COMPREPLY < <(compgen -u -- "$word")
			return
		fi
		words=$(hpagectl "$command" --help 2>/dev/null |
			sed -n '/^columns:/,/^$/s/^[a-z:]*//p')
		# Behind a comma another one.
		# shellcheck disable=SC2001  # a word each
		[[ $word != *,* ]] || words=$(sed "s/[^ ]\{1,\}/${word%,*},&/g" <<<"$words")
		;;
	*) return 1 ;;
	esac
}

# What the word may be that is no option, in "words"
_hpagectl_word()
{
	case $command in
	help) words=$(hpagectl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') ;;
	destroy) words=$(_hpagectl_names /dev/hpage) ;;
	cdi) words="$(_hpagectl_names /dev/hpage) hpage_map" ;;
	info | layout | who)
		words="$(_hpagectl_names /dev/hpage) default"
		words+=" $(hpagectl list --noheadings --output id 2>/dev/null)"
		;;
	apply)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		;;
	esac
}

_hpagectl()
{
	local command=${COMP_WORDS[1]} program='' words='' word before pieces i

	COMPREPLY=()
	_hpagectl_join
	[[ $command != run ]] || program=$(_hpagectl_program)
	if ((COMP_CWORD == 1)); then
		words=$(hpagectl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		words+=' --help --version'
	elif [[ -n $program ]] && ((program < COMP_CWORD)); then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	elif [[ -n $program ]]; then
		_hpagectl_programs "$word"
		return
	elif _hpagectl_value "$before"; then
		:
	elif [[ $word == -* ]]; then
		words=$(hpagectl "$command" --help 2>/dev/null |
			sed -n 's/^  .\{4\}\(--[a-z0-9-]*\).*/\1/p')
	elif [[ $command == run ]]; then
		_hpagectl_programs "$word"
		return
	else
		_hpagectl_word
	fi
	((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	# What stands before the last colon stays.
	((pieces == 1)) || for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"${word%"${word##*:}"}"}
	done
} && complete -F _hpagectl hpagectl
