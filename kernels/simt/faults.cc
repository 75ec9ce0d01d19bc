// Signals of this kind come on the thread that caused them, in the middle of an instruction. Their
// handler leaves the kernel's fiber as a thread that waits does, and it is never resumed. It runs
// on a stack of its own, since the fiber's may be full.
#include "faults.h"

#include <signal.h>

#include <cstddef>
#include <iterator>
#include <memory>

#include "machine.h"
#include "observer.h"
#include "sanitizer.h"

namespace simt {

namespace {

constexpr int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
constexpr std::size_t stack_bytes = 64 * 1024;

struct sigaction before[std::size(caught)];  // whom else the signals are for

struct Death {
    int signal = 0;
    const char* address = nullptr;
    unsigned thread = 0;
    bool has_address = false, stack_is_full = false;
} death;

void end_process(int signal) {
    struct sigaction usual = {};
    usual.sa_handler = SIG_DFL;
    sigaction(signal, &usual, nullptr);
    raise(signal);
}

// Not a kernel's: whoever was there before decides. If that one passes it on to us, nobody wants
// it.
void pass_on(int signal, siginfo_t* info, void* context) {
    static volatile sig_atomic_t passing = 0;
    if (passing) return end_process(signal);
    passing = 1;
    for (std::size_t i = 0; i < std::size(caught); ++i) {
        if (caught[i] != signal) continue;
        const struct sigaction& other = before[i];
        if (other.sa_flags & SA_SIGINFO)
            other.sa_sigaction(signal, info, context);
        else if (other.sa_handler == SIG_DFL)
            end_process(signal);
        else if (other.sa_handler != SIG_IGN)
            other.sa_handler(signal);
    }
    passing = 0;
}

void leave_kernel(int signal, siginfo_t* info, void* context) {
    if (!in_kernel()) return pass_on(signal, info, context);
    Worker& worker = *machine.running;
    const auto* address = static_cast<const char*>(info->si_addr);
    const char* stack = worker.fiber.stack_begin();
    bool has_address = signal == SIGSEGV || signal == SIGBUS;
#ifdef SI_KERNEL
    has_address = has_address && info->si_code != SI_KERNEL;  // an address that cannot be
#endif
    constexpr std::ptrdiff_t far = 8 << 20;  // of one step: a large array
    death = {signal, address, worker.thread, has_address,
             has_address && address < stack && stack - address <= far};
    machine.failed = true;
    machine.interrupted = &worker;
    worker.wait.operation = nullptr;
    worker.fiber.suspend();
}

// A thread's stack for its handlers, unless it has one.
struct HandlerStack {
    std::unique_ptr<char[]> memory;
    HandlerStack() {
        stack_t now = {};
        if (sigaltstack(nullptr, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
        memory = std::make_unique<char[]>(stack_bytes);
        now = {};
        now.ss_sp = memory.get();
        now.ss_size = stack_bytes;
        sigaltstack(&now, nullptr);
    }
    ~HandlerStack() {
        if (!memory) return;
        stack_t none = {};
        none.ss_flags = SS_DISABLE;
        sigaltstack(&none, nullptr);
    }
};

// Others may have put theirs in our place since the last launch.
void install() {
    struct sigaction ours = {}, now = {};
    sigaction(SIGSEGV, nullptr, &now);
    if (now.sa_sigaction == leave_kernel) return;
    ours.sa_sigaction = leave_kernel;
    // The handler does not return, so nothing would lift the block.
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (std::size_t i = 0; i < std::size(caught); ++i) sigaction(caught[i], &ours, &before[i]);
}

std::string what_was_done() {
    switch (death.signal) {
        case SIGFPE:
            return "divided an integer by zero, or the least one by -1";
        case SIGABRT:
            return "called abort(), as a false assert does whose <cassert> was included behind "
                   "simt.h without its folder on the include path";
        case SIGILL:
        case SIGTRAP:
            return "came to an instruction that ends a process";
        default:
            break;
    }
    if (death.stack_is_full)
        return "has more on its stack than fits, 256 KiB: its functions call each other too deep, "
               "or have too large arrays";
    // An observer is the checks, which did not see it: no line of the kernel's did this.
    const std::string where = observer ? "" : "; the checks say at which line";
    if (death.has_address && reinterpret_cast<std::uintptr_t>(death.address) < 4096)
        return "touched memory through a null pointer" + where;
    return "touched memory that is not there, or not to be written" + where;
}

}  // namespace

// AddressSanitizer has handlers of its own.
void catch_faults() {
    if (under_asan) return;
    thread_local const HandlerStack stack;
    static_cast<void>(stack);
    install();
}

std::string fault_text() {
    const Death d = death;
    if (d.signal == 0) return "";
    const std::string text = "launch: " + who(d.thread) + " " + what_was_done();
    death = {};
    return text;
}

}  // namespace simt
