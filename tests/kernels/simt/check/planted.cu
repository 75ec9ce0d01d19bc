// See planted.h. A comment `// mark: name` names the line it stands on.
#include <cstdint>
#include <fstream>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/check/planted.h"

namespace planted {
namespace {

using simt::launch;

__global__ void reverse(int* a) {
    __shared__ int copy[64];
    copy[threadIdx.x] = a[threadIdx.x];       // mark: fill
    a[threadIdx.x] = copy[63 - threadIdx.x];  // mark: take
}

__global__ void shift_often(int* a) {
    __shared__ int ring[64];
    ring[threadIdx.x] = a[threadIdx.x];
    __syncthreads();
    for (int i = 0; i < 3; ++i) {
        const int next = ring[(threadIdx.x + 1) % 64];  // mark: read ring
        __syncthreads();
        ring[threadIdx.x] = next;  // mark: write ring
    }
    a[threadIdx.x] = ring[threadIdx.x];
}

__global__ void tree(int* a, bool synced) {
    __shared__ int partial[32];
    partial[threadIdx.x] = a[threadIdx.x];
    __syncwarp();
    for (unsigned half = 16; half > 0; half /= 2) {
        if (threadIdx.x < half)
            partial[threadIdx.x] += partial[threadIdx.x + half];  // mark: add half
        if (synced) __syncwarp();
    }
    if (threadIdx.x == 0) a[0] = partial[0];
}

__global__ void shuffled(int* a) {
    __shared__ int copy[32];
    copy[threadIdx.x] = a[threadIdx.x];  // mark: before shuffle
    const int sum = __shfl_xor_sync(0xffffffff, a[threadIdx.x], 1);
    a[threadIdx.x] = copy[threadIdx.x ^ 1] + sum;  // mark: after shuffle
}

__global__ void neighbours(int* a) {
    if (threadIdx.x < 63) a[threadIdx.x] = a[threadIdx.x + 1];  // mark: neighbours
}

__global__ void all_write(int* a, int odd_one) {
    a[0] = static_cast<int>(threadIdx.x) == odd_one ? 8 : 7;  // mark: all write
}

__global__ void write_block(int* a) {
    if (threadIdx.x == 0) a[0] = static_cast<int>(blockIdx.x);  // mark: write block
}

__global__ void pass_on(int* a) {
    if (blockIdx.x == 1) a[8] = 1;     // mark: pass on
    if (blockIdx.x == 0) a[9] = a[8];  // mark: receive
}

__global__ void count(int* a) {
    atomicAdd(a, 1);                     // mark: atomic
    if (threadIdx.x == 40) a[1] = a[0];  // mark: plain
}

// [CUDA samples, threadFenceReduction] in small: the block that comes last adds up.
__global__ void last_adds(int* a, unsigned* tickets, Fence fence) {
    a[blockIdx.x] = 1;  // mark: part
    if (fence == Fence::of_device) __threadfence();
    if (fence == Fence::of_block) __threadfence_block();
    if (atomicAdd(tickets, 1u) != gridDim.x - 1) return;
    int total = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) total += a[i];  // mark: total
    a[0] = total;
    *tickets = 0;  // for the next launch
}

__global__ void fill(int* a, int offset) {
    a[static_cast<int>(threadIdx.x) + offset] = 1;  // mark: fill a
}

__global__ void dynamic(int* a) {
    DYNAMIC_SHARED(int, copy);
    copy[threadIdx.x] = 1;  // mark: dynamic
    a[threadIdx.x] = copy[threadIdx.x];
}

__device__ void put(int* array, int index) {
    array[index] = 1;  // mark: put
}
__global__ void past_its_tile(int* a, int index) {
    __shared__ int tile[128];
    __shared__ int other[128];
    put(tile, index);
    put(other, 0);
    a[0] = 1;
}

__global__ void cleared(int* a, int bytes) {
    __shared__ int copy[32];
    if (threadIdx.x == 0) memset(copy, 0, static_cast<std::size_t>(bytes));  // mark: cleared
    __syncthreads();
    a[threadIdx.x] = copy[threadIdx.x];  // mark: take cleared
}

__global__ void indexed(int* a, int index) {
    __shared__ int row[4][8];
    row[0][index] = 1;  // mark: indexed
    __syncthreads();
    a[0] = row[1][0];
}

__global__ void boxed(Box box) { box.numbers[threadIdx.x] = 1; }  // mark: boxed

__global__ void odd_address(int* a) {
    *reinterpret_cast<int*>(reinterpret_cast<std::uintptr_t>(a) + 2) = 1;  // mark: odd
}

__global__ void odd_float4(float4* to, const float* from) {
    to[0] = *reinterpret_cast<const float4*>(from + 1);  // mark: odd float4
}

__global__ void build_odd_float4(float* to) {
    *reinterpret_cast<float4*>(to + 1) = float4{1, 2, 3, 4};  // mark: built there
}

__global__ void never_written(int* a) {
    __shared__ int part[32];
    a[threadIdx.x] = part[threadIdx.x];  // mark: never written
}

__global__ void sum_shared(int* a, int writers) {
    __shared__ int part[32];
    if (static_cast<int>(threadIdx.x) < writers) part[threadIdx.x] = 1;
    __syncthreads();
    a[threadIdx.x] = part[31 - threadIdx.x];  // mark: sum shared
}

template <int count>
__global__ void declares(int* a) {
    __shared__ int half[count / 2];
    __shared__ int rest[count - count / 2];
    if (a == nullptr) half[0] = rest[0] = 1;
}

__global__ void copy(int* to, const int* from) {
    to[threadIdx.x] = from[threadIdx.x];  // mark: copy
}

// Neighbouring bytes are nobody else's business.
__global__ void add_bytes(unsigned char* to, const unsigned char* from) {
    to[threadIdx.x] = static_cast<unsigned char>(to[threadIdx.x] + from[threadIdx.x]);
}

__global__ void divided() {
    if (threadIdx.x < 16)
        __syncthreads();  // mark: divided
    else
        __syncthreads();  // mark: other side
}

__global__ void not_in_mask(int* a) {
    a[threadIdx.x] = __shfl_sync(0x0000ffff, a[threadIdx.x], 0);  // mark: mask
}

__global__ void never_met() {
    if (threadIdx.x == 0)
        __syncwarp();  // mark: never met
    else
        __syncthreads();  // mark: waits
}

__global__ void ten_races(int* a) {
    const unsigned t = threadIdx.x;
    a[0] = static_cast<int>(t);
    a[1] = static_cast<int>(t);
    a[2] = static_cast<int>(t);
    a[3] = static_cast<int>(t);
    a[4] = static_cast<int>(t);
    a[5] = static_cast<int>(t);
    a[6] = static_cast<int>(t);
    a[7] = static_cast<int>(t);
    a[8] = static_cast<int>(t);
    a[9] = static_cast<int>(t);
}

}  // namespace

