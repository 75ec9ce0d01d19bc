// Random programs as data: a list of steps over slots, and the tensors that they start from. The
// same list is interpreted on the tape and in a trace; fuzz_test.cc compares what comes out.
//
// A slot holds one tensor and never changes its shape, so that any step may be left out: what needs
// its slot is then left out too. Read next: fuzz_generate.h.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "core/ops.h"
#include "graph/compile.h"

namespace tg::fuzz {

// One op on slots. Its result is the next slot; a write's slot stays empty.
struct Step {
    std::string op;
    std::vector<int> in;
    std::vector<std::int64_t> ints;  // dims, a shape, bounds: as the op reads them
    double number = 0;
    bool no_grad = false;
};

// A tensor made before the function is called: an argument, or one that the function names itself.
enum class Form { whole, transposed, strided, expanded, view_of_leaf, computed, alias, same, part };
struct Source {
    Form form = Form::whole;
    Dims shape;
    DType dtype = DType::float32;
    bool argument = true;
    bool requires_grad = false;
    int of = -1;  // alias, same, part: the earlier source
};

struct FuzzProgram {
    std::uint64_t seed = 0;
    bool backward_inside = false;
    bool beside = false;  // the sources are also used before and after the call, and it comes twice
    std::size_t inside = 0;  // the steps behind these are taken on what the function returns
    std::vector<Source> sources;
    std::vector<Step> steps;
    std::vector<int> wanted;  // the slots whose weighted sum is the loss
};

struct World {
    std::vector<Tensor> sources;
    std::vector<Tensor> bases;  // the whole storages that may be written
    std::vector<Tensor> leaves;
    std::vector<Tensor> arguments;
};

inline std::uint64_t mixed(std::uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Numbers in (-2, 2) that float32 holds exactly, none very near to 0; small whole numbers if
// integral.
inline Tensor numbers(const Dims& shape, DType dtype, std::uint64_t seed) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < element_count(shape); ++i) {
        const std::uint64_t r = mixed(seed * 1000003u + static_cast<std::uint64_t>(i));
        float v = static_cast<float>(r % 4001) / 2048.0f;
        if (!is_floating(dtype)) v = static_cast<float>(r % 3);
        values.push_back(r & (1u << 20) && is_floating(dtype) ? -v - 0.125f : v + 0.125f);
    }
    return reshape(tensor(values, {.dtype = dtype}), shape);
}

inline Dims reversed(const Dims& shape) {
    Dims back;
    for (int d = shape.size() - 1; d >= 0; --d) back.push_back(shape[d]);
    return back;
}

// A tensor of the source's shape over a base of its own, which is kept in `w`.
inline Tensor laid_out(const Source& s, std::uint64_t seed, World& w) {
    Dims base = s.shape;
    if (s.form == Form::transposed || s.form == Form::view_of_leaf) base = reversed(s.shape);
    if (s.form == Form::strided) base[0] = 2 * base[0] + 1;
    if (s.form == Form::expanded) base[0] = 1;
    Tensor t = numbers(base, s.dtype, seed).clone();
    if (s.form == Form::view_of_leaf && s.requires_grad) {
        t.requires_grad_();
        w.leaves.push_back(t);
    }
    w.bases.push_back(t.detach());
    Dims order;
    for (int d = s.shape.size() - 1; d >= 0; --d) order.push_back(d);
    if (s.form == Form::transposed || s.form == Form::view_of_leaf) return permute(t, order);
    if (s.form == Form::strided) return slice(t, 0, 1, base[0], 2);
    if (s.form == Form::expanded) return expand(t, s.shape);
    return t;
}

