#include "kernels/cpu/optimizers.h"

#include "kernels/cpu/cpu.h"

namespace tg::kernels::cpu {
namespace {

// Element number i, counted with the last dim fastest.
template <class T>
const T& element(const Array& a, std::int64_t i) {
    std::int64_t at = 0;
    for (int d = a.dims; d-- > 0; i /= a.shape[d]) at += i % a.shape[d] * a.strides[d];
    return static_cast<const T*>(a.data)[at];
}

template <class T, class Rule>
void update(const Rule& rule, double lr, const Array* out, const Array* in) {
    const Array &p = *in++, &g = *in++, &new_p = *out++;
    const Array *states[Rule::states] = {}, *new_states[Rule::states] = {};
    for (int k = 0; k < Rule::states; ++k) {
        if (!rule.keeps(k)) continue;
        states[k] = in++;
        new_states[k] = out++;
    }
    const double step = rule.counts() ? *static_cast<const double*>(in->data) : 0;
    if (rule.counts()) *static_cast<double*>(out->data) = step + 1;
    const auto rates = rule.template rates<T>(lr, step);
    for (std::int64_t i = 0; i < p.size(); ++i) {
        T state[Rule::states] = {};
        for (int k = 0; k < Rule::states; ++k)
            if (states[k]) state[k] = element<T>(*states[k], i);
        static_cast<T*>(new_p.data)[i] =
            rule.template change<T>(rates, element<T>(p, i), element<T>(g, i), state);
        for (int k = 0; k < Rule::states; ++k)
            if (states[k]) static_cast<T*>(new_states[k]->data)[i] = state[k];
    }
}

template <class Rule>
void update_all(const Rule& rule, std::span<const Array> out, std::span<const Array> in) {
    const double lr = *static_cast<const double*>(in[0].data);
    const auto each = static_cast<std::size_t>(operands_of(rule));
    for (std::size_t t = 0; 1 + t * each < in.size(); ++t) {
        const Array *to = &out[t * (each - 1)], *from = &in[1 + t * each];
        if (from->dtype == DType::float32)
            update<float>(rule, lr, to, from);
        else
            update<double>(rule, lr, to, from);
    }
}

}  // namespace

void sgd(const SgdRule& rule, std::span<const Array> out, std::span<const Array> in) {
    update_all(rule, out, in);
}

void adam(const AdamRule& rule, std::span<const Array> out, std::span<const Array> in) {
    update_all(rule, out, in);
}

}  // namespace tg::kernels::cpu
