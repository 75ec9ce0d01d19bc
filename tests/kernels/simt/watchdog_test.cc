#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::error;

constexpr unsigned full = 0xffffffff;

struct Limited {
    Limited() { simt::set_time_limit(0.1); }
    ~Limited() { simt::set_time_limit(300); }
};

volatile int never = 0;

__global__ void computes_forever(volatile int* x) {
    while (never == 0) *x = *x + 1;
}
__global__ void waits_forever() {
    while (never == 0) __syncthreads();
}
__global__ void shuffles_forever() {
    while (never == 0) __shfl_xor_sync(full, 1, 1);
}
__global__ void meets_itself_forever() {
    while (never == 0) __syncwarp(1u << threadIdx.x);
}
__global__ void waits_for_a_later_block(int* flag) {
    if (blockIdx.x == 0)
        while (atomicAdd(flag, 0) == 0) {
        }
    else
        atomicExch(flag, 1);
}
__global__ void sleeps_forever() {
    while (never == 0) __nanosleep(1);
}
__global__ void nothing() {}

__global__ void good(int* out) {
    out[threadIdx.x] = __shfl_xor_sync(full, static_cast<int>(threadIdx.x), 1);
    __syncthreads();
}

bool still_works() {
    Device<int> out(64);
    simt::launch(good, 1, 64, 0, out.data);
    return error().empty() && out.host()[62] == 63;
}

const std::string over =
    "launch: block (0, 0, 0) was not done after 0.1 s, the limit of set_time_limit() or "
    "SIMT_TIME_LIMIT";

const std::string spinning =
    "; thread (0, 0, 0) was running, and waited for nobody; if its loop waits for another thread, "
    "that one may wait for it, or have had no turn yet: __nanosleep in the loop gives it one";

int questions = 0;
bool stop_at_third() { return ++questions >= 3; }

}  // namespace

TEST_CASE("a kernel that only computes is interrupted when its time is over") {
    const Limited limited;
    Device<int> x(1);
    simt::launch(computes_forever, 1, dim3(3, 2), 0, x.data);
    CHECK(error() == over + spinning);
    CHECK(x.host()[0] != 0);
    CHECK(still_works());
    simt::launch(computes_forever, 1, 1, 0, x.data);
    CHECK(error() == over + spinning);
    CHECK(still_works());
}

TEST_CASE("a kernel that waits, meets or sleeps for ever ends when its time is over") {
    const Limited limited;
    simt::launch(waits_forever, 1, 64, 0);
    CHECK(error().starts_with(over));
    simt::launch(shuffles_forever, 1, 64, 0);
    CHECK(error().starts_with(over));
    simt::launch(meets_itself_forever, 1, 2, 0);
    CHECK(error().starts_with(over));
    simt::launch(sleeps_forever, 1, 2, 0);
    CHECK(error().starts_with(over));
    CHECK(still_works());
}

TEST_CASE("a block that waits for one that has not begun is ended") {
    const Limited limited;
    Device<int> flag(1);
    simt::launch(waits_for_a_later_block, 2, 1, 0, flag.data);
    CHECK(error().starts_with(over));
    CHECK(still_works());
}

TEST_CASE("launches within the limit are not disturbed, however long they take together") {
    simt::set_time_limit(0.5);
    Device<int> out(64);
    for (int i = 0; i < 60000; ++i) simt::launch(good, 1, 64, 0, out.data);
    simt::set_time_limit(300);
    CHECK(error() == "");
}

TEST_CASE("another OS thread can stop a launch in the middle of a loop") {
    Device<int> x(1);
    std::atomic<bool> ended = false;
    std::thread other([&] {
        while (!ended) {  // the launch may not have begun yet
            simt::stop_now();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    });
    simt::launch(computes_forever, 2, 1, 0, x.data);
    ended = true;
    other.join();
    CHECK(error() == "launch: the host stopped it in block (0, 0, 0)");
    CHECK(still_works());
}

TEST_CASE("the host can stop a launch whose threads wait, without an error") {
    questions = 0;
    simt::stop_when(stop_at_third);
    simt::launch(waits_forever, 1, 64, 0);
    CHECK(error() == "");
    CHECK(questions == 3);
    questions = 0;
    simt::launch(nothing, 1000, 1, 0);
    CHECK(questions == 3);
    simt::stop_when(nullptr);
    CHECK(error() == "");
    CHECK(still_works());
}