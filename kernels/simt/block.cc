// How the threads of a block take turns on one OS thread. A worker is a fiber that runs CUDA
// threads to their end, one after another; it is parked only when one of them waits, and then
// another worker goes on. So a kernel without barriers runs on one worker with no switches, a
// kernel with barriers needs as many as a block has threads, and nobody has to know in advance
// which it is.
#include <chrono>
#include <exception>
#include <utility>

#include "machine.h"
#include "observer.h"
#include "watchdog.h"

namespace simt {
namespace {

// ---- a worker's side --------------------------------------------------------------------------
// Moves `i` to the next thread in the order of CUDA: x runs fastest.
void advance(uint3& i) {
    if (++i.x < blockDim.x) return;
    i.x = 0;
    if (++i.y < blockDim.y) return;
    i.y = 0;
    ++i.z;
}

void take_next(Worker& worker) {
    if (machine.order.schedule == Schedule::forward) {
        worker.thread = machine.started;
        worker.index = machine.next;
        advance(machine.next);
    } else {
        worker.thread = machine.order.thread(machine.started);
        worker.index = index_of(worker.thread);
    }
    threadIdx = worker.index;
    ++machine.started;
}

void start_threads() {
    while (machine.started < machine.threads && !launch_is_overdue()) {
        Worker& worker = *machine.running;
        take_next(worker);
        if (observer) observer->thread_begins(worker.thread);
        machine.launch->call(machine.launch->closure);
        if (observer) observer->thread_ends(machine.running->thread);
    }
}

void thread_threw(const char* what) {
    machine.failed = true;
    machine.error = "launch: " + who(machine.running->thread) + " threw an exception: " + what;
}

void run_threads() {
    for (;;) {
        try {
            start_threads();
        } catch (const std::exception& exception) {
            thread_threw(exception.what());
        } catch (...) {
            thread_threw("of unknown type");
        }
        machine.running->fiber.suspend();
    }
}

// ---- the scheduler's side ---------------------------------------------------------------------
// Lets a worker go on until it has no thread left or its thread waits.
[[gnu::always_inline]] inline void resume(Worker& worker) {
    machine.running = &worker;
    threadIdx = worker.index;
    worker.fiber.resume();
    machine.running = nullptr;
    if (worker.wait.operation == nullptr) machine.idle.push_back(&worker);
}

void start_more() {
    if (machine.idle.empty()) {
        machine.workers.push_back(std::make_unique<Worker>());
        machine.idle.push_back(machine.workers.back().get());
    }
    Worker& worker = *machine.idle.back();
    machine.idle.pop_back();
    resume(worker);
}

[[gnu::always_inline]] inline void go_on() {
    Worker& worker = *machine.ready.pop(machine.order);
    --machine.unfinished;
    worker.wait.operation = nullptr;
    machine.running = &worker;  // an observer may ask for its stack
    if (observer) observer->thread_resumed(worker.thread);
    resume(worker);
}

// Between turns: is it time to end the launch?
void look_up() {
    if (launch_is_overdue()) machine.failed = true;
    if (++machine.turns % turns_between_polls == 0 && asks_to_stop())
        machine.failed = machine.stopped = true;
}

// Everybody waits at the same barrier: all may pass.
void pass_barrier() {
    if (observer) observer->barrier_passed();
    machine.at_barrier = 0;
    machine.votes_counted = std::exchange(machine.votes, 0);
    for (unsigned t = 0; t < machine.threads; ++t)
        make_ready(*machine.parked[machine.order.thread(t)]);
}

// Nobody can run: lets those go on who may. False if all have returned, or the launch fails.
bool settle() {
    if (machine.unfinished == 0) return false;
    if (machine.at_barrier == machine.threads && !machine.barriers_differ) {
        pass_barrier();
        return true;
    }
    if (settle_warps()) return true;
    machine.failed = true;
    machine.error = stuck();
    return false;
}

}  // namespace

Worker::Worker() : fiber(run_threads) {}

// Whether new threads begin before others go on: if those ask for it, or chance will have it.
static bool prefers_new() { return std::exchange(machine.yielded, false) || machine.order.coin(); }

void run_block() {
    machine.next = {};
    machine.started = 0;
    machine.order.begin_block(machine.threads);
    for (;;) {
        look_up();
        if (machine.failed) return;
        const bool more = machine.started < machine.threads;
        if (machine.ready.count > 0 && !(more && prefers_new()))
            go_on();
        else if (more)
            start_more();
        else if (!settle())
            return;
    }
}

void make_ready(Worker& worker) {
    machine.parked[worker.thread] = nullptr;
    machine.ready.push(&worker);
}

void give_way(const char* operation) {
    Worker& worker = *machine.running;
    worker.wait = {operation, "", 0, 0};
    machine.ready.push(&worker);
    ++machine.unfinished;
    machine.yielded = true;
    worker.fiber.suspend();
}

void leave() {
    machine.running->wait.operation = nullptr;
    for (;;) machine.running->fiber.suspend();
}

void forget_threads() {
    machine.idle.clear();
    for (auto& worker : machine.workers) {
        worker->fiber.restart();
        worker->wait.operation = nullptr;
        machine.idle.push_back(worker.get());
    }
    for (Worker*& parked : machine.parked) parked = nullptr;
    for (auto& meetings : machine.meetings) meetings.clear();
    machine.ready.count = 0;
    machine.unfinished = machine.at_barrier = machine.votes = 0;
    machine.barriers_differ = false;
}

uint3 index_of(unsigned thread) {
    const unsigned row = thread / blockDim.x;
    return {thread % blockDim.x, row % blockDim.y, row / blockDim.y};
}

}  // namespace simt

// ---- what kernels call ------------------------------------------------------------------------
namespace {

// Returns how many threads of the block said yes.
[[gnu::always_inline]] inline unsigned wait_for_block(const char* operation, bool yes, int line,
                                                      const char* file) {
    using simt::machine;
    simt::Wait& first = machine.first_at_barrier;
    if (machine.at_barrier++ == 0) {
        first.operation = operation;
        first.file = file;
        first.line = line;
    } else if (first.operation != operation ||
               !simt::same_place(first.file, first.line, file, line)) {
        machine.barriers_differ = true;
    }
    machine.votes += yes;
    simt::park(operation, file, line, 0);
    return machine.votes_counted;
}

constexpr const char* plain = "__syncthreads";
constexpr const char* counts = "__syncthreads_count";
constexpr const char* asks_all = "__syncthreads_and";
constexpr const char* asks_any = "__syncthreads_or";

}  // namespace

void __syncthreads(int line, const char* file) { wait_for_block(plain, false, line, file); }

int __syncthreads_count(int predicate, int line, const char* file) {
    return static_cast<int>(wait_for_block(counts, predicate != 0, line, file));
}

int __syncthreads_and(int predicate, int line, const char* file) {
    return wait_for_block(asks_all, predicate == 0, line, file) == 0;
}

int __syncthreads_or(int predicate, int line, const char* file) {
    return wait_for_block(asks_any, predicate != 0, line, file) != 0;
}

namespace {
void fence(simt::Observer::Scope scope) {
    if (simt::observer) simt::observer->fence(scope);
}
}  // namespace

void __threadfence_block() { fence(simt::Observer::Scope::block); }
void __threadfence() { fence(simt::Observer::Scope::device); }
void __threadfence_system() { fence(simt::Observer::Scope::system); }

long long clock64() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void __nanosleep(unsigned) { simt::give_way("__nanosleep"); }

void __trap() {
    simt::machine.failed = true;
    simt::machine.error = "__trap: called by " + simt::who(simt::current_thread());
    simt::leave();
}
