#include "core/given.h"

#include "core/history.h"
#include "core/hooks.h"

namespace tg {
namespace {

template <class Same>
int first_with(std::span<const Tensor> given, std::size_t i, const Same& same) {
    std::size_t k = 0;
    while (k < i && !same(given[k].handle(), given[i].handle())) ++k;
    return static_cast<int>(k);
}

bool same_tensor(const Handle& a, const Handle& b) { return &a == &b; }
bool same_storage(const Handle& a, const Handle& b) { return a.storage == b.storage; }
bool same_history(const Handle& a, const Handle& b) { return a.history == b.history; }
bool same_value(Handle& a, Handle& b) {
    return same_history(a, b) && value_outside(a) == value_outside(b);
}

}  // namespace

GivenKey key_of(std::span<const Tensor> given, std::size_t i, bool whole_storages) {
    const Tensor& t = given[i];
    GivenKey key;
    key.tensor_of = first_with(given, i, same_tensor);
    key.storage_of = first_with(given, i, same_storage);
    key.history_of = first_with(given, i, same_history);
    key.value_of = first_with(given, i, same_value);
    key.dtype = t.dtype();
    key.device = t.device();
    key.requires_grad = wanted_outside(t.handle());
    key.leaf = !key.requires_grad || (t.handle().history->leaf && t.handle().leaf);
    key.hooks = hooks_on(t.handle());
    bool shared = whole_storages || !t.is_contiguous();
    for (std::size_t k = 0; k < given.size(); ++k)
        shared = shared || (k != i && same_storage(given[k].handle(), t.handle()));
    key.window = !shared;
    key.layout = key.window ? Layout::contiguous(t.shape()) : t.handle().layout;
    key.base = key.window ? t.shape() : t.handle().storage->shape;
    return key;
}

}  // namespace tg
