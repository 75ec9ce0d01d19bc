// What every .cu file includes first. The same file is compiled by nvcc for a GPU, and by any C++20
// compiler for the emulator (kernels/simt); this header is the only place where they differ.
// Read next: elementwise.cu, reduction.h, matmul.cu, in this order.
#pragma once

#include <cstddef>
#include <type_traits>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "kernels/simt/simt.h"
#endif

namespace tg::kernels::cuda {

// Whose kernels these are. Both builds may be linked into one library: what they export is a
// template on the machine, and what they do not is in an unnamed namespace, so no two clash.
struct Gpu {};
struct Emulator {};

#ifdef __CUDACC__

using ThisMachine = Gpu;

// Where this thread's launches go.
inline thread_local cudaStream_t this_stream = nullptr;
inline const void* stream_of(Gpu) { return this_stream; }

// In place of kernel<<<grid, block, shared_bytes>>>(arguments...), which only nvcc can parse.
template <class... P>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared_bytes,
            std::type_identity_t<P>... arguments) {
    kernel<<<grid, block, shared_bytes, this_stream>>>(arguments...);
}

// Memory of the device; null if there is none left. Released, it is free when the launches so far
// have ended.
inline void* allocate_memory(Gpu, std::size_t bytes) {
    void* memory = nullptr;
    if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
    cudaGetLastError();
    return nullptr;
}
inline void release_memory(Gpu, void* memory) { cudaFree(memory); }
// Between the host's memory and the device's; the host waits for the stream.
inline void write_memory(Gpu, void* device, const void* host, std::size_t bytes) {
    cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, this_stream);
    cudaStreamSynchronize(this_stream);
}
inline void read_memory(Gpu, void* host, const void* device, std::size_t bytes) {
    cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, this_stream);
    cudaStreamSynchronize(this_stream);
}

// The launch's dynamic shared memory as an array of T. `extern __shared__` arrays of one name are
// one array, so they must agree on a type; hence bytes, and a cast.
#define DYNAMIC_SHARED(T, name)                                           \
    extern __shared__ __align__(16) unsigned char dynamic_shared_bytes[]; \
    T* name = reinterpret_cast<T*>(dynamic_shared_bytes)

#else

using ThisMachine = Emulator;
using simt::launch;
inline const void* stream_of(Emulator) { return nullptr; }  // a launch ends before it returns
inline void* allocate_memory(Emulator, std::size_t bytes) { return simt::allocate(bytes); }
inline void release_memory(Emulator, void* memory) { simt::release(memory); }
inline void write_memory(Emulator, void* device, const void* host, std::size_t bytes) {
    simt::copy_to_device(device, host, bytes);
}
inline void read_memory(Emulator, void* host, const void* device, std::size_t bytes) {
    simt::copy_to_host(host, device, bytes);
}

#endif

}  // namespace tg::kernels::cuda
