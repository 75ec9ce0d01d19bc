// Kernels in PTX, for the tests of the interpreter.
#pragma once

#include <string>

#include "kernels/simt/ptx/ptx.h"
#include "tests/kernels/simt/device.h"

namespace simt_test {

// A kernel with one parameter, a pointer.
inline simt::ptx::Module kernel(const std::string& body, const std::string& before = "") {
    return simt::ptx::read(".version 9.0\n.target sm_75\n.address_size 64\n" + before +
                               ".visible .entry kernel(.param .u64 values)\n{\n" + body + "\n}\n",
                           "test.ptx");
}

}  // namespace simt_test
