// Pinned memory: of the host, and never moved by its operating system, so that a GPU can read it by
// itself. A copy from there to the device may go on while the host does something else.
#pragma once

#include "core/tensor.h"

namespace tg {

// x's numbers in pinned memory; x itself if they are there. Throws for a tensor on the device, one
// that gradients flow through, and one that is written down and has no bytes. [as torch.Tensor]
Tensor pin_memory(const Tensor& x);
bool is_pinned(const Tensor& x);

// While it is alive, this thread's copies from pinned memory to the device are only begun: launches
// come behind them, but the host must leave the pinned bytes as they are until it has synchronised.
class BegunCopies {
  public:
    explicit BegunCopies(bool on = true);
    ~BegunCopies();
    BegunCopies(const BegunCopies&) = delete;
    BegunCopies& operator=(const BegunCopies&) = delete;

  private:
    bool before_;
};

// May a copy from this address be begun, and no more?
bool only_begins(const void* from);

}  // namespace tg
