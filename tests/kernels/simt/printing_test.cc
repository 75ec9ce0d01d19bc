// assert is on in these kernels, whatever the build says.
#undef NDEBUG

#include <doctest/doctest.h>
#include <unistd.h>

#include <cassert>
#include <cstdlib>
#include <string>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::error;

int line = 0;

__global__ void asserts(unsigned limit) {
    line = __LINE__ + 1;
    assert(threadIdx.x < limit);
    __syncthreads();
}

__global__ void traps() {
    if (threadIdx.x == 2) __trap();
}

__global__ void prints() {
    printf("thread %u", threadIdx.x);
    printf(" of block %u\n", blockIdx.x);
}

// What `work` writes to standard output.
template <class F>
std::string printed(F work) {
    char path[] = "/tmp/simt_printed_XXXXXX";
    const int file = mkstemp(path), before = dup(1);
    std::fflush(stdout);
    dup2(file, 1);
    work();
    std::fflush(stdout);
    dup2(before, 1);
    std::string text(10000, '\0');
    const auto bytes = pread(file, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(bytes));
    close(file);
    close(before);
    unlink(path);
    return text;
}

}  // namespace

TEST_CASE("an assert that does not hold in a kernel fails the launch and says where") {
    simt::launch(asserts, dim3(2), dim3(8, 2), 0, 8u);
    CHECK(error() == "");
    simt::launch(asserts, dim3(2), dim3(8, 2), 0, 5u);
    CHECK(error() == "assert(threadIdx.x < limit) at printing_test.cc:" + std::to_string(line) +
                         " in asserts does not hold in thread (5, 0, 0) of block (0, 0, 0)");
    simt::launch(traps, 2, 8, 0);
    CHECK(error() == "__trap: called by thread (2, 0, 0) of block (0, 0, 0)");
}

TEST_CASE("printf in a kernel prints as on a GPU, and names the threads where asked") {
    const auto work = [] { simt::launch(prints, 2, 2, 0); };
    CHECK(printed(work) ==
          "thread 0 of block 0\nthread 1 of block 0\nthread 0 of block 1\nthread 1 of block 1\n");
    setenv("SIMT_PRINTF", "threads", 1);
    CHECK(printed(work) ==
          "thread (0, 0, 0) of block (0, 0, 0): thread 0 of block 0\n"
          "thread (1, 0, 0) of block (0, 0, 0): thread 1 of block 0\n"
          "thread (0, 0, 0) of block (1, 0, 0): thread 0 of block 1\n"
          "thread (1, 0, 0) of block (1, 0, 0): thread 1 of block 1\n");
    unsetenv("SIMT_PRINTF");
    CHECK(printed([] { std::printf("on the %s\n", "host"); }) == "on the host\n");
    CHECK(error() == "");
}
