// interpolate, one dim after the other: an output place lies at a point of the input, and takes the
// numbers of the places near it with weights. And pixel_shuffle, which only moves numbers.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/low_precision.h"
#include "core/ops/cubic.h"
#include "core/ops/listed.h"
#include "core/ops/windows.h"

namespace tg {
namespace {

enum class Mode { nearest, exact, linear, cubic, area };

// The places of a dim are worked out one by one; an image is never so long.
constexpr std::int64_t largest_size = std::int64_t{1} << 26;

struct Asked {
    const char* op = "interpolate";
    Mode mode = Mode::nearest;
    bool corners = false;
    std::vector<std::int64_t> size;
    std::vector<double> factor;  // 0: from the sizes
};

double by_cubic(double d) { return d <= 1 ? cubic::near(d) : cubic::far(d); }

struct Taps {
    std::vector<std::vector<std::int64_t>> places;  // by tap, of each output place
    std::vector<std::vector<double>> weights;
};

// Where the output places of one dim of `from` numbers take theirs from, in T's exactness: that of
// x, for a rounding decides which number is the nearest.
template <class T>
Taps taps_of(const Asked& a, std::int64_t from, std::int64_t to, double factor) {
    const T given = static_cast<T>(factor > 0 ? 1 / factor : 0);
    T scale = factor > 0 ? given : static_cast<T>(from) / static_cast<T>(to);
    if (a.corners && a.mode >= Mode::linear)
        scale = to > 1 ? static_cast<T>(from - 1) / static_cast<T>(to - 1) : T{0};
    const int count = a.mode == Mode::linear ? 2 : a.mode == Mode::cubic ? 4 : 1;
    Taps taps{std::vector<std::vector<std::int64_t>>(static_cast<std::size_t>(count)),
              std::vector<std::vector<double>>(static_cast<std::size_t>(count))};
    for (std::int64_t i = 0; i < to; ++i) {
        const T at = static_cast<T>(i);
        T point = a.mode == Mode::nearest ? at * scale : (at + T(0.5)) * scale;
        if (a.mode >= Mode::linear) point = a.corners ? at * scale : point - T(0.5);
        if (a.mode == Mode::linear && point < 0) point = 0;
        const T left = std::floor(point);
        const T beyond = point - left;
        for (int k = 0; k < count; ++k) {
            const int step = a.mode == Mode::cubic ? k - 1 : k;
            const std::int64_t place = static_cast<std::int64_t>(left) + step;
            const double away = std::abs(static_cast<double>(beyond) - step);
            const auto tap = static_cast<std::size_t>(k);
            taps.places[tap].push_back(std::min(std::max<std::int64_t>(place, 0), from - 1));
            taps.weights[tap].push_back(a.mode == Mode::cubic ? by_cubic(away) : 1 - away);
        }
    }
    return taps;
}

// One dim: y_i = sum over the taps k of w_ki x[place_ki]
Tensor resized(const Asked& a, const Tensor& x, int dim, std::int64_t to, double factor) {
    const std::int64_t from = x.shape()[dim];
    const Taps taps = x.dtype() == DType::float64 ? taps_of<double>(a, from, to, factor)
                                                  : taps_of<float>(a, from, to, factor);
    Dims along = Dims::of(x.dims() - dim, 1);
    along[0] = to;
    Tensor y;
    for (std::size_t k = 0; k < taps.places.size(); ++k) {
        const Tensor found = index_select(x, dim, listed(taps.places[k], x));
        if (taps.places.size() == 1) return found;
        const Tensor part = mul(found, reshape(listed(taps.weights[k], x), along));
        y = y.defined() ? add(y, part) : part;
    }
    return y;
}

Mode mode_of(const std::string& name, int dims) {
    if (name == "nearest") return Mode::nearest;
    if (name == "nearest-exact") return Mode::exact;
    if (name == "area") return Mode::area;
    const char* linear[] = {"linear", "bilinear", "trilinear"};
    for (int d = 1; d <= 3; ++d)
        if (name == linear[d - 1] && dims == d) return Mode::linear;
    if (name == "bicubic" && dims == 2) return Mode::cubic;
    const bool known = name == "bicubic" || std::find(linear, linear + 3, name) != linear + 3;
    if (known)
        fail(ErrorKind::unsupported, "interpolate: mode '", name, "' is not for an input with ",
             dims, dims == 1 ? " dim" : " dims",
             " but N and C; of 1 there is linear, of 2 bilinear and bicubic, of 3 trilinear");
    fail(ErrorKind::unsupported, "interpolate: mode is '", name,
         "'; there are nearest, nearest-exact, linear, bilinear, bicubic, trilinear and area");
}

template <class T>
T of_dim(const std::vector<T>& given, int dims, int d, const char* what) {
    if (given.size() != 1 && given.size() != static_cast<std::size_t>(dims))
        fail(ErrorKind::value, "interpolate: ", what, " has ", given.size(),
             " numbers, and needs one, or one for each of the ", dims, " dims after N and C");
    return given[given.size() == 1 ? 0 : static_cast<std::size_t>(d)];
}

Asked checked(const Tensor& x, const Interpolation& o) {
    Asked a;
    const int dims = x.dims() - 2;
    if (dims < 1 || dims > 3)
        fail(ErrorKind::unsupported, a.op, ": input ", text(x.shape()),
             " must be (N, C, L), (N, C, H, W) or (N, C, D, H, W)");
    a.mode = mode_of(o.mode, dims);
    if (o.align_corners && a.mode != Mode::linear && a.mode != Mode::cubic)
        fail(ErrorKind::value, a.op, ": align_corners is for linear and cubic modes, and mode is '",
             o.mode, "'");
    a.corners = o.align_corners.value_or(false);
    if (o.size.empty() == o.scale_factor.empty())
        fail(ErrorKind::value, a.op, ": give size or scale_factor, and not both");
    if (o.recompute_scale_factor && !o.size.empty())
        fail(ErrorKind::value, a.op, ": recompute_scale_factor is for a scale_factor, not a size");
    if (a.mode >= Mode::linear && !is_floating(x.dtype()))
        fail(ErrorKind::unsupported, a.op, ": mode '", o.mode, "' needs a floating dtype, and ",
             "input is ", name_of(x.dtype()), "; cast it first");
    for (int d = 0; d < dims; ++d) {
        const std::int64_t from = known_size(a.op, x, 2 + d);
        double factor = 0;
        if (!o.size.empty()) {
            a.size.push_back(of_dim(o.size, dims, d, "size"));
        } else {
            factor = of_dim(o.scale_factor, dims, d, "scale_factor");
            const double size = std::floor(static_cast<double>(from) * factor);
            a.size.push_back(size >= 1 && size < 1e15 ? static_cast<std::int64_t>(size) : 0);
        }
        a.factor.push_back(o.recompute_scale_factor ? 0 : factor);
        if (a.size.back() > largest_size)
            fail(ErrorKind::memory, a.op, ": a size of ", a.size.back(), " is more than ",
                 largest_size);
        if (a.size.back() < 1 || from < 1)
            fail(ErrorKind::runtime, a.op, ": dim ", 2 + d, " of input ", text(x.shape()),
                 " would become ", a.size.back(), "; both sizes must be above 0");
    }
    return a;
}

Tensor of_areas(const Asked& a, const Tensor& x) {
    if (x.dims() == 3) return adaptive_avg_pool1d(x, a.size[0]);
    if (x.dims() == 4) return adaptive_avg_pool2d(x, {a.size[0], a.size[1]});
    fail(ErrorKind::unsupported, a.op, ": mode 'area' is for 1 or 2 dims after N and C");
}

void check_factor(const char* op, const Arg& x, std::int64_t factor) {
    if (x.tensor.dims() < 3)
        fail(ErrorKind::runtime, op, ": input ", text(x.tensor.shape()), " must be (..., C, H, W)");
    if (factor < 1 || factor > largest_step)
        fail(ErrorKind::runtime, op, ": the factor is ", factor, ", and must be above 0");
}

}  // namespace

Tensor interpolate(const Arg& x, const Interpolation& options) {
    const Here here(x.where, "interpolate");
    const Asked a = checked(x.tensor, options);
    if (is_low(x)) return rounded(interpolate(widened(x), options), x);
    if (a.mode == Mode::area) return of_areas(a, x.tensor);
    Tensor y = x.tensor;
    for (std::size_t d = 0; d < a.size.size(); ++d)
        y = resized(a, y, 2 + static_cast<int>(d), a.size[d], a.factor[d]);
    return y;
}

// y[c, h r + i, w r + j] = x[c r r + i r + j, h, w]
Tensor pixel_shuffle(const Arg& x, std::int64_t factor) {
    const Here here(x.where, "pixel_shuffle");
    check_factor("pixel_shuffle", x, factor);
    const int c = x.tensor.dims() - 3;
    const std::int64_t channels = known_size("pixel_shuffle", x.tensor, c);
    if (channels % (factor * factor) != 0)
        fail(ErrorKind::runtime, "pixel_shuffle: dim ", c, " of input ", text(x.tensor.shape()),
             " is ", channels, ", no multiple of ", factor, "^2");
    const Tensor apart = unflatten(x, c, {channels / (factor * factor), factor, factor});
    // C i j H W -> C H i W j
    const Tensor moved = movedim(apart, {c + 3, c + 1, c + 4, c + 2}, {c + 1, c + 2, c + 3, c + 4});
    return flatten(flatten(moved, c + 3, c + 4), c + 1, c + 2);
}

Tensor pixel_unshuffle(const Arg& x, std::int64_t factor) {
    const Here here(x.where, "pixel_unshuffle");
    check_factor("pixel_unshuffle", x, factor);
    const int c = x.tensor.dims() - 3;
    const std::int64_t height = known_size("pixel_unshuffle", x.tensor, c + 1);
    const std::int64_t width = known_size("pixel_unshuffle", x.tensor, c + 2);
    if (height % factor != 0 || width % factor != 0)
        fail(ErrorKind::runtime, "pixel_unshuffle: input ", text(x.tensor.shape()),
             " has a height or width that is no multiple of ", factor);
    const Tensor apart =
        unflatten(unflatten(x, c + 2, {width / factor, factor}), c + 1, {height / factor, factor});
    // C H i W j -> C i j H W
    const Tensor moved = movedim(apart, {c + 2, c + 4, c + 1, c + 3}, {c + 1, c + 2, c + 3, c + 4});
    return flatten(moved, c, c + 2);
}

}  // namespace tg
