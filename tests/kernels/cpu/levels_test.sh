#!/bin/sh
# The objects of the levels may not share a symbol: the linker would keep the copy of one level,
# and a processor that lacks its instructions would run it.
# Usage: levels_test.sh objects of kernels/cpu/levels...
[ $# -gt 0 ] || { echo "levels_test.sh: give it the objects of kernels/cpu/levels"; exit 2; }
shared=$(nm -C "$@" | grep -E ' [WVuw] ' | grep -vE 'tg::kernels::cpu::(v1|v3|v4|generic)::')
[ -z "$shared" ] && exit 0
echo "weak symbols outside of the level's own namespace:"
echo "$shared" | sort -u
exit 1