inline World world_of(const FuzzProgram& p, DType dtype = DType::float32, double nudge = 0) {
    World w;
    for (std::size_t i = 0; i < p.sources.size(); ++i) {
        Source s = p.sources[i];
        if (is_floating(s.dtype) && dtype == DType::float64) s.dtype = dtype;
        Tensor t;
        const Tensor other = s.of < 0 ? Tensor{} : w.sources[static_cast<std::size_t>(s.of)];
        if (s.form == Form::alias)
            t = other.detach();
        else if (s.form == Form::same)
            t = other;
        else if (s.form == Form::part)
            t = slice(other, 0, 1, other.shape()[0]);
        else
            t = laid_out(s, p.seed * 31 + i, w);
        if (s.of < 0 && nudge != 0 && is_floating(s.dtype)) {
            const NoGrad mode;
            Tensor base = w.bases.back();
            base.mul_(1 + nudge);
        }
        const bool own = s.of < 0 && s.form != Form::view_of_leaf;
        if (own && s.requires_grad) {
            t.requires_grad_();
            w.leaves.push_back(t);
            if (s.form == Form::computed) t = t * 2;
        }
        w.sources.push_back(t);
        if (s.argument) w.arguments.push_back(t);
    }
    return w;
}

// ---- what a step does -------------------------------------------------------------------------

using Unary = Tensor (*)(const Arg&);
using Binary = Tensor (*)(const Arg&, const Arg&);

inline const std::map<std::string, Unary>& unary() {
    static const std::map<std::string, Unary> all = {{"neg", neg},
                                                     {"exp", exp},
                                                     {"log", log},
                                                     {"tanh", tanh},
                                                     {"sqrt", sqrt},
                                                     {"abs", abs},
                                                     {"sign", sign},
                                                     {"relu", relu},
                                                     {"clone", clone},
                                                     {"contiguous", contiguous},
                                                     {"logical_not", logical_not},
                                                     {"tan", tan},
                                                     {"atan", atan},
                                                     {"asinh", asinh},
                                                     {"exp2", exp2},
                                                     {"sinc", sinc},
                                                     {"signbit", signbit}};
    return all;
}

inline const std::map<std::string, Binary>& binary() {
    static const std::map<std::string, Binary> all = {
        {"add", add},         {"sub", sub},         {"mul", mul}, {"div", div},      {"pow", pow},
        {"maximum", maximum}, {"minimum", minimum}, {"eq", eq},   {"ne", ne},        {"lt", lt},
        {"le", le},           {"gt", gt},           {"ge", ge},   {"matmul", matmul}};
    return all;
}

inline Dims dims_from(const std::vector<std::int64_t>& ints, std::size_t from = 0) {
    return Dims(std::span(ints).subspan(from));
}

// x[:, ..., i, j]: after ints[0] dims that are left whole, the tensors from number `first` on.
inline Key key_from(const Step& s, const std::vector<Tensor>& in, std::size_t first) {
    Key key(static_cast<std::size_t>(s.ints[0]), Index(Slice{}));
    key.insert(key.end(), in.begin() + static_cast<std::ptrdiff_t>(first), in.end());
    if (key.size() > 2 && s.ints.size() > 2 && s.ints[2] != 0)  // apart
        key.insert(key.end() - 1, Index(newaxis));
    return key;
}

// What is stored at a mask is one number: the count of true elements is not known in a trace.
inline Tensor value_from(const std::vector<Tensor>& in) {
    return in[2].dtype() == DType::boolean ? sum(in[1]) : in[1];
}

// A tensor's elements in a row, under a window: ints are its length, stride and padding.
inline Tensor windowed(const Step& s, const std::vector<Tensor>& in) {
    const std::int64_t size = s.ints[0], stride = s.ints[1], padding = s.ints[2];
    if (s.op == "conv1d") {
        const Tensor kernel = slice(reshape(in[1], {1, 1, -1}), 2, 0, size, 1);
        return conv1d(reshape(in[0], {1, 1, -1}), kernel, {},
                      {.stride = {stride}, .padding = padding});
    }
    const Tensor row = reshape(in[0], {1, 1, 1, -1});
    const Pooling window{.kernel = {1, size}, .stride = {1, stride}, .padding = {0, padding}};
    return s.op == "max_pool2d" ? max_pool2d(row, window) : avg_pool2d(row, window);
}

