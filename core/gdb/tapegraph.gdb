# What ./dev gdb loads: printers for our types, and what `step` passes over, so that it stays on the
# path that a learner wants to see: user's line -> op -> apply -> kernel. Without ./dev, in the
# project's folder:
#   gdb -x core/gdb/tapegraph.gdb PROGRAM
set print static-members off

python
for words in r"""
    # The standard library.
    -rfu ^std::
    -rfu ^__gnu_cxx::
    -rfu ^operator.(new|delete)

    # Small tools of ours: constructors that note the user's line, counted pointers, short vectors.
    -gfi *core/op.h
    -gfi *core/ref.h
    -gfi *core/where.*
    -gfi *core/error.h
    -gfi *core/dims.*
    -gfi *core/dtype.*
    -gfi *core/state.*
    -gfi *core/storage.*
    -gfi *core/tensor.*
    -gfi *core/node.cc
    -gfi *core/history.*
    -gfi *core/recording.*
    -gfi *core/backward.h
    -gfi *core/profiler.*
    -gfi *core/anomaly.*
    -gfi *core/ops/structural.h
    -gfi *kernels/array.h
    -gfi *kernels/cpu/dispatch.cc
    -gfi *kernels/cpu/strided.h

    # Of apply.cc what lies beside the path: which dtype, which shape, where the bytes are. To see
    # one of them, put a breakpoint there: `break tg::prepare`.
    -rfu ^tg::(Prepared|DimList)::
    -rfu ^tg::(prepare|array_of|record_node|check_interrupt|broadcast_to|broadcast_shape)[(]
    -rfu ^tg::.anonymous.namespace.::(shape_of|view_shape|alias_of|with_broadcast|wrapped)[(]
    -rfu ^tg::kernels::cpu::.anonymous.namespace.::(contiguous|repeated|rows_are_blocks)[(]
""".splitlines():
    words = words.strip()
    if words and not words.startswith("#"):
        gdb.execute("skip " + words, to_string=True)
end

source core/gdb/printers.py
source kernels/simt/gdb.py
