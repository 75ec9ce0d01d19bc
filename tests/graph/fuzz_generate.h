// Makes random programs. A step is proposed, the whole list is tried on the tape, and what the
// tape refuses is thrown away: so the generator needs to know little of what is allowed.
#pragma once

#include <algorithm>

#include "tests/graph/fuzz.h"

namespace tg::fuzz {

struct Random {
    std::uint64_t state;
    std::uint64_t next() { return mixed(state += 0x9e3779b97f4a7c15u); }
    std::int64_t below(std::int64_t n) {
        return static_cast<std::int64_t>(next() %
                                         static_cast<std::uint64_t>(std::max<std::int64_t>(n, 1)));
    }
    bool chance(int percent) { return below(100) < percent; }
    template <class T>
    const T& of(const std::vector<T>& list) {
        return list[static_cast<std::size_t>(below(static_cast<std::int64_t>(list.size())))];
    }
};

inline Dims random_shape(Random& r) {
    Dims shape;
    const std::int64_t n = r.below(10) < 1 ? 0 : 1 + r.below(3);
    for (std::int64_t d = 0; d < n; ++d)
        shape.push_back(r.chance(4) ? 0 : r.chance(20) ? 1 : 2 + r.below(3));
    return shape;
}

inline const std::vector<DType> other_dtypes = {  // of each width, the usual ones twice
    DType::float64, DType::float64,  DType::int64, DType::int64,
    DType::float16, DType::bfloat16, DType::int16, DType::uint8};

inline void add_sources(FuzzProgram& p, Random& r) {
    const std::int64_t n = 2 + r.below(3);
    const Dims common = random_shape(r);
    for (std::int64_t i = 0; i < n; ++i) {
        Source s;
        s.shape = r.chance(60) ? common : random_shape(r);
        s.dtype = r.chance(75) ? DType::float32 : r.of(other_dtypes);
        s.argument = r.chance(55);
        s.requires_grad = is_floating(s.dtype) && r.chance(60);
        const std::vector<Form> forms = {Form::whole,        Form::whole,   Form::whole,
                                         Form::transposed,   Form::strided, Form::expanded,
                                         Form::view_of_leaf, Form::computed};
        s.form = r.of(forms);
        if ((s.form == Form::strided || s.form == Form::expanded) && s.shape.empty())
            s.form = Form::whole;
        // A backward inside of the call ends with an error at what was computed outside, also at a
        // view that is an argument.
        const bool outside =
            s.form == Form::computed || (s.form == Form::view_of_leaf && s.argument);
        const bool outer_path = s.form == Form::view_of_leaf || s.form == Form::computed;
        if (s.form == Form::expanded) s.requires_grad = false;
        if ((outside && p.backward_inside) || (outer_path && !s.requires_grad))
            s.form = Form::whole;
        if (i > 0 && r.chance(20)) {
            s.of = static_cast<int>(r.below(i));
            const Source& other = p.sources[static_cast<std::size_t>(s.of)];
            s.form = r.of(std::vector<Form>{Form::alias, Form::same, Form::part});
            if (s.form == Form::part &&
                (other.shape.empty() || (other.requires_grad && p.backward_inside)))
                s.form = Form::same;
            s.shape = other.shape;
            s.dtype = other.dtype;
            s.requires_grad = s.form == Form::alias ? false : other.requires_grad;
            const Source* first = &other;
            while (first->of >= 0) first = &p.sources[static_cast<std::size_t>(first->of)];
            if (p.backward_inside && first->form == Form::view_of_leaf && s.form == Form::same)
                s.argument = false;
        }
        p.sources.push_back(s);
    }
}

struct Proposer {
    Random& r;
    const std::vector<Tensor>& slots;
    bool sharing = false;  // mostly views and writes

    int any() {
        for (int tries = 0; tries < 50; ++tries) {
            // Later slots more often, so that programs are deep.
            const auto n = static_cast<std::int64_t>(slots.size());
            const std::int64_t k =
                r.chance(50) ? n - 1 - r.below(std::min<std::int64_t>(n, 4)) : r.below(n);
            if (slots[static_cast<std::size_t>(k)].defined()) return static_cast<int>(k);
        }
        return 0;
    }
    const Tensor& at(int k) const { return slots[static_cast<std::size_t>(k)]; }
    std::int64_t dim(const Tensor& t) { return r.below(t.dims()) - (r.chance(30) ? t.dims() : 0); }

