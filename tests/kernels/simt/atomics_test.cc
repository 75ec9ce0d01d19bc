#include <doctest/doctest.h>

#include <vector>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::error;

// Every thread t = 0 .. 99 changes each number once; `old` gets what thread 0 saw.
template <class T>
__global__ void change_each(T* x, T* old) {
    const T t = static_cast<T>(threadIdx.x);
    const T seen[] = {atomicAdd(&x[0], t),
                      atomicExch(&x[1], t),
                      atomicMin(&x[2], t),
                      atomicMax(&x[3], t),
                      atomicAnd(&x[4], static_cast<T>(~t)),
                      atomicOr(&x[5], t),
                      atomicXor(&x[6], t),
                      atomicCAS(&x[7], t, static_cast<T>(t + 1))};
    if (threadIdx.x == 0)
        for (int i = 0; i < 8; ++i) old[i] = seen[i];
}

__global__ void signed_extremes(int* x, long long* y) {
    const int t = 50 - static_cast<int>(threadIdx.x);
    atomicMin(&x[0], t);
    atomicMax(&x[1], t);
    atomicMin(&y[0], -(1ll << 40) * threadIdx.x);
    atomicMax(&y[1], (1ll << 40) * threadIdx.x);
}

__global__ void subtract(int* i, unsigned* u) {
    atomicSub(i, 3);
    atomicSub(u, 3);
}

__global__ void go_round(unsigned* up, unsigned* down) {
    atomicInc(up, 6);
    atomicDec(down, 6);
}

__global__ void exchange_float(float* x, float* old) {
    old[threadIdx.x] = atomicExch(x, static_cast<float>(threadIdx.x + 1));
}

__global__ void swap_short(unsigned short* x) {
    atomicCAS(x, static_cast<unsigned short>(threadIdx.x),
              static_cast<unsigned short>(threadIdx.x + 1));
}

__global__ void wrap(int* x) { atomicAdd(x, 2147483647); }

// Every thread adds 1 behind a lock.
__global__ void locked(int* lock, int* sum) {
    while (atomicCAS(lock, 0, 1) != 0) __nanosleep(20);
    const int seen = *sum;
    __nanosleep(10);  // others try the lock meanwhile
    *sum = seen + 1;
    __threadfence();
    atomicExch(lock, 0);
}

// Thread 0 waits for the last thread in a loop of atomics.
__global__ void spin(int* flag) {
    if (threadIdx.x == 0)
        while (atomicAdd(flag, 0) == 0) {
        }
    if (threadIdx.x == blockDim.x - 1) atomicExch(flag, 1);
}

// The last block to be done adds up what all blocks have left [CUDA samples, threadFenceReduction].
__global__ void last_block_adds(int* partial, unsigned* done, int* total) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = static_cast<int>(blockIdx.x);
        __threadfence();
        last = atomicInc(done, gridDim.x - 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0)
        for (unsigned b = 0; b < gridDim.x; ++b) *total += partial[b];
}

}  // namespace

TEST_CASE_TEMPLATE("every atomic changes its number once a thread and returns the old one", T, int,
                   unsigned, unsigned long long) {
    const std::vector<T> start = {5, 7, 200, 3, 127, 128, 1, 0};
    Device<T> x(start), old(8);
    simt::launch(change_each<T>, 1, 100, 0, x.data, old.data);
    CHECK(error() == "");
    CHECK(old.host() == start);
    // 0 + .. + 99 = 4950; 99 sets all bits but those of ~127; the xor of 0 .. 99 is 0.
    CHECK(x.host() == std::vector<T>{4955, 99, 0, 99, 0, 255, 1, 100});
}

TEST_CASE("atomicMin and atomicMax respect signs, in 32 and 64 bits") {
    Device<int> x(2);
    Device<long long> y(2);
    simt::launch(signed_extremes, 1, 100, 0, x.data, y.data);
    CHECK(error() == "");
    CHECK(x.host() == std::vector<int>{-49, 50});
    CHECK(y.host() == std::vector<long long>{-(99ll << 40), 99ll << 40});
}

TEST_CASE("atomicSub subtracts, atomicInc and atomicDec go round, and sums wrap") {
    Device<int> i(1);
    Device<unsigned> u(1), up(1), down(1);
    simt::launch(subtract, 1, 100, 0, i.data, u.data);
    CHECK(i.host()[0] == -300);
    CHECK(u.host()[0] == 0u - 300u);
    simt::launch(go_round, 1, 100, 0, up.data, down.data);
    CHECK(up.host()[0] == 100 % 7);
    CHECK(down.host()[0] == 7 - 100 % 7);
    simt::launch(wrap, 1, 2, 0, i.data);
    CHECK(i.host()[0] == -302);
    CHECK(error() == "");
}

TEST_CASE("atomicExch on float hands every value on once; atomicCAS takes 16 bits") {
    Device<float> x(1), old(10);
    simt::launch(exchange_float, 1, 10, 0, x.data, old.data);
    float sum = x.host()[0];
    for (const float value : old.host()) sum += value;
    CHECK(sum == 55.0f);
    Device<unsigned short> number(2);
    simt::launch(swap_short, 1, 9, 0, number.data);
    CHECK(number.host() == std::vector<unsigned short>{9, 0});
    CHECK(error() == "");
}

TEST_CASE("a lock and a loop of atomics let the other threads of the block run") {
    Device<int> lock(1), sum(1), flag(1);
    simt::launch(locked, 1, 64, 0, lock.data, sum.data);
    CHECK(error() == "");
    CHECK(sum.host()[0] == 64);
    simt::launch(spin, 1, 64, 0, flag.data);
    CHECK(error() == "");
    CHECK(flag.host()[0] == 1);
}

TEST_CASE("the last block to be done sees what all blocks wrote") {
    for (const auto schedule :
         {simt::Schedule::forward, simt::Schedule::reverse, simt::Schedule::random}) {
        simt::set_schedule(schedule);
        Device<int> partial(20), total(1);
        Device<unsigned> done(1);
        simt::launch(last_block_adds, 20, 64, 0, partial.data, done.data, total.data);
        CHECK(error() == "");
        CHECK(total.host()[0] == 190);
        CHECK(done.host()[0] == 0);
    }
    simt::set_schedule(simt::Schedule::forward);
}
