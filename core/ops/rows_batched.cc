// vmap's rules for the rows of x that an index names.
#include "core/ops.h"
#include "core/ops/rows.h"
#include "kernels/cpu/cpu.h"

namespace tg {
namespace {

// The indexed dims, behind the examples; with the examples as one more of them in front.
Dims dims_behind(const Dims& dims, bool with_examples) {
    Dims moved;
    if (with_examples) moved.push_back(0);
    for (std::int64_t d : dims) moved.push_back(d + 1);
    return moved;
}

// Number i of the N rows of example e is number e N + i of all.
Tensor numbers_in_all(const Batch& b, int index) {
    std::int64_t n = 1;
    for (std::int64_t d : b.attrs.dims(0)) n *= b.one[0].shape[static_cast<int>(d)];
    Dims column = Dims::of(b.dims(index) + 1, 1);
    column[0] = b.size;
    const Tensor both = expand(zeros({}), {b.size, n});
    return apply(ops::positions, {both, reshape(arange(b.size), column), b.all(index)},
                 {Attr{Dims{0, 1}}});
}

// The order in which rows (B, rest before, index dims, rest after) are (B, index dims, rest): which
// is how they come where the examples are indexed too.
Dims index_first(int place, int index_dims, int dims) {
    Dims order{0};
    for (int k = 0; k < index_dims; ++k) order.push_back(1 + place + k);
    for (int d = 0; d < place; ++d) order.push_back(1 + d);
    for (int d = place + index_dims; d < dims; ++d) order.push_back(1 + d);
    return order;
}
Dims inverse(const Dims& order) {
    Dims back = order;
    for (int d = 0; d < order.size(); ++d) back[static_cast<int>(order[d])] = d;
    return back;
}

int place_in(const Dims& dims) { return kernels::place_of({dims.begin(), dims.end()}); }

}  // namespace

Outputs batch_index(const Batch& b) {
    const Dims& dims = b.attrs.dims(0);
    const int index_dims = b.dims(1);
    if (!b.is_batched(1)) {
        const Tensor rows =
            apply(b.op, {b.all(0), b.in[1]}, {Attr{dims_behind(dims, false)}, b.attrs[1]});
        // Not side by side: the index's dims come first of all.
        return {place_in(dims_behind(dims, false)) == 0 ? movedim(rows, {index_dims}, {0}) : rows};
    }
    const Tensor rows = apply(b.op, {b.all(0), numbers_in_all(b, 1)},
                              {Attr{dims_behind(dims, true)}, Attr{std::int64_t{0}}});
    const Dims order = index_first(place_in(dims), index_dims, rows.dims() - 1);
    return {permute(rows, inverse(order))};
}

Outputs batch_index_put(const Batch& b) {
    const Dims& dims = b.attrs.dims(0);
    const int index_dims = b.dims(2);
    const int rows_dims = b.dims(0) - dims.size() + index_dims;
    Tensor value = b.all(1);
    while (value.dims() <= rows_dims) value = unsqueeze(value, 1);
    if (!b.is_batched(2)) {
        if (place_in(dims_behind(dims, false)) == 0) value = movedim(value, {0}, {index_dims});
        return {apply(b.op, {b.all(0), value, b.in[2]},
                      {Attr{dims_behind(dims, false)}, b.attrs[1], b.attrs[2]})};
    }
    value = permute(value, index_first(place_in(dims), index_dims, rows_dims));
    return {apply(b.op, {b.all(0), value, numbers_in_all(b, 2)},
                  {Attr{dims_behind(dims, true)}, b.attrs[1], Attr{std::int64_t{0}}})};
}

// Of x only the shape is asked, which is that of one example.
Outputs batch_positions(const Batch& b) {
    std::vector<Arg> args{Arg(expand(zeros({}), b.one[0].shape))};
    bool any = false;
    int most = 0;
    const int inputs = static_cast<int>(b.in.size());
    for (int i = 1; i < inputs; ++i) most = std::max(most, b.dims(i));
    for (int i = 1; i < inputs; ++i) {
        Tensor index = b.in[static_cast<std::size_t>(i)].tensor;
        any = any || b.is_batched(i);
        while (b.is_batched(i) && index.dims() <= most) index = unsqueeze(index, 1);
        args.emplace_back(index);
    }
    const Tensor y = apply(b.op, args, b.attrs);
    return {any ? y : expand(y, b.with_size(b.one_out[0].shape))};
}

}  // namespace tg