    // A slot whose shape is like x's; any other if there is none.
    int like(const Tensor& x, bool same_dtype = false) {
        std::vector<int> fits;
        for (std::size_t k = 0; k < slots.size(); ++k)
            if (slots[k].defined() && slots[k].shape() == x.shape() &&
                (!same_dtype || slots[k].dtype() == x.dtype()))
                fits.push_back(static_cast<int>(k));
        return fits.empty() || r.chance(25) ? any() : r.of(fits);
    }
    int with_dtype(DType dtype) {
        std::vector<int> fits;
        for (std::size_t k = 0; k < slots.size(); ++k)
            if (slots[k].defined() && slots[k].dtype() == dtype)
                fits.push_back(static_cast<int>(k));
        return fits.empty() ? -1 : r.of(fits);
    }

    std::vector<std::int64_t> some_dims(const Tensor& t) {
        std::vector<std::int64_t> dims{r.chance(50)};
        for (int d = 0; d < t.dims(); ++d)
            if (r.chance(50)) dims.push_back(d);
        return dims;
    }

    std::vector<std::int64_t> new_shape(const Tensor& t) {
        std::vector<std::int64_t> shape(t.shape().begin(), t.shape().end());
        switch (r.below(4)) {
            case 0:
                return {-1};
            case 1:
                std::reverse(shape.begin(), shape.end());
                return shape;
            case 2:
                shape.insert(shape.begin() + r.below(static_cast<std::int64_t>(shape.size()) + 1),
                             1);
                return shape;
            default:
                break;
        }
        if (shape.size() < 2) return {1, -1};
        const std::size_t k =
            static_cast<std::size_t>(r.below(static_cast<std::int64_t>(shape.size()) - 1));
        shape[k] *= shape[k + 1];
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(k) + 1);
        return shape;
    }

