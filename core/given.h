// What a program may depend on of a tensor that is given to it anew at each call, its numbers
// aside: of each argument, and of each .grad that was there when the function asked for it.
#pragma once

#include <span>

#include "core/tensor.h"

namespace tg {

struct GivenKey {
    DType dtype = DType::float32;
    Device device = Device::cpu;
    bool requires_grad = false;
    bool leaf = true;
    std::uint64_t hooks = 0;  // on its gradient's way: hooks.h
    // A contiguous tensor that shares memory with no other is a window: the program sees its
    // elements as a base of its own, wherever in a larger storage they lie. So the batches
    // x[0:32], x[32:64], ... have one key.
    bool window = true;
    int tensor_of = 0;   // the first given that is this very tensor,
    int storage_of = 0;  // with this storage, this history,
    int history_of = 0;
    int value_of = 0;  // and this value: gradients of one value are added up in one place
    Layout layout;
    Dims base;
    bool operator==(const GivenKey& other) const = default;
};

// Of the one with this number, among the others.
GivenKey key_of(std::span<const Tensor> given, std::size_t number, bool whole_storages);

}  // namespace tg
