# One CUDA thread of one block, watched through a tile of the matrix product:
#   gdb -batch -x tests/gdb/cuda_thread.gdb $TAPEGRAPH_DEBUG_BUILD/cuda_demo
set confirm off
set pagination off
set width 0

# A thread is a value of threadIdx and blockIdx, so a condition picks one.
break matmul_tiled if threadIdx.x == 3 && threadIdx.y == 2 && blockIdx.x == 1
run
echo --- at the start of the kernel\n
print threadIdx
print blockIdx
print blockDim

# Its first barrier. Row 2 of the tile is this thread's and its neighbours' work; row 3 belongs to
# threads that have not started yet, so what it holds is left over from block 0.
tbreak __syncthreads if threadIdx.x == 3 && threadIdx.y == 2 && blockIdx.x == 1
continue
echo --- at the first barrier\n
up
print tile_a[2][3]
print tile_a[3][15]

# 255 other threads run before this one goes on; gdb does not stop in any of them.
down
finish
echo --- behind the first barrier\n
print threadIdx
print tile_a[3][15]

# One `next` goes to the second barrier, the other across it.
next
echo --- at the second barrier\n
print total
next
echo --- behind the second barrier\n
print threadIdx
print blockIdx
print total