    Step layout_step(int x) {
        const Tensor& t = at(x);
        const std::vector<std::string> ops = {"reshape", "permute", "unsqueeze", "squeeze",
                                              "expand",  "select",  "slice",     "select",
                                              "slice",   "permute"};
        Step s{r.of(ops), {x}, {}, 0, false};
        if (t.dims() == 0 && (s.op == "select" || s.op == "slice")) s.op = "unsqueeze";
        if (s.op == "reshape") s.ints = new_shape(t);
        if (s.op == "permute") {
            for (int d = 0; d < t.dims(); ++d) s.ints.push_back(d);
            for (std::size_t d = s.ints.size(); d > 1; --d)
                std::swap(s.ints[d - 1],
                          s.ints[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(d)))]);
        }
        if (s.op == "unsqueeze") s.ints = {r.below(t.dims() + 1)};
        if (s.op == "expand") {
            if (r.chance(60)) s.ints.push_back(r.below(3));
            for (std::int64_t d : t.shape())
                s.ints.push_back(d == 1 && r.chance(70) ? r.below(4) : r.chance(30) ? -1 : d);
        }
        if (s.op == "select" && t.dims() > 0) {
            const std::int64_t d = dim(t);
            s.ints = {d, r.below(t.size(d)) - (r.chance(30) ? t.size(d) : 0)};
        }
        if (s.op == "slice" && t.dims() > 0) {
            const std::int64_t d = dim(t);
            s.ints = {d, r.below(t.size(d) + 1) - (r.chance(20) ? t.size(d) : 0),
                      r.below(t.size(d) + 2), 1 + r.below(2)};
            if (r.chance(40)) s.ints[2] = 1000;
        }
        return s;
    }

    Step reduce_step(int x) {
        const Tensor& t = at(x);
        const std::vector<std::string> ops = {"sum",    "sum", "mean",    "amax",
                                              "argmax", "max", "softmax", "log_softmax"};
        Step s{r.of(ops), {x}, {}, 0, false};
        if (s.op == "softmax" || s.op == "log_softmax")
            s.ints = {dim(t)};
        else if (s.op == "argmax" || s.op == "max")
            s.ints = {r.chance(50), dim(t)};
        else
            s.ints = some_dims(t);
        return s;
    }

    Step write_step(int x) {
        const std::vector<std::string> ops = {"add_", "sub_",  "mul_",  "copy_", "copy_",
                                              "div_", "fill_", "zero_", "tanh_", "relu_"};
        Step s{r.of(ops), {x}, {}, static_cast<double>(1 + r.below(7)) / 4, r.chance(25)};
        const bool binary =
            s.op == "add_" || s.op == "sub_" || s.op == "mul_" || s.op == "copy_" || s.op == "div_";
        if (binary && r.chance(75)) s.in.push_back(like(at(x)));
        return s;
    }

    Step several_step(int x) {
        const Tensor& t = at(x);
        const std::vector<std::string> ops = {"where",       "cat",     "stack",         "gather",
                                              "scatter_add", "one_hot", "cross_entropy", "matmul",
                                              "mse_loss",    "matmul"};
        Step s{r.of(ops), {x}, {}, 0, false};
        if (s.op == "where") s.in = {with_dtype(DType::boolean), like(t), x};
        if (s.op == "cat" || s.op == "stack") {
            s.in.push_back(like(t));
            if (r.chance(30)) s.in.push_back(x);
            s.ints = {dim(t)};
        }
        if (s.op == "gather") s = {s.op, {x, with_dtype(DType::int64)}, {dim(t)}, 0, false};
        if (s.op == "scatter_add") {
            const int index = with_dtype(DType::int64);
            s = {s.op, {x, index, index < 0 ? 0 : like(at(index))}, {dim(t)}, 0, false};
        }
        if (s.op == "one_hot") s = {s.op, {with_dtype(DType::int64)}, {2 + r.below(3)}, 0, false};
        if (s.op == "cross_entropy") s.in.push_back(with_dtype(DType::int64));
        if (s.op == "matmul" || s.op == "mse_loss") s.in.push_back(r.chance(50) ? like(t) : any());
        return s;
    }

    // What is read or written by an index: int64 slots hold small numbers, now and then too large.
    Step index_step(int x) {
        const Tensor& t = at(x);
        const std::vector<std::string> ops = {"index",      "index",   "index_put", "index_put_",
                                              "index_put_", "scatter", "take",      "index_select",
                                              "sort",       "argsort", "topk"};
        Step s{r.of(ops), {x}, {dim(t)}, 0, false};
        if (s.op == "sort" || s.op == "argsort") s.ints = {dim(t), r.chance(50)};
        if (s.op == "topk") s.ints = {dim(t), r.below(3), r.chance(50)};
        if (s.op == "sort" || s.op == "argsort" || s.op == "topk") return s;
        const int index = with_dtype(DType::int64);
        if (s.op == "take" || s.op == "index_select") s.in = {x, index};
        if (s.op == "scatter") s.in = {x, index, index < 0 ? 0 : like(at(index), r.chance(90))};
        if (s.op.rfind("index", 0) != 0 || s.op == "index_select") return s;
        s.ints = {r.below(t.dims()), r.chance(50), r.chance(40)};
        if (s.op != "index") s.in.push_back(r.chance(50) ? like(t, true) : any());
        const bool masked = s.op != "index" && r.chance(40);
        s.in.push_back(masked ? with_dtype(DType::boolean) : index);
        if (!masked && r.chance(30)) s.in.push_back(with_dtype(DType::int64));
        return s;
    }

    Step window_step(int x) {
        const std::vector<std::string> ops = {"conv1d", "conv1d", "max_pool2d", "avg_pool2d"};
        Step s{r.of(ops), {x}, {}, 0, false};
        s.ints = {1 + r.below(3), 1 + r.below(2), r.below(2)};
        if (s.op == "conv1d") s.in.push_back(like(at(x), true));
        return s;
    }

    Step matrix_step(int x) {
        const std::vector<std::string> ops = {"solve", "inv", "det", "pinv", "svdvals", "qr"};
        Step s{r.of(ops), {x}, {r.chance(30)}, 0, false};
        if (s.op == "solve") s.in.push_back(like(at(x), true));
        return s;
    }

    Step step() {
        const int x = any();
        Step s;
        const std::int64_t kind = r.below(100);
        std::vector<std::string> names;
        if (sharing && r.chance(70)) {
            s = r.chance(50) ? layout_step(x) : write_step(x);
        } else if (kind < 16) {
            for (const auto& f : unary()) names.push_back(f.first);
            names.insert(names.end(), {"tanh", "tanh", "relu"});
            s = {r.of(names), {x}, {}, 0, false};
        } else if (kind < 36) {
            for (const auto& f : binary()) names.push_back(f.first);
            names.insert(names.end(), {"add", "mul", "mul", "sub"});
            s = {r.of(names), {x}, {}, static_cast<double>(r.below(9) - 3) / 2, false};
            if (r.chance(70) || s.op == "matmul") s.in.push_back(like(at(x)));
        } else if (kind < 58) {
            s = layout_step(x);
        } else if (kind < 68) {
            s = reduce_step(x);
        } else if (kind < 84) {
            s = write_step(x);
        } else if (kind < 92) {
            s = several_step(x);
        } else if (kind < 95) {
            s = index_step(x);
        } else if (kind < 97) {
            s = window_step(x);
        } else if (kind < 98) {
            s = r.chance(60) ? matrix_step(x) : Step{"detach", {x}, {}, 0, false};
        } else {
            const std::vector<std::int64_t> dtypes = {0, 4, 5, 5, 6};
            s = {"cast", {x}, {r.of(dtypes)}, 0, false};
        }
        if (r.chance(4)) s.no_grad = true;
        return s;
    }
};

