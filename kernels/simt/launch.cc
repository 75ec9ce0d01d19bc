// How CUDA threads take turns on one OS thread. A worker is a fiber that runs CUDA threads to their
// end, one after another; it is parked only when one of them waits at a barrier, and then another
// worker goes on with the threads that have not started. So a kernel without barriers runs on one
// worker with no switches, a kernel with barriers needs as many as a block has threads, and nobody
// has to know in advance which it is.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "fiber.h"
#include "host.h"

// What kernels see as constants (simt.h), and only this file changes.
uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace simt {
namespace {

void run_threads();

struct Worker {
    Fiber fiber{run_threads};
    uint3 thread = {};  // the CUDA thread that it runs,
    int line = 0;       // and the barrier at which that one waits: 0 if it does not
    const char* file = "";
};

// The one launch that is running, and the workers that all launches share.
struct Machine {
    std::mutex busy;
    const Launch* launch = nullptr;
    uint3 next = {};           // the next CUDA thread of this block to start
    unsigned not_started = 0;  // how many are left
    std::vector<std::unique_ptr<Worker>> workers;
    Worker* running = nullptr;
    std::string error;  // why this launch has to end
    alignas(16) std::byte shared[most_shared_bytes];
};

// Never destroyed: another static's destructor may still launch.
Machine& machine = *new Machine;

// True while this OS thread runs a kernel.
thread_local bool in_kernel = false;
thread_local std::string first_error;
thread_local std::string last_read_error;

std::string text(uint3 i) {
    return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) +
           ")";
}
std::string text(dim3 d) { return text(uint3{d.x, d.y, d.z}); }

bool same(uint3 a, uint3 b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

// Moves `i` to the next thread in the order of CUDA: x runs fastest.
void advance(uint3& i) {
    if (++i.x < blockDim.x) return;
    i.x = 0;
    if (++i.y < blockDim.y) return;
    i.y = 0;
    ++i.z;
}

// ---- a worker's side --------------------------------------------------------------------------
void start_threads() {
    while (machine.not_started > 0) {
        threadIdx = machine.running->thread = machine.next;
        advance(machine.next);
        --machine.not_started;
        machine.launch->call(machine.launch->closure);
    }
}

void thread_threw(const char* what) {
    machine.error = "launch: thread " + text(machine.running->thread) + " of block " +
                    text(blockIdx) + " threw an exception: " + what;
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
// Lets a worker go on until it has no thread left or its thread waits; returns whether it waits.
bool resume(Worker& worker) {
    machine.running = &worker;
    threadIdx = worker.thread;
    worker.line = 0;
    worker.fiber.resume();
    return worker.line != 0;
}

Worker& worker(std::size_t i) {
    if (i == machine.workers.size()) machine.workers.push_back(std::make_unique<Worker>());
    return *machine.workers[i];
}

std::string place(const Worker& worker) {
    const char* slash = std::strrchr(worker.file, '/');
    return (slash ? slash + 1 : worker.file) + (":" + std::to_string(worker.line));
}

// The first `waiting` workers wait at barriers, in the order of their threads; all others of the
// block have returned. Empty if everybody waits at the same line, else who does not.
std::string divergence(std::size_t waiting) {
    const Worker& first = *machine.workers[0];
    const std::string here = "__syncthreads: in block " + text(blockIdx) + " thread " +
                             text(first.thread) + " waits at " + place(first) + ", but thread ";
    const std::string fix = "; all threads of a block must reach the same __syncthreads";
    uint3 expected = {};
    for (std::size_t i = 0; i < waiting; ++i, advance(expected)) {
        const Worker& other = *machine.workers[i];
        if (!same(other.thread, expected)) break;
        if (other.line != first.line || std::strcmp(other.file, first.file) != 0)
            return here + text(other.thread) + " waits at " + place(other) + fix;
    }
    if (waiting == blockDim.x * blockDim.y * blockDim.z) return "";
    return here + text(expected) + " has returned" + fix;
}

// Starts every thread; then, as long as all of them wait at one barrier, lets them pass it.
void run_block() {
    machine.next = {};
    machine.not_started = blockDim.x * blockDim.y * blockDim.z;
    std::size_t waiting = 0;
    while (machine.not_started > 0 && machine.error.empty())
        if (resume(worker(waiting))) ++waiting;
    while (waiting > 0 && machine.error.empty()) {
        machine.error = divergence(waiting);
        const std::size_t released = std::exchange(waiting, 0);
        for (std::size_t i = 0; i < released && machine.error.empty(); ++i)
            if (resume(*machine.workers[i]))
                std::swap(machine.workers[waiting++], machine.workers[i]);
    }
}

std::atomic<bool (*)()> asked_to_stop{nullptr};

void run_grid() {
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) {
                run_block();
                if (!machine.error.empty()) return;
                const auto asked = asked_to_stop.load(std::memory_order_relaxed);
                if (asked && asked()) return;
            }
}

// ---- before a launch --------------------------------------------------------------------------
std::string too_large(const char* what, dim3 given, dim3 limit) {
    if (given.x == 0 || given.y == 0 || given.z == 0)
        return std::string("launch: ") + what + " " + text(given) + " has a dim of 0";
    if (given.x <= limit.x && given.y <= limit.y && given.z <= limit.z) return "";
    return std::string("launch: ") + what + " " + text(given) + " exceeds " + text(limit);
}

std::string refusal(const Launch& launch) {
    if (in_kernel) return "launch: called inside a kernel, which the emulator does not support";
    if (auto error = too_large("block", launch.block, largest_block); !error.empty()) return error;
    if (auto error = too_large("grid", launch.grid, largest_grid); !error.empty()) return error;
    const unsigned threads = launch.block.x * launch.block.y * launch.block.z;
    if (threads > most_threads)
        return "launch: block " + text(launch.block) + " has " + std::to_string(threads) +
               " threads, but a block holds at most " + std::to_string(most_threads);
    if (launch.shared_bytes > most_shared_bytes)
        return "launch: " + std::to_string(launch.shared_bytes) +
               " bytes of dynamic shared memory, but a block has at most " +
               std::to_string(most_shared_bytes);
    int index = 0;
    for (const void* pointer : launch.pointers) {
        std::string fault = pointer ? device_memory_fault(pointer, 0) : "";
        if (!fault.empty()) return "launch: argument " + std::to_string(index) + " is " + fault;
        ++index;
    }
    return "";
}

}  // namespace

void run(const Launch& launch) {
    if (std::string error = refusal(launch); !error.empty()) return set_error(std::move(error));
    const std::lock_guard lock(machine.busy);
    in_kernel = true;
    machine.launch = &launch;
    gridDim = launch.grid;
    blockDim = launch.block;
    try {
        run_grid();
    } catch (const std::bad_alloc&) {
        machine.error = "launch: no memory for the stacks of block " + text(launch.block);
    }
    in_kernel = false;
    if (machine.error.empty()) return;
    // Threads that the error left at a barrier never go on. Their locals are not destroyed, as on a
    // GPU; the next launch finds every worker at its start.
    for (auto& stopped : machine.workers) stopped->fiber.restart();
    set_error(std::exchange(machine.error, ""));
}

void stop_when(bool (*asked)()) { asked_to_stop = asked; }

void* dynamic_shared() { return machine.shared; }

const char* last_error() {
    last_read_error = std::exchange(first_error, "");
    return last_read_error.c_str();
}

void set_error(std::string text) {
    if (first_error.empty()) first_error = std::move(text);
}

}  // namespace simt

// ---- what kernels call ------------------------------------------------------------------------
void __syncthreads(int line, const char* file) {
    simt::Worker& worker = *simt::machine.running;
    worker.line = line;
    worker.file = file;
    worker.fiber.suspend();
}

// One thread runs at a time and is never interrupted, so a plain addition is atomic.
int atomicAdd(int* address, int value) {
    const int old = *address;
    *address = static_cast<int>(static_cast<unsigned>(old) + static_cast<unsigned>(value));
    return old;
}
unsigned atomicAdd(unsigned* address, unsigned value) {
    return std::exchange(*address, *address + value);
}
unsigned long long atomicAdd(unsigned long long* address, unsigned long long value) {
    return std::exchange(*address, *address + value);
}
float atomicAdd(float* address, float value) { return std::exchange(*address, *address + value); }
double atomicAdd(double* address, double value) {
    return std::exchange(*address, *address + value);
}
