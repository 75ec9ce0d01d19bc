// A launch from its request to its error: what is refused, the blocks one after another, and what
// is left of it. Read next: block.cc, how the threads of a block take turns.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "host.h"
#include "machine.h"
#include "observer.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace simt {

Machine& machine = *new Machine;
const Observer* observer = nullptr;

namespace {

// True while this OS thread runs a launch.
thread_local bool launching = false;
thread_local std::string first_error;
thread_local std::string last_read_error;

std::atomic<bool (*)()> asked_to_stop{nullptr};

void run_grid() {
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) {
                if (observer) observer->block_begins(current_block());
                run_block();
                if (observer) observer->block_ends(current_block());
                if (machine.failed) return;
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
    if (launching) return "launch: called inside a kernel, which the emulator does not support";
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
    launching = true;
    machine.launch = &launch;
    machine.threads = launch.block.x * launch.block.y * launch.block.z;
    gridDim = launch.grid;
    blockDim = launch.block;
    if (observer) observer->launch_begins(launch);
    try {
        run_grid();
    } catch (const std::bad_alloc&) {
        machine.failed = true;
        machine.error = "launch: no memory for the stacks of block " + text(launch.block);
    }
    if (observer) observer->launch_ends(launch, machine.error);
    launching = false;
    if (!machine.failed) return;
    // Threads that the error left where they wait never go on. Their locals are not destroyed, as
    // on a GPU.
    forget_threads();
    machine.failed = false;
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

// ---- for observers ----------------------------------------------------------------------------
bool in_kernel() { return launching && machine.running != nullptr; }

unsigned current_thread() { return machine.running->thread; }

std::uint64_t current_block() {
    const std::uint64_t row = std::uint64_t{blockIdx.z} * gridDim.y + blockIdx.y;
    return row * gridDim.x + blockIdx.x;
}

Range current_stack() {
    const Fiber& fiber = machine.running->fiber;
    return {fiber.stack_begin(), fiber.stack_end()};
}

Range current_dynamic_shared() {
    const char* begin = reinterpret_cast<const char*>(machine.shared);
    return {begin, begin + machine.launch->shared_bytes};
}

void end_launch(std::string error) {
    machine.failed = true;
    machine.error = std::move(error);
    machine.running->wait.operation = nullptr;
    for (;;) machine.running->fiber.suspend();
}

std::vector<Waiting> waiting_threads() {
    std::vector<Waiting> all;
    for (const auto& worker : machine.workers) {
        const Wait& wait = worker->wait;
        if (wait.operation && worker.get() != machine.running)
            all.push_back({worker->thread, wait.operation, wait.mask, wait.file, wait.line});
    }
    std::sort(all.begin(), all.end(),
              [](const Waiting& a, const Waiting& b) { return a.thread < b.thread; });
    return all;
}

}  // namespace simt
