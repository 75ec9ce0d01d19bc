// The back end that is always there: the kernels of this folder on the emulator.
#include <chrono>
#include <cstdlib>
#include <new>

#include "kernels/cuda/rungs.h"
#include "kernels/parallel.h"
#include "kernels/simt/host.h"

namespace tg::kernels::cuda {

struct Stream {};
struct Event {
    std::chrono::steady_clock::time_point time;
};

namespace {

// A launch on the emulator returns when it is done: there is nothing to wait for.
void synchronize() {}

Properties properties() {
    return {.name = "emulator of CUDA on the CPU",
            .total_memory = simt::total_memory(),
            .multi_processor_count = 1,
            .max_threads_per_block = simt::most_threads,
            .shared_memory_per_block = simt::most_shared_bytes};
}

// Whose device is the host needs no other memory.
void* allocate_pinned(std::size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }

// So all streams are in one order, that of the host, and only have names.
thread_local Stream* this_stream = nullptr;
Stream* make_stream() { return new (std::nothrow) Stream; }
void drop_stream(Stream* stream) { delete stream; }
Stream* stream() { return this_stream; }
void use_stream(Stream* stream) { this_stream = stream; }
void hold_for(Event*) {}

Event* make_event() { return new (std::nothrow) Event; }
void drop_event(Event* event) { delete event; }
void record(Event* event) { event->time = std::chrono::steady_clock::now(); }
bool has_ended(Event*) { return true; }
void wait_for(Event*) {}
float milliseconds(Event* from, Event* to) {
    return std::chrono::duration<float, std::milli>(to->time - from->time).count();
}

}  // namespace

const Backend& emulator() {
    static constexpr Backend table = {
        .name = "emulator",
        .emulated = true,
        .allocate = simt::allocate,
        .release = simt::release,
        .to_device = simt::copy_to_device,
        .to_host = simt::copy_to_host,
        .allocate_pinned = allocate_pinned,
        .begin_to_device = simt::copy_to_device,
        .synchronize = synchronize,
        .make_stream = make_stream,
        .drop_stream = drop_stream,
        .stream = stream,
        .use_stream = use_stream,
        .synchronize_stream = synchronize,
        .hold_for = hold_for,
        .properties = properties,
        .free_memory = simt::free_memory,
        .make_event = make_event,
        .drop_event = drop_event,
        .record = record,
        .has_ended = has_ended,
        .wait_for = wait_for,
        .milliseconds = milliseconds,
        .elementwise = elementwise<Emulator>,
        .sum = sum<Emulator>,
        .matmul = matmul<Emulator>,
        .amax = amax<Emulator>,
        .amin = amin<Emulator>,
        .argmax = argmax<Emulator>,
        .argmin = argmin<Emulator>,
        .cumsum = cumsum<Emulator>,
        .copy = copy<Emulator>,
        .flip = flip<Emulator>,
        .cast = cast<Emulator>,
        .fill = fill<Emulator>,
        .arange = arange<Emulator>,
        .add_to = add_to<Emulator>,
        .gather = gather<Emulator>,
        .scatter = scatter<Emulator>,
        .scatter_add = scatter_add<Emulator>,
        .index_rows = index_rows<Emulator>,
        .put_rows = put_rows<Emulator>,
        .add_position = add_position<Emulator>,
        .searchsorted = searchsorted<Emulator>,
        .argsort = argsort<Emulator>,
        .uniform = uniform<Emulator>,
        .normal = normal<Emulator>,
        .shuffle = shuffle<Emulator>,
        .softmax = softmax<Emulator>,
        .softmax_gradient = softmax_gradient<Emulator>,
        .cross_entropy = cross_entropy<Emulator>,
        .cross_entropy_gradient = cross_entropy_gradient<Emulator>,
        .layer_norm = layer_norm<Emulator>,
        .layer_norm_gradient = layer_norm_gradient<Emulator>,
        .attention = attention<Emulator>,
        .attention_gradient = attention_gradient<Emulator>,
        .holds_zero = holds_zero<Emulator>,
        .holds_no_probability = holds_no_probability<Emulator>,
        .convolution = convolution<Emulator>,
        .convolution_input = convolution_input<Emulator>,
        .convolution_weight = convolution_weight<Emulator>,
        .pool_argmax = pool_argmax<Emulator>,
        .pool_mean = pool_mean<Emulator>,
        .pool_spread = pool_spread<Emulator>,
        .sgd = sgd<Emulator>,
        .adam = adam<Emulator>,
        .last_error = simt::last_error,
    };
    static const bool polls = (simt::stop_when(stopping), true);
    static_cast<void>(polls);
    return table;
}

}  // namespace tg::kernels::cuda
