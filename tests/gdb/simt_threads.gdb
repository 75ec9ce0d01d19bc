# The threads of a block, listed from one of them, and another one looked at while it waits:
#   gdb -batch -x tests/gdb/simt_threads.gdb $TAPEGRAPH_DEBUG_BUILD/simt_demo
set confirm off
set pagination off
set width 0
source kernels/simt/gdb.py

# Warp 0 has come to the barrier; warp 1 is on its way to its first shuffle.
break sum_of_warp if threadIdx.x == 5 && threadIdx.y == 1 && blockIdx.x == 1
run
echo --- threads, from (5, 1, 0) of block 1\n
simt threads
echo --- shared\n
simt shared

# One that waits at the shuffle, and one at the barrier: their stacks and locals are their own.
echo --- thread (3, 1, 0)\n
simt thread 3,1
print value
backtrace
echo --- thread (4, 0, 0)\n
simt thread 4,0,0
print own
backtrace

# What cannot be shown.
echo --- not there\n
python
for words in ("thread 6,1", "thread 40", "thread here", "else"):
    try:
        gdb.execute("simt " + words)
    except gdb.error as error:
        print(error)
end

# `next` goes on in the thread that runs.
echo --- next\n
next
print threadIdx

# `finish`, where another thread is shown, goes on until that one returns from what is shown.
echo --- finish in (4, 0, 0)\n
simt thread 4
down
finish
print threadIdx
echo --- threads, from (4, 0, 0)\n
simt threads
simt thread 12
simt back
print threadIdx
kill
