#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <thread>

#include "host.h"
#include "machine.h"

namespace simt {

std::atomic<bool> overdue{false};

namespace {

// Counting our own sleeps is the clock: a debugger that stops the process stops it too.
constexpr auto tick = std::chrono::milliseconds(20);
constexpr int ticks_of_grace = 10;      // from the flag to the signal, and between signals
constexpr int ticks_before_rest = 100;  // without a launch, until the thread ends

struct Watch {
    std::atomic<std::uint64_t> events{0};  // odd while a launch runs
    std::atomic<bool> watching{false};
    std::atomic<bool> signalling{false};
    std::atomic<bool> stopping{false};  // stop_now() was called for the launch that runs
    std::atomic<double> limit{300};
    std::uint64_t seen = 0;  // the launch that is being counted
    int ticks = 0;           // for how long
    int ticks_over = 0;      // how long it should have ended
    pthread_t launching = {};
};

constinit Watch watch;

bool running(std::uint64_t events) { return events % 2 == 1; }

double limit_in_ticks() {
    const double seconds = watch.limit;
    return seconds * 1000 / static_cast<double>(tick.count());
}

// Runs on the stack of the thread that it interrupts. If that is the kernel's, leaves it as a
// thread that waits does; it is never resumed.
void leave_kernel(int) {
    Worker* worker = machine.running;
    const char here = 0;
    if (!launch_is_overdue() || worker == nullptr) return;
    if (&here < worker->fiber.stack_begin() || &here >= worker->fiber.stack_end()) return;
    machine.failed = true;
    machine.interrupted = worker;
    worker->wait.operation = nullptr;
    worker->fiber.suspend();
}

// The launch cannot end, and its thread cannot go away, while `signalling` is set.
void interrupt_launch() {
    struct sigaction ours = {}, theirs = {};
    ours.sa_handler = leave_kernel;
    ours.sa_flags = SA_NODEFER;  // the handler does not return, so nothing would lift the block
    sigaction(SIGURG, &ours, &theirs);
    watch.signalling = true;
    if (watch.events == watch.seen) pthread_kill(watch.launching, SIGURG);
    watch.signalling = false;
    std::this_thread::sleep_for(tick * ticks_of_grace);
    sigaction(SIGURG, &theirs, nullptr);
}

void count_tick() {
    const std::uint64_t events = watch.events;
    if (events != watch.seen) {
        watch.seen = events;
        watch.ticks = watch.ticks_over = 0;
    }
    ++watch.ticks;
    const double limit = limit_in_ticks();
    const bool is_over = (limit != 0 && watch.ticks >= limit) || watch.stopping;
    if (!running(events) || !is_over) return;
    overdue = true;
    if (watch.events != events) overdue = false;
    if (++watch.ticks_over > ticks_of_grace) interrupt_launch();
}

void watch_launches() {
    for (;;) {
        std::this_thread::sleep_for(tick);
        count_tick();
        if (running(watch.events) || watch.ticks < ticks_before_rest) continue;
        watch.watching = false;
        // A launch that began just now may have found us still watching.
        if (!running(watch.events) || watch.watching.exchange(true)) return;
    }
}

void start_watching() {
    static const int once = pthread_atfork(nullptr, nullptr, [] { watch.watching = false; });
    static_cast<void>(once);
    if (watch.watching.exchange(true)) return;
    // The thread takes no signals that are meant for the program.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread(watch_launches).detach();
    } catch (const std::system_error&) {
        watch.watching = false;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void watch_launch() {
    watch.launching = pthread_self();
    watch.stopping = overdue = false;
    watch.events.store(watch.events.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    if (!watch.watching.load(std::memory_order_relaxed)) start_watching();
}

void watch_launch_end() {
    watch.events.store(watch.events.load(std::memory_order_relaxed) + 1);
    while (watch.signalling) std::this_thread::yield();
    overdue.store(false, std::memory_order_relaxed);
}

std::string overdue_text() {
    if (watch.stopping) return "launch: the host stopped it in block " + text(blockIdx);
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", watch.limit.load());
    std::string result = "launch: block " + text(blockIdx) + " was not done after " + seconds +
                         " s, the limit of set_time_limit() or SIMT_TIME_LIMIT";
    if (machine.interrupted) result += "; " + running_text(machine.interrupted->thread, "");
    return result;
}

std::string running_text(unsigned thread, const std::string& place) {
    return "thread " + text(index_of(thread)) + " was running" + place +
           ", and waited for nobody; if its loop waits for another thread, that one may wait for "
           "it, or have had no turn yet: __nanosleep in the loop gives it one";
}

void stop_now() { watch.stopping = true; }

void set_time_limit(double seconds) { watch.limit = seconds > 0 ? seconds : 0; }

}  // namespace simt
