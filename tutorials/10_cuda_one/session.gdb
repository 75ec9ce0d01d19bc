# One thread of one block, in the sum by blocks:
#
#   ./dev gdb -x tutorials/10_cuda_one/session.gdb 10
#
# session.txt is what the lines below print; go on by hand from their end.
set confirm off
set pagination off
set width 0
set print thread-events off
set print frame-info source-line
source kernels/simt/gdb.py

# A thread is a value of threadIdx and blockIdx, so a condition picks one.
break sum_by_blocks if threadIdx.x == 3 && blockIdx.x == 1
run
delete
echo --- thread 3 of block 1\n
print threadIdx
print blockIdx
print gridDim.x * blockDim.x

# It adds up x[67] and x[195], and comes to the barrier. Threads 4 to 63 have not begun: in their
# places is what block 0 has left behind.
advance 61
echo --- before the barrier\n
print sum
print part[3]
print part[35]
simt threads

# 60 other threads run before this one goes on; gdb does not stop in any of them.
next
echo --- behind it\n
print threadIdx
print part[35]
simt threads

# Another thread, where it waits: `backtrace`, `info locals` and `print` are its own.
echo --- thread 35\n
simt thread 35,0,0
print t
print sum
simt back

# The first half: its own and that of thread 35.
next
next
echo --- after one halving\n
print half
print part[3]

# The barrier behind the last halving is left by thread 0 first.
tbreak 66
continue
echo --- at the end\n
print threadIdx
print part[0]
