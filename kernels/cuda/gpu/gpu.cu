// The back end of a real GPU; only nvcc compiles this file. The runtime library is linked
// statically and opens the driver when it is first called, so the library loads without one.
// Not run on a GPU.
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

void* allocate(std::size_t bytes) {
    void* memory = nullptr;
    if (cudaMalloc(&memory, bytes > 0 ? bytes : 1) == cudaSuccess) return memory;
    cudaGetLastError();  // null says it; nothing else is broken
    return nullptr;
}

// Each call's error is also kept by the runtime until last_error() takes it.
void release(void* pointer) { cudaFree(pointer); }
void to_device(void* to, const void* from, std::size_t bytes) {
    cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice);
}
void to_host(void* to, const void* from, std::size_t bytes) {
    cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost);
}
void synchronize() { cudaDeviceSynchronize(); }

// A launch's own faults are known at once; what a running kernel does wrong, only after a copy or
// synchronize() has waited for it.
const char* last_error() {
    const cudaError_t error = cudaGetLastError();
    return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

}  // namespace

const Backend* gpu() {
    static constexpr Backend table = {
        .name = "cuda",
        .emulated = false,
        .allocate = allocate,
        .release = release,
        .to_device = to_device,
        .to_host = to_host,
        .synchronize = synchronize,
        .elementwise = elementwise<Gpu>,
        .sum = sum<Gpu>,
        .matmul = matmul<Gpu>,
        .last_error = last_error,
    };
    int devices = 0;
    const bool found = cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
    if (!found) cudaGetLastError();
    return found ? &table : nullptr;
}

}  // namespace tg::kernels::cuda
