#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::error;

constexpr unsigned full = 0xffffffff;

// All four shuffles of lane number t in segments of `width`; lane t writes 4 results.
__global__ void shuffle_all(int* out, int amount, int width) {
    const int t = static_cast<int>(threadIdx.x);
    const unsigned delta = static_cast<unsigned>(amount);
    out[4 * t] = __shfl_sync(full, t, amount, width);
    out[4 * t + 1] = __shfl_up_sync(full, t, delta, width);
    out[4 * t + 2] = __shfl_down_sync(full, t, delta, width);
    out[4 * t + 3] = __shfl_xor_sync(full, t, amount, width);
}

template <class T>
__global__ void turn_right(T* values) {
    const unsigned t = threadIdx.x;
    values[t] = __shfl_sync(full, values[t], static_cast<int>(t + 31));
}

// Every warp adds up its threads' numbers, each by a tree of shuffles.
__global__ void warp_sums(float* sums, const float* values) {
    const unsigned t = threadIdx.x + blockDim.x * threadIdx.y;
    float sum = values[t];
    for (unsigned half = 16; half > 0; half /= 2) sum += __shfl_down_sync(full, sum, half);
    if (t % 32 == 0) sums[t / 32] = sum;
}

__global__ void vote(unsigned* out, unsigned mask) {
    const unsigned t = threadIdx.x;
    if (!(mask >> t & 1)) return;
    out[4 * t] = __ballot_sync(mask, t % 3 == 0);
    out[4 * t + 1] = static_cast<unsigned>(__any_sync(mask, t == 6));
    out[4 * t + 2] = static_cast<unsigned>(__all_sync(mask, t != 6));
    out[4 * t + 3] = static_cast<unsigned>(__all_sync(mask, 2));
}

__global__ void match(unsigned* out) {
    const unsigned t = threadIdx.x;
    int same = 7;
    out[t] = __match_any_sync(full, static_cast<double>(t % 5));
    out[32 + t] = __match_all_sync(full, 1ull << 40, &same) + static_cast<unsigned>(same);
    out[64 + t] = __match_all_sync(full, t == 9, &same) + static_cast<unsigned>(same);
}

__global__ void reduce(int* out, unsigned* uout, unsigned mask) {
    const int t = static_cast<int>(threadIdx.x);
    if (!(mask >> t & 1)) return;
    out[3 * t] = __reduce_add_sync(mask, t - 10);
    out[3 * t + 1] = __reduce_min_sync(mask, t - 10);
    out[3 * t + 2] = __reduce_max_sync(mask, t - 40);
    const unsigned u = threadIdx.x;
    uout[6 * t] = __reduce_add_sync(mask, u << 28);
    uout[6 * t + 1] = __reduce_min_sync(mask, u - 4);
    uout[6 * t + 2] = __reduce_max_sync(mask, u - 4);
    uout[6 * t + 3] = __reduce_and_sync(mask, u | 0x80);
    uout[6 * t + 4] = __reduce_or_sync(mask, u);
    uout[6 * t + 5] = __reduce_xor_sync(mask, u);
}

// The lower half of a warp and the upper one meet on their own, the lower twice.
__global__ void two_halves(int* out) {
    const int t = static_cast<int>(threadIdx.x);
    if (t < 16) {
        out[t] = __shfl_sync(0xffffu, t, 3);
        out[t] += __shfl_sync(0xffffu, t, 5);
    } else {
        out[t] = __shfl_sync(0xffff0000u, t, 20);
    }
}

__global__ void hand_over_shared(int* out) {
    __shared__ int slot[32];
    const unsigned t = threadIdx.x;
    slot[t] = static_cast<int>(t * t);
    __syncwarp();
    out[t] = slot[31 - t];
}

// One side of the `if` writes, the other reads: __syncwarp may be at two places.
__global__ void two_sides_of_an_if(int* out) {
    __shared__ int message;
    if (threadIdx.x == 0) {
        message = 42;
        __syncwarp();
    } else {
        __syncwarp();
        out[threadIdx.x] = message;
    }
}

