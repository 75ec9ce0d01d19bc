// Transposes: (A B)^T = B^T A^T, number for number: each element is the same sum of products in
// the same order. A layer's weight W is used as W^T, so its gradient arrives as (x^T g)^T, and
// whoever keeps it has to copy it into order; written as g^T x it is in order from the start.
// Two permutes in a row become one, or none.
#include "core/ops/structural.h"
#include "graph/passes/passes.h"

namespace tg {
namespace {

const Op* permute_op() {
    static const Op* const op = find_op("permute");
    return op;
}

const Op* matmul_op() {
    static const Op* const op = find_op("matmul");
    return op;
}

bool is_identity(const Dims& order) {
    for (int d = 0; d < order.size(); ++d)
        if (order[d] != d) return false;
    return true;
}

struct Rewriter {
    const Program& from;
    Program& to;
    std::vector<int> stands_for;  // by value: the one to use instead
    std::vector<int> maker;       // by value: its line in `to`, or -1
    std::vector<int> uses;        // by value, in `from`

    Rewriter(const Program& program, Program& result)
        : from(program), to(result), maker(program.values.size(), -1), uses(program.values.size()) {
        for (int v = 0; v < static_cast<int>(program.values.size()); ++v) stands_for.push_back(v);
        for (const Line& line : program.lines)
            for (const Operand& in : line.in)
                if (in.value >= 0) ++uses[static_cast<std::size_t>(in.value)];
        for (int output : program.outputs) ++uses[static_cast<std::size_t>(output)];
    }

    const Line* made_by(int value, const Op* op) const {
        const int l = maker[static_cast<std::size_t>(value)];
        if (l < 0 || to.lines[static_cast<std::size_t>(l)].op != op) return nullptr;
        return &to.lines[static_cast<std::size_t>(l)];
    }

    void add(Line line) {
        for (int out : line.out)
            maker[static_cast<std::size_t>(out)] = static_cast<int>(to.lines.size());
        to.lines.push_back(std::move(line));
    }

    // The value with its two dims exchanged, by an earlier line if there is one.
    int turned(int value, const Line& asked) {
        if (const Line* line = made_by(value, permute_op())) return line->in[0].value;
        Desc desc = to.values[static_cast<std::size_t>(value)];
        std::swap(desc.shape[0], desc.shape[1]);
        Line line = asked;
        line.in[0].value = value;
        line.out[0] = static_cast<int>(to.values.size());
        to.values.push_back(desc);
        maker.push_back(-1);
        add(line);
        return line.out[0];
    }

    bool turn_product(const Line& permute) {
        const int value = permute.in[0].value;
        const Line* product = made_by(value, matmul_op());
        if (!product || from.values[static_cast<std::size_t>(value)].shape.size() != 2)
            return false;
        if (uses[static_cast<std::size_t>(value)] != 1) return false;
        const int a = product->in[0].value;
        const int b = product->in[1].value;
        if (to.values[static_cast<std::size_t>(a)].shape.size() != 2 ||
            to.values[static_cast<std::size_t>(b)].shape.size() != 2)
            return false;
        Line line = *product;
        line.in[0].value = turned(b, permute);
        line.in[1].value = turned(a, permute);
        line.out = permute.out;
        line.where = permute.where;
        add(line);
        return true;
    }

    void visit(Line line) {
        for (Operand& in : line.in)
            if (in.value >= 0) in.value = stands_for[static_cast<std::size_t>(in.value)];
        if (line.op != permute_op()) return add(std::move(line));
        if (const Line* before = made_by(line.in[0].value, permute_op())) {
            const Dims& inner = before->attrs.dims(0);
            Dims order = line.attrs.dims(0);
            for (std::int64_t& d : order) d = inner[static_cast<int>(d)];
            line.in[0] = before->in[0];
            line.attrs = {Attr{order}};
        }
        if (is_identity(line.attrs.dims(0))) {
            stands_for[static_cast<std::size_t>(line.out[0])] = line.in[0].value;
        } else if (!turn_product(line)) {
            add(std::move(line));
        }
    }
};

Ref<Program> run(const Program& program) {
    Ref<Program> result = make<Program>(program);
    result->lines.clear();
    Rewriter rewriter(program, *result);
    for (const Line& line : program.lines) rewriter.visit(line);
    for (int& output : result->outputs)
        output = rewriter.stands_for[static_cast<std::size_t>(output)];
    return result;
}

}  // namespace

const Pass turn_products = {
    .name = "transpose", .run = run, .what = "a transposed product is computed in that order"};

}  // namespace tg
