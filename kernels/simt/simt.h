// CUDA C++ without CUDA: a kernel's file that includes this compiles as plain C++20 and runs on
// the CPU, one CUDA thread at a time. Everything a kernel can say is in this file.
// Read next: host.h (memory, errors), launch.cc (how blocks and threads take turns).
#pragma once

#include <cstddef>
#include <type_traits>

#include "host.h"
#include "vector_types.h"

// ---- keywords ---------------------------------------------------------------------------------
// Blocks run one after another, so a block's shared memory is a static: the next block reuses it.
#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

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

// ---- barriers and atomics ---------------------------------------------------------------------
// Waits until every thread of the block is here. The defaults are the caller's place: threads of
// one block that wait at different lines, or that returned, fail the launch.
void __syncthreads(int line = __builtin_LINE(), const char* file = __builtin_FILE());

// *address += value; returns what was there before.
int atomicAdd(int* address, int value);
unsigned atomicAdd(unsigned* address, unsigned value);
unsigned long long atomicAdd(unsigned long long* address, unsigned long long value);
float atomicAdd(float* address, float value);
double atomicAdd(double* address, double value);

// ---- launches ---------------------------------------------------------------------------------
namespace simt {

template <class T>
const void* pointer_or_null(const T& argument) {
    if constexpr (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>)
        return argument;
    else
        return nullptr;
}

// kernel<<<grid, block, shared_bytes>>>(arguments...), in C++'s own syntax. Every thread gets its
// own copy of the arguments. Errors wait for last_error().
template <class... P>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared_bytes,
            std::type_identity_t<P>... arguments) {
    const auto thread = [&] { kernel(arguments...); };
    const auto call = [](const void* closure) {
        (*static_cast<const decltype(thread)*>(closure))();
    };
    const void* const pointers[sizeof...(P) + 1] = {pointer_or_null(arguments)..., nullptr};
    run({grid, block, shared_bytes, call, &thread, pointers});
}

}  // namespace simt