__global__ void mixed(int* out) {
    __shared__ int sums[4];
    const unsigned t = threadIdx.x;
    int sum = static_cast<int>(t);
    for (int flip = 16; flip > 0; flip /= 2) sum += __shfl_xor_sync(full, sum, flip);
    sums[t / 32] = sum;
    __syncthreads();
    out[t] = sums[0] + sums[1] + sums[2] + sums[3];
    const int yes = __syncthreads_count(t % 2 == 0);
    out[t] += 100000 * yes;
}

__global__ void block_votes(int* out) {
    const unsigned t = threadIdx.x;
    for (int round = 0; round < 3; ++round) {
        const int limit = 40 * round;
        out[9 * t + 3 * round] = __syncthreads_count(static_cast<int>(t) < limit);
        out[9 * t + 3 * round + 1] = __syncthreads_and(static_cast<int>(t) < limit);
        out[9 * t + 3 * round + 2] = __syncthreads_or(static_cast<int>(t) < limit);
    }
}

__global__ void active_in_branches(unsigned* out) {
    const unsigned t = threadIdx.x;
    if (t % 4 == 1)
        out[t] = __activemask();
    else if (t % 4 == 2)
        out[t] = __activemask();
}

std::vector<int> sources(int amount, int width) {
    Device<int> out(4 * 32);
    simt::launch(shuffle_all, 1, 32, 0, out.data, amount, width);
    CHECK(error() == "");
    return out.host();
}

}  // namespace

TEST_CASE("shuffles read the lane that CUDA says, in segments of every width") {
    for (const int width : {1, 2, 4, 8, 16, 32})
        for (const int amount : {0, 1, 2, 3, 5, 8, 16, 31}) {
            const std::vector<int> got = sources(amount, width);
            for (int t = 0; t < 32; ++t) {
                const int begin = t / width * width, end = begin + width;
                const std::size_t at = 4 * static_cast<std::size_t>(t);
                CHECK(got[at] == begin + amount % width);
                CHECK(got[at + 1] == (t - amount >= begin ? t - amount : t));
                CHECK(got[at + 2] == (t + amount < end ? t + amount : t));
                CHECK(got[at + 3] == ((t ^ amount) < end ? t ^ amount : t));
            }
        }
}

TEST_CASE_TEMPLATE("a shuffle keeps every bit of a value", T, int, unsigned, long, unsigned long,
                   long long, unsigned long long, float, double) {
    std::vector<T> values(32), turned(32);
    for (std::size_t t = 0; t < 32; ++t) {
        values[t] = static_cast<T>(static_cast<T>(t + 1) * static_cast<T>(1234567) / T(3));
        turned[(t + 1) % 32] = values[t];
    }
    Device<T> device(values);
    simt::launch(turn_right<T>, 1, 32, 0, device.data);
    CHECK(error() == "");
    CHECK(device.host() == turned);
}

TEST_CASE("a tree of shuffles adds up every warp of a block, however its threads are numbered") {
    std::vector<float> values(256), expected(8);
    for (std::size_t i = 0; i < 256; ++i) {
        values[i] = static_cast<float>(i % 50);
        expected[i / 32] += values[i];
    }
    const Device<float> in(values);
    for (const dim3 block : {dim3(256), dim3(16, 16), dim3(2, 128)}) {
        Device<float> out(8);
        simt::launch(warp_sums, 1, block, 0, out.data, in.data);
        CHECK(error() == "");
        CHECK(out.host() == expected);
    }
}

TEST_CASE("votes see the lanes of the mask and no others") {
    for (const unsigned mask : {full, 0x0000ff0fu, 0x40u}) {
        Device<unsigned> out(4 * 32);
        simt::launch(vote, 1, 32, 0, out.data, mask);
        CHECK(error() == "");
        const std::vector<unsigned> got = out.host();
        unsigned thirds = 0;
        for (unsigned t = 0; t < 32; t += 3) thirds |= 1u << t;
        const unsigned six = mask >> 6 & 1;
        for (std::size_t t = 0; t < 32; ++t) {
            if (!(mask >> t & 1)) continue;
            CHECK(got[4 * t] == (thirds & mask));
            CHECK(got[4 * t + 1] == six);
            CHECK(got[4 * t + 2] == 1 - six);
            CHECK(got[4 * t + 3] == 1);
        }
    }
}

