#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::error;

__global__ void count_visits(int* visits) {
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    visits[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1;
}

__global__ void reverse_block(int* values) {
    __shared__ int copy[64];
    copy[threadIdx.x] = values[threadIdx.x];
    __syncthreads();
    values[threadIdx.x] = copy[blockDim.x - 1 - threadIdx.x];
}

__global__ void rotate_often(int* values, int times) {
    DYNAMIC_SHARED(int, ring);
    const unsigned t = threadIdx.x, n = blockDim.x;
    ring[t] = static_cast<int>(t);
    __syncthreads();
    for (int i = 0; i < times; ++i) {
        const int next = ring[(t + 1) % n];
        __syncthreads();
        ring[t] = next;
        __syncthreads();
    }
    values[blockIdx.x * n + t] = ring[t];
}

int line_of_first = 0, line_of_second = 0;

__global__ void divided() {
    if (threadIdx.x < 16) {
        line_of_first = __LINE__ + 1;
        __syncthreads();
    } else {
        line_of_second = __LINE__ + 1;
        __syncthreads();
    }
}

__global__ void early_return(unsigned leaves) {
    if (threadIdx.x == leaves) return;
    line_of_first = __LINE__ + 1;
    __syncthreads();
}

__global__ void throws_in_thread_5(int* before) {
    if (threadIdx.x == 5) throw std::runtime_error("five");
    before[threadIdx.x] = 1;
    __syncthreads();
}

__global__ void throws_after_barrier() {
    __syncthreads();
    if (threadIdx.x == 2 && blockIdx.x == 1) throw 7;
    __syncthreads();
}

__global__ void add_all(int* i, unsigned* u, unsigned long long* l, float* f, double* d) {
    atomicAdd(i, -1);
    atomicAdd(u, 2u);
    atomicAdd(l, 1ull << 33);
    atomicAdd(f, 0.5f);
    atomicAdd(d, 0.25);
}

__global__ void take_tickets(int* counter, int* tickets) { tickets[atomicAdd(counter, 1)] += 1; }

__global__ void nothing() {}

__global__ void launches_another() { simt::launch(nothing, 1, 1, 0); }

__global__ void copy_float4(float4* to, const float4* from) { to[threadIdx.x] = from[threadIdx.x]; }

// Whether launches still work: 64 threads, each parked once.
bool barriers_still_work() {
    Device<int> values(64);
    std::vector<int> numbers(64), backwards(64);
    for (int i = 0; i < 64; ++i)
        numbers[static_cast<std::size_t>(63 - i)] = backwards[static_cast<std::size_t>(i)] = i;
    simt::copy_to_device(values.data, numbers.data(), values.bytes);
    simt::launch(reverse_block, 1, 64, 0, values.data);
    return values.host() == backwards && error().empty();
}

}  // namespace

TEST_CASE("every thread of every block runs once and knows its place") {
    for (const dim3 grid : {dim3(1), dim3(5), dim3(2, 3, 4)})
        for (const dim3 block : {dim3(1), dim3(33), dim3(4, 3, 2), dim3(1024)}) {
            const std::size_t blocks = grid.x * grid.y * grid.z;
            const std::size_t threads = block.x * block.y * block.z;
            Device<int> visits(blocks * threads);
            simt::launch(count_visits, grid, block, 0, visits.data);
            CHECK(error() == "");
            CHECK(visits.host() == std::vector<int>(blocks * threads, 1));
        }
}

TEST_CASE("a barrier lets nobody pass before all have written shared memory") {
    CHECK(barriers_still_work());
}

TEST_CASE("threads pass many barriers in step, in every block") {
    Device<int> values(3 * 100);
    simt::launch(rotate_often, 3, 100, 100 * sizeof(int), values.data, 205);
    CHECK(error() == "");
    const std::vector<int> result = values.host();
    for (std::size_t i = 0; i < result.size(); ++i)
        CHECK(result[i] == static_cast<int>((i + 205) % 100));
}