// Writes into a slot; nothing comes back.
inline void written(const Step& s, Tensor x, const Arg& y) {
    if (s.op == "add_")
        add_(x, y);
    else if (s.op == "sub_")
        sub_(x, y);
    else if (s.op == "mul_")
        mul_(x, y);
    else if (s.op == "div_")
        div_(x, y);
    else if (s.op == "copy_")
        copy_(x, y);
    else if (s.op == "fill_")
        fill_(x, s.number);
    else if (s.op == "zero_")
        zero_(x);
    else if (s.op == "tanh_")
        in_place(x, tanh, "tanh_");
    else if (s.op == "relu_")
        in_place(x, relu, "relu_");
    else
        fail(ErrorKind::value, "fuzz: no step ", s.op);
}

inline Tensor result_of(const Step& s, const std::vector<Tensor>& in) {
    const auto i = [&](std::size_t k) { return s.ints[k]; };
    if (const auto f = unary().find(s.op); f != unary().end()) return f->second(in[0]);
    if (const auto f = binary().find(s.op); f != binary().end())
        return in.size() > 1 ? f->second(in[0], in[1]) : f->second(in[0], s.number);
    if (s.op == "where") return where(in[0], in[1], in[2]);
    if (s.op == "cast") return cast(in[0], static_cast<DType>(i(0)));
    if (s.op == "detach") return in[0].detach();
    if (s.op == "sum") return sum(in[0], dims_from(s.ints, 1), i(0) != 0);
    if (s.op == "mean") return mean(in[0], dims_from(s.ints, 1), i(0) != 0);
    if (s.op == "amax") return amax(in[0], dims_from(s.ints, 1), i(0) != 0);
    if (s.op == "argmax") return argmax(in[0], i(1), i(0) != 0);
    if (s.op == "max") return max(in[0], i(1), i(0) != 0).values;
    if (s.op == "softmax") return softmax(in[0], i(0));
    if (s.op == "log_softmax") return log_softmax(in[0], i(0));
    if (s.op == "reshape") return reshape(in[0], dims_from(s.ints));
    if (s.op == "permute") return permute(in[0], dims_from(s.ints));
    if (s.op == "expand") return expand(in[0], dims_from(s.ints));
    if (s.op == "unsqueeze") return unsqueeze(in[0], i(0));
    if (s.op == "squeeze") return squeeze(in[0]);
    if (s.op == "select") return select(in[0], i(0), i(1));
    if (s.op == "slice") return slice(in[0], i(0), i(1), i(2), i(3));
    if (s.op == "cat") return cat(in, i(0));
    if (s.op == "stack") return stack(in, i(0));
    if (s.op == "gather") return gather(in[0], i(0), in[1]);
    if (s.op == "scatter_add") return scatter_add(in[0], i(0), in[1], in[2]);
    if (s.op == "scatter") return scatter(in[0], i(0), in[1], in[2]);
    if (s.op == "index") return index(in[0], key_from(s, in, 1));
    if (s.op == "index_put") return index_put(in[0], key_from(s, in, 2), value_from(in), i(1) != 0);
    if (s.op == "take") return take(in[0], in[1]);
    if (s.op == "index_select") return index_select(in[0], i(0), in[1]);
    if (s.op == "sort") return sort(in[0], i(0), i(1) != 0).values;
    if (s.op == "argsort") return argsort(in[0], i(0), i(1) != 0);
    if (s.op == "topk") return topk(in[0], i(1), i(0), i(2) != 0).values;
    if (s.op == "one_hot") return one_hot(in[0], i(0));
    if (s.op == "cross_entropy") return cross_entropy(in[0], in[1]);
    if (s.op == "mse_loss") return mse_loss(in[0], in[1]);
    if (s.op == "solve") return linalg::solve(in[0], in[1]);
    if (s.op == "inv") return linalg::inv(in[0]);
    if (s.op == "det") return linalg::det(in[0]);
    if (s.op == "pinv") return linalg::pinv(in[0]);
    if (s.op == "svdvals") return linalg::svdvals(in[0]);
    if (s.op == "qr") return linalg::qr(in[0], i(0) != 0 ? "complete" : "reduced").q;
    if (s.op == "conv1d" || s.op == "max_pool2d" || s.op == "avg_pool2d") return windowed(s, in);
    if (s.op == "index_put_") {
        Tensor x = in[0];
        index_put_(x, key_from(s, in, 2), value_from(in), i(1) != 0);
        return {};
    }
    written(s, in[0], in.size() > 1 ? Arg(in[1]) : Arg(s.number));
    return {};
}

