// Runs the rungs of kernels/cuda that have barriers, each at a few sizes, and prints what was
// wrong: a line with the rung's name, then the error. test_mutants.py links it with kernels that
// lack one.
#include <cstdio>
#include <string>

#include "kernels/cuda/layout.h"
#include "kernels/optimizers.h"
#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {
namespace {

void say(const char* family, const char* rung) {
    const std::string error = backend().last_error();
    if (!error.empty()) std::printf("%s, %s\n%s\n", family, rung, error.c_str());
}

template <class T>
void sum_line(std::int64_t outputs, std::int64_t n) {
    for (const auto& rung : sum_rungs_here()) {
        Numbers<T> in({outputs, n}), out({outputs, 1});
        fill(in, 1);
        const OnDevice on_in(in), on_out(out);
        rung.run(on_out.array, on_in.array);
        say("sum", rung.name);
    }
}

template <class T>
void multiply(std::int64_t M, std::int64_t K, std::int64_t N) {
    for (const auto& rung : matmul_rungs_here()) {
        Numbers<T> a({M, K}), b({K, N}), out({M, N});
        fill(a, 1);
        fill(b, 2);
        const OnDevice on_a(a), on_b(b), on_out(out);
        rung.run(on_out.array, on_a.array, on_b.array);
        say("matmul", rung.name);
    }
}

// More tiles than blocks, so that a block takes one after another.
void transpose(const Dims& shape, const Dims& in_strides) {
    for (const auto& rung : copy_rungs_here()) {
        Numbers<float> out(shape), in(shape, in_strides);
        fill(in, 1);
        const OnDevice on_out(out), on_in(in);
        rung.run(on_out.array, on_in.array);
        say("copy", rung.name);
    }
}

void search(std::int64_t n, std::int64_t values) {
    for (const auto& rung : searchsorted_rungs_here()) {
        Numbers<float> sorted({n}), wanted({values});
        Numbers<std::int64_t> out({values});
        const OnDevice on_sorted(sorted), on_wanted(wanted);
        const OnDevice on_out(out);
        rung.run(on_out.array, on_sorted.array, on_wanted.array, false);
        say("searchsorted", rung.name);
    }
}

void scan(std::int64_t lines, std::int64_t n, bool back) {
    for (const auto& rung : cumsum_rungs_here()) {
        Numbers<float> in({lines, n}), out({lines, n});
        fill(in, 1);
        const OnDevice on_in(in), on_out(out);
        rung.run(on_out.array, on_in.array, 1, back);
        say("cumsum", rung.name);
    }
}

// As many lines as make a block take more than one, of its teams or alone.
void soften(std::int64_t lines, std::int64_t n) {
    for (const auto& rung : softmax_rungs_here()) {
        Numbers<float> x({lines, n}), y({lines, n});
        fill(x, 1);
        const OnDevice on_x(x), on_y(y);
        rung.run(on_y.array, on_x.array, false);
        say("softmax", rung.name);
    }
}

void normalize(std::int64_t lines, std::int64_t n) {
    for (const auto& rung : layer_norm_rungs_here()) {
        Numbers<float> x({lines, n}), y({lines, n}), r({lines, 1});
        fill(x, 1);
        const OnDevice on_x(x), on_y(y), on_r(r);
        rung.run(on_y.array, on_r.array, on_x.array, 1e-5);
        say("layer norm", rung.name);
    }
}

// As many queries and keys as make a block walk over several tiles, and take several stretches.
void attend(std::int64_t queries, std::int64_t keys) {
    Numbers<float> q({2, queries, 5}), k({2, keys, 5}), v({2, keys, 40}), one({2, queries, 1});
    fill(q, 1);
    fill(k, 2);
    fill(v, 3);
    Numbers<float> y({2, queries, 40}), dq(q.shape), dk(k.shape), dv(v.shape);
    const OnDevice on_q(q), on_k(k), on_v(v), on_one(one), on_lse(one), on_y(y), on_dq(dq),
        on_dk(dk), on_dv(dv);
    for (const auto& rung : attention_rungs_here()) {
        rung.run(on_y.array, on_lse.array, on_q.array, on_k.array, on_v.array, 1, true);
        say("attention", rung.name);
    }
    for (const auto& rung : attention_gradient_rungs_here()) {
        rung.run(on_dq.array, on_dk.array, on_dv.array,
                 {on_q.array, on_k.array, on_v.array, on_lse.array, on_one.array, on_y.array}, 1,
                 false);
        say("attention gradient", rung.name);
    }
}

void sort_lines(std::int64_t lines, std::int64_t n) {
    for (const auto& rung : argsort_rungs_here()) {
        Numbers<float> in({lines, n});
        Numbers<std::int64_t> out({lines, n});
        fill(in, 1);
        const OnDevice on_in(in);
        const OnDevice on_out(out);
        rung.run(on_out.array, on_in.array, 1, false);
        say("argsort", rung.name);
    }
}

void descend(std::int64_t n) {
    for (const auto& rung : sgd_rungs_here()) {
        Numbers<float> p({n}), g({n}), out({n});
        Numbers<double> rate((Dims()));
        fill(p, 1);
        fill(g, 2);
        const OnDevice lr(rate);
        const OnDevice on_p(p), on_g(g), on_out(out);
        const Array in[] = {lr.array, on_p.array, on_g.array};
        rung.run({}, {&on_out.array, 1}, {in, 3});
        say("sgd", rung.name);
    }
}

void run_all() {
    soften(20, 300);
    normalize(20, 300);
    sort_lines(3, 1100);
    sum_line<float>(1, 256);
    sum_line<float>(5000, 70);
    multiply<float>(16, 16, 16);
    multiply<float>(20, 50, 40);
    multiply<double>(16, 40, 16);
    transpose({33, 40}, {1, 33});
    transpose({5000, 2, 2}, {4, 1, 2});
    search(1000, 300);
    scan(3, 2500, false);
    scan(3, 2500, true);
    descend(300);
    attend(70, 80);
}

}  // namespace
}  // namespace tg::kernels::cuda

int main() {
    tg::kernels::cuda::run_all();
    tg::kernels::cuda::most_blocks = 2;  // each takes several tiles, lines, stretches
    tg::kernels::cuda::run_all();
}
