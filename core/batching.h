// vmap's rules. The function of one example was written down; each of its lines is applied again,
// to all examples at once, by the `batch` rule of its op. The examples are dim 0 of what differs
// from one to the next:
//
//     one example             line                 all 100 of them
//     x (3,), W (4, 3)        matmul W x           matmul W (4, 3), x (100, 3, 1)
//     y (4,)                  sum y, dims (0,)     sum y (100, 4), dims (1,)
//
// A line on which nothing differs is applied once. graph/vmap.cc walks over the lines.
#pragma once

#include <span>

#include "core/apply.h"

namespace tg {

struct Batch {
    const Op& op;
    const Attrs& attrs;
    std::int64_t size = 0;          // how many examples
    std::span<const Arg> in;        // at least one is batched
    std::span<const char> batched;  // has this input the examples as its dim 0?
    std::span<const Desc> one;      // the inputs as one example has them
    std::span<const Desc> one_out;  // and the outputs

    bool is_batched(int i) const { return batched[static_cast<std::size_t>(i)] != 0; }
    int dims(int i) const { return one[static_cast<std::size_t>(i)].shape.size(); }
    // Input i with the examples in front, repeated without a copy if it is the same for all.
    Tensor all(int i) const;
    Dims with_size(const Dims& shape) const;  // (size, ...shape)
};

// The outputs, each with the examples as its dim 0.
using BatchRule = Outputs (*)(const Batch& b);

// Element by element, or on the last dims: inputs get dims of 1 behind the first, so that all have
// as many, and broadcast.
Outputs batch_aligned(const Batch& b);

// All inputs with the examples in front; what the attributes say of dims moves one on.
enum class Names { nothing, dim, dims, order, shape };
Attrs attrs_behind(const Batch& b, std::initializer_list<Names> names);
template <Names... each>
Outputs batch_shifted(const Batch& b) {
    std::vector<Arg> args;
    for (int i = 0; i < static_cast<int>(b.in.size()); ++i) args.emplace_back(b.all(i));
    return apply_all(b.op, args, attrs_behind(b, {each...}));
}

// The examples become more samples of the inputs' dim 0: for images (N, C, H, W).
Outputs batch_as_samples(const Batch& b);

// Example after example, and the results stacked.
Outputs batch_in_turn(const Batch& b);

}  // namespace tg
