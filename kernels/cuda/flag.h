// A number on the device that kernels raise and the host then reads, which waits for them.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/cuda/scratch.h"

namespace tg::kernels::cuda {
namespace {

class Flag {
  public:
    // The flag as 0; null if there is no memory left.
    int* lowered() {
        constexpr int none = 0;
        int* flag = static_cast<int*>(memory_.at_least(sizeof none));
        if (flag != nullptr) write_memory(ThisMachine{}, flag, &none, sizeof none);
        return flag;
    }
    bool is_raised() {
        int value = 0;
        read_memory(ThisMachine{}, &value, memory_.at_least(sizeof value), sizeof value);
        return value != 0;
    }

  private:
    Scratch memory_;
};

}  // namespace
}  // namespace tg::kernels::cuda