TEST_CASE("a block of 1,024 threads can wait at a barrier") {
    Device<int> values(1024);
    simt::launch(rotate_often, 1, 1024, 1024 * sizeof(int), values.data, 1);
    CHECK(error() == "");
    CHECK(values.host()[1023] == 0);
}

TEST_CASE("a barrier that divides a block is an error that names both lines and threads") {
    simt::launch(divided, dim3(2, 2), 32, 0);
    CHECK(error() ==
          "__syncthreads: in block (0, 0, 0) thread (0, 0, 0) waits at launch_test.cc:" +
              std::to_string(line_of_first) +
              ", but thread (16, 0, 0) waits at launch_test.cc:" + std::to_string(line_of_second) +
              "; all threads of a block must reach the same __syncthreads");
    CHECK(barriers_still_work());
}

TEST_CASE("a thread that returns while others wait at a barrier is an error that names it") {
    for (const unsigned leaves : {0u, 3u, 31u}) {
        simt::launch(early_return, 1, 32, 0, leaves);
        CHECK(error() == "__syncthreads: in block (0, 0, 0) thread (" +
                             std::to_string(leaves == 0 ? 1 : 0) +
                             ", 0, 0) waits at launch_test.cc:" + std::to_string(line_of_first) +
                             ", but thread (" + std::to_string(leaves) +
                             ", 0, 0) has returned; all threads of a block must reach the same "
                             "__syncthreads");
    }
    CHECK(barriers_still_work());
}

TEST_CASE(
    "an exception in a kernel ends the launch, becomes its error, and harms no later launch") {
    Device<int> before(8);
    simt::launch(throws_in_thread_5, 1, 8, 0, before.data);
    CHECK(error() == "launch: thread (5, 0, 0) of block (0, 0, 0) threw an exception: five");
    CHECK(before.host() == std::vector<int>{1, 1, 1, 1, 1, 0, 0, 0});
    CHECK(barriers_still_work());
    simt::launch(throws_after_barrier, 4, 8, 0);
    CHECK(error() ==
          "launch: thread (2, 0, 0) of block (1, 0, 0) threw an exception: of unknown type");
    CHECK(barriers_still_work());
}

TEST_CASE("the first error is kept until it is read, and reading clears it") {
    simt::launch(nothing, 0, 1, 0);
    simt::launch(nothing, 1, 2048, 0);
    simt::launch(nothing, 1, 1, 0);
    CHECK(error() == "launch: grid (0, 1, 1) has a dim of 0");
    CHECK(error() == "");
}

TEST_CASE("a launch beyond the limits of a GPU is refused, with the limit") {
    simt::launch(nothing, 1, dim3(64, 32), 0);
    CHECK(error() == "launch: block (64, 32, 1) has 2048 threads, but a block holds at most 1024");
    simt::launch(nothing, 1, dim3(1, 1, 65), 0);
    CHECK(error() == "launch: block (1, 1, 65) exceeds (1024, 1024, 64)");
    simt::launch(nothing, 1, dim3(8, 0), 0);
    CHECK(error() == "launch: block (8, 0, 1) has a dim of 0");
    simt::launch(nothing, dim3(1, 65536), 1, 0);
    CHECK(error() == "launch: grid (1, 65536, 1) exceeds (2147483647, 65535, 65535)");
    simt::launch(nothing, 1, 1, 48 * 1024 + 1);
    CHECK(error() ==
          "launch: 49153 bytes of dynamic shared memory, but a block has at most 49152; "
          "allow_shared_bytes() raises it up to 232448");
    simt::launch(nothing, 1, 1, 48 * 1024);
    CHECK(error() == "");
}

