// An optimiser's step for all tensors at once: what python/tapegraph/optim calls.
#include "core/optim/fused.h"
#include "python/bind.h"
#include "python/call.h"

namespace tg::python {
namespace {

PyObject* fused_sgd(const Call& c) {
    const kernels::SgdRule rule = {.momentum = c.real(2, 0),
                                   .dampening = c.real(3, 0),
                                   .weight_decay = c.real(4, 0),
                                   .nesterov = c.flag(5),
                                   .maximize = c.flag(6)};
    return PyBool_FromLong(optim::fused_sgd_(c.tensors(0), c.tensor(1), rule));
}

PyObject* fused_adam(const Call& c) {
    const kernels::AdamRule rule = {.beta1 = c.real(2, 0),
                                    .beta2 = c.real(3, 0),
                                    .eps = c.real(4, 0),
                                    .weight_decay = c.real(5, 0),
                                    .amsgrad = (c.integer(6) & 1) != 0,
                                    .maximize = (c.integer(6) & 2) != 0,
                                    .decoupled = (c.integer(6) & 4) != 0};
    return PyBool_FromLong(optim::fused_adam_(c.tensors(0), c.tensor(1), rule));
}

const Function functions[] = {
    {"_fused_sgd(tensors, lr, momentum, dampening, weight_decay, nesterov, maximize)", fused_sgd,
     "A step of SGD in one launch; False, and nothing is done, where there is none for these.",
     Place::function},
    {"_fused_adam(tensors, lr, beta1, beta2, eps, weight_decay, flags)", fused_adam,
     "A step of Adam in one launch; False, and nothing is done, where there is none for these.\n"
     "flags: 1 amsgrad, 2 maximize, 4 decoupled weight decay, or their sum.",
     Place::function},
};

}  // namespace

void bind_optim(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
