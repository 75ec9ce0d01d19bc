// unfold and fold: windows as columns, and columns added up again. Both are linear, and each is the
// other's gradient: the one reads the places of an image, as one row, that the other adds to.
#include <vector>

#include "core/ops/listed.h"
#include "core/ops/windows.h"

namespace tg {
namespace {

struct Asked {
    const char* op;
    Dims kernel, dilation, padding, stride;
    Dims count = Dims::of(2, 0), padded = Dims::of(2, 0);

    Asked(const char* name, const Columns& o)
        : op(name),
          kernel(one_each(name, "kernel_size", o.kernel, 2, 1)),
          dilation(one_each(name, "dilation", o.dilation, 2, 1)),
          padding(one_each(name, "padding", o.padding, 2, 0)),
          stride(one_each(name, "stride", o.stride, 2, 1)) {}

    void fit(std::int64_t height, std::int64_t width) {
        const Dims size{height, width};
        for (int d = 0; d < 2; ++d) {
            const std::int64_t span = dilation[d] * (kernel[d] - 1) + 1;
            padded[d] = size[d] + 2 * padding[d];
            count[d] = windows_in(size[d], padding[d], span, stride[d]);
            if (count[d] < 1)
                fail(ErrorKind::runtime, op, ": a window spans ", span, " in dim ", d - 2,
                     ", more than an image of ", text(size), " with padding ", text(padding),
                     " has");
        }
    }

    // Of each tap (a, b) and window (i, j), in this order: its place in the padded image.
    Tensor places(const Tensor& beside) const {
        std::vector<std::int64_t> list;
        for (std::int64_t a = 0; a < kernel[0]; ++a)
            for (std::int64_t b = 0; b < kernel[1]; ++b)
                for (std::int64_t i = 0; i < count[0]; ++i)
                    for (std::int64_t j = 0; j < count[1]; ++j)
                        list.push_back((i * stride[0] + a * dilation[0]) * padded[1] +
                                       j * stride[1] + b * dilation[1]);
        return listed(list, beside);
    }
    std::int64_t windows() const { return count[0] * count[1]; }
    std::int64_t taps() const { return kernel[0] * kernel[1]; }
};

}  // namespace

Tensor unfold(const Arg& x, const Columns& options) {
    const Here here(x.where, "unfold");
    Asked a("unfold", options);
    const Tensor images = batched(a.op, x.tensor, 4);
    a.fit(known_size(a.op, images, 2), known_size(a.op, images, 3));
    const std::int64_t channels = known_size(a.op, images, 1);
    const Tensor wide = pad(images, {a.padding[1], a.padding[1], a.padding[0], a.padding[0]});
    const Tensor found = index_select(flatten(wide, 2, 3), 2, a.places(images));
    const Tensor columns = reshape(found, {images.shape()[0], channels * a.taps(), a.windows()});
    return x.tensor.dims() == 3 ? squeeze(columns, 0) : columns;
}

Tensor fold(const Arg& columns, const Dims& size, const Columns& options) {
    const Here here(columns.where, "fold");
    Asked a("fold", options);
    const Dims image = one_each(a.op, "output_size", size, 2, 1);
    a.fit(image[0], image[1]);
    const Dims& given = columns.tensor.shape();
    if (given.size() != 2 && given.size() != 3)
        fail(ErrorKind::runtime, a.op, ": input ", text(given),
             " must be (N, C A B, L) or (C A B, L)");
    const Tensor x = given.size() == 3 ? columns.tensor : unsqueeze(columns, 0);
    const std::int64_t rows = known_size(a.op, x, 0), taps = known_size(a.op, x, 1);
    if (taps % a.taps() != 0 || (x.shape()[2] != a.windows() && !is_unknown(x.shape()[2])))
        fail(ErrorKind::runtime, a.op, ": input ", text(given), " must have a multiple of ",
             a.taps(), " numbers for each of ", a.windows(), " windows, which an output_size of ",
             text(image), " has");
    const std::int64_t channels = taps / a.taps();
    const Tensor none =
        zeros({rows, channels, a.padded[0] * a.padded[1]}, {x.dtype(), columns.tensor.device()});
    const Tensor flat = reshape(x, {rows, channels, a.taps() * a.windows()});
    const Tensor sums =
        reshape(index_add(none, 2, a.places(x), flat), {rows, channels, a.padded[0], a.padded[1]});
    const Tensor y = slice(slice(sums, 2, a.padding[0], a.padding[0] + image[0]), 3, a.padding[1],
                           a.padding[1] + image[1]);
    return contiguous(given.size() == 2 ? squeeze(y, 0) : y);
}

}  // namespace tg
