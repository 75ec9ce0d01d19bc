// Memory that a thread keeps from one kernel to the next: a thread_local of the file that uses it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace tg::kernels::cpu {

class Scratch {
  public:
    std::byte* at_least(std::size_t bytes) {
        if (bytes > bytes_) {
            bytes_ = (bytes + 63) / 64 * 64;
            memory_.reset(static_cast<std::byte*>(std::aligned_alloc(64, bytes_)));
        }
        return memory_.get();
    }

  private:
    struct Free {
        void operator()(std::byte* p) const { std::free(p); }
    };
    std::unique_ptr<std::byte[], Free> memory_;
    std::size_t bytes_ = 0;
};

}  // namespace tg::kernels::cpu
