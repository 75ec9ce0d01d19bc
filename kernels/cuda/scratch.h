// Memory on the device for what one launch leaves to the next. Launches of a stream run in the
// order in which they were asked for, so the block that one kernel has used serves the next one
// too; each thread of the host has its own, because another's launches may come between.
#pragma once

#include <cstddef>

#include "kernels/cuda/launch.h"

namespace tg::kernels::cuda {
namespace {

class Scratch {
  public:
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { release_memory(ThisMachine{}, memory_); }

    // At least `bytes`, not initialised; null if there is no memory left.
    void* at_least(std::size_t bytes) {
        const void* stream = stream_of(ThisMachine{});
        if (bytes <= bytes_ && stream == stream_) return memory_;
        stream_ = stream;
        // Waits for all launches, those of the stream before too.
        release_memory(ThisMachine{}, memory_);
        memory_ = allocate_memory(ThisMachine{}, bytes);
        bytes_ = memory_ == nullptr ? 0 : bytes;
        return memory_;
    }

  private:
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
    const void* stream_ = nullptr;
};

}  // namespace
}  // namespace tg::kernels::cuda
