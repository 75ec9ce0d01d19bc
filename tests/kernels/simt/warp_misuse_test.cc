#include <doctest/doctest.h>

#include <string>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::error;

constexpr unsigned full = 0xffffffff;

int line = 0, other_line = 0;

std::string at(int where) { return "warp_misuse_test.cc:" + std::to_string(where); }

__global__ void not_in_own_mask() {
    line = __LINE__ + 1;
    __shfl_sync(0x0f, 1, 0);
}

__global__ void different_calls() {
    if (threadIdx.x < 3) {
        other_line = __LINE__ + 1;
        __ballot_sync(full, 1);
    } else {
        line = __LINE__ + 1;
        __any_sync(full, 1);
    }
}

__global__ void different_places() {
    if (threadIdx.x == 0) {
        other_line = __LINE__ + 1;
        __shfl_sync(full, 1, 0);
    } else {
        line = __LINE__ + 1;
        __shfl_sync(full, 2, 0);
    }
}

template <class T>
__device__ T first_lane(T value) {
    line = __LINE__ + 1;
    return __shfl_sync(full, value, 0);
}
__global__ void different_types() {
    if (threadIdx.x == 0)
        first_lane(1);
    else
        first_lane(1.0);
}

__global__ void different_masks() {
    line = __LINE__ + 1;
    __shfl_sync(threadIdx.x == 0 ? 0x3u : 0x7u, 1, 0);
}

__global__ void reads_outside_mask() {
    if (threadIdx.x >= 16) return;
    line = __LINE__ + 1;
    __shfl_down_sync(0xffff, 1, 4);
}

__global__ void reads_lane(int lane) {
    if (threadIdx.x == 5) return;
    line = __LINE__ + 1;
    __shfl_sync(full, 1, lane);
}

__global__ void sums_with_early_return(int* out) {
    const unsigned t = threadIdx.x;
    if (t >= 20) return;
    out[t] = __reduce_add_sync(full, 1);
    out[t] += __popc(__ballot_sync(full, 1));
    __syncwarp();
}

__global__ void odd_width() {
    line = __LINE__ + 1;
    __shfl_sync(full, 1, 0, 12);
}

__global__ void half_at_barrier() {
    if (threadIdx.x < 16) {
        line = __LINE__ + 1;
        __shfl_sync(full, 1, 0);
    } else if (threadIdx.x < 62) {
        other_line = __LINE__ + 1;
        __syncthreads();
    }
}

__global__ void every_other_lane() {
    if (threadIdx.x % 2)
        __syncthreads();
    else
        __syncwarp(0x55555555u << (threadIdx.x / 64));
    __syncwarp(full);
}

__global__ void good(int* out) {
    out[threadIdx.x] = __shfl_xor_sync(full, static_cast<int>(threadIdx.x), 1);
    __syncthreads();
}

// Whether launches still work, after one that failed.
bool still_works() {
    Device<int> out(64);
    simt::launch(good, 1, 64, 0, out.data);
    return error().empty() && out.host()[62] == 63;
}

}  // namespace

TEST_CASE("a lane that is not in its own mask fails the launch") {
    simt::launch(not_in_own_mask, 1, 32, 0);
    CHECK(
        error() ==
        "__shfl_sync: thread (4, 0, 0) of block (0, 0, 0) is lane 4, which is not in its own mask "
        "0x0000000f at " +
            at(line));
    CHECK(still_works());
}