// All slots of a run on the tape; `backward`: could the gradient be taken?
struct Tried {
    std::vector<Tensor> slots;
    bool ran = false;
    bool backward = false;
};

inline Tried tried(const FuzzProgram& p) {
    Tried t;
    const World w = world_of(p);
    t.slots = w.sources;
    try {
        interpret(p, t.slots, p.steps.size());
        t.ran = true;
        for (const Tensor& x : t.slots) {
            if (!x.defined()) continue;
            if (x.numel() > 400) t.ran = false;
        }
        const Tensor loss = loss_of(t.slots, p.seed);
        if (loss.defined()) loss.backward();
        t.backward = true;
    } catch (const Error&) {
    }
    return t;
}

inline FuzzProgram random_program(std::uint64_t seed) {
    Random r{mixed(seed)};
    FuzzProgram p;
    p.seed = seed;
    p.backward_inside = r.chance(40);
    p.beside = !p.backward_inside && r.chance(50);
    const bool sharing = !p.backward_inside && !p.beside && r.chance(50);
    add_sources(p, r);
    std::vector<Tensor> slots = tried(p).slots;
    const std::int64_t length = 3 + r.below(14);
    for (int tries = 0; tries < 60 && static_cast<std::int64_t>(p.steps.size()) < length; ++tries) {
        const Step s = Proposer{r, slots, sharing}.step();
        if (std::find(s.in.begin(), s.in.end(), -1) != s.in.end()) continue;
        p.steps.push_back(s);
        Tried t = tried(p);
        if (t.ran && (t.backward || r.chance(8)))
            slots = std::move(t.slots);
        else
            p.steps.pop_back();
    }
    std::vector<int> float_slots;
    for (std::size_t k = p.sources.size(); k < slots.size(); ++k)
        if (slots[k].defined() && slots[k].requires_grad())
            float_slots.push_back(static_cast<int>(k));
    if (!float_slots.empty()) p.wanted = {float_slots.back(), r.of(float_slots)};
    if (p.wanted.size() == 2 && p.wanted[0] == p.wanted[1]) p.wanted.pop_back();
    p.inside = p.steps.size();
    if (!p.backward_inside && !p.beside && p.inside > 0)
        p.inside = static_cast<std::size_t>(r.below(static_cast<std::int64_t>(p.inside))) + 1;
    return p;
}

}  // namespace tg::fuzz
