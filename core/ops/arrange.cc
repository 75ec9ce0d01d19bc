// Dims named anew or moved, and elements repeated, turned round or shifted.
#include <algorithm>

#include "core/batching.h"
#include "core/ops/family.h"
#include "core/recording.h"

namespace tg {
namespace {

// y = x turned round  =>  dx = g turned round
void flip_gradient(Backward& n) { n.give(0, flip(n.g(), n.attrs().dims(0))); }

struct Flipped {
    bool dims[max_dims] = {};
    explicit Flipped(const Launch& l) {
        for (std::int64_t d : l.attrs.dims(0)) dims[d] = true;
    }
};

void flip_cpu(const Launch& l) { kernels::cpu::flip(l.out[0], l.in[0], Flipped(l).dims); }
bool flip_cuda(const Launch& l) {
    return kernels::cuda::backend().flip(l.out[0], l.in[0], Flipped(l).dims);
}

// x -> x's shape
Descs flip_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    for (std::int64_t d : attrs.dims(0))
        if (d < 0 || d >= in[0].shape.size())
            fail(ErrorKind::value, op.name, ": dim ", d, " is outside of ", text(in[0].shape));
    return {in[0]};
}

// size * times, where it fits; of an unknown size an unknown one
std::int64_t times_of(const char* op, std::int64_t size, std::int64_t times) {
    std::int64_t n = 0;
    if (is_unknown(size)) return -1;
    if (__builtin_mul_overflow(size, times, &n))
        fail(ErrorKind::runtime, op, ": ", size, " elements, ", times,
             " times, are more than an int64 counts");
    return n;
}

// Dim d, repeated as a whole (a b a b), or each element of it (a a b b).
Tensor repeated(const char* op, const Tensor& x, int d, std::int64_t times, bool each) {
    Dims wide = x.shape();
    Dims shape = x.shape();
    wide.insert(each ? d + 1 : d, times);
    shape[d] = times_of(op, x.shape()[d], times);
    return reshape(expand(unsqueeze(x, each ? d + 1 : d), wide), shape);
}

void check_times(const char* op, const Dims& times) {
    for (std::int64_t t : times)
        if (t < 0) fail(ErrorKind::runtime, op, ": ", t, " times, in ", text(times));
}

}  // namespace

namespace ops {
const Op flip = {.name = "flip",
                 .inputs = 1,
                 .shape = flip_shape,
                 .gradient = flip_gradient,
                 .cpu = flip_cpu,
                 .cuda = flip_cuda,
                 .attributes = {{"dims", AttrKind::dims}},
                 .batch = batch_shifted<Names::dims>};
}  // namespace ops

std::span<const Op* const> arrange_ops() {
    static const Op* const list[] = {&ops::flip};
    return list;
}

// ---- views --------------------------------------------------------------------------------------

Tensor movedim(const Arg& x, const Dims& source, const Dims& destination) {
    const Here here(x.where, "movedim");
    const int n = x.tensor.dims();
    if (source.size() != destination.size())
        fail(ErrorKind::runtime, "movedim: ", source.size(), " dims to move, ", text(source),
             ", and ", destination.size(), " places, ", text(destination));
    Dims from, to;
    for (int i = 0; i < source.size(); ++i) {
        const int s = wrap_dim("movedim", source[i], n);
        const int d = wrap_dim("movedim", destination[i], n);
        if (from.contains(s) || to.contains(d))
            fail(ErrorKind::runtime, "movedim: ", text(source), " to ", text(destination),
                 " names a dim twice");
        from.push_back(s);
        to.push_back(d);
    }
    // The others keep their order in the places that are left.
    Dims order = Dims::of(n, -1);
    for (int i = 0; i < from.size() && n > 0; ++i) order[static_cast<int>(to[i])] = from[i];
    int next = 0;
    for (int d = 0; d < n; ++d) {
        if (order[d] >= 0) continue;
        while (from.contains(next)) ++next;
        order[d] = next++;
    }
    return permute(x, order);
}

Tensor unflatten(const Arg& x, std::int64_t dim, const Dims& sizes) {
    const Here here(x.where, "unflatten");
    if (x.tensor.dims() == 0)
        fail(ErrorKind::index, "unflatten: a tensor of no dims has no dim ", dim);
    if (sizes.empty()) fail(ErrorKind::runtime, "unflatten: the sizes are empty");
    const int d = wrap_dim("unflatten", dim, x.tensor.dims());
    const std::int64_t n = x.tensor.shape()[d];
    std::int64_t product = 1;
    int holes = 0;
    bool fits = true;
    for (std::int64_t s : sizes) {
        if (s == -1 || is_unknown(s))
            ++holes;
        else
            fits = fits && s >= 0 && !__builtin_mul_overflow(product, s, &product);
    }
    if (!is_unknown(n) && fits) fits = holes == 0 ? product == n : product != 0 && n % product == 0;
    if (!fits || holes > 1)
        fail(ErrorKind::runtime, "unflatten: sizes ", text(sizes), " do not make up the ", n,
             " of dim ", d, " of ", text(x.tensor.shape()));
    Dims shape;
    for (int i = 0; i < x.tensor.dims(); ++i) {
        if (i != d) {
            shape.push_back(x.tensor.shape()[i]);
            continue;
        }
        for (std::int64_t s : sizes) shape.push_back(s == -1 && !is_unknown(n) ? n / product : s);
    }
    return view(x, shape);
}

Tensor broadcast_to(const Arg& x, const Dims& shape) {
    const Here here(x.where, "broadcast_to");
    return expand(x, shape);
}

// ---- copies -------------------------------------------------------------------------------------