std::string line(const char* mark) {
    std::ifstream source(__FILE__);
    const std::string wanted = std::string("// mark: ") + mark;
    std::string text;
    for (int number = 1; std::getline(source, text); ++number)
        if (text.size() >= wanted.size() &&
            text.compare(text.size() - wanted.size(), wanted.size(), wanted) == 0)
            return "planted.cu:" + std::to_string(number);
    return "no such mark";
}

void no_barrier(int* a) { launch(reverse, 1, 64, 0, a); }
void no_barrier_in_a_loop(int* a) { launch(shift_often, 1, 64, 0, a); }
void tree_without_syncwarp(int* a) { launch(tree, 1, 32, 0, a, false); }
void tree_with_syncwarp(int* a) { launch(tree, 1, 32, 0, a, true); }
void shuffle_is_no_barrier(int* a) { launch(shuffled, 1, 32, 0, a); }
void global_race(int* a) { launch(neighbours, 1, 64, 0, a); }
void same_value(int* a) { launch(all_write, 1, 64, 0, a, -1); }
void same_value_but_one(int* a) { launch(all_write, 1, 64, 0, a, 5); }
void blocks_write(int* a) { launch(write_block, 2, 32, 0, a); }
void block_reads_another(int* a) { launch(pass_on, 2, 1, 0, a); }
void atomic_and_plain(int* a) { launch(count, 1, 64, 0, a); }
void last_block_adds_up(int* a, Fence fence) {
    launch(last_adds, 4, 1, 0, a, reinterpret_cast<unsigned*>(a + 32), fence);
}
void past_the_end(int* a, int threads) { launch(fill, 1, static_cast<unsigned>(threads), 0, a, 0); }
void before_the_start(int* a) { launch(fill, 1, 1, 0, a, -1); }
void past_dynamic_shared(int* a, std::size_t bytes) { launch(dynamic, 1, 32, bytes, a); }
void outside_its_tile(int* a, int index) { launch(past_its_tile, 1, 1, 0, a, index); }
void clears(int* a, int bytes) { launch(cleared, 1, 32, 0, a, bytes); }
void index_outside(int* a, int index) { launch(indexed, 1, 1, 0, a, index); }
void through_a_box(int* a) { launch(boxed, 1, 32, 0, Box{a}); }
void misaligned(int* a) { launch(odd_address, 1, 1, 0, a); }
void misaligned_float4(int* a) {
    launch(odd_float4, 1, 1, 0, reinterpret_cast<float4*>(a), reinterpret_cast<float*>(a));
}
void misaligned_store(int* a) { launch(build_odd_float4, 1, 1, 0, reinterpret_cast<float*>(a)); }
void reads_never_written(int* a) { launch(never_written, 1, 32, 0, a); }
void reads_unwritten_shared(int* a, int writers) { launch(sum_shared, 1, 32, 0, a, writers); }
void declares_all_shared(std::size_t dynamic) {
    launch(declares<48 * 256>, 1, 1, dynamic, static_cast<int*>(nullptr));
}
void declares_too_much_shared() {
    launch(declares<48 * 256 + 1>, 1, 1, 0, static_cast<int*>(nullptr));
}
void allows_shared(std::size_t dynamic) { simt::allow_shared_bytes(declares<48 * 256>, dynamic); }
void copies(int* to, const int* from) { launch(copy, 1, 32, 0, to, from); }
void adds_bytes(unsigned char* to, const unsigned char* from) {
    launch(add_bytes, 1, 64, 0, to, from);
}
void divided_barrier(int*) { launch(divided, 1, 32, 0); }
void wrong_mask(int* a) { launch(not_in_mask, 1, 32, 0, a); }
void deadlock(int*) { launch(never_met, 1, 32, 0); }
void many_races(int* a) { launch(ten_races, 1, 2, 0, a); }

}  // namespace planted
