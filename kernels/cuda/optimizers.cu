// An optimiser's step, for all tensors of a network. An element takes a dozen operations and moves
// 4 numbers in and 3 out (Adam), so memory decides the speed; but most tensors of a network are so
// small (a bias, a norm's scale) that starting a kernel takes longer than the kernel itself. Op by
// op, Adam is about 20 launches a tensor. The rules themselves are in kernels/optimizers.h.
#include <cstdint>
#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/optimizers.h"

namespace tg::kernels::cuda {
namespace {

constexpr unsigned block_threads = 256;

// One tensor: p, its gradient g and its states, all contiguous, and what they become. A state that
// the rule does not keep is null, as is `step` where no steps are counted.
template <class T, int states>
struct Tensor {
    std::int64_t size;
    const T *p, *g, *state[states];
    const double* step;
    T *new_p, *new_state[states];
    double* new_step;
};

template <class T, class Rule>
__device__ __forceinline__ void change_element(const Rule& rule,
                                               const typename Rule::template Rates<T>& rates,
                                               const Tensor<T, Rule::states>& t, std::int64_t i) {
    T state[Rule::states] = {};
    for (int k = 0; k < Rule::states; ++k)
        if (rule.keeps(k)) state[k] = t.state[k][i];
    t.new_p[i] = rule.template change<T>(rates, t.p[i], t.g[i], state);
    for (int k = 0; k < Rule::states; ++k)
        if (rule.keeps(k)) t.new_state[k][i] = state[k];
}

// ---- rung 1: one launch a tensor --------------------------------------------------------------
// Thread t owns elements t, t + all threads, ... of the one tensor.
// Wasted: a launch for each tensor, in each of which most of the GPU is idle where the tensor is
// small; and each thread takes Adam's two powers, in float64, for itself.
template <class T, class Rule>
__global__ void update_tensor(Rule rule, Tensor<T, Rule::states> t, const double* lr) {
    const double step = rule.counts() ? *t.step : 0;
    const auto rates = rule.template rates<T>(*lr, step);
    for (std::int64_t i = thread_number(); i < t.size; i += thread_count())
        change_element<T>(rule, rates, t, i);
    if (rule.counts() && thread_number() == 0) *t.new_step = step + 1;
}

// ---- rung 2: all tensors in one launch --------------------------------------------------------
// The tensors are cut into chunks, numbered one tensor after another, and block b owns chunk b: of
// the first tensor whose last chunk is not before b. The table of tensors is the kernel's argument,
// which is in fast memory that all threads read at once, and takes no copy of its own; CUDA allows
// 4 KB of arguments, hence most_tensors. A longer list takes another launch. This is the scheme of
// PyTorch's multi_tensor_apply.
constexpr std::int64_t chunk = 4096;
constexpr int most_tensors = 36;

template <class T, int states>
struct Table {
    Tensor<T, states> tensors[most_tensors];
    unsigned end[most_tensors];  // the chunks of this tensor and of those before it
};

template <class T, class Rule>
__global__ void update_tensors(Rule rule, Table<T, Rule::states> table, const double* lr) {
    __shared__ typename Rule::template Rates<T> rates;
    int k = 0;
    while (blockIdx.x >= table.end[k]) ++k;
    const Tensor<T, Rule::states>& t = table.tensors[k];
    const unsigned first = k > 0 ? table.end[k - 1] : 0;
    if (threadIdx.x == 0) {
        const double step = rule.counts() ? *t.step : 0;
        const auto found = rule.template rates<T>(*lr, step);
        rates = found;
        if (rule.counts() && blockIdx.x == first) *t.new_step = step + 1;
    }
    // Without this barrier the other threads could read the rates before they are there.
    __syncthreads();
    const auto mine = rates;
    const std::int64_t begin = (blockIdx.x - first) * chunk;
    const std::int64_t end = begin + chunk < t.size ? begin + chunk : t.size;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x)
        change_element<T>(rule, mine, t, i);
}

// ---- from arrays to launches ------------------------------------------------------------------
bool contiguous(const Array& a) {
    std::int64_t expected = 1;
    for (int d = a.dims; d-- > 0; expected *= a.shape[d])
        if (a.shape[d] != 1 && a.strides[d] != expected) return false;
    return true;
}

template <class T, class Rule>
Tensor<T, Rule::states> tensor_of(const Rule& rule, const Array* out, const Array* in) {
    Tensor<T, Rule::states> t{};
    t.size = in->size();
    t.p = static_cast<const T*>((in++)->data);
    t.g = static_cast<const T*>((in++)->data);
    t.new_p = static_cast<T*>((out++)->data);
    for (int k = 0; k < Rule::states; ++k) {
        if (!rule.keeps(k)) continue;
        t.state[k] = static_cast<const T*>((in++)->data);
        t.new_state[k] = static_cast<T*>((out++)->data);
    }
    if (!rule.counts()) return t;
    t.step = static_cast<const double*>(in->data);
    t.new_step = static_cast<double*>(out->data);
    return t;
}

template <class T, class Rule>
void run_each(const Rule& rule, std::size_t tensors, const Array* out, const Array* in) {
    const auto* lr = static_cast<const double*>(in->data);
    const auto each = static_cast<std::size_t>(operands_of(rule));
    for (std::size_t k = 0; k < tensors; ++k) {
        const auto t = tensor_of<T>(rule, out + k * (each - 1), in + 1 + k * each);
        const std::int64_t blocks = blocks_for(t.size, block_threads);
        launch(update_tensor<T, Rule>, grid_up_to(blocks > 0 ? blocks : 1), block_threads, 0, rule,
               t, lr);
    }
}

template <class T, class Rule>
void run_together(const Rule& rule, std::size_t tensors, const Array* out, const Array* in) {
    const auto* lr = static_cast<const double*>(in->data);
    const auto each = static_cast<std::size_t>(operands_of(rule));
    for (std::size_t first = 0; first < tensors; first += most_tensors) {
        Table<T, Rule::states> table{};
        unsigned blocks = 0;
        for (std::size_t k = 0; k < most_tensors && first + k < tensors; ++k) {
            auto& t = table.tensors[k];
            t = tensor_of<T>(rule, out + (first + k) * (each - 1), in + 1 + (first + k) * each);
            // One of no elements has a chunk too: its step is counted.
            blocks += static_cast<unsigned>(t.size > 0 ? blocks_for(t.size, chunk) : 1);
            table.end[k] = blocks;
        }
        launch(update_tensors<T, Rule>, blocks, block_threads, 0, rule, table, lr);
    }
}

// False unless all tensors are float32, or all float64, and contiguous.
template <class Rule>
bool run(bool together, const Rule& rule, std::span<const Array> out, std::span<const Array> in) {
    const std::size_t tensors = (in.size() - 1) / static_cast<std::size_t>(operands_of(rule));
    if (tensors == 0) return true;
    const DType dtype = in[1].dtype;
    if (dtype != DType::float32 && dtype != DType::float64) return false;
    for (const Array& a : out)
        if (!contiguous(a)) return false;
    for (const Array& a : in.subspan(1))
        if (!contiguous(a) || (a.dtype != dtype && a.dims > 0)) return false;
    if (dtype == DType::float32)
        (together ? run_together<float, Rule> : run_each<float, Rule>)(rule, tensors, out.data(),
                                                                       in.data());
    else
        (together ? run_together<double, Rule> : run_each<double, Rule>)(rule, tensors, out.data(),
                                                                         in.data());
    return true;
}

template <class Rule>
bool each(const Rule& rule, std::span<const Array> out, std::span<const Array> in) {
    return run(false, rule, out, in);
}
template <class Rule>
bool together(const Rule& rule, std::span<const Array> out, std::span<const Array> in) {
    return run(true, rule, out, in);
}

}  // namespace

// Both choose all tensors in one launch.
template <class Machine>
bool sgd(const SgdRule& rule, std::span<const Array> out, std::span<const Array> in) {
    return run(true, rule, out, in);
}

template <class Machine>
bool adam(const AdamRule& rule, std::span<const Array> out, std::span<const Array> in) {
    return run(true, rule, out, in);
}

template <class Machine>
std::span<const Rung<Sgd>> sgd_rungs() {
    static constexpr Rung<Sgd> rungs[] = {{"one launch a tensor", each<SgdRule>},
                                          {"all tensors in one launch", together<SgdRule>}};
    return rungs;
}

template <class Machine>
std::span<const Rung<Adam>> adam_rungs() {
    static constexpr Rung<Adam> rungs[] = {{"one launch a tensor", each<AdamRule>},
                                           {"all tensors in one launch", together<AdamRule>}};
    return rungs;
}

template bool sgd<ThisMachine>(const SgdRule&, std::span<const Array>, std::span<const Array>);
template bool adam<ThisMachine>(const AdamRule&, std::span<const Array>, std::span<const Array>);
template std::span<const Rung<Sgd>> sgd_rungs<ThisMachine>();
template std::span<const Rung<Adam>> adam_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
