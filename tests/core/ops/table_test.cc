#include "tests/core/ops/table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "core/backward.h"
#include "core/history.h"
#include "graph/compile.h"

namespace tg::test {

Tensor made(const Numbers& n) {
    const Tensor t = empty(n.shape, {n.dtype});
    REQUIRE(static_cast<std::int64_t>(n.values.size()) == t.numel());
    auto* bytes = static_cast<char*>(t.data());
    for (std::size_t i = 0; i < n.values.size(); ++i) {
        const Scalar v = is_floating(n.dtype) ? Scalar(n.values[i])
                                              : Scalar(static_cast<std::int64_t>(n.values[i]));
        v.write(bytes + i * static_cast<std::size_t>(size_of(n.dtype)), n.dtype);
    }
    return t;
}

namespace {

std::vector<double> numbers(const Tensor& t) {
    const Tensor flat =
        contiguous(cast(reshape(to(t.detach(), Device::cpu), {-1}), DType::float64));
    const auto* p = static_cast<const double*>(flat.data());
    return {p, p + flat.numel()};
}

bool near(double a, double b, double tolerance) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b || std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

void check_near(const Tensor& got, const Tensor& want, double tolerance) {
    CHECK(text(got.shape()) == text(want.shape()));
    CHECK(std::string(name_of(got.dtype())) == name_of(want.dtype()));
    const std::vector<double> a = numbers(got);
    const std::vector<double> b = numbers(want);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        CHECK_MESSAGE(near(a[i], b[i], tolerance), "element ", i, ": ", a[i], ", not ", b[i]);
}

bool same_bits(const Tensor& x, const Tensor& y) {
    if (x.defined() != y.defined()) return false;
    if (!x.defined()) return true;
    const Tensor a = contiguous(x.detach());
    const Tensor b = contiguous(y.detach());
    const auto bytes = static_cast<std::size_t>(a.numel() * size_of(a.dtype()));
    return a.shape() == b.shape() && a.dtype() == b.dtype() &&
           (bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0);
}

// The same numbers with every element apart, and with the dims the other way round in memory.
Tensor spread(const Tensor& t) {
    Dims wide = t.shape();
    wide.push_back(3);
    Tensor room = zeros(wide, {t.dtype()});
    Tensor part = select(room, -1, 1);
    part.copy_(t);
    return part;
}

Tensor turned(const Tensor& t) {
    Dims order;
    for (int d = t.dims() - 1; d >= 0; --d) order.push_back(d);
    return permute(contiguous(permute(t, order)), order);
}

Tensors inputs_of(const Row& row, bool wide = false) {
    Tensors x;
    for (const Numbers& n : row.inputs) {
        Numbers m = n;
        if (wide && is_floating(n.dtype)) m.dtype = DType::float64;
        x.push_back(made(m));
    }
    return x;
}

Tensors leaves_of(Tensors x) {
    for (Tensor& t : x)
        if (is_floating(t.dtype())) t.requires_grad_();
    return x;
}

Tensors wanted_of(const Tensors& x) {
    Tensors wanted;
    for (const Tensor& t : x)
        if (t.requires_grad()) wanted.push_back(t);
    return wanted;
}

// Numbers to weigh an output's elements with, so that a gradient has no symmetry to hide behind.
Tensor weighed(const Tensor& y) {
    const Tensor w = add(mul(cast(arange(y.numel()), y.dtype()), 0.25), 0.5);
    return sum(mul(y, reshape(w, y.shape())));
}

Tensor value_at(const Row& row, const Tensors& x, int order) {
    const Tensor y = weighed(row.f(x));
    if (order == 0) return y;
    const Tensors wanted = wanted_of(x);
    Tensor total;
    if (wanted.empty() || !y.requires_grad()) return total;
    for (const Tensor& g : grad({&y, 1}, wanted, {}, {.create_graph = true}))
        if (g.defined()) total = total.defined() ? add(total, weighed(g)) : weighed(g);
    return total;
}

// d value / dx by central differences: (f(x + h) - f(x - h)) / 2h.
void check_differences(const Row& row, int order) {
    const Tensors x = leaves_of(inputs_of(row, true));
    const Tensor y = value_at(row, x, order);
    const Tensors wanted = wanted_of(x);
    if (!y.defined() || wanted.empty()) return;
    const Tensors found = y.requires_grad() ? grad({&y, 1}, wanted) : Tensors(wanted.size());
    for (std::size_t k = 0; k < wanted.size(); ++k) {
        const std::vector<double> g =
            found[k].defined()
                ? numbers(found[k])
                : std::vector<double>(static_cast<std::size_t>(wanted[k].numel()), 0);
        auto* data = static_cast<double*>(wanted[k].data());
        for (std::size_t i = 0; i < g.size(); ++i) {
            const double h = 1e-5, at = data[i];
            data[i] = at + h;
            const double above = value_at(row, x, order).item<double>();
            data[i] = at - h;
            const double below = value_at(row, x, order).item<double>();
            data[i] = at;
            const double slope = (above - below) / (2 * h);
            CHECK_MESSAGE(near(g[i], slope, 1e-6), "derivative ", order + 1, " of input ", k,
                          " element ", i, ": ", g[i], ", by differences ", slope);
        }
    }
}

struct Run {
    Tensor value;
    Tensors gradients;
};

Run run(const Row& row, const Tensors& leaves, const Executor* executor) {
    const auto f = [&](const Tensors& x) { return Tensors{row.f(x)}; };
    Run r;
    if (executor) {
        Compiled compiled(row.op, f, {.executor = *executor});
        compiled(leaves);
        r.value = compiled(leaves)[0];
        CHECK(compiled.traces().size() == 1);
    } else {
        r.value = f(leaves)[0];
    }
    const Tensors wanted = wanted_of(leaves);
    if (!r.value.requires_grad() || wanted.empty()) return r;
    const Tensor loss = weighed(r.value);
    r.gradients = grad({&loss, 1}, wanted);
    return r;
}

void check_program(const Row& row, const Tensors& leaves) {
    const Run tape = run(row, leaves, nullptr);
    for (const Executor e : {Executor::lines, Executor::planned, Executor::fused}) {
        INFO(std::string(name_of(e)));
        const Run program = run(row, leaves, &e);
        CHECK(same_bits(tape.value, program.value));
        CHECK(tape.value.requires_grad() == program.value.requires_grad());
        REQUIRE(tape.gradients.size() == program.gradients.size());
        for (std::size_t k = 0; k < tape.gradients.size(); ++k)
            CHECK(same_bits(tape.gradients[k], program.gradients[k]));
    }
}

void check_layouts(const Row& row, const Tensor& plain) {
    for (const auto& other : {spread, turned}) {
        Tensors x;
        for (const Tensor& t : inputs_of(row)) x.push_back(other(t));
        check_near(row.f(x), plain, 1e-6);
        for (Tensor& t : x)
            if (is_floating(t.dtype())) t = t.detach().requires_grad_();
        check_program(row, x);
    }
}

void check_cuda(const Row& row, const Tensor& plain) {
    Tensors x;
    for (const Tensor& t : inputs_of(row)) x.push_back(to(t, Device::cuda));
    const Tensor y = row.f(x);
    if (!x.empty()) CHECK(y.device() == Device::cuda);
    check_near(y, plain, 1e-5);
}

// An error without the line of this file on which it happened.
std::string without_lines(std::string s) {
    for (std::size_t end; (end = s.find("_test.cc:")) != std::string::npos;) {
        const std::size_t begin = s.rfind(" (", end);
        s.erase(begin, s.find(')', end) + 1 - begin);
    }
    return s;
}

}  // namespace

void check(const Row& row) {
    INFO(std::string(row.op));
    const Tensor y = row.f(inputs_of(row));
    check_near(y, made(row.expected), row.tolerance);
    check_layouts(row, y);
    check_program(row, leaves_of(inputs_of(row)));
    check_program(row, leaves_of(inputs_of(row, true)));
    check_cuda(row, y);
    for (int order = 0; order < row.order; ++order) check_differences(row, order);
    if (!row.misuse) return;
    std::string error = "no error";
    try {
        row.misuse();
    } catch (const Error& e) {
        error = without_lines(e.what());
    }
    CHECK(error == row.error);
}

}  // namespace tg::test

