// The emulator as the host sees it: launches, device memory, errors. A kernel's file includes
// simt.h instead, which adds the words of CUDA C++. Nothing here throws or aborts: what went
// wrong is a text that waits for last_error(), as after a CUDA call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "vector_types.h"

namespace simt {

// ---- launches ---------------------------------------------------------------------------------
// The limits of every GPU since compute capability 3.0.
constexpr unsigned most_threads = 1024;           // in a block, all dims together
constexpr dim3 largest_block = {1024, 1024, 64};  // along each dim
constexpr dim3 largest_grid = {2147483647, 65535, 65535};
// Of dynamic shared memory: without being asked, and what allow_shared_bytes() may raise it to (the
// most of compute capability 9.0; 7.5 has 64 KiB, 8.0 163 KiB).
constexpr std::size_t most_shared_bytes = 48 * 1024;
constexpr std::size_t largest_shared_bytes = 227 * 1024;

// An argument of a kernel: its bytes.
struct Argument {
    const void* address = nullptr;
    std::size_t bytes = 0;
    bool is_pointer = false;

    // Null for an argument of another type.
    const void* pointer() const {
        return is_pointer ? *static_cast<const void* const*>(address) : nullptr;
    }
};

template <class T>
Argument argument(const T& value) {
    return {&value, sizeof value,
            std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>};
}

// A launch without its types: `call(closure)` runs the kernel once, as the current CUDA thread.
struct Launch {
    dim3 grid, block;
    std::size_t shared_bytes = 0;
    void (*call)(const void* closure) = nullptr;
    const void* closure = nullptr;
    std::span<const Argument> arguments;
    const void* kernel = nullptr;  // its address, to know one from another
};

// Runs all blocks, one after another, and returns when the last thread is done. One launch runs
// at a time; another OS thread waits for it.
void run(const Launch& launch);

// If not null, run() calls this instead, which may call run(): a test sees each launch, and may run
// it twice. Change it only while no launch runs.
extern void (*instead_of_run)(const Launch& launch);

// Lets this kernel's launches have so many bytes of dynamic shared memory.
void allow_shared_bytes(const void* kernel, std::size_t bytes);
template <class... P>
void allow_shared_bytes(void (*kernel)(P...), std::size_t bytes) {
    allow_shared_bytes(reinterpret_cast<const void*>(kernel), bytes);
}

// In which order blocks begin, and threads begin and go on. A GPU promises none, so a kernel whose
// result depends on it is wrong. Call it while no launch runs. At first what SIMT_SCHEDULE in the
// environment says (forward, reverse, random or random:SEED), else forward. The launches that
// follow on a seed are repeatable.
enum class Schedule { forward, reverse, random };
void set_schedule(Schedule schedule, std::uint64_t seed = 1);

// `asked` is called on the launching thread after each block, and every 1,024 times that a thread
// waits: true ends the launch there, without an error. Null, as at first: all runs.
void stop_when(bool (*asked)());

// The launch that runs fails, wherever it is, as if its time were over. From any OS thread.
void stop_now();

// A launch that takes longer fails; 0 sets no limit. At first SIMT_TIME_LIMIT in the environment,
// else 300. Time during which a debugger holds the process does not count.
void set_time_limit(double seconds);

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

// The same for a __constant__ or __device__ variable.
void copy_to_symbol(void* symbol, std::size_t symbol_bytes, const void* from, std::size_t bytes,
                    std::size_t offset);
void copy_from_symbol(void* to, const void* symbol, std::size_t symbol_bytes, std::size_t bytes,
                      std::size_t offset);
template <class T>
void copy_to_symbol(T& symbol, const void* from, std::size_t bytes, std::size_t offset = 0) {
    copy_to_symbol(&symbol, sizeof symbol, from, bytes, offset);
}
template <class T>
void copy_from_symbol(void* to, const T& symbol, std::size_t bytes, std::size_t offset = 0) {
    copy_from_symbol(to, &symbol, sizeof symbol, bytes, offset);
}

// Empty if all `bytes` at `pointer` lie in one live allocation, else what is wrong with them:
// "host memory", "released memory" or "... bytes past the end of an allocation of ...".
std::string device_memory_fault(const void* pointer, std::size_t bytes);

// The live allocation that holds `pointer`; of no bytes if none does.
std::span<std::byte> allocation_at(const void* pointer);

// ---- errors -----------------------------------------------------------------------------------
// The first error on this OS thread since the last call of last_error(), or "". Valid until the
// next call. A failed launch has written what its threads wrote before the error, no more.
const char* last_error();
void set_error(std::string text);  // kept only if no earlier one waits

}  // namespace simt
