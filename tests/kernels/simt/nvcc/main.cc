// The main of the tests that run each kernel as nvcc compiled it, too.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

#include "tests/kernels/simt/nvcc/every_launch.h"

int main(int argc, char** argv) {
    setenv("TAPEGRAPH_CUDA", "emulator", 1);
    simt_test::watch_memory();
    if (const std::string error = simt_test::compare_every_launch(); !error.empty()) {
        std::cout << error << '\n';
        return 1;
    }
    return doctest::Context(argc, argv).run();
}