using namespace tg;
using namespace tg::test;

TEST_CASE("every op has a row in the table, and says there what a misuse is") {
    std::set<std::string> rows, with_error;
    for (const auto& family :
         {elementwise_rows(), comparison_rows(), reduce_rows(),   matmul_rows(),
          layout_rows(),      indexing_rows(),   row_rows(),      sort_rows(),
          convolution_rows(), pooling_rows(),    creation_rows(), composite_rows(),
          division_rows(),    arrange_rows(),    product_rows(),  random_rows(),
          function_rows(),    linalg_rows(),     angle_rows(),    optimizer_rows(),
          line_rows(),        attention_rows()})
        for (const Row& row : family) {
            rows.insert(row.op);
            if (row.misuse) with_error.insert(row.op);
        }
    // No user calls these: they are the lines of views, writes and recordings, and are covered by
    // tests/core/history_test.cc, tests/graph/compile_test.cc and tests/graph/session_test.cc.
    const std::set<std::string> structural = {
        "as_view", "write_view",    "add_view", "read",  "leaf",     "rebind", "tied",  "detach",
        "assign",  "slice_scatter", "sum_to",   "count", "constant", "to",     "clone", "cast"};
    for (const Op* op : all_ops()) {
        INFO(std::string(op->name));
        CHECK((rows.count(op->name) == 1 || structural.count(op->name) == 1));
    }
    for (const std::string& op : rows) {
        INFO(op);  // a composition may leave that to its parts
        CHECK((!find_op(op) || with_error.count(op) == 1 || structural.count(op) == 1));
    }
}
