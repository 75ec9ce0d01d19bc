// Reading and writing at indices that are themselves data, as the kernels see it: gather and
// x[rows] read, scatter and x[rows] = write, by the same description. Read next: read_indexed.cu,
// write_indexed.cu.
#pragma once

#include <cstdint>

#include "kernels/array.h"
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/rows.h"

namespace tg::kernels::cuda {

// Item number q is an element of the index. It names a place: a number that counts over the places
// of `by_index`, the operand that is indexed. Between that place and item q's own part of
// `straight`, the other operand, R elements go: a row; of gather and scatter one.
//
//                 items                   places                         rest: R
//   gather        the index's elements    in's elements                  nothing, R = 1
//   scatter       the index's elements    out's elements                 nothing, R = 1
//   x[rows]       the index's elements    rows, over the indexed dims    the dims that are left
struct Indexed {
    Layout<3> items;   // the index; the place but for what the index says; straight
    Layout<1> places;  // by_index
    Layout<2> rest;    // straight; by_index
    const std::int64_t* index = nullptr;
    std::int64_t step = 1;  // so many places further is what index + 1 names
    std::int64_t size = 0;  // an index is in [0, size), or from -size on where it wraps
    bool wraps = false;
};

struct Item {
    std::int64_t place, straight;
};

__device__ __forceinline__ Item item_at(const Indexed& x, std::int64_t q) {
    std::int64_t at[3];
    x.items.offset(q, at);
    const std::int64_t given = x.index[at[0]];
    const std::int64_t i = given < 0 && x.wraps ? given + x.size : given;
    return {at[1] + i * x.step, at[2]};
}

__device__ __forceinline__ std::int64_t place_at(const Indexed& x, std::int64_t place) {
    std::int64_t at[1];
    x.places.offset(place, at);
    return at[0];
}

// by_index[.., index[.., i, ..], ..] and straight[.., i, ..]
inline Indexed along_dim(const Array& straight, const Array& index, const Array& by_index,
                         int dim) {
    Indexed x;
    std::int64_t steps[max_dims] = {};  // from place to place
    std::int64_t step = 1;
    for (int d = by_index.dims - 1; d >= 0; step *= by_index.shape[d--]) steps[d] = step;
    for (int d = 0; d < index.dims; ++d) {
        x.items.append(index.shape[d],
                       {index.strides[d], d == dim ? 0 : steps[d], straight.strides[d]});
        x.places.append(by_index.shape[d], {by_index.strides[d]});
    }
    x.index = static_cast<const std::int64_t*>(index.data);
    x.step = steps[dim];
    x.size = by_index.shape[dim];
    return x;
}

// straight has the index's dims among its own, where the rows are found.
inline Indexed by_rows(const Array& straight, const Array& index, const Array& by_index,
                       const Rows& rows) {
    Indexed x;
    x.size = 1;
    bool found[max_dims] = {};
    for (std::int64_t d : rows.dims) {
        found[d] = true;
        x.places.append(by_index.shape[d], {by_index.strides[d]});
        x.size *= by_index.shape[d];
    }
    const int place = place_of(rows.dims);
    int kept = 0;  // the next dim of by_index
    for (int d = 0; d < straight.dims; ++d) {
        if (d >= place && d < place + index.dims) {
            x.items.append(straight.shape[d], {index.strides[d - place], 0, straight.strides[d]});
            continue;
        }
        while (found[kept]) ++kept;
        x.rest.append(straight.shape[d], {straight.strides[d], by_index.strides[kept++]});
    }
    x.index = static_cast<const std::int64_t*>(index.data);
    x.wraps = rows.wraps;
    return x;
}

// The first index that is outside [0, size), or with `wraps` [-size, size). False: it could not be
// looked for.
template <class Machine>
bool find_outside(const Array& index, std::int64_t size, bool wraps, Outside& outside);

}  // namespace tg::kernels::cuda