TEST_CASE("lanes of one mask that make different calls fail the launch") {
    simt::launch(different_calls, 1, 64, 0);
    CHECK(error() == "__any_sync: thread (3, 0, 0) of block (0, 0, 0) is at " + at(line) +
                         " with mask 0xffffffff, but thread (0, 0, 0) waits in __ballot_sync at " +
                         at(other_line) +
                         " with mask 0xffffffff; all lanes of a mask must make the same call");
    CHECK(still_works());
    simt::launch(different_places, 1, 32, 0);
    CHECK(error() == "__shfl_sync: thread (1, 0, 0) of block (0, 0, 0) is at " + at(line) +
                         " with mask 0xffffffff, but thread (0, 0, 0) waits in __shfl_sync at " +
                         at(other_line) +
                         " with mask 0xffffffff; all lanes of a mask must make the same call");
    simt::launch(different_types, 1, 32, 0);
    CHECK(error() == "__shfl_sync: thread (1, 0, 0) of block (0, 0, 0) is at " + at(line) +
                         " with mask 0xffffffff, but thread (0, 0, 0) waits in __shfl_sync at " +
                         at(line) +
                         " with mask 0xffffffff; all lanes of a mask must make the same call with "
                         "the same type");
    CHECK(still_works());
}

TEST_CASE("lanes that wait for each other with different masks fail the launch") {
    simt::launch(different_masks, 1, 3, 0);
    CHECK(error() == "__shfl_sync: thread (1, 0, 0) of block (0, 0, 0) passes mask 0x00000007 at " +
                         at(line) + ", but thread (0, 0, 0) waits in __shfl_sync at " + at(line) +
                         " with mask 0x00000003; lanes that meet must pass the same mask");
    CHECK(still_works());
}

TEST_CASE("a shuffle from a lane that takes no part fails the launch and says why it does not") {
    simt::launch(reads_outside_mask, 1, 32, 0);
    CHECK(error() == "__shfl_down_sync: thread (12, 0, 0) of block (0, 0, 0) reads lane 16 at " +
                         at(line) + ", which is not in the mask 0x0000ffff");
    simt::launch(reads_lane, 1, 40, 0, 5);
    CHECK(error() == "__shfl_sync: thread (0, 0, 0) of block (0, 0, 0) reads lane 5 at " +
                         at(line) + ", but that thread has returned");
    simt::launch(reads_lane, 1, 40, 0, 9);
    CHECK(error() == "__shfl_sync: thread (32, 0, 0) of block (0, 0, 0) reads lane 9 at " +
                         at(line) + ", but warp 1 has only 8 lanes");
    CHECK(still_works());
}

TEST_CASE("lanes that have returned, or that a partial warp lacks, are not waited for") {
    for (const unsigned threads : {32u, 20u, 7u}) {
        Device<int> out(32);
        simt::launch(sums_with_early_return, 1, threads, 0, out.data);
        CHECK(error() == "");
        CHECK(out.host()[3] == 2 * static_cast<int>(threads < 20 ? threads : 20));
    }
}

TEST_CASE("a width that is no power of two fails the launch") {
    simt::launch(odd_width, 1, 32, 0);
    CHECK(error() == "__shfl_sync: thread (0, 0, 0) of block (0, 0, 0) passes width 12 at " +
                         at(line) + "; it must be 1, 2, 4, 8, 16 or 32");
    CHECK(still_works());
}

TEST_CASE("a deadlock lists who waits where") {
    simt::launch(half_at_barrier, dim3(1), dim3(32, 2), 0);
    CHECK(error() ==
          "deadlock: in block (0, 0, 0) no thread can go on"
          "; threads (0, 0, 0) to (15, 0, 0) wait in __shfl_sync at " +
              at(line) +
              " with mask 0xffffffff"
              "; threads (16, 0, 0) to (31, 0, 0) wait in __syncthreads at " +
              at(other_line) + "; threads (0, 1, 0) to (15, 1, 0) wait in __shfl_sync at " +
              at(line) +
              " with mask 0xffffffff"
              "; threads (16, 1, 0) to (31, 1, 0) wait in __syncthreads at " +
              at(other_line));
    CHECK(still_works());
    simt::launch(every_other_lane, 1, 64, 0);
    const std::string text = error();
    CHECK(text.find("; and 48 more such groups") != std::string::npos);
    CHECK(still_works());
}
