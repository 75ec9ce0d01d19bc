#include "core/optim/fused.h"

#include "core/history.h"
#include "core/ops/optimizers.h"

namespace tg::optim {
namespace {

bool is_number(const Tensor& t) { return t.dtype() == DType::float64 && t.dims() == 0; }

template <class Rule>
bool fits(const std::vector<Tensor>& tensors, const Tensor& lr, const Rule& rule) {
    const auto each = static_cast<std::size_t>(kernels::operands_of(rule));
    if (tensors.empty() || tensors.size() % each != 0) return false;
    const DType dtype = tensors[0].dtype();
    bool all = (dtype == DType::float32 || dtype == DType::float64) && is_number(lr) &&
               lr.device() == Device::cuda;
    for (std::size_t i = 0; all && i < tensors.size(); ++i) {
        const Tensor &t = tensors[i], &p = tensors[i - i % each];
        const bool is_gradient = i % each == 1, is_count = rule.counts() && i % each == each - 1;
        all = t.device() == Device::cuda && !any_unknown(t.shape()) &&
              (is_count ? is_number(t) : t.dtype() == dtype && t.shape() == p.shape()) &&
              (is_gradient || t.handle().layout.is_contiguous());
    }
    return all;
}

template <class Rule>
bool update(const Op& op, const std::vector<Tensor>& tensors, const Tensor& lr, const Rule& rule) {
    if (!fits(tensors, lr, rule)) return false;
    const auto each = static_cast<std::size_t>(kernels::operands_of(rule));
    std::vector<Arg> args{lr};
    for (const Tensor& t : tensors) args.emplace_back(t);
    Outputs values = apply_all(op, args, attrs_of(rule));
    int k = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i)
        // A result is a temporary: its bytes are taken over and not copied.
        if (i % each != 1) write(tensors[i], values[k++], op.name, true);
    return true;
}

}  // namespace

bool fused_sgd_(const std::vector<Tensor>& tensors, const Tensor& lr,
                const kernels::SgdRule& rule) {
    return update(ops::fused_sgd, tensors, lr, rule);
}

bool fused_adam_(const std::vector<Tensor>& tensors, const Tensor& lr,
                 const kernels::AdamRule& rule) {
    return update(ops::fused_adam, tensors, lr, rule);
}

}  // namespace tg::optim
