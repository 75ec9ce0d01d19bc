// The emulator as the host sees it: launches, device memory, errors. A kernel's file includes
// simt.h instead, which adds the words of CUDA C++. Nothing here throws or aborts: what went
// wrong is a text that waits for last_error(), as after a CUDA call.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "vector_types.h"

namespace simt {

// ---- launches ---------------------------------------------------------------------------------
// The limits of every GPU since compute capability 3.0.
constexpr unsigned most_threads = 1024;           // in a block, all dims together
constexpr dim3 largest_block = {1024, 1024, 64};  // along each dim
constexpr dim3 largest_grid = {2147483647, 65535, 65535};
constexpr std::size_t most_shared_bytes = 48 * 1024;  // of dynamic shared memory

// A launch without its types: `call(closure)` runs the kernel once, as the current CUDA thread.
// `pointers` are the kernel's pointer arguments, null for an argument of another type.
struct Launch {
    dim3 grid, block;
    std::size_t shared_bytes = 0;
    void (*call)(const void* closure) = nullptr;
    const void* closure = nullptr;
    std::span<const void* const> pointers;
};

// Runs all blocks, one after another, and returns when the last thread is done. One launch runs
// at a time; another OS thread waits for it.
void run(const Launch& launch);

// `asked` is called after each block, on the launching thread: true leaves the blocks out that have
// not begun, without an error. Null, as at first: all run.
void stop_when(bool (*asked)());

// The block's dynamic shared memory, 16-byte aligned.
void* dynamic_shared();

// ---- device memory ----------------------------------------------------------------------------
// A range of addresses of the emulator's own, so that a device pointer is told from a host pointer,
// with a gap of at least 512 bytes behind each allocation. Under AddressSanitizer the gaps and
// released memory are poisoned, so a kernel's access outside its allocations is reported.
void* allocate(std::size_t bytes);  // 512-byte aligned, uninitialised; null if it does not fit
void release(void* pointer);        // null is allowed
std::size_t total_memory();
std::size_t free_memory();  // in all holes together
void copy_to_device(void* to, const void* from, std::size_t bytes);
void copy_to_host(void* to, const void* from, std::size_t bytes);

// Empty if all `bytes` at `pointer` lie in one live allocation, else what is wrong with them:
// "host memory", "released memory" or "... bytes past the end of an allocation of ...".
std::string device_memory_fault(const void* pointer, std::size_t bytes);

// ---- errors -----------------------------------------------------------------------------------
// The first error on this OS thread since the last call of last_error(), or "". Valid until the
// next call. A failed launch has written what its threads wrote before the error, no more.
const char* last_error();
void set_error(std::string text);  // kept only if no earlier one waits

}  // namespace simt
