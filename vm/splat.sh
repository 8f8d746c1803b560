# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a kernel log says only when something is wrong with the kernel.

SPLATS=(
	# any of the kernel's own complaints: oopses, assertions, panics, on x86 and on arm64
	'BUG:' 'kernel BUG at' 'WARNING:' 'Oops' 'Kernel panic' 'general protection'
	'Internal error:' 'Unable to handle kernel' 'Bad page' 'list_(add|del) corruption'
	# the sanitizers and the debug kernel's other checks
	'(KASAN|KCSAN|KFENCE|KMSAN|UBSAN|ODEBUG|refcount_t): '
	# lockdep; most of it begins with WARNING, but not on every kernel
	'possible (circular|recursive) locking' 'possible irq lock inversion'
	'inconsistent lock state' 'suspicious RCU' 'bad unlock balance' 'non-static key'
	'sleeping function called' 'scheduling while atomic' 'still has locks held'
	# nothing moves
	'blocked for more than [0-9]+ seconds' 'rcu.*detected( expedited)? stalls?'
	'self-detected stall' 'soft lockup' 'hard LOCKUP'
	# kmemleak
	'unreferenced object' 'new suspected memory leaks'
)

# find_splat LOG: LINE:TEXT of the first one
find_splat() {
	local pattern
	pattern=$(IFS='|' && echo "${SPLATS[*]}")
	grep -nE -m 1 -- "$pattern" "$1"
}

# show_splat LOG LINE:TEXT: it and what stands around it
show_splat() {
	local line=${2%%:*}
	sed -n "$((line > 3 ? line - 3 : 1)),$((line + 80))p" "$1"
}