TEST_CASE("a kernel that asks for it may have more dynamic shared memory than the others") {
    constexpr std::size_t bytes = 100 * 1024;
    simt::allow_shared_bytes(rotate_often, bytes);
    Device<int> values(100);
    simt::launch(rotate_often, 1, 100, bytes, values.data, 3);
    CHECK(error() == "");
    CHECK(values.host()[99] == 2);
    simt::launch(rotate_often, 1, 100, bytes + 1, values.data, 3);
    CHECK(error() ==
          "launch: 102401 bytes of dynamic shared memory, but a block has at most 102400; "
          "allow_shared_bytes() raises it up to 232448");
    simt::launch(nothing, 1, 1, bytes);
    CHECK(error() ==
          "launch: 102400 bytes of dynamic shared memory, but a block has at most 49152; "
          "allow_shared_bytes() raises it up to 232448");
    simt::allow_shared_bytes(nothing, 227 * 1024 + 1);
    CHECK(error() ==
          "allow_shared_bytes: 232449 bytes, but no GPU has more than 232448 for a block");
}

TEST_CASE("a kernel is refused a pointer to host or released memory") {
    int on_host = 0;
    simt::launch(rotate_often, 1, 1, sizeof(int), &on_host, 1);
    CHECK(error() == "launch: argument 0 is host memory");
    int* released = static_cast<int*>(simt::allocate(4));
    simt::release(released);
    simt::launch(rotate_often, 1, 1, sizeof(int), released, 1);
    CHECK(error() == "launch: argument 0 is released memory");
}

TEST_CASE("a kernel that launches another is an error") {
    simt::launch(launches_another, 1, 1, 0);
    CHECK(error() == "launch: called inside a kernel, which the emulator does not support");
    CHECK(barriers_still_work());
}

TEST_CASE("atomicAdd adds every thread's value and gives each its own old one") {
    Device<int> i(1), counter(1), tickets(200);
    Device<unsigned> u(1);
    Device<unsigned long long> l(1);
    Device<float> f(1);
    Device<double> d(1);
    simt::launch(add_all, 2, 100, 0, i.data, u.data, l.data, f.data, d.data);
    CHECK(i.host()[0] == -200);
    CHECK(u.host()[0] == 400);
    CHECK(l.host()[0] == 200ull << 33);
    CHECK(f.host()[0] == 100.0f);
    CHECK(d.host()[0] == 50.0);
    simt::launch(take_tickets, 2, 100, 0, counter.data, tickets.data);
    CHECK(tickets.host() == std::vector<int>(200, 1));
}

TEST_CASE("the vector types have CUDA's sizes and alignments") {
    CHECK((sizeof(float2) == 8 && alignof(float2) == 8));
    CHECK((sizeof(float3) == 12 && alignof(float3) == 4));
    CHECK((sizeof(float4) == 16 && alignof(float4) == 16));
    CHECK((sizeof(double2) == 16 && alignof(double2) == 16));
    Device<float4> from(2), to(2);
    const float4 values[2] = {make_float4(1, 2, 3, 4), make_float4(5, 6, 7, 8)};
    simt::copy_to_device(from.data, values, sizeof values);
    simt::launch(copy_float4, 1, 2, 0, to.data, from.data);
    CHECK(to.host()[1].w == 8.0f);
}

// What the last launch was given.
std::vector<simt::Argument> seen;
const void* pointers[2] = {};

void run_twice(const simt::Launch& launch) {
    seen.assign(launch.arguments.begin(), launch.arguments.end());
    for (std::size_t i = 0; i < seen.size() && i < 2; ++i) pointers[i] = seen[i].pointer();
    simt::run(launch);
    simt::run(launch);
}

TEST_CASE("a launch can be seen with its arguments, and be run in another way") {
    Device<int> visits(8), values(1);
    simt::instead_of_run = run_twice;
    simt::launch(count_visits, 2, 4, 0, visits.data);
    CHECK(visits.host() == std::vector<int>(8, 2));
    simt::launch(rotate_often, 1, 1, sizeof(int), values.data, 1);
    simt::instead_of_run = nullptr;
    REQUIRE(seen.size() == 2);
    CHECK(pointers[0] == values.data);
    CHECK(pointers[1] == nullptr);
    CHECK(seen[1].bytes == sizeof(int));
    simt::launch(count_visits, 2, 4, 0, visits.data);
    CHECK(visits.host() == std::vector<int>(8, 3));
    CHECK(error() == "");
}
