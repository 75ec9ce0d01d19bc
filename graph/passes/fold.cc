// Constant folding: a line that works on constants and numbers only makes the same value at every
// run, so it is computed now and a constant takes its place. Large values are left to be computed:
// a program should not grow by megabytes to save a fill.
#include <cstring>

#include "core/ops.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "graph/execute_line.h"
#include "graph/passes/passes.h"

namespace tg {
namespace {

constexpr std::int64_t most_bytes = 64 << 10;

bool can_fold(const Program& program, const Line& line, const std::vector<Tensor>& known) {
    const Op& op = *line.op;
    if (!op.folds || op.random || op.reads_state || op.writes_state) return false;
    for (const Operand& in : line.in)
        if (in.value >= 0 && !known[static_cast<std::size_t>(in.value)].defined()) return false;
    for (int out : line.out) {
        const Desc& d = program.values[static_cast<std::size_t>(out)];
        if (any_unknown(d.shape) || d.device != Device::cpu) return false;
        if (element_count(d.shape) * size_of(d.dtype) > most_bytes) return false;
    }
    return true;
}

// One number that fills the tensor reads better than all its bytes.
bool is_filled(const Tensor& tensor) {
    const auto size = static_cast<std::size_t>(size_of(tensor.dtype()));
    const auto* bytes = static_cast<const char*>(tensor.data());
    for (std::int64_t i = 1; i < tensor.numel(); ++i)
        if (std::memcmp(bytes, bytes + static_cast<std::size_t>(i) * size, size) != 0) return false;
    const Scalar first = tensor.numel() > 0 ? reshape(tensor, {-1})[0].item_scalar() : Scalar(0);
    return first == first;  // a NaN has bits of its own
}

Line filled_line(const Line& from, int value, const Tensor& tensor) {
    static const Op* const full = find_op("full");
    const Scalar v = tensor.numel() > 0 ? reshape(tensor, {-1})[0].item_scalar() : Scalar(0);
    Line line;
    line.op = full;
    line.attrs = Attrs{Attr{tensor.shape()}, Attr{tensor.dtype()}, Attr{std::int64_t{0}},
                       is_floating(v.dtype) ? Attr{v.real} : Attr{v.integer}};
    line.out.push_back(value);
    line.where = from.where;
    return line;
}

Line constant_line(const Line& from, int value, const Tensor& tensor) {
    if (is_filled(tensor)) return filled_line(from, value, tensor);
    static const Op* const constant = find_op("constant");
    const auto bytes = static_cast<std::size_t>(tensor.numel() * size_of(tensor.dtype()));
    Line line;
    line.op = constant;
    line.attrs = Attrs{Attr{tensor.shape()}, Attr{tensor.dtype()},
                       Attr{std::string(static_cast<const char*>(tensor.data()), bytes)}};
    line.out.push_back(value);
    line.where = from.where;
    return line;
}

Ref<Program> run(const Program& program) {
    const RecordingScope now(nullptr);  // passes run while a trace is still open
    Ref<Program> result = make<Program>(program);
    result->lines.clear();
    std::vector<Tensor> known(program.values.size());  // the values that are always the same
    for (const Line& line : program.lines) {
        const bool fixed = can_fold(program, line, known);
        if (fixed) run_line(program, line, known);
        if (!fixed || line.in.empty() || line.op->alias) {
            result->lines.push_back(line);
            continue;
        }
        for (int out : line.out)
            result->lines.push_back(constant_line(line, out, known[static_cast<std::size_t>(out)]));
    }
    return result;
}

}  // namespace

const Pass fold_constants = {
    .name = "fold", .run = run, .what = "lines on constants only are computed now"};

}  // namespace tg
