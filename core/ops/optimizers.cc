// Records of an optimiser's step: what op by op is many small launches for each tensor is one for
// all of them. They give the new values, which core/optim/fused.cc writes. No gradient goes through
// a step.
#include "core/ops/optimizers.h"

#include <memory>

#include "core/ops/family.h"
#include "core/storage.h"
#include "kernels/cpu/optimizers.h"

namespace tg {

using kernels::AdamRule;
using kernels::Array;
using kernels::SgdRule;

namespace {

// ---- rules as attributes -----------------------------------------------------------------------

constexpr std::int64_t amsgrad = 1, maximize = 2, decoupled = 4;  // of `flags`

SgdRule sgd_rule(const Attrs& a) {
    return {.momentum = a.real(0),
            .dampening = a.real(1),
            .weight_decay = a.real(2),
            .nesterov = a.integer(3) != 0,
            .maximize = a.integer(4) != 0};
}

AdamRule adam_rule(const Attrs& a) {
    return {.beta1 = a.real(0),
            .beta2 = a.real(1),
            .eps = a.real(2),
            .weight_decay = a.real(3),
            .amsgrad = (a.integer(4) & amsgrad) != 0,
            .maximize = (a.integer(4) & maximize) != 0,
            .decoupled = (a.integer(4) & decoupled) != 0};
}

// ---- shapes ------------------------------------------------------------------------------------

void check_number(const Op& op, const char* what, const Desc& given) {
    if (given.dtype != DType::float64 || !given.shape.empty())
        fail(ErrorKind::runtime, op.name, ": ", what, " is ", text(given),
             ", and must be a float64 of no dims");
}

template <class Rule>
Descs updated_shape(const Op& op, std::span<const Desc> in, const Rule& rule) {
    const auto each = static_cast<std::size_t>(kernels::operands_of(rule));
    if (in.size() <= 1 || (in.size() - 1) % each != 0)
        fail(ErrorKind::runtime, op.name, ": ", in.size(), " inputs are not a learning rate and ",
             each, " for each tensor");
    check_number(op, "the learning rate", in[0]);
    Descs out;
    for (std::size_t i = 1; i < in.size(); i += each) {
        const Desc& p = in[i];
        if ((p.dtype != DType::float32 && p.dtype != DType::float64) || p.dtype != in[1].dtype)
            fail(ErrorKind::runtime, op.name, ": a tensor is ", text(p),
                 "; all must be float32, or all float64");
        const std::size_t like = each - (rule.counts() ? 1 : 0);
        for (std::size_t k = 0; k < each; ++k) {
            if (k >= like)
                check_number(op, "a count of steps", in[i + k]);
            else if (!(in[i + k] == p))
                fail(ErrorKind::runtime, op.name, ": a tensor is ", text(p),
                     ", and its gradient or state ", text(in[i + k]));
            if (k != 1) out.push_back(in[i + k]);
        }
    }
    return out;
}

// lr (), p (...), g (...), b (...), step (), p, g, ... -> p (...), b (...), step (), p, ...
Descs fused_sgd_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    return updated_shape(op, in, sgd_rule(attrs));
}

// lr (), p (...), g (...), m (...), v (...), step (), p, g, ... -> p (...), m (...), v (...), step
// (), p, ...
Descs fused_adam_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    return updated_shape(op, in, adam_rule(attrs));
}

// ---- kernels -----------------------------------------------------------------------------------

void fused_sgd_cpu(const Launch& l) { kernels::cpu::sgd(sgd_rule(l.attrs), l.out, l.in); }
void fused_adam_cpu(const Launch& l) { kernels::cpu::adam(adam_rule(l.attrs), l.out, l.in); }

// The operands side by side in memory. One that is not, such as a gradient that is a transposed
// product, is copied.
class Compact {
  public:
    Inline<Array, 3> arrays;
    bool complete = true;

    explicit Compact(std::span<const Array> given) {
        for (const Array& a : given) {
            arrays.push_back(a);
            Array& own = arrays.back();
            std::int64_t step = 1;
            for (int d = a.dims; d-- > 0; step *= a.shape[d]) own.strides[d] = step;
            if (is_compact(a)) continue;
            const std::int64_t bytes = a.size() * size_of(a.dtype);
            room_.emplace_back(allocator::take(bytes, Device::cuda), GiveBack{bytes});
            own.data = room_.back().get();
            const auto copy = kernels::cuda::backend().copy;
            complete = complete && copy && copy(own, a);
        }
    }

  private:
    struct GiveBack {
        std::int64_t bytes;
        void operator()(void* block) const { allocator::give(block, bytes, Device::cuda); }
    };

    static bool is_compact(const Array& a) {
        std::int64_t expected = 1;
        for (int d = a.dims; d-- > 0; expected *= a.shape[d])
            if (a.shape[d] != 1 && a.strides[d] != expected) return a.size() == 0;
        return true;
    }

    std::vector<std::unique_ptr<void, GiveBack>> room_;
};

bool fused_sgd_cuda(const Launch& l) {
    const Compact in(l.in);
    const auto kernel = kernels::cuda::backend().sgd;
    return kernel && in.complete && kernel(sgd_rule(l.attrs), l.out, in.arrays);
}

bool fused_adam_cuda(const Launch& l) {
    const Compact in(l.in);
    const auto kernel = kernels::cuda::backend().adam;
    return kernel && in.complete && kernel(adam_rule(l.attrs), l.out, in.arrays);
}

}  // namespace

Attrs attrs_of(const SgdRule& r) {
    return {Attr{r.momentum}, Attr{r.dampening}, Attr{r.weight_decay},
            Attr{std::int64_t{r.nesterov}}, Attr{std::int64_t{r.maximize}}};
}

Attrs attrs_of(const AdamRule& r) {
    const std::int64_t flags =
        (r.amsgrad ? amsgrad : 0) | (r.maximize ? maximize : 0) | (r.decoupled ? decoupled : 0);
    return {Attr{r.beta1}, Attr{r.beta2}, Attr{r.eps}, Attr{r.weight_decay}, Attr{flags}};
}

namespace ops {

const Op fused_sgd = {.name = "fused_sgd",
                      .shape = fused_sgd_shape,
                      .cpu = fused_sgd_cpu,
                      .cuda = fused_sgd_cuda,
                      .attributes = {{"momentum", AttrKind::real},
                                     {"dampening", AttrKind::real},
                                     {"weight_decay", AttrKind::real},
                                     {"nesterov", AttrKind::integer},
                                     {"maximize", AttrKind::integer}}};
const Op fused_adam = {.name = "fused_adam",
                       .shape = fused_adam_shape,
                       .cpu = fused_adam_cpu,
                       .cuda = fused_adam_cuda,
                       .attributes = {{"beta1", AttrKind::real},
                                      {"beta2", AttrKind::real},
                                      {"eps", AttrKind::real},
                                      {"weight_decay", AttrKind::real},
                                      {"flags", AttrKind::integer}}};

}  // namespace ops

std::span<const Op* const> optimizer_ops() {
    static const Op* const list[] = {&ops::fused_sgd, &ops::fused_adam};
    return list;
}

}  // namespace tg