// Fills the slots behind the sources and the steps before, one for each step up to `end`.
inline void interpret(const FuzzProgram& p, std::vector<Tensor>& slots, std::size_t end) {
    while (slots.size() < p.sources.size() + end) {
        const Step& s = p.steps[slots.size() - p.sources.size()];
        std::vector<Tensor> in;
        bool all = true;
        for (int k : s.in) {
            in.push_back(slots[static_cast<std::size_t>(k)]);
            all = all && in.back().defined();
        }
        const GradMode mode(!s.no_grad && grad_enabled());
        slots.push_back(all && !s.op.empty() ? result_of(s, in) : Tensor{});
    }
}

// The wanted slots, each times numbers of its own, summed: undefined if none has a gradient.
inline Tensor loss_of(const std::vector<Tensor>& wanted, std::uint64_t seed) {
    Tensor loss;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
        const Tensor& t = wanted[k];
        if (!t.defined() || !is_floating(t.dtype()) || !t.requires_grad()) continue;
        Tensor weights;
        {
            const Eagerly now;
            weights = numbers(t.shape(), t.dtype(), seed + 77 * k);
        }
        const Tensor part = sum(t * weights);
        loss = loss.defined() ? loss + part : part;
    }
    return loss;
}

// ---- as text ------------------------------------------------------------------------------------

inline std::string list_text(const std::vector<std::int64_t>& list) {
    std::string s;
    for (std::int64_t i : list) s += (s.empty() ? "" : ", ") + std::to_string(i);
    return s;
}

inline const char* name_of(Form form) {
    constexpr const char* names[] = {"whole",    "transposed",   "strided",
                                     "expanded", "view_of_leaf", "computed",
                                     "alias",    "same",         "part"};
    return names[static_cast<int>(form)];
}

inline std::string text(const FuzzProgram& p) {
    std::string s = "seed " + std::to_string(p.seed) +
                    (p.backward_inside ? ", backward inside" : ", backward outside") +
                    (p.beside ? ", sources used beside" : "") + "\n";
    for (std::size_t i = 0; i < p.sources.size(); ++i) {
        const Source& source = p.sources[i];
        s += "  t" + std::to_string(i) + (source.argument ? " argument " : " captured ") +
             name_of(source.form) + " " + name_of(source.dtype) + " " + tg::text(source.shape) +
             (source.of >= 0 ? " of t" + std::to_string(source.of) : "") +
             (source.requires_grad ? " requires_grad" : "") + "\n";
    }
    for (std::size_t k = 0; k < p.steps.size(); ++k) {
        const Step& step = p.steps[k];
        if (k == p.inside) s += "  outside of the function:\n";
        if (step.op.empty()) continue;
        s += "  t" + std::to_string(p.sources.size() + k) + " = " + step.op;
        for (int in : step.in) s += " t" + std::to_string(in);
        if (step.in.size() < 2 && step.ints.empty()) s += " " + std::to_string(step.number);
        if (!step.ints.empty()) s += " [" + list_text(step.ints) + "]";
        s += step.no_grad ? "  under no_grad\n" : "\n";
    }
    s += "  loss of";
    for (int k : p.wanted) s += " t" + std::to_string(k);
    return s + "\n";
}

}  // namespace tg::fuzz
