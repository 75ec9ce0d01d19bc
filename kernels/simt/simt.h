// CUDA C++ without CUDA: a kernel's file that includes this compiles as plain C++20 and runs on
// the CPU, one CUDA thread at a time. Everything a kernel can say is here or in the files that this
// one includes. Read next: host.h (memory, errors), block.cc (how threads take turns).
#pragma once

#include <cstddef>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <type_traits>

#include "atomics.h"
#include "functions.h"
#include "host.h"
#include "intrinsics.h"
#include "printing.h"
#include "vector_types.h"
#include "warp.h"

// ---- keywords ---------------------------------------------------------------------------------
// Blocks run one after another, so a block's shared memory is a static: the next block reuses it.
// `used`: the compiler takes no array that nothing writes for a constant, nor leaves out one that
// nothing reads, which hid both from the checks and from a debugger. Under the checks a gap lies
// between two arrays, which nobody may touch.
#define __global__
#define __device__
#define __host__
#ifdef __SANITIZE_THREAD__
#define SIMT_JOINED(a, b) a##b
#define SIMT_JOIN(a, b) SIMT_JOINED(a, b)
#define __shared__                                                                         \
    static __attribute__((used, aligned(16))) char SIMT_JOIN(simt_gap_, __COUNTER__)[256]; \
    static __attribute__((used, aligned(16)))
#else
#define __shared__ static __attribute__((used))
#endif
#define __forceinline__ inline
#define __noinline__  // nothing: the C++ library writes __attribute__((__noinline__))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) alignas(bytes)
// A variable of the device outside all functions, with or without __device__: the host reads and
// writes it by copy_from_symbol and copy_to_symbol (host.h).
#define __constant__

// The launch's dynamic shared memory as an array of T. (In CUDA itself two templates cannot declare
// `extern __shared__` arrays of one name and different types, so a macro serves both.)
#define DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(::simt::dynamic_shared())

// ---- who am I ---------------------------------------------------------------------------------
// Constant as far as a kernel knows: the value is that of the CUDA thread that runs now. Being
// plain variables, they print in a debugger and serve in the condition of a breakpoint.
extern const uint3 threadIdx;
extern const uint3 blockIdx;
extern const dim3 blockDim;
extern const dim3 gridDim;
constexpr int warpSize = 32;

// ---- barriers and fences ----------------------------------------------------------------------
// Waits until every thread of the block is here. The defaults are the caller's place: threads of
// one block that wait at different lines, or that returned, fail the launch.
void __syncthreads(int line = __builtin_LINE(), const char* file = __builtin_FILE());
// The same, and everybody gets: for how many threads the predicate holds, whether for all, for any.
int __syncthreads_count(int predicate, int line = __builtin_LINE(),
                        const char* file = __builtin_FILE());
int __syncthreads_and(int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE());
int __syncthreads_or(int predicate, int line = __builtin_LINE(),
                     const char* file = __builtin_FILE());

// The caller's writes before it are seen by others no later than its writes behind it. Here they
// are seen at once; a checker is told.
void __threadfence_block();
void __threadfence();
void __threadfence_system();

// ---- time and failure -------------------------------------------------------------------------
using std::clock;     // of the process, 1e-6 s
long long clock64();  // nanoseconds, not cycles: of this machine, with all threads' in between
void __nanosleep(unsigned nanoseconds);  // lets the other threads of the block go on; no more
[[noreturn]] void __trap();              // fails the launch

#ifdef __SANITIZE_THREAD__
// What the checks see of memset and its kin (check/hooks.cc): the compiler announces no calls.
extern "C" {
void* simt_memset(void* to, int value, std::size_t bytes) noexcept;
void* simt_memcpy(void* to, const void* from, std::size_t bytes) noexcept;
void* simt_memmove(void* to, const void* from, std::size_t bytes) noexcept;
}
namespace std {
using ::simt_memcpy;
using ::simt_memmove;
using ::simt_memset;
}  // namespace std
#define memset simt_memset
#define memcpy simt_memcpy
#define memmove simt_memmove
#endif

// ---- launches ---------------------------------------------------------------------------------
namespace simt {

// kernel<<<grid, block, shared_bytes>>>(arguments...), in C++'s own syntax. Every thread gets its
// own copy of the arguments. Errors wait for last_error(). What happens before the kernel is the
// host's, so the checks (check/) do not look at it.
template <class... P>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared_bytes,
            std::type_identity_t<P>... arguments) {
    const auto thread = [&]() __attribute__((no_sanitize("thread"))) { kernel(arguments...); };
    const auto call = [](const void* closure) __attribute__((no_sanitize("thread"))) {
        (*static_cast<const decltype(thread)*>(closure))();
    };
    const Argument all[sizeof...(P) + 1] = {simt::argument(arguments)..., {}};
    run({grid, block, shared_bytes, call, &thread, std::span(all, sizeof...(P)),
         reinterpret_cast<const void*>(kernel)});
}

}  // namespace simt
