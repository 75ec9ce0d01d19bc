// x[key] by NumPy's rules. Integers and ranges make a view; the tensors of indices and masks that
// are left read or write its rows.
#include <algorithm>

#include "core/history.h"
#include "core/ops/family.h"
#include "core/ops/rows.h"
#include "core/recording.h"

namespace tg {
namespace {

// ---- the parts of a key -------------------------------------------------------------------------

// A tensor in the key, and the dim of the view at which it stands. A mask has bools, and takes as
// many dims as it has itself.
struct Indexed {
    int dim = 0;
    Tensor by;
    bool is_mask() const { return by.dtype() == DType::boolean; }
    int dims() const { return is_mask() ? by.dims() : 1; }
};

struct Parts {
    Tensor view;
    std::vector<Indexed> indexed;
};

const Tensor* tensor_of(const Index& i) { return std::get_if<Tensor>(&i.part); }

bool is_mask(const Tensor& t) { return t.dtype() == DType::boolean || t.dtype() == DType::uint8; }

// How many dims of x this part uses up.
int dims_used(const Index& i) {
    if (const Tensor* t = tensor_of(i)) return is_mask(*t) ? t->dims() : 1;
    return std::holds_alternative<std::int64_t>(i.part) || std::holds_alternative<Slice>(i.part);
}

int dims_used(const Tensor& x, const Key& key) {
    KeyDims dims;
    for (const Index& i : key) dims.pass(dims_used(i), std::holds_alternative<Ellipsis>(i.part));
    dims.check(x);
    return dims.used();
}

// A tensor of one integer is that integer on the tape. In a recording its number is not known: even
// that of a tensor made outside may be another when the program runs.
bool is_integer(const Tensor& t) { return t.dims() == 0 && !is_mask(t); }
bool is_unknown_integer(const Index& i) {
    const Tensor* t = tensor_of(i);
    return t && is_integer(*t) && (t->is_symbolic() || recording());
}

void check_dtype(const Tensor& t) {
    if (!is_mask(t) && t.dtype() != DType::int64 && t.dtype() != DType::int32)
        fail(ErrorKind::index, "index: a tensor of ", name_of(t.dtype()),
             " is no index; it must be int64 or int32, or bool for a mask");
}

void check_mask(const Tensor& x, int dim, const Tensor& mask) {
    for (int d = 0; d < mask.dims(); ++d) {
        const std::int64_t a = x.shape()[dim + d];
        const std::int64_t b = mask.shape()[d];
        if (a != b && !is_unknown(a) && !is_unknown(b))
            fail(ErrorKind::index, "index: a mask of shape ", text(mask.shape()),
                 " does not fit the dims from ", dim, " on of ", text(x.shape()), ": its dim ", d,
                 " is ", b, ", not ", a);
    }
}

// The tensor `t` of a key, at `dim` of the view; moves dim behind it.
void add_tensor(Parts& p, int& dim, const Tensor& t) {
    check_dtype(t);
    if (is_integer(t) && !t.is_symbolic()) {
        p.view = select(p.view, dim, t.item_scalar().as_integer());
        return;
    }
    Tensor by = t.dtype() == DType::uint8   ? ne(t, 0)
                : t.dtype() == DType::int32 ? cast(t, DType::int64)
                                            : t;
    if (by.device() != p.view.device()) by = to(by, p.view.device());
    if (is_mask(by) && by.dims() == 0) {  // of one row
        p.view = unsqueeze(p.view, dim);
        by = reshape(by, {1});
    }
    if (is_mask(by)) check_mask(p.view, dim, by);
    p.indexed.push_back({dim, by});
    dim += p.indexed.back().dims();
}

Parts parts_of(const Tensor& x, const Key& key) {
    const int used = dims_used(x, key);
    Parts p{x, {}};
    int dim = 0;
    for (const Index& i : key) {
        if (const Tensor* t = tensor_of(i)) {
            add_tensor(p, dim, *t);
        } else if (const auto* number = std::get_if<std::int64_t>(&i.part)) {
            p.view = select(p.view, dim, *number);
        } else if (const auto* range = std::get_if<Slice>(&i.part)) {
            const bool all = range->begin == 0 && range->end == Slice{}.end && range->step == 1;
            if (!all) p.view = slice(p.view, dim, range->begin, range->end, range->step);
            ++dim;
        } else if (const auto* truth = std::get_if<bool>(&i.part)) {
            // The indices of the true ones, known as it is
            p.view = unsqueeze(p.view, dim);
            p.indexed.push_back({dim++, to(arange(*truth), p.view.device())});
        } else if (std::holds_alternative<NewAxis>(i.part)) {
            p.view = unsqueeze(p.view, dim++);
        } else {
            dim += x.dims() - used;
        }
    }
    return p;
}

// ---- one index out of several -------------------------------------------------------------------

struct RowIndex {
    Dims dims;  // of the view
    Tensor index;
    Attrs read() const { return {Attr{dims}, Attr{std::int64_t{1}}}; }
    Attrs put(bool accumulate) const {
        return {Attr{dims}, Attr{std::int64_t{accumulate}}, Attr{std::int64_t{1}}};
    }
};

void check_broadcast(const std::vector<Arg>& tensors) {
    Dims shape;
    for (std::size_t k = 1; k < tensors.size(); ++k) {
        const Dims& next = tensors[k].tensor.shape();
        for (int d = 1; d <= std::min(shape.size(), next.size()); ++d) {
            const std::int64_t a = shape[shape.size() - d];
            const std::int64_t b = next[next.size() - d];
            if (a != b && a != 1 && b != 1 && !is_unknown(a) && !is_unknown(b))
                fail(ErrorKind::index, "index: the index tensors do not broadcast: ", text(shape),
                     " and ", text(next), ", dim -", d, " is ", a, " and ", b);
        }
        shape = broadcast("index", shape, next);
    }
}

// A mask's true elements are counted over its dims: just what an index over several dims is.
RowIndex row_index(const Parts& p, const char* instead) {
    RowIndex r;
    for (const Indexed& i : p.indexed)
        for (int d = 0; d < i.dims(); ++d) r.dims.push_back(i.dim + d);
    if (p.indexed.size() == 1) {
        const Tensor& by = p.indexed[0].by;
        r.index = p.indexed[0].is_mask() ? nonzero_flat(by, instead) : by;
        return r;
    }
    std::vector<Arg> all{p.view};
    for (const Indexed& i : p.indexed) {
        if (!i.is_mask()) {
            all.push_back(i.by);
            continue;
        }
        const Tensor found = nonzero_of(i.by, instead);
        for (int d = 0; d < i.dims(); ++d) all.push_back(select(found, 1, d));
    }
    check_broadcast(all);
    r.index = apply(ops::positions, all, {Attr{r.dims}});
    return r;
}

// ---- integers that are not known yet ------------------------------------------------------------

// What it picks cannot be a view: it is an index of one row, taken out of x first, and put back in
// the end. `rest` is the key without it.
struct UnknownInteger {
    int dim = 0;  // of x
    Tensor index;
    Key rest;
};

std::optional<UnknownInteger> unknown_integer(const Tensor& x, const Key& key) {
    const auto at = std::find_if(key.begin(), key.end(), is_unknown_integer);
    if (at == key.end()) return {};
    const int used = dims_used(x, key);
    UnknownInteger u;
    for (auto i = key.begin(); i != at; ++i)
        u.dim += std::holds_alternative<Ellipsis>(i->part) ? x.dims() - used : dims_used(*i);
    check_dtype(*tensor_of(*at));
    u.index = as_index("index", *tensor_of(*at));
    u.rest.insert(u.rest.end(), key.begin(), at);
    u.rest.insert(u.rest.end(), at + 1, key.end());
    return u;
}

// ---- values -------------------------------------------------------------------------------------

// The value without leading dims of size 1 that are more than what is written has.
Tensor without_leading(Tensor v, int dims) {
    while (v.dims() > dims && v.shape()[0] == 1) v = squeeze(v, 0);
    return v;
}

// A value that is the same for all rows of a mask can be had without knowing how many they are:
// in its shape, the dims of the mask are 1, or there are none. Undefined if it is not such a value.
Tensor spread_over(const Parts& p, const Tensor& value) {
    const Indexed& mask = p.indexed[0];
    const int behind = p.view.dims() - mask.dim - mask.dims();
    if (value.dims() <= behind) return value;
    const int row = value.dims() - behind - 1;  // the value's dim of rows
    if (value.shape()[row] != 1) return {};
    Dims shape = value.shape();
    for (int d = 1; d < mask.dims(); ++d) shape.insert(row, 1);
    return reshape(value, shape);
}

// Where the mask is true the value, or what is there plus the value.
void put_masked(Tensor& view, const Indexed& mask, const Tensor& value, bool accumulate) {
    Dims shape = mask.by.shape();
    for (int d = mask.dim + mask.dims(); d < view.dims(); ++d) shape.push_back(1);
    const Tensor inside = reshape(mask.by, shape);
    write(view, where(inside, accumulate ? add(view, value) : value, view), "index_put_", true);
}

void check_fits(const Tensor& view, const Tensor& value) {
    bool fits = value.dims() <= view.dims();
    for (int d = 1; fits && d <= value.dims(); ++d) {
        const std::int64_t a = value.shape()[value.dims() - d];
        const std::int64_t b = view.shape()[view.dims() - d];
        fits = a == b || a == 1 || is_unknown(a) || is_unknown(b);
    }
    if (!fits)
        fail(ErrorKind::runtime, "index_put_: a value of shape ", text(value.shape()),
             " does not fit into ", text(view.shape()));
}

}  // namespace

void KeyDims::pass(int dims, bool is_ellipsis) {
    used_ += dims;
    dots_ += is_ellipsis;
    behind_ = behind_ || (dots_ > 1 && !is_ellipsis);
}

void KeyDims::check(const Tensor& x) const {
    if (behind_ && used_ < x.dims())
        fail(ErrorKind::index, "index: nothing may stand behind a second ... of one key");
    if (used_ > x.dims())
        fail(ErrorKind::index, "index: ", used_, used_ == 1 ? " index" : " indices",
             " for a tensor of shape ", text(x.shape()), ", which has ", x.dims(),
             x.dims() == 1 ? " dim" : " dims");
}

Tensor index(const Arg& x, const Key& key) {
    const Here here(x.where, "index");
    if (const auto u = unknown_integer(x.tensor, key)) {
        const RowIndex r{{u->dim}, u->index};
        const Tensor row = apply(ops::index, {x, u->index}, r.read());
        if (recording()) keep_up(row, x.tensor, u->index, r.read(), r.put(false));
        return index(row, u->rest);
    }
    const Parts p = parts_of(x.tensor, key);
    if (p.indexed.empty())  // a new tensor on the same bytes, even of x[...]
        return p.view.same(x.tensor) ? view(x, x.tensor.shape()) : p.view;
    const RowIndex r =
        row_index(p, "write where(mask, x, 0), or x * mask, and go on with all of x");
    return apply(ops::index, {p.view, r.index}, r.read());
}

Tensor index_put(const Arg& x, const Key& key, const Arg& value, bool accumulate) {
    const Here here(x.where, "index_put");
    Tensor y = clone(x);
    index_put_(y, key, value, accumulate);
    return y;
}

Tensor& index_put_(Tensor& x, const Key& key, const Arg& value, bool accumulate) {
    const Here here(value.where, "index_put_");
    if (const auto u = unknown_integer(x, key)) {
        const RowIndex r{{u->dim}, u->index};
        Tensor row = apply(ops::index, {x, u->index}, r.read());
        index_put_(row, u->rest, value, accumulate);
        write(x, apply(ops::index_put, {x, row, u->index}, r.put(false)), "index_put_", true);
        return x;
    }
    Parts p = parts_of(x, key);
    Tensor v = value_like(x, value);
    if (p.indexed.empty()) {
        v = without_leading(v, p.view.dims());
        write(p.view, accumulate ? add(p.view, v) : v, "index_put_");
        return x;
    }
    if (p.indexed.size() == 1 && p.indexed[0].is_mask()) {
        v = without_leading(v, p.view.dims() - p.indexed[0].dims() + 1);
        if (const Tensor all = spread_over(p, v); all.defined()) {
            check_fits(p.view, all);
            put_masked(p.view, p.indexed[0], all, accumulate);
            return x;
        }
    }
    const RowIndex r =
        row_index(p, "write x.masked_scatter(mask, value), or where(mask, values of x's shape, x)");
    const int dims = p.view.dims() - r.dims.size() + r.index.dims();
    v = without_leading(v, dims);
    if (!write_by(ops::index_put, r.put(accumulate), p.view, {v, r.index}, "index_put_"))
        write(p.view, apply(ops::index_put, {p.view, v, r.index}, r.put(accumulate)), "index_put_",
              true);
    return x;
}

}  // namespace tg
