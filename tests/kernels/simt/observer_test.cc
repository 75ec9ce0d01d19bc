#include "kernels/simt/observer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::error;

// The events of a test as words, in the order in which they happen.
std::string heard;
void hear(const std::string& what) { heard += what + " "; }
std::string number(unsigned i) { return std::to_string(i); }

// `memory` is what the test allocates; other addresses are not printed.
const void* memory = nullptr;
std::string name(const void* address) { return address == memory ? "m" : "other"; }

simt::Observer listener() {
    simt::Observer o;
    o.launch_begins = [](const simt::Launch& launch) { hear("launch" + number(launch.block.x)); };
    o.launch_ends = [](const simt::Launch&, const std::string& why) {
        hear(why.empty() ? "done" : "failed");
    };
    o.block_begins = [](std::uint64_t block) { hear("block" + std::to_string(block)); };
    o.block_ends = [](std::uint64_t) { hear("end"); };
    o.thread_begins = [](unsigned t) { hear("+" + number(t)); };
    o.thread_ends = [](unsigned t) { hear("-" + number(t)); };
    o.thread_resumed = [](unsigned t) { hear("~" + number(t)); };
    o.barrier_passed = [] { hear("barrier"); };
    o.warp_synchronised = [](unsigned warp, unsigned mask) {
        hear("warp" + number(warp) + ":" + number(mask));
    };
    o.atomic = [](const void* address, std::size_t bytes, const void* code) {
        hear("atomic:" + name(address) + number(static_cast<unsigned>(bytes)) +
             (code ? "" : "nowhere"));
    };
    o.fence = [](simt::Observer::Scope scope) {
        hear(scope == simt::Observer::Scope::block ? "fence_block" : "fence");
    };
    o.allocated = [](const void* where, std::size_t bytes) {
        memory = where;
        hear("allocated" + std::to_string(bytes));
    };
    o.released = [](const void* where, std::size_t bytes) {
        hear("released:" + name(where) + std::to_string(bytes));
    };
    o.copied_to_device = [](const void* to, std::size_t bytes) {
        hear("copied:" + name(to) + std::to_string(bytes));
    };
    return o;
}

// The words that are heard while `work` runs.
template <class F>
std::string events_of(F work) {
    static const simt::Observer observer = listener();
    heard.clear();
    simt::observer = &observer;
    work();
    simt::observer = nullptr;
    return heard;
}

__global__ void plain() {}
__global__ void one_barrier() { __syncthreads(); }
__global__ void one_syncwarp() { __syncwarp(0x3); }
__global__ void one_shuffle() { __shfl_sync(0x3, 1, 0); }
__global__ void atomic_and_fences(double* x) {
    atomicAdd(x, 1.0);
    __threadfence_block();
    __threadfence();
}
__global__ void divided() {
    if (threadIdx.x == 0) __syncthreads();
}

std::vector<simt::Waiting> waiting;
unsigned thread_then = 0;
std::uint64_t block_then = 0;
bool on_stack = false, off_stack = true, kernel_then = false;
std::size_t shared_then = 0;

__global__ void looks_around(const int* x) {
    if (threadIdx.x < 2) __syncwarp(0x13);
    if (threadIdx.x < 3) __syncthreads();
    if (threadIdx.x != 4) return;
    waiting = simt::waiting_threads();
    thread_then = simt::current_thread();
    block_then = simt::current_block();
    const int here = 0;
    on_stack = simt::current_stack().holds(&here);
    off_stack = simt::current_stack().holds(x);
    kernel_then = simt::in_kernel();
    const simt::Range shared = simt::current_dynamic_shared();
    shared_then = static_cast<std::size_t>(shared.end - shared.begin);
    simt::end_launch("seen enough");
}

}  // namespace

TEST_CASE("an observer hears when threads begin, wait and go on") {
    CHECK(events_of([] { simt::launch(plain, 2, 2, 0); }) ==
          "launch2 block0 +0 -0 +1 -1 end block1 +0 -0 +1 -1 end done ");
    CHECK(events_of([] { simt::launch(one_barrier, 1, 2, 0); }) ==
          "launch2 block0 +0 +1 barrier ~0 -0 ~1 -1 end done ");
    CHECK(events_of([] { simt::launch(one_syncwarp, 1, 2, 0); }) ==
          "launch2 block0 +0 +1 warp0:3 -1 ~0 -0 end done ");
    CHECK(events_of([] { simt::launch(one_shuffle, 1, 2, 0); }) ==
          "launch2 block0 +0 +1 -1 ~0 -0 end done ");  // orders no memory
    CHECK(events_of([] { simt::launch(divided, 1, 2, 0); }) ==
          "launch2 block0 +0 +1 -1 end failed ");
    CHECK(error() != "");
}

TEST_CASE("an observer hears of atomics, fences and memory") {
    const std::string heard_then = events_of([] {
        auto* x = static_cast<double*>(simt::allocate(8));
        const double zero = 0;
        simt::copy_to_device(x, &zero, 8);
        simt::launch(atomic_and_fences, 1, 1, 0, x);
        simt::release(x);
    });
    CHECK(heard_then ==
          "allocated8 copied:m8 launch1 block0 +0 atomic:m8 fence_block fence -0 end done "
          "released:m8 ");
    CHECK(error() == "");
}

TEST_CASE("an observer can ask who runs, who waits where, and end the launch") {
    const simt_test::Device<int> x(1);
    simt::launch(looks_around, dim3(1, 2), 8, 24, x.data);
    CHECK(error() == "seen enough");
    REQUIRE(waiting.size() == 3);
    CHECK((waiting[0].thread == 0 && waiting[1].thread == 1 && waiting[2].thread == 2));
    CHECK(waiting[1].operation == std::string("__syncwarp"));
    CHECK(waiting[1].mask == 0x13);
    CHECK(waiting[2].operation == std::string("__syncthreads"));
    CHECK(waiting[2].mask == 0);
    CHECK(waiting[2].line == waiting[1].line + 1);
    CHECK((thread_then == 4 && block_then == 0 && shared_then == 24));
    CHECK((on_stack && !off_stack && kernel_then));
    CHECK_FALSE(simt::in_kernel());
}
