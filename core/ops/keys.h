// Keys, x[...], and masks.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <variant>
#include <vector>

#include "core/apply.h"

namespace tg {

// ---- keys: core/ops/keys.cc ---------------------------------------------------------------------
// One part of a key x[...]: an integer, a range, a tensor of indices (int64 or int32), a mask
// (bool or uint8), an ellipsis or a new dim; true and false are masks of no dims.
struct Slice {
    std::int64_t begin = 0;
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
    std::int64_t step = 1;
};
struct Ellipsis {};
struct NewAxis {};
inline constexpr Ellipsis ellipsis;
inline constexpr NewAxis newaxis;
struct Index {
    std::variant<std::int64_t, bool, Slice, Tensor, Ellipsis, NewAxis> part;
    template <std::integral Integer>
    Index(Integer i) : part(static_cast<std::int64_t>(i)) {}
    Index(bool b) : part(b) {}
    Index(const Slice& range) : part(range) {}
    Index(const Tensor& t) : part(t) {}
    Index(Ellipsis e) : part(e) {}
    Index(NewAxis n) : part(n) {}
};
using Key = std::vector<Index>;

// Counts the dims that a key's parts use up, in their order. As in PyTorch each ... passes over the
// dims that no other part names: where there are such, there are none left for what stands behind a
// second one.
class KeyDims {
  public:
    void pass(int dims, bool is_ellipsis);
    void check(const Tensor& x) const;  // throws where x has too few
    int used() const { return used_; }

  private:
    int used_ = 0, dots_ = 0;
    bool behind_ = false;  // is anything behind the second one?
};

// As NumPy and PyTorch: integers and ranges first; what the tensors broadcast to stands where the
// first of them was if they are side by side, else first of all. A view if there is no tensor.
Tensor index(const Arg& x, const Key& key);  // index(x, {0, Slice{1, 3}, ellipsis, rows})
// x with `value`, which broadcasts, stored or added at the key. Repeated indices: the last stays,
// or all are added, in order.
Tensor index_put(const Arg& x, const Key& key, const Arg& value, bool accumulate = false);
Tensor& index_put_(Tensor& x, const Key& key, const Arg& value, bool accumulate = false);

// ---- masks: core/ops/masks.cc -------------------------------------------------------------------
// What depends on the data in its shape has no place in a recording: an error there.
Tensor nonzero(const Arg& x);                         // (count, dims) int64
Tensor masked_select(const Arg& x, const Arg& mask);  // (count,)
// x, but the first elements of source where the mask is true
Tensor masked_scatter(const Arg& x, const Arg& mask, const Arg& source);

// How often each of 0, 1, 2, ... is in x (n,) of ints, or the sums of its weights; at least
// minlength
Tensor bincount(const Arg& x, const Tensor& weights = {}, std::int64_t minlength = 0);

// ---- what is there once: core/ops/unique.cc -----------------------------------------------------
// The different elements, or slices along dim, in ascending order; which of them each is, in x's
// shape or (n,); how often each is in x. An error in a recording.
struct Unique {
    Tensor values, inverse, counts;
};
Unique unique(const Arg& x, std::optional<std::int64_t> dim = {});
// The same of runs of equals, in x's order
Unique unique_consecutive(const Arg& x, std::optional<std::int64_t> dim = {});

}  // namespace tg
