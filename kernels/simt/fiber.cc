// Changing stacks: a function call saves only some registers by agreement (the callee-saved ones),
// so storing those and exchanging the stack pointer is all that a switch is. x86-64 and arm64 have
// it by hand; other processors use ucontext, which also saves the signal mask by a system call.
#include "fiber.h"

#include <sys/mman.h>

#include <new>

#ifndef SIMT_UCONTEXT

#ifdef __ELF__
#define SIMT_TEXT ".pushsection .text, \"ax\"\n"
#define SIMT_END ".popsection\n"
#else
#define SIMT_TEXT ".text\n"
#define SIMT_END "\n"
#endif

#ifdef __x86_64__
// Its last line is a jump because the processor predicts that a `ret` goes back to the latest call,
// which is on the other stack: with `ret` a barrier took twice as long.
asm(SIMT_TEXT R"(
    .globl simt_switch
    .p2align 4
simt_switch:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    pushq %r12
    .cfi_adjust_cfa_offset 8
    pushq %r13
    .cfi_adjust_cfa_offset 8
    pushq %r14
    .cfi_adjust_cfa_offset 8
    pushq %r15
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    popq %r14
    .cfi_adjust_cfa_offset -8
    popq %r13
    .cfi_adjust_cfa_offset -8
    popq %r12
    .cfi_adjust_cfa_offset -8
    popq %rbx
    .cfi_adjust_cfa_offset -8
    popq %rbp
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    jmp *%rcx
    .cfi_endproc
)" SIMT_END);
constexpr int return_word = 6;  // above the six registers
constexpr int frame_words = 8;  // and a return address of 0 for the first function: the end
#else
// Assembled with clang 14 for arm64, not run on one.
asm(SIMT_TEXT R"(
    .globl simt_switch
    .p2align 4
simt_switch:
    sub sp, sp, #160
    stp d8, d9, [sp, #0]
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    stp d14, d15, [sp, #48]
    stp x19, x20, [sp, #64]
    stp x21, x22, [sp, #80]
    stp x23, x24, [sp, #96]
    stp x25, x26, [sp, #112]
    stp x27, x28, [sp, #128]
    stp x29, x30, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp d8, d9, [sp, #0]
    ldp d10, d11, [sp, #16]
    ldp d12, d13, [sp, #32]
    ldp d14, d15, [sp, #48]
    ldp x19, x20, [sp, #64]
    ldp x21, x22, [sp, #80]
    ldp x23, x24, [sp, #96]
    ldp x25, x26, [sp, #112]
    ldp x27, x28, [sp, #128]
    ldp x29, x30, [sp, #144]
    add sp, sp, #160
    ret
)" SIMT_END);
constexpr int return_word = 19;  // x30
constexpr int frame_words = 20;
#endif
#endif

namespace simt {
Fiber* Fiber::starting_ = nullptr;

Fiber::Fiber(void (*entry)()) : entry_(entry) {
    void* memory = mmap(nullptr, guard_bytes_ + stack_bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<char*>(memory);
    mprotect(memory_, guard_bytes_, PROT_NONE);
    prepare();
}

Fiber::~Fiber() {
    unpoison(memory_, guard_bytes_ + stack_bytes_);
    munmap(memory_, guard_bytes_ + stack_bytes_);
}

// Leaves the stack as if simt_switch had been called from the first line of first_function().
void Fiber::prepare() {
#ifdef SIMT_UCONTEXT
    getcontext(&own_);
    own_.uc_stack.ss_sp = memory_ + guard_bytes_;
    own_.uc_stack.ss_size = stack_bytes_;
    makecontext(&own_, first_function, 0);
#else
    // All stacks begin at the same place in a page, and the caches of a processor keep only a few
    // lines of one such place: so each stack's first frame is moved down by an amount of its own.
    static std::size_t count = 0;
    void* top = memory_ + guard_bytes_ + stack_bytes_ - count++ % 64 * 64;
    auto** frame = static_cast<void**>(top) - frame_words;
    for (int i = 0; i < frame_words; ++i) frame[i] = nullptr;
    frame[return_word] = reinterpret_cast<void*>(&first_function);
    own_ = frame;
#endif
}

void Fiber::first_function() {
    Fiber& fiber = *starting_;
    after_switch(nullptr, &fiber.resumer_stack_, &fiber.resumer_stack_bytes_);
    fiber.entry_();
}

void Fiber::restart() {
    unpoison(memory_ + guard_bytes_, stack_bytes_);
    prepare();
}

}  // namespace simt
