// Changing stacks: a function call saves only some registers by agreement (the callee-saved ones),
// so storing those and exchanging the stack pointer is all that a switch is. x86-64 and arm64 have
// it by hand; other processors use ucontext, which also saves the signal mask by a system call.
#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

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
namespace {

// 1,024 of them are the most a block needs; a page of one takes memory once it is touched.
constexpr std::size_t stack_bytes = 256 * 1024;

constexpr std::size_t guard_bytes = 64 * 1024;  // a whole number of pages of any system

Fiber* starting = nullptr;  // whom first_function() is for

}  // namespace

#ifdef SIMT_UCONTEXT
struct Fiber::Registers {
    ucontext_t own, resumer;
};
#else
struct Fiber::Registers {
    void* own = nullptr;  // stack pointers
    void* resumer = nullptr;
};
#endif

Fiber::Fiber(void (*entry)()) : entry_(entry), registers_(std::make_unique<Registers>()) {
    void* memory = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<char*>(memory);
    mprotect(memory_, guard_bytes, PROT_NONE);
    prepare();
}

Fiber::~Fiber() {
    unpoison(memory_, guard_bytes + stack_bytes);
    munmap(memory_, guard_bytes + stack_bytes);
}

// Leaves the stack as if simt_switch had been called from the first line of first_function().
void Fiber::prepare() {
#ifdef SIMT_UCONTEXT
    getcontext(&registers_->own);
    registers_->own.uc_stack.ss_sp = memory_ + guard_bytes;
    registers_->own.uc_stack.ss_size = stack_bytes;
    makecontext(&registers_->own, first_function, 0);
#else
    void* top = memory_ + guard_bytes + stack_bytes;
    auto** frame = static_cast<void**>(top) - frame_words;
    for (int i = 0; i < frame_words; ++i) frame[i] = nullptr;
    frame[return_word] = reinterpret_cast<void*>(&first_function);
    registers_->own = frame;
#endif
}

void Fiber::first_function() {
    Fiber& fiber = *starting;
    after_switch(nullptr, &fiber.resumer_stack_, &fiber.resumer_stack_bytes_);
    fiber.entry_();
}

void Fiber::resume() {
    starting = this;
    before_switch(&resumer_frames_, memory_ + guard_bytes, stack_bytes);
#ifdef SIMT_UCONTEXT
    swapcontext(&registers_->resumer, &registers_->own);
#else
    simt_switch(&registers_->resumer, registers_->own);
#endif
    after_switch(resumer_frames_, nullptr, nullptr);
}

void Fiber::suspend() {
    before_switch(&own_frames_, resumer_stack_, resumer_stack_bytes_);
#ifdef SIMT_UCONTEXT
    swapcontext(&registers_->own, &registers_->resumer);
#else
    simt_switch(&registers_->own, registers_->resumer);
#endif
    after_switch(own_frames_, &resumer_stack_, &resumer_stack_bytes_);
}

void Fiber::restart() {
    unpoison(memory_ + guard_bytes, stack_bytes);
    prepare();
}

}  // namespace simt