TEST_CASE("matches find the lanes with the same value") {
    Device<unsigned> out(96);
    simt::launch(match, 1, 32, 0, out.data);
    CHECK(error() == "");
    const std::vector<unsigned> got = out.host();
    for (std::size_t t = 0; t < 32; ++t) {
        unsigned same = 0;
        for (std::size_t other = t % 5; other < 32; other += 5) same |= 1u << other;
        CHECK(got[t] == same);
        CHECK(got[32 + t] == full + 1);
        CHECK(got[64 + t] == 0);
    }
}

TEST_CASE("reductions of a mask reach all its lanes") {
    for (const unsigned mask : {full, 0x00f0000fu}) {
        Device<int> out(3 * 32);
        Device<unsigned> uout(6 * 32);
        simt::launch(reduce, 1, 32, 0, out.data, uout.data, mask);
        CHECK(error() == "");
        const std::vector<int> got = out.host();
        const std::vector<unsigned> ugot = uout.host();
        int sum = 0, largest = 0;
        unsigned usum = 0, all = ~0u, any = 0, odd = 0;
        for (int t = 0; t < 32; ++t) {
            if (!(mask >> t & 1)) continue;
            const unsigned u = static_cast<unsigned>(t);
            sum += t - 10;
            largest = t;
            usum += u << 28;
            all &= u | 0x80;
            any |= u;
            odd ^= u;
        }
        for (std::size_t t = 0; t < 32; ++t) {
            if (!(mask >> t & 1)) continue;
            CHECK(got[3 * t] == sum);
            CHECK(got[3 * t + 1] == -10);
            CHECK(got[3 * t + 2] == largest - 40);
            CHECK(ugot[6 * t] == usum);
            CHECK(ugot[6 * t + 1] == (mask == full ? 0 : 16));  // 4 - 4, or 20 - 4
            CHECK(ugot[6 * t + 2] == 0xffffffff);               // 3 - 4
            CHECK(ugot[6 * t + 3] == all);
            CHECK(ugot[6 * t + 4] == any);
            CHECK(ugot[6 * t + 5] == odd);
        }
    }
}

TEST_CASE("lanes with other masks do not wait for each other") {
    Device<int> out(32);
    simt::launch(two_halves, 1, 32, 0, out.data);
    CHECK(error() == "");
    const std::vector<int> got = out.host();
    for (std::size_t t = 0; t < 32; ++t) CHECK(got[t] == (t < 16 ? 8 : 20));
}

TEST_CASE("what a lane wrote before __syncwarp is there for the others behind it") {
    Device<int> out(32);
    simt::launch(hand_over_shared, 1, 32, 0, out.data);
    CHECK(error() == "");
    for (std::size_t t = 0; t < 32; ++t)
        CHECK(out.host()[t] == static_cast<int>((31 - t) * (31 - t)));
    simt::launch(two_sides_of_an_if, 1, 32, 0, out.data);
    CHECK(error() == "");
    CHECK(out.host()[31] == 42);
}

TEST_CASE("warp operations, barriers and votes of the block mix") {
    Device<int> out(128);
    simt::launch(mixed, 1, 128, 0, out.data);
    CHECK(error() == "");
    CHECK(out.host() == std::vector<int>(128, 127 * 64 + 100000 * 64));
    Device<int> votes(9 * 70);
    simt::launch(block_votes, 1, 70, 0, votes.data);
    CHECK(error() == "");
    const std::vector<int> got = votes.host();
    for (std::size_t t = 0; t < 70; ++t)
        CHECK(std::vector<int>(&got[9 * t], &got[9 * t] + 9) ==
              std::vector<int>{0, 0, 0, 40, 0, 1, 70, 1, 1});
}

TEST_CASE("__activemask names the lanes of the caller's branch") {
    Device<unsigned> out(32);
    simt::launch(active_in_branches, 1, 32, 0, out.data);
    CHECK(error() == "");
    for (std::size_t t = 0; t < 32; ++t)
        CHECK(out.host()[t] == (t % 4 == 1 ? 0x22222222 : t % 4 == 2 ? 0x44444444 : 0));
}
