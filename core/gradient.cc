#include "core/gradient.h"

#include <mutex>
#include <vector>

#include "core/history.h"
#include "core/ops.h"
#include "core/recording.h"

namespace tg {

// Threads that walk tapes of their own meet at the leaves that these share.
static std::mutex& gradients() {
    static std::mutex& mutex = *new std::mutex;
    return mutex;
}

Gradient::~Gradient() {
    if (!value_) return;
    // A gradient may have one of its own, and so on: they are let go of one after another.
    thread_local std::vector<Ref<Handle>>* waiting = nullptr;
    if (waiting) {
        waiting->push_back(std::move(value_));
        return;
    }
    std::vector<Ref<Handle>> list;
    list.push_back(std::move(value_));
    waiting = &list;
    while (!list.empty()) {
        const Ref<Handle> next = std::move(list.back());
        list.pop_back();
    }
    waiting = nullptr;
}

Tensor Gradient::get() const {
    const std::lock_guard lock(gradients());
    return Tensor(value_);
}

void Gradient::set(const Tensor& value) {
    Ref<Handle> other = value.ref();  // what is replaced dies after the lock is released
    const std::lock_guard lock(gradients());
    std::swap(value_, other);
}

bool Gradient::replace(const Tensor& before, const Tensor& after) {
    Ref<Handle> other = after.ref();
    const std::lock_guard lock(gradients());
    if (!(value_ == before.ref())) return false;
    std::swap(value_, other);
    return true;
}

GradientRef gradient_of(const Tensor& tensor) {
    Handle& h = tensor.handle();
    const std::lock_guard lock(gradients());
    if (!h.gradient) h.gradient = std::make_shared<Gradient>(h.born);
    return h.gradient;
}

Tensor read_gradient(const GradientRef& gradient) {
    if (Recording* r = recording()) return r->gradient(gradient);
    return gradient->get();
}

void write_gradient(const GradientRef& gradient, const Tensor& value) {
    if (Recording* r = recording())
        r->set_gradient(gradient, value);
    else
        gradient->set(value);
}

void add_gradient(const GradientRef& gradient, const Tensor& g) {
    if (Recording* r = recording()) {
        const Tensor before = r->gradient(gradient);
        r->set_gradient(gradient, before.defined()
                                      ? add(before, g)
                                      : r->symbol(value_of(g), {g.shape(), g.dtype(), g.device()}));
        return;
    }
    while (true) {  // again if another thread has added its own meanwhile
        const Tensor before = gradient->get();
        Tensor after = g;
        if (before.defined())
            after = add(before, g);
        else if (g.ref().get()->references > 2 || !g.handle().storage.alone() || !g.is_contiguous())
            after = clone(g);
        if (gradient->replace(before, after)) return;
    }
}

}  // namespace tg