// From the last dim on, so that what is copied more than once is small.
Tensor repeat(const Arg& x, const Dims& times) {
    const Here here(x.where, "repeat");
    Tensor y = x.tensor;
    if (times.size() < y.dims())
        fail(ErrorKind::runtime, "repeat: ", text(times), " says nothing of some dims of ",
             text(y.shape()), "; it needs ", y.dims(), " numbers or more");
    check_times("repeat", times);
    for (int d = times.size() - 1; d >= 0; --d) {
        const int of_x = d - (times.size() - x.tensor.dims());
        if (of_x < 0) {
            Dims wide = y.shape();
            wide.insert(0, times[d]);
            y = expand(y, wide);
        } else if (times[d] != 1) {
            y = repeated("repeat", y, of_x, times[d], false);
        }
    }
    return y.handle().storage == x.tensor.handle().storage ? clone(y) : contiguous(y);
}

Tensor tile(const Arg& x, const Dims& times) {
    const Here here(x.where, "tile");
    Dims all = times;
    while (all.size() < x.tensor.dims()) all.insert(0, 1);
    return repeat(x, all);
}

Tensor repeat_interleave(const Arg& x, std::int64_t times, std::optional<std::int64_t> dim) {
    const Here here(x.where, "repeat_interleave");
    check_times("repeat_interleave", {times});
    const Tensor y = dim && x.tensor.dims() > 0 ? x.tensor : reshape(x, {-1});
    const int d = dim ? wrap_dim("repeat_interleave", *dim, x.tensor.dims()) : 0;
    const Tensor z = repeated("repeat_interleave", y, d, times, true);
    return z.handle().storage == x.tensor.handle().storage ? clone(z) : z;
}

// Slice k stands at the places from times[0] + ... + times[k-1] on: the place's rank among the
// sums.
Tensor repeat_interleave(const Arg& x, const Arg& times, std::optional<std::int64_t> dim,
                         std::optional<std::int64_t> total) {
    const Here here(x.where, "repeat_interleave");
    const Tensor y = dim && x.tensor.dims() > 0 ? x.tensor : reshape(x, {-1});
    const int d = dim ? wrap_dim("repeat_interleave", *dim, x.tensor.dims()) : 0;
    const std::int64_t n = known_size("repeat_interleave", y, d);
    const Tensor& t = times.tensor;
    if (t.dtype() != DType::int64 && t.dtype() != DType::int32)
        fail(ErrorKind::unsupported, "repeat_interleave: repeats is ", name_of(t.dtype()),
             ", not int64 or int32; cast it: repeats.long()");
    if (t.dims() > 1 || (t.numel() != 1 && t.numel() != n))
        fail(ErrorKind::runtime, "repeat_interleave: repeats ", text(t.shape()),
             " must be one number, or (", n, ",): one for each of dim ", d, " of ",
             text(y.shape()));
    const Tensor ends = cumsum(expand(reshape(t, {-1}), {n}), 0);
    const bool known = !t.is_symbolic() && !recording();
    if (!known && !total)
        fail(ErrorKind::runtime, "repeat_interleave: the size of its result depends on repeats, ",
             "and a recording must know it; give output_size");
    if (known) {
        if (n > 0 && any(lt(t, 0)).item<bool>())
            fail(ErrorKind::runtime, "repeat_interleave: a number of repeats ", text(t.shape()),
                 " is below 0");
        const std::int64_t sum = n > 0 ? select(ends, 0, n - 1).item<std::int64_t>() : 0;
        if (total && *total != sum)
            fail(ErrorKind::runtime, "repeat_interleave: repeats add up to ", sum,
                 ", and output_size is ", *total);
        total = sum;
    }
    const Tensor place = to(arange(*total), t.device());
    return index_select(y, d, searchsorted(ends, place, true));
}

Tensor flip(const Arg& x, const Dims& dims) {
    const Here here(x.where, "flip");
    Dims wrapped;
    for (std::int64_t dim : dims) {
        const int d = wrap_dim("flip", dim, x.tensor.dims());
        if (wrapped.contains(d))
            fail(ErrorKind::runtime, "flip: dim ", dim, " appears twice in ", text(dims));
        wrapped.push_back(d);
    }
    return x.tensor.dims() == 0 ? clone(x) : apply(ops::flip, {x}, {Attr{wrapped}});
}

// What is shifted past the end comes in again at the front.
Tensor roll(const Arg& x, const Dims& shifts, const DimList& dims) {
    const Here here(x.where, "roll");
    if (dims.all) {
        if (shifts.size() != 1)
            fail(ErrorKind::runtime, "roll: ", shifts.size(), " shifts, ", text(shifts),
                 ", and no dims; without dims there is one shift");
        return reshape(roll(reshape(x, {-1}), shifts, 0), x.tensor.shape());
    }
    if (shifts.size() != dims.dims.size())
        fail(ErrorKind::runtime, "roll: ", shifts.size(), " shifts, ", text(shifts), ", and ",
             dims.dims.size(), " dims, ", text(dims.dims));
    Tensor y = x.tensor;
    for (int i = 0; i < shifts.size(); ++i) {
        const int d = wrap_dim("roll", dims.dims[i], y.dims());
        const std::int64_t n = known_size("roll", y, d);
        if (is_unknown(shifts[i]))
            fail(ErrorKind::runtime, "roll: a shift must be known while the graph is built");
        const std::int64_t by = n > 0 ? (shifts[i] % n + n) % n : 0;
        if (by != 0) y = cat({slice(y, d, n - by, n), slice(y, d, 0, n - by)}, d);
    }
    return y.same(x.tensor) ? clone(x) : y;
}

}  // namespace tg
