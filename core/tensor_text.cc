// How a tensor prints: PyTorch's layout and rounding.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/ops.h"
#include "core/recording.h"

namespace tg {
namespace {

constexpr int edge = 3;  // shown at each end of a long dim
constexpr std::int64_t summarised_above = 1000;
constexpr int precision = 4;
constexpr int line_width = 80;

// The numbers on the host, in row-major order.
struct Numbers {
    Dims shape;
    DType dtype = DType::float32;
    std::vector<double> real;
    std::vector<std::int64_t> integer;
};

Numbers numbers_of(const Tensor& tensor) {
    const RecordingScope now(nullptr);
    const NoGrad mode;
    const Tensor host = to(tensor.detach(), Device::cpu);
    Numbers n;
    n.shape = host.shape();
    n.dtype = host.dtype();
    const Tensor wide =
        contiguous(cast(host, is_floating(n.dtype) ? DType::float64 : DType::int64));
    const auto count = static_cast<std::size_t>(wide.numel());
    if (is_floating(n.dtype))
        n.real.assign(static_cast<const double*>(wide.data()),
                      static_cast<const double*>(wide.data()) + count);
    else
        n.integer.assign(static_cast<const std::int64_t*>(wide.data()),
                         static_cast<const std::int64_t*>(wide.data()) + count);
    return n;
}

// The places that are shown: all, or the edges of each dim.
void shown(const Numbers& n, bool summary, int dim, std::int64_t at,
           std::vector<std::int64_t>& out) {
    if (dim == n.shape.size()) return out.push_back(at);
    const std::int64_t size = n.shape[dim];
    for (std::int64_t i = 0; i < size; ++i) {
        if (summary && size > 2 * edge && i == edge) i = size - edge;
        shown(n, summary, dim + 1, at * size + i, out);
    }
}

std::string formatted(const char* format, int digits, double v) {
    char buffer[400];
    std::snprintf(buffer, sizeof buffer, format, digits, v);
    return buffer;
}

// How all the floats of one tensor are written: as whole numbers, with four digits, or with
// exponents where their sizes differ too much.
struct Style {
    bool whole = true;
    bool scientific = false;

    Style(const Numbers& n, const std::vector<std::int64_t>& places) {
        double low = INFINITY, high = 0;
        for (std::int64_t p : places) {
            const double v = std::fabs(n.real[static_cast<std::size_t>(p)]);
            if (!std::isfinite(v)) continue;
            whole = whole && v == std::floor(v);
            if (v == 0) continue;
            low = std::min(low, v);
            high = std::max(high, v);
        }
        if (high == 0) return;
        scientific =
            whole ? high / low > 1000 && high > 1e8 : high / low > 1000 || high > 1e8 || low < 1e-4;
        if (whole && high > 1e8) scientific = true;
    }

    std::string text(double v) const {
        if (std::isnan(v)) return "nan";
        if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
        if (scientific) return formatted("%.*e", precision, v);
        if (whole) return formatted("%.*f", 0, v) + ".";
        return formatted("%.*f", precision, v);
    }
};

struct Printer {
    const Numbers& n;
    bool summary;
    std::size_t width = 0;
    std::vector<std::string> cells;  // by place; "" if it is not shown

    Printer(const Numbers& numbers, bool summarise) : n(numbers), summary(summarise) {
        std::vector<std::int64_t> places;
        shown(n, summary, 0, 0, places);
        const bool floating = is_floating(n.dtype);
        const Style style = floating ? Style(n, places) : Style({}, {});
        cells.resize(floating ? n.real.size() : n.integer.size());
        for (std::int64_t p : places) {
            const auto i = static_cast<std::size_t>(p);
            cells[i] = floating                    ? style.text(n.real[i])
                       : n.dtype == DType::boolean ? (n.integer[i] ? "True" : "False")
                                                   : std::to_string(n.integer[i]);
            width = std::max(width, cells[i].size());
        }
    }

    std::string row(std::int64_t at, int indent) const {
        const std::int64_t size = n.shape[n.shape.size() - 1];
        const auto per_line =
            std::max<std::int64_t>(1, (line_width - indent) / static_cast<std::int64_t>(width + 2));
        std::string s = "[";
        std::int64_t column = 0;
        for (std::int64_t i = 0; i < size; ++i, ++column) {
            if (i > 0)
                s += column % per_line == 0
                         ? ",\n" + std::string(static_cast<std::size_t>(indent) + 1, ' ')
                         : ", ";
            if (summary && size > 2 * edge && i == edge) {
                s += "...";
                i = size - edge - 1;
                continue;
            }
            const std::string& cell = cells[static_cast<std::size_t>(at * size + i)];
            s += std::string(width - cell.size(), ' ') + cell;
        }
        return s + "]";
    }

    std::string block(int dim, std::int64_t at, int indent) const {
        if (n.shape.empty()) return cells[0];
        if (dim == n.shape.size() - 1) return row(at, indent);
        const std::string gap =
            "," + std::string(static_cast<std::size_t>(n.shape.size() - dim - 1), '\n') +
            std::string(static_cast<std::size_t>(indent) + 1, ' ');
        std::string s = "[";
        const std::int64_t size = n.shape[dim];
        for (std::int64_t i = 0; i < size; ++i) {
            if (i > 0) s += gap;
            if (summary && size > 2 * edge && i == edge) {
                s += "...";
                i = size - edge - 1;
                continue;
            }
            s += block(dim + 1, at * size + i, indent + 1);
        }
        return s + "]";
    }
};

std::string suffix(const Tensor& t) {
    std::string s;
    if (t.device() != Device::cpu) s += ", device='" + std::string(name_of(t.device())) + ":0'";
    const DType d = t.dtype();
    if (t.numel() == 0 && t.dims() != 1) s += ", size=" + text(t.shape());
    const bool plain =
        d == default_dtype() || d == DType::boolean || (d == DType::int64 && t.numel() > 0);
    if (!plain) s += ", dtype=" + std::string(name_of(d));
    const Handle& h = t.handle();
    if (t.requires_grad())
        s += t.is_leaf() || !h.history->now
                 ? ", requires_grad=True"
                 : ", grad_fn=<" + std::string((h.seen ? h.seen : h.history->now).node->op->name) +
                       ">";
    return s;
}

}  // namespace

std::string text(const Tensor& tensor) {
    if (!tensor.defined()) return "tensor(undefined)";
    if (tensor.is_symbolic()) {
        const Value& seen = tensor.handle().seen;
        return "tensor(symbolic, shape=" + text(tensor.shape()) +
               ", dtype=" + name_of(tensor.dtype()) +
               (seen && seen.node->where ? ", made at " + text(seen.node->where) : "") + ")";
    }
    const Numbers n = numbers_of(tensor);
    const bool empty = tensor.numel() == 0;
    const std::string body =
        empty ? "[]" : Printer(n, tensor.numel() > summarised_above).block(0, 0, 7);
    return "tensor(" + body + suffix(tensor) + ")";
}

}  // namespace tg
