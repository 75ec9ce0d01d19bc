// What a process would be ended for ends the launch; the next one works.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <thread>

#include "kernels/simt/simt.h"

#ifndef __SANITIZE_ADDRESS__

namespace {

volatile int zero = 0;

__global__ void touch(int* address) { *static_cast<volatile int*>(address) = 1; }
__global__ void touch_far(int* x) { static_cast<volatile int*>(x)[std::ptrdiff_t{1} << 42] = 1; }
__global__ void divide(int* x) { x[threadIdx.x] = 7 / (static_cast<int>(threadIdx.x) - 3 + zero); }
__global__ void give_up() {
    if (threadIdx.x == 2) std::abort();
    __syncthreads();
}
[[gnu::noinline]] int deeper(volatile int* x, int n) {
    volatile int here[1000];
    here[n % 1000] = x[0];
    return n == 0 ? 0 : deeper(here, n - 1) + here[n % 1000];
}
__global__ void go_deep(int* x) { x[0] = deeper(x, 100000); }
__global__ void count(int* x) { x[threadIdx.x] += 1; }

struct Numbers {
    int* data = static_cast<int*>(simt::allocate(32 * sizeof(int)));
    Numbers() {
        const int zeros[32] = {};
        simt::copy_to_device(data, zeros, sizeof zeros);
    }
    ~Numbers() { simt::release(data); }
};

std::string error() { return simt::last_error(); }

void check_that_launches_work(const Numbers& x) {
    simt::launch(count, 1, 32, 0, x.data);
    CHECK(error() == "");
}

}  // namespace

TEST_CASE("an address that is nobody's, an integer divided by 0 and abort() end the launch") {
    const Numbers x;
    for (int round = 0; round < 3; ++round) {
        simt::launch(touch, 2, 32, 0, nullptr);
        CHECK(error() ==
              "launch: thread (0, 0, 0) of block (0, 0, 0) touched memory through a null pointer; "
              "the checks say at which line");
        check_that_launches_work(x);
        simt::launch(touch_far, 2, 32, 0, x.data);
        CHECK(error() ==
              "launch: thread (0, 0, 0) of block (0, 0, 0) touched memory that is not there, or "
              "not to be written; the checks say at which line");
        check_that_launches_work(x);
        simt::launch(divide, 1, 32, 0, x.data);
        CHECK(error() ==
              "launch: thread (3, 0, 0) of block (0, 0, 0) divided an integer by zero, or the "
              "least one by -1");
        check_that_launches_work(x);
        simt::launch(give_up, 1, 32, 0);
        CHECK(error().find("thread (2, 0, 0) of block (0, 0, 0) called abort()") !=
              std::string::npos);
        check_that_launches_work(x);
    }
}

TEST_CASE("a stack that is full ends the launch") {
    const Numbers x;
    simt::launch(go_deep, 1, 2, 0, x.data);
    CHECK(error().find("thread (0, 0, 0) of block (0, 0, 0) has more on its stack than fits, 256 "
                       "KiB") != std::string::npos);
    check_that_launches_work(x);
}

TEST_CASE("a fault on another thread of the host, too") {
    const Numbers x;
    std::string said;
    std::thread([&] {
        simt::launch(touch, 1, 1, 0, nullptr);
        said = error();
    }).join();
    said += error();  // whichever thread asks first
    CHECK(said.find("touched memory through a null pointer") != std::string::npos);
    check_that_launches_work(x);
}

TEST_CASE("outside of kernels such a signal is the program's own") {
    const Numbers x;
    check_that_launches_work(x);
    for (const int signal : {SIGSEGV, SIGFPE, SIGABRT}) {
        const pid_t child = fork();
        if (child == 0) {
            for (const int s : {SIGSEGV, SIGFPE, SIGABRT}) std::signal(s, SIG_DFL);
            simt::launch(count, 1, 32, 0, x.data);
            std::raise(signal);
            _exit(0);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK((WIFSIGNALED(status) && WTERMSIG(status) == signal));
    }
}

#endif
