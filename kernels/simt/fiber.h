// A fiber: a function with a stack of its own that can stop in the middle and go on later. It runs
// on the OS thread that resumes it; nothing happens at the same time.
#pragma once

#include <cstddef>

#include "sanitizer.h"

#if !defined(SIMT_UCONTEXT) && !(defined(__x86_64__) || defined(__aarch64__))
#define SIMT_UCONTEXT 1
#endif

#ifdef SIMT_UCONTEXT
#include <ucontext.h>
#else
// Pushes the callee-saved registers, stores the stack pointer in *from, takes `to` as the new one,
// and pops what was pushed there.
extern "C" void simt_switch(void** from, void* to) asm("simt_switch");
#endif

namespace simt {

// resume() and suspend() are always inlined, and so are those who call them in a barrier: each call
// between a kernel and the switch made a barrier some 10 ns slower.
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

    const char* memory_begin() const { return memory_; }  // of what may not be touched
    const char* stack_begin() const { return memory_ + guard_bytes_; }
    const char* stack_end() const { return stack_begin() + stack_bytes_; }

  private:
#ifdef SIMT_UCONTEXT
    using Registers = ucontext_t;
#else
    using Registers = void*;  // a stack pointer; the rest lies on the stack
#endif

    // 1,024 of them are the most a block needs; a page of one takes memory once it is touched.
    static constexpr std::size_t stack_bytes_ = 256 * 1024;
    static constexpr std::size_t guard_bytes_ = 64 * 1024;  // whole pages of any system
    static Fiber* starting_;                                // whom first_function() is for

    static void first_function();
    void prepare();

    void (*entry_)();
    char* memory_;  // what may not be touched, then the stack, which grows down to it
    Registers own_ = {}, resumer_ = {};  // where each side goes on
    // For AddressSanitizer: its record of frames of either side, and the resumer's stack.
    void* own_frames_ = nullptr;
    void* resumer_frames_ = nullptr;
    const void* resumer_stack_ = nullptr;
    std::size_t resumer_stack_bytes_ = 0;
};

[[gnu::always_inline]] inline void Fiber::resume() {
    starting_ = this;
    before_switch(&resumer_frames_, stack_begin(), stack_bytes_);
#ifdef SIMT_UCONTEXT
    swapcontext(&resumer_, &own_);
#else
    simt_switch(&resumer_, own_);
#endif
    after_switch(resumer_frames_, nullptr, nullptr);
}

[[gnu::always_inline]] inline void Fiber::suspend() {
    before_switch(&own_frames_, resumer_stack_, resumer_stack_bytes_);
#ifdef SIMT_UCONTEXT
    swapcontext(&own_, &resumer_);
#else
    simt_switch(&own_, resumer_);
#endif
    after_switch(own_frames_, &resumer_stack_, &resumer_stack_bytes_);
}

}  // namespace simt
