// grid_sample: an image read at any points, which may be between its elements; and affine_grid,
// which makes such points.
#include <vector>

#include "core/low_precision.h"
#include "core/ops/cubic.h"
#include "core/ops/family.h"
#include "core/ops/listed.h"
#include "core/ops/resize.h"

namespace tg {
namespace {

// D: how many dims the image has but N and C. O: the points of one image.
struct Grid {
    const Sampling& options;
    std::vector<std::int64_t> sizes;  // of the image's dims, (D,)
    Tensor flat;                      // (N, C, S), S the product of the sizes
    std::vector<Tensor> points;       // by dim (N, O), in elements: the first one's centre is 0
};

// -1..1 as places: with corners 0 .. size-1, else -1/2 .. size-1/2
Tensor unscaled(const Tensor& p, std::int64_t size, bool corners) {
    const double n = static_cast<double>(size);
    if (corners) return mul(add(p, 1.0), (n - 1) / 2);
    return div(sub(mul(add(p, 1.0), n), 1.0), 2.0);
}

// A mirror at both ends: there and back again is twice the span.
Tensor reflected(const Tensor& p, std::int64_t size, bool corners) {
    const double low = corners ? 0 : -0.5;
    const double span = static_cast<double>(corners ? size - 1 : size);
    if (span == 0) return mul(p, 0.0);
    const Tensor away = abs(sub(p, low));
    const Tensor rest = fmod(away, span);
    const Tensor even = eq(fmod(floor(div(away, span)), 2.0), 0.0);
    return add(where(even, rest, sub(span, rest)), low);
}

Tensor padded(const Grid& g, std::size_t dim, const Tensor& p) {
    const std::int64_t size = g.sizes[dim];
    if (g.options.padding_mode == "zeros") return p;
    const bool mirror = g.options.padding_mode == "reflection";
    return clamp(mirror ? reflected(p, size, g.options.align_corners) : p, Arg(0.0),
                 Arg(static_cast<double>(size - 1)));
}

// What is at places that are whole, by dim (N, O), times the weight: 0 outside. (N, C, O)
Tensor weighted(const Grid& g, const std::vector<Tensor>& places, const Tensor& weight) {
    Tensor inside, index;
    for (std::size_t d = 0; d < places.size(); ++d) {
        const double last = static_cast<double>(g.sizes[d] - 1);
        const Tensor here = logical_and(ge(places[d], 0.0), le(places[d], last));
        const Tensor own = cast(clamp(places[d], Arg(0.0), Arg(last)), DType::int64);
        inside = inside.defined() ? logical_and(inside, here) : here;
        index = index.defined() ? add(mul(index, g.sizes[d]), own) : own;
    }
    const Dims& s = g.flat.shape();
    const Tensor found =
        gather(g.flat, 2, expand(unsqueeze(index, 1), {s[0], s[1], index.size(1)}));
    const Tensor there = unsqueeze(inside, 1);
    return mul(where(there, found, 0.0), where(there, unsqueeze(weight, 1), 0.0));
}

// The weights of the places near p along one dim, and how far these are from floor(p).
struct Near {
    std::vector<Tensor> weights;
    int first = 0;
};

// For t behind the point: of the places at t + 1, t, 1 - t and 2 - t from it.
Near four(const Tensor& t) {
    return {{cubic::far(add(t, 1.0)), cubic::near(t), cubic::near(sub(1.0, t)),
             cubic::far(sub(2.0, t))},
            -1};
}

// The sum over the 2 or 4 places of each dim, all with all.
Tensor blended(const Grid& g) {
    const std::size_t dims = g.sizes.size();
    const bool by_cubic = g.options.mode == "bicubic";
    std::vector<Tensor> floors;
    std::vector<Near> near;
    for (const Tensor& p : g.points) {
        floors.push_back(floor(p.detach()));
        const Tensor t = sub(p, floors.back());
        near.push_back(by_cubic ? four(t) : Near{{sub(1.0, t), t}, 0});
    }
    const std::size_t taps = near[0].weights.size();
    std::size_t count = 1;
    for (std::size_t d = 0; d < dims; ++d) count *= taps;
    Tensor y;
    for (std::size_t k = 0; k < count; ++k) {
        std::vector<Tensor> places(dims);
        Tensor weight;
        std::size_t rest = k;
        for (std::size_t d = dims; d-- > 0; rest /= taps) {
            const std::size_t tap = rest % taps;
            const Tensor place = add(floors[d], static_cast<double>(tap) + near[d].first);
            places[d] = by_cubic ? padded(g, d, place) : place;
            weight = weight.defined() ? mul(weight, near[d].weights[tap]) : near[d].weights[tap];
        }
        const Tensor part = weighted(g, places, weight);
        y = add(y.defined() ? Arg(y) : Arg(0.0), part);
    }
    return y;
}

void check_sampling(const Tensor& x, const Tensor& grid, const Sampling& o) {
    const char* op = "grid_sample";
    if (o.mode != "bilinear" && o.mode != "nearest" && o.mode != "bicubic")
        fail(ErrorKind::value, op, ": mode is 'bilinear', 'nearest' or 'bicubic', not '", o.mode,
             "'");
    if (o.padding_mode != "zeros" && o.padding_mode != "border" && o.padding_mode != "reflection")
        fail(ErrorKind::value, op, ": padding_mode is 'zeros', 'border' or 'reflection', not '",
             o.padding_mode, "'");
    const bool fits = (x.dims() == 4 || x.dims() == 5) && grid.dims() == x.dims();
    if (!fits || known_size(op, grid, grid.dims() - 1) != x.dims() - 2)
        fail(ErrorKind::runtime, op, ": input ", text(x.shape()), " and grid ", text(grid.shape()),
             " must be (N, C, H, W) and (N, h, w, 2), or (N, C, D, H, W) and (N, d, h, w, 3)");
    if (known_size(op, x, 0) != known_size(op, grid, 0))
        fail(ErrorKind::runtime, op, ": input ", text(x.shape()), " has ", x.size(0),
             " images, and grid ", text(grid.shape()), " points for ", grid.size(0));
    if (!is_floating(x.dtype()) || x.dtype() != grid.dtype())
        fail(ErrorKind::runtime, op, ": input is ", name_of(x.dtype()), " and grid ",
             name_of(grid.dtype()), "; both must be of one floating dtype");
    if (o.mode == "bicubic" && x.dims() != 4)
        fail(ErrorKind::runtime, op, ": mode 'bicubic' is for an input (N, C, H, W), not ",
             text(x.shape()));
    for (int d = 2; d < x.dims(); ++d)
        if (known_size(op, x, d) == 0)
            fail(ErrorKind::runtime, op, ": input ", text(x.shape()), " is empty in dim ", d);
}

}  // namespace

Tensor grid_sample(const Arg& x, const Arg& grid, const Sampling& options) {
    const Here here(x.where, "grid_sample");
    check_sampling(x.tensor, grid.tensor, options);
    if (is_low(x)) return rounded(grid_sample(widened(x), widened(grid), options), x);
    const Tensor& image = x.tensor;
    const int dims = image.dims() - 2;
    Grid g{options, {}, flatten(image, 2, -1), {}};
    Dims out{known_size("grid_sample", image, 0), known_size("grid_sample", image, 1)};
    for (int d = 0; d < dims; ++d) {
        g.sizes.push_back(image.size(2 + d));
        out.push_back(known_size("grid_sample", grid.tensor, 1 + d));
        const Tensor p = flatten(select(grid, -1, dims - 1 - d), 1, -1);
        const Tensor place = unscaled(p, g.sizes.back(), options.align_corners);
        const bool at_once = options.mode != "bicubic";
        g.points.push_back(at_once ? padded(g, static_cast<std::size_t>(d), place) : place);
    }
    if (options.mode != "nearest") return reshape(blended(g), out);
    for (Tensor& p : g.points) p = round(p);
    // The gradient of the points is there, and 0.
    return reshape(weighted(g, g.points, add(mul(g.points[0], 0.0), 1.0)), out);
}

// The points of the identity, with a 1 behind them, times theta^T.
Tensor affine_grid(const Arg& theta, const Dims& size, bool align_corners) {
    const Here here(theta.where, "affine_grid");
    const Tensor& t = theta.tensor;
    const int dims = size.size() - 2;
    if (dims != 2 && dims != 3)
        fail(ErrorKind::unsupported, "affine_grid: size ", text(size),
             " must be (N, C, H, W) or (N, C, D, H, W)");
    if (!is_floating(t.dtype()) || t.shape() != Dims{size[0], dims, dims + 1})
        fail(ErrorKind::value, "affine_grid: theta ", text(t.shape()), " of ", name_of(t.dtype()),
             " must be ", text(Dims{size[0], dims, dims + 1}), " of a floating dtype, for size ",
             text(size));
    for (std::int64_t n : size)
        if (n < 1) fail(ErrorKind::value, "affine_grid: size ", text(size), " is not above 0");
    if (is_low(theta)) return rounded(affine_grid(widened(theta), size, align_corners), theta);
    std::vector<Tensor> parts;
    Dims points;
    for (int d = 0; d < dims; ++d) points.push_back(size[2 + d]);
    for (int d = dims; d-- > 0;) {
        const std::int64_t n = points[d];
        std::vector<double> at;
        for (std::int64_t i = 0; i < n; ++i) {
            const double place = static_cast<double>(2 * i + 1 - n);
            at.push_back(place /
                         static_cast<double>(align_corners ? std::max(n - 1, std::int64_t{1}) : n));
        }
        Dims along = Dims::of(dims, 1);
        along[d] = n;
        parts.push_back(expand(reshape(listed(at, t), along), points));
    }
    parts.push_back(ones_like(parts[0]));
    const Tensor base = flatten(stack(parts, -1), 0, -2);  // (H W, 3), or (D H W, 4)
    Dims out{size[0]};
    for (std::int64_t n : points) out.push_back(n);
    out.push_back(dims);
    return reshape(matmul(base, transpose(theta, 1, 2)), out);
}

}  // namespace tg
