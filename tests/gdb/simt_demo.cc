// A block of 64 threads that adds numbers on the emulator, to be watched in gdb: simt_threads.gdb.
// in[i] is i; each warp adds its 32 by shuffles, and each thread then the two sums. The other
// shared arrays are there to be looked at.
#include <cstdio>
#include <numeric>
#include <vector>

#include "kernels/simt/simt.h"

namespace {

__device__ int sum_of_warp(int value) {
    for (int away = 16; away > 0; away /= 2) {
        const int other = __shfl_down_sync(~0u, value, away);
        value += other;
    }
    return value;
}

__device__ int sum_of_block(const int (&of_warp)[2]) { return of_warp[0] + of_warp[1]; }

__global__ void sums(int* out, const int* in) {
    __shared__ int of_warp[2];
    __shared__ short firsts[2][3];  // of each warp
    DYNAMIC_SHARED(int, every_16th);
    const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
    const int own = in[thread];
    if (thread % 16 == 0) every_16th[thread / 16] = own;
    if (threadIdx.x < 3) firsts[threadIdx.y][threadIdx.x] = static_cast<short>(own);
    const int sum = sum_of_warp(own);
    if (threadIdx.x == 0) of_warp[threadIdx.y] = sum;
    __syncthreads();
    const int least = every_16th[0] + firsts[0][0];
    out[thread] = sum_of_block(of_warp) + least;
}

}  // namespace

int main() {
    std::vector<int> numbers(64), results(64);
    std::iota(numbers.begin(), numbers.end(), 0);
    const std::size_t bytes = 64 * sizeof(int);
    int* in = static_cast<int*>(simt::allocate(bytes));
    int* out = static_cast<int*>(simt::allocate(bytes));
    simt::copy_to_device(in, numbers.data(), bytes);
    simt::launch(sums, dim3(2, 1), dim3(32, 2), 4 * sizeof(int), out, in);
    simt::copy_to_host(results.data(), out, bytes);
    std::printf("results[5] = %d, error: \"%s\"\n", results[5], simt::last_error());
    simt::release(in);
    simt::release(out);
}
