// A fiber: a function with a stack of its own that can stop in the middle and go on later. It runs
// on the OS thread that resumes it; nothing happens at the same time.
#pragma once

#include <cstddef>
#include <memory>

namespace simt {

class Fiber {
  public:
    // Nothing runs until the first resume(). `entry` must not return and must not throw.
    // Throws std::bad_alloc if there is no memory for a stack.
    explicit Fiber(void (*entry)());
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    void resume();   // runs the fiber until it suspends itself
    void suspend();  // called by the fiber: goes back to where resume() was called
    void restart();  // forgets where it was, running no destructors; the next resume() enters anew

  private:
    struct Registers;  // where a stopped side goes on; what it holds depends on the processor

    static void first_function();
    void prepare();

    void (*entry_)();
    char* memory_;  // what may not be touched, then the stack, which grows down to it
    std::unique_ptr<Registers> registers_;
    // For AddressSanitizer: its record of frames of either side, and the resumer's stack.
    void* own_frames_ = nullptr;
    void* resumer_frames_ = nullptr;
    const void* resumer_stack_ = nullptr;
    std::size_t resumer_stack_bytes_ = 0;
};

}  // namespace simt
