// The CUDA back end, as the rest of the library calls it: one table of plain functions. Two
// libraries can fill it: nvcc's build on a machine with a GPU, and the emulator (kernels/simt),
// which runs the very same .cu files on the CPU. `backend()` chooses once, at first use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kernels/array.h"
#include "kernels/rows.h"

namespace tg::kernels {
struct SgdRule;  // optimizers.h
struct AdamRule;
}  // namespace tg::kernels

namespace tg::kernels::cpu {
struct Windows;  // convolution.h
struct Pool;     // pooling.h
}  // namespace tg::kernels::cpu

namespace tg::kernels::cuda {

// What the device is, in the words of cudaDeviceProp.
struct Properties {
    char name[256] = "";
    int major = 0, minor = 0;  // compute capability
    std::size_t total_memory = 0;
    int multi_processor_count = 0;
    int warp_size = 32;
    int max_threads_per_block = 0;
    std::size_t shared_memory_per_block = 0;
};

// A mark in the order of launches. Null if there is no memory for one.
struct Event;

// An order of launches and copies. Null is the default one: what is in it overlaps with nothing.
// Launches of two others may run at the same time.
struct Stream;

// The first index, in row-major order, that names no element; then nothing has been written.
using Outside = std::optional<std::int64_t>;

// What the gradient of attention reads: kernels/attention.h.
struct AttentionGradientArrays {
    const Array &q, &k, &v, &lse, &delta, &g;
};

struct Backend {
    const char* name = "";  // "cuda", "emulator" or "checking emulator"
    bool emulated = true;
    void* (*allocate)(std::size_t bytes) = nullptr;  // null when there is no memory left
    void (*release)(void* pointer) = nullptr;
    void (*to_device)(void* to, const void* from, std::size_t bytes) = nullptr;
    void (*to_host)(void* to, const void* from, std::size_t bytes) = nullptr;
    // Memory of the host that the device reads by itself; null when there is none left. A copy from
    // there can be begun, and the launches that follow come behind it.
    void* (*allocate_pinned)(std::size_t bytes) = nullptr;
    void (*begin_to_device)(void* to, const void* from, std::size_t bytes) = nullptr;
    void (*synchronize)() = nullptr;
    Stream* (*make_stream)() = nullptr;
    void (*drop_stream)(Stream* stream) = nullptr;  // waits for it; it is no thread's any more
    // Where this thread's launches, copies and marks go.
    Stream* (*stream)() = nullptr;
    void (*use_stream)(Stream* stream) = nullptr;
    void (*synchronize_stream)() = nullptr;
    void (*hold_for)(Event* event) = nullptr;  // what follows in the stream comes behind the event
    Properties (*properties)() = nullptr;
    std::size_t (*free_memory)() = nullptr;
    Event* (*make_event)() = nullptr;
    void (*drop_event)(Event* event) = nullptr;
    void (*record)(Event* event) = nullptr;  // takes its time when the stream has come so far
    bool (*has_ended)(Event* event) = nullptr;
    void (*wait_for)(Event* event) = nullptr;
    float (*milliseconds)(Event* from, Event* to) = nullptr;  // both have ended
    // The kernels. A null one, or one that returns false, means: not written for this case;
    // the caller runs the CPU's kernel instead and says so once.
    bool (*elementwise)(int formula, const Array& out, std::span<const Array> in) = nullptr;
    bool (*sum)(const Array& out, const Array& in) = nullptr;
    bool (*matmul)(const Array& out, const Array& a, const Array& b) = nullptr;
    bool (*amax)(const Array& out, const Array& in) = nullptr;
    bool (*amin)(const Array& out, const Array& in) = nullptr;
    bool (*argmax)(const Array& out, const Array& in, int dim) = nullptr;
    bool (*argmin)(const Array& out, const Array& in, int dim) = nullptr;
    bool (*cumsum)(const Array& out, const Array& in, int dim, bool back) = nullptr;
    bool (*copy)(const Array& out, const Array& in) = nullptr;
    bool (*flip)(const Array& out, const Array& in, const bool (&flipped)[max_dims]) = nullptr;
    bool (*cast)(const Array& out, const Array& in) = nullptr;
    bool (*fill)(const Array& out, const void* element) = nullptr;  // one on the host
    bool (*arange)(const Array& out) = nullptr;
    bool (*add_to)(const Array& out, const Array& src) = nullptr;
    bool (*gather)(const Array& out, const Array& in, const Array& index, int dim,
                   Outside& outside) = nullptr;
    bool (*scatter)(const Array& out, const Array& index, const Array& src, int dim,
                    Outside& outside) = nullptr;
    bool (*scatter_add)(const Array& out, const Array& index, const Array& src, int dim,
                        Outside& outside) = nullptr;
    bool (*index_rows)(const Array& out, const Array& in, const Array& index, const Rows& rows,
                       Outside& outside) = nullptr;
    bool (*put_rows)(const Array& out, const Array& index, const Array& src, const Rows& rows,
                     bool accumulate, Outside& outside) = nullptr;
    bool (*add_position)(const Array& out, const Array& index, std::int64_t size,
                         Outside& outside) = nullptr;
    bool (*searchsorted)(const Array& out, const Array& sorted, const Array& values,
                         bool right) = nullptr;
    bool (*argsort)(const Array& out, const Array& in, int dim, bool descending) = nullptr;
    bool (*uniform)(const Array& out, std::uint64_t seed, std::uint64_t offset) = nullptr;
    bool (*normal)(const Array& out, std::uint64_t seed, std::uint64_t offset) = nullptr;
    bool (*shuffle)(const Array& out, std::uint64_t seed, std::uint64_t offset) = nullptr;
    bool (*softmax)(const Array& y, const Array& x, bool log) = nullptr;
    bool (*softmax_gradient)(const Array& dx, const Array& g, const Array& y, bool log) = nullptr;
    bool (*cross_entropy)(const Array& losses, const Array& x, const Array& target,
                          Outside& outside) = nullptr;
    bool (*cross_entropy_gradient)(const Array& dx, const Array& g, const Array& x,
                                   const Array& target) = nullptr;
    bool (*layer_norm)(const Array& y, const Array& r, const Array& x, double eps) = nullptr;
    bool (*layer_norm_gradient)(const Array& dx, const Array& g, const Array& y,
                                const Array& r) = nullptr;
    bool (*attention)(const Array& y, const Array& lse, const Array& q, const Array& k,
                      const Array& v, double scale, bool causal) = nullptr;
    bool (*attention_gradient)(const Array& dq, const Array& dk, const Array& dv,
                               const AttentionGradientArrays& in, double scale,
                               bool causal) = nullptr;
    bool (*holds_zero)(const Array& in, bool& found) = nullptr;
    bool (*holds_no_probability)(const Array& in, bool& found) = nullptr;
    bool (*convolution)(const Array& y, const Array& x, const Array& w,
                        const cpu::Windows& windows) = nullptr;
    bool (*convolution_input)(const Array& x, const Array& w, const Array& y,
                              const cpu::Windows& windows) = nullptr;
    bool (*convolution_weight)(const Array& w, const Array& x, const Array& y,
                               const cpu::Windows& windows) = nullptr;
    bool (*pool_argmax)(const Array& index, const Array& x, const cpu::Pool& pool) = nullptr;
    bool (*pool_mean)(const Array& y, const Array& x, const cpu::Pool& pool,
                      std::int64_t divisor) = nullptr;
    bool (*pool_spread)(const Array& x, const Array& y, const cpu::Pool& pool,
                        std::int64_t divisor) = nullptr;
    bool (*sgd)(const SgdRule& rule, std::span<const Array> out,
                std::span<const Array> in) = nullptr;
    bool (*adam)(const AdamRule& rule, std::span<const Array> out,
                 std::span<const Array> in) = nullptr;
    // What went wrong in the last launch (divergent barrier, bad address, ...); empty if nothing.
    // Reading it clears it.
    const char* (*last_error)() = nullptr;
};

const Backend& backend();

}  // namespace tg::kernels::cuda
