// The back end of a real GPU; only nvcc compiles this file. The runtime library is linked
// statically and opens the driver when it is first called, so the library loads without one.
// Not run on a GPU.
#include <cstdio>

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
    write_memory(Gpu{}, to, from, bytes);
}
void to_host(void* to, const void* from, std::size_t bytes) { read_memory(Gpu{}, to, from, bytes); }
void* allocate_pinned(std::size_t bytes) {
    void* memory = nullptr;
    if (cudaMallocHost(&memory, bytes) == cudaSuccess) return memory;
    cudaGetLastError();
    return nullptr;
}
void begin_to_device(void* to, const void* from, std::size_t bytes) {
    cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, this_stream);
}
void synchronize() { cudaDeviceSynchronize(); }

cudaStream_t plain(Stream* stream) { return reinterpret_cast<cudaStream_t>(stream); }
// One that the default stream waits for, and that waits for it.
Stream* make_stream() {
    cudaStream_t stream = nullptr;
    if (cudaStreamCreate(&stream) == cudaSuccess) return reinterpret_cast<Stream*>(stream);
    cudaGetLastError();
    return nullptr;
}
void drop_stream(Stream* stream) {
    cudaStreamSynchronize(plain(stream));
    cudaStreamDestroy(plain(stream));
}
Stream* stream() { return reinterpret_cast<Stream*>(this_stream); }
void use_stream(Stream* stream) { this_stream = plain(stream); }
void synchronize_stream() { cudaStreamSynchronize(this_stream); }

Properties properties() {
    cudaDeviceProp found;
    int device = 0;
    Properties p;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaGetDeviceProperties(&found, device) != cudaSuccess)
        return p;
    std::snprintf(p.name, sizeof p.name, "%s", found.name);
    p.major = found.major;
    p.minor = found.minor;
    p.total_memory = found.totalGlobalMem;
    p.multi_processor_count = found.multiProcessorCount;
    p.warp_size = found.warpSize;
    p.max_threads_per_block = found.maxThreadsPerBlock;
    p.shared_memory_per_block = found.sharedMemPerBlock;
    return p;
}

std::size_t free_memory() {
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    return free;
}

cudaEvent_t plain(Event* event) { return reinterpret_cast<cudaEvent_t>(event); }
Event* make_event() {
    cudaEvent_t event = nullptr;
    if (cudaEventCreate(&event) == cudaSuccess) return reinterpret_cast<Event*>(event);
    cudaGetLastError();
    return nullptr;
}
void drop_event(Event* event) { cudaEventDestroy(plain(event)); }
void record(Event* event) { cudaEventRecord(plain(event), this_stream); }
void hold_for(Event* event) { cudaStreamWaitEvent(this_stream, plain(event), 0); }
bool has_ended(Event* event) {
    const cudaError_t found = cudaEventQuery(plain(event));
    if (found == cudaErrorNotReady) cudaGetLastError();  // an answer, no error
    return found == cudaSuccess;
}
void wait_for(Event* event) { cudaEventSynchronize(plain(event)); }
float milliseconds(Event* from, Event* to) {
    float passed = 0;
    cudaEventElapsedTime(&passed, plain(from), plain(to));
    return passed;
}

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
        .allocate_pinned = allocate_pinned,
        .begin_to_device = begin_to_device,
        .synchronize = synchronize,
        .make_stream = make_stream,
        .drop_stream = drop_stream,
        .stream = stream,
        .use_stream = use_stream,
        .synchronize_stream = synchronize_stream,
        .hold_for = hold_for,
        .properties = properties,
        .free_memory = free_memory,
        .make_event = make_event,
        .drop_event = drop_event,
        .record = record,
        .has_ended = has_ended,
        .wait_for = wait_for,
        .milliseconds = milliseconds,
        .elementwise = elementwise<Gpu>,
        .sum = sum<Gpu>,
        .matmul = matmul<Gpu>,
        .amax = amax<Gpu>,
        .amin = amin<Gpu>,
        .argmax = argmax<Gpu>,
        .argmin = argmin<Gpu>,
        .cumsum = cumsum<Gpu>,
        .copy = copy<Gpu>,
        .flip = flip<Gpu>,
        .cast = cast<Gpu>,
        .fill = fill<Gpu>,
        .arange = arange<Gpu>,
        .add_to = add_to<Gpu>,
        .gather = gather<Gpu>,
        .scatter = scatter<Gpu>,
        .scatter_add = scatter_add<Gpu>,
        .index_rows = index_rows<Gpu>,
        .put_rows = put_rows<Gpu>,
        .add_position = add_position<Gpu>,
        .searchsorted = searchsorted<Gpu>,
        .argsort = argsort<Gpu>,
        .uniform = uniform<Gpu>,
        .normal = normal<Gpu>,
        .shuffle = shuffle<Gpu>,
        .softmax = softmax<Gpu>,
        .softmax_gradient = softmax_gradient<Gpu>,
        .cross_entropy = cross_entropy<Gpu>,
        .cross_entropy_gradient = cross_entropy_gradient<Gpu>,
        .layer_norm = layer_norm<Gpu>,
        .layer_norm_gradient = layer_norm_gradient<Gpu>,
        .attention = attention<Gpu>,
        .attention_gradient = attention_gradient<Gpu>,
        .holds_zero = holds_zero<Gpu>,
        .holds_no_probability = holds_no_probability<Gpu>,
        .convolution = convolution<Gpu>,
        .convolution_input = convolution_input<Gpu>,
        .convolution_weight = convolution_weight<Gpu>,
        .pool_argmax = pool_argmax<Gpu>,
        .pool_mean = pool_mean<Gpu>,
        .pool_spread = pool_spread<Gpu>,
        .sgd = sgd<Gpu>,
        .adam = adam<Gpu>,
        .last_error = last_error,
    };
    int devices = 0;
    const bool found = cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
    if (!found) cudaGetLastError();
    return found ? &table : nullptr;
}

}  // namespace tg::kernels::cuda
