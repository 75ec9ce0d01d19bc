#include "core/ops/windows.h"

namespace tg {

Dims one_each(const char* op, const char* what, const Dims& given, int n, std::int64_t least) {
    if (given.size() != 1 && given.size() != n)
        fail(ErrorKind::runtime, op, ": ", what, " ", text(given), " is neither one number nor ",
             n);
    Dims each;
    for (int d = 0; d < n; ++d) {
        each.push_back(given[given.size() == 1 ? 0 : d]);
        if (each[d] < least || each[d] > largest_step)
            fail(ErrorKind::runtime, op, ": ", what, " ", text(given), " must be at least ", least,
                 " and at most ", largest_step);
    }
    return each;
}

std::int64_t windows_in(std::int64_t size, std::int64_t padding, std::int64_t span,
                        std::int64_t stride, bool ceil_mode) {
    const std::int64_t room = size + 2 * padding - span + (ceil_mode ? stride - 1 : 0);
    if (room < 0) return 0;
    std::int64_t n = room / stride + 1;
    if (ceil_mode && (n - 1) * stride >= size + padding) --n;  // all of it beyond the image
    return n;
}

void check_pair(const Op& op, const char* what, const Dims& pair, std::int64_t least) {
    bool good = pair.size() == 2;
    for (std::int64_t n : pair) good = good && n >= least && n <= largest_step;
    if (!good)
        fail(ErrorKind::value, op.name, ": ", what, " is ", text(pair),
             ", and must be two numbers, at least ", least, " and at most ", largest_step);
}

void check_size(const Op& op, const Dims& size) {
    bool good = size.size() == 2;
    for (std::int64_t n : size) good = good && (n >= 0 || is_unknown(n));
    if (!good) fail(ErrorKind::value, op.name, ": size is ", text(size), ", and must be two sizes");
}

void check_image(const Op& op, const Desc& desc) {
    if (desc.shape.size() != 4)
        fail(ErrorKind::value, op.name, ": ", text(desc), " has not four dims");
}

Tensor batched(const char* op, const Tensor& x, int dims) {
    if (x.dims() == dims) return x;
    if (x.dims() != dims - 1)
        fail(ErrorKind::runtime, op, ": input ", text(x.shape()), " has ", x.dims(),
             x.dims() == 1 ? " dim" : " dims", "; it is (N, C, ", dims == 3 ? "L" : "H, W",
             ") or without N");
    return unsqueeze(x, 0);
}

}  // namespace tg
