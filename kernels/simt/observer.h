// What a checker may watch. The emulator calls the observer, if there is one, at every event that
// orders threads or changes who owns memory; reads and writes themselves are not its business: a
// build with -fsanitize=thread calls __tsan_read4() and its kin for those.
// All calls come from the OS thread that launched, or that allocates; none is made inside a kernel
// but `atomic`, `computed`, `fence` and `warp_synchronised`, which come from the operation itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host.h"

namespace simt {

// Threads are numbered within their block, as CUDA numbers them: x runs fastest; thread t is lane
// t % 32 of warp t / 32. An event that is left out does nothing.
struct Observer {
    // How many bytes of __shared__ arrays a kernel declares, asked before each launch; 0 if
    // unknown.
    std::size_t (*declared_shared)(const void* kernel) = [](const void*) { return std::size_t{0}; };
    void (*launch_begins)(const Launch& launch) = [](const Launch&) {};
    void (*launch_ends)(const Launch& launch, const std::string& error) = [](const Launch&,
                                                                             const std::string&) {};
    void (*block_begins)(std::uint64_t block) = [](std::uint64_t) {};  // also numbered x fastest
    void (*block_ends)(std::uint64_t block) = [](std::uint64_t) {};
    void (*thread_begins)(unsigned thread) = [](unsigned) {};
    void (*thread_ends)(unsigned thread) = [](unsigned) {};
    // A thread that waited is about to go on.
    void (*thread_resumed)(unsigned thread) = [](unsigned) {};

    // All threads of the block have arrived at a __syncthreads; none has gone on.
    void (*barrier_passed)() = [] {};
    // The lanes of `mask` have met in a __syncwarp of `warp`; none has gone on. Shuffles, votes,
    // matches and reductions exchange their values but order no memory, so they are no event.
    void (*warp_synchronised)(unsigned warp, unsigned mask) = [](unsigned, unsigned) {};
    // The current thread is about to read and perhaps write `bytes` at `address` in one step;
    // `code` is where in the kernel.
    void (*atomic)(const void* address, std::size_t bytes,
                   const void* code) = [](const void*, std::size_t, const void*) {};
    // The current thread computes with numbers of counted.h, at `code`; if `changed` is not null,
    // it is about to read and to write `bytes` there.
    void (*computed)(unsigned operations, const void* code, const void* changed,
                     std::size_t bytes) = [](unsigned, const void*, const void*, std::size_t) {};
    // The current thread calls __threadfence_block (block), __threadfence or __threadfence_system.
    enum class Scope { block, device, system };
    void (*fence)(Scope scope) = [](Scope) {};

    void (*allocated)(const void* memory, std::size_t bytes) = [](const void*, std::size_t) {};
    void (*released)(const void* memory, std::size_t bytes) = [](const void*, std::size_t) {};
    void (*copied_to_device)(const void* to, std::size_t bytes) = [](const void*, std::size_t) {};
};

// Null at first: nobody watches. Change it only while no launch runs.
extern const Observer* observer;

// ---- while a launch runs ----------------------------------------------------------------------
bool in_kernel();           // whether this OS thread runs a kernel now
unsigned current_thread();  // meaningful in a kernel
std::uint64_t current_block();

// The current thread's own stack: what lies there is local memory.
struct Range {
    const char* begin;
    const char* end;
    bool holds(const void* address) const { return address >= begin && address < end; }
};
Range current_stack();
Range current_dynamic_shared();  // as many bytes as the launch asked for

// Fails the launch from inside a kernel with `error`, and does not return: no thread goes on.
[[noreturn]] void end_launch(std::string error);

// Where the threads wait that have started and not returned, in the order of their numbers; the
// current thread is not among them.
struct Waiting {
    unsigned thread;
    const char* operation;  // "__syncthreads", "__shfl_down_sync", ...
    unsigned mask;          // of a warp operation; 0 at a barrier of the block
    const char* file;
    int line;
};
std::vector<Waiting> waiting_threads();

}  // namespace simt
