#include "core/nn/layer.h"

namespace tg::nn {

Tensor Layer::operator()(const Tensor& x, Where where) {
    if (!before_.empty() || !after_.empty()) return with_hooks(x, where);
    const Here here(where);
    return forward(x);
}

// The lists are copied, and what is called too: a hook may take itself off.
Tensor Layer::with_hooks(const Tensor& x, Where where) {
    Tensor input = x;
    for (const auto& hook : std::vector(before_)) {
        const PreHook call = *hook;
        const OwnLines lines;
        const Tensor given = call ? call(*this, input) : Tensor();
        if (given.defined()) input = given;
    }
    Tensor output;
    {
        const Here here(where);
        output = forward(input);
    }
    for (const auto& hook : std::vector(after_)) {
        const Hook call = *hook;
        const OwnLines lines;
        const Tensor given = call ? call(*this, input, output) : Tensor();
        if (given.defined()) output = given;
    }
    return output;
}

Layer::Handle Layer::register_forward_pre_hook(PreHook hook) {
    before_.push_back(std::make_shared<PreHook>(std::move(hook)));
    Handle handle;
    handle.before_ = before_.back();
    return handle;
}

Layer::Handle Layer::register_forward_hook(Hook hook) {
    after_.push_back(std::make_shared<Hook>(std::move(hook)));
    Handle handle;
    handle.after_ = after_.back();
    return handle;
}

void Layer::Handle::remove() {
    if (const auto hook = before_.lock()) *hook = nullptr;
    if (const auto hook = after_.lock()) *hook = nullptr;
}

}  // namespace tg::nn
