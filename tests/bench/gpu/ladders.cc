// What each rung of each ladder in kernels/cuda takes, for `./dev gpu`:
//
//     tapegraph_bench_cuda          at sizes that fill a GPU
//     tapegraph_bench_cuda --small  at sizes that an emulator runs, to see that all of it works
//
// A line is `family | rung | milliseconds | GB/s | GFLOP/s`: the median of several launches between
// two events, the bytes that must be moved at least and the arithmetic that must be done, over that
// time. cuBLAS and cuDNN take part where they can be opened.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cpu/convolution.h"
#include "kernels/cpu/pooling.h"
#include "kernels/math.h"
#include "kernels/optimizers.h"
#include "tests/bench/gpu/cublas.h"
#include "tests/bench/gpu/cudnn.h"
#include "tests/kernels/cuda/on_device.h"

namespace {

using namespace tg::kernels;
using namespace tg::kernels::cuda;

struct Work {
    double bytes = 0, flops = 0;
};

int status = 0;

// The median time of `launch` in milliseconds; -1 if it refuses or fails.
double milliseconds(const std::function<bool()>& launch) {
    const Backend& device = backend();
    const int warmups = device.emulated ? 0 : 3, launches = device.emulated ? 1 : 11;
    std::vector<double> taken;
    Event* from = device.make_event();
    Event* to = device.make_event();
    for (int i = 0; i < warmups + launches; ++i) {
        device.record(from);
        const bool ran = launch();
        device.record(to);
        device.wait_for(to);
        const std::string error = device.last_error();
        if (!error.empty()) std::printf("%s\n", error.c_str());
        if (!error.empty()) status = 1;
        if (!ran || !error.empty()) break;
        if (i >= warmups) taken.push_back(device.milliseconds(from, to));
    }
    device.drop_event(from);
    device.drop_event(to);
    if (taken.size() < static_cast<std::size_t>(launches)) return -1;
    std::nth_element(taken.begin(), taken.begin() + launches / 2, taken.end());
    return taken[static_cast<std::size_t>(launches / 2)];
}

void measure(const std::string& family, const char* rung, const Work& work,
             const std::function<bool()>& launch) {
    const double ms = milliseconds(launch);
    if (ms < 0) {
        std::printf("%s | %s | does not take this case\n", family.c_str(), rung);
        return;
    }
    const auto rate = [&](double amount) { return ms > 0 ? amount / (ms * 1e6) : 0; };
    std::printf("%s | %s | %.4f | %.1f | %.1f\n", family.c_str(), rung, ms, rate(work.bytes),
                rate(work.flops));
}

template <class T>
struct Operand {
    Numbers<T> host;
    OnDevice<T> device;
    explicit Operand(const Dims& shape) : Operand(shape, contiguous(shape)) {}
    Operand(const Dims& shape, const Dims& strides) : host(shape, strides), device(filled()) {}
    const Array& array() const { return device.array; }

  private:
    const Numbers<T>& filled() {
        fill(host, 1);
        return host;
    }
};

std::string named(const char* what, std::int64_t n) {
    return std::string(what) + " " + std::to_string(n);
}

// ---- the families -------------------------------------------------------------------------------
void add(std::int64_t n) {
    const Operand<float> a({n}), b({n}), out({n});
    const Array in[] = {a.array(), b.array()};
    for (const auto& rung : elementwise_rungs_here())
        measure(named("add, float32,", n), rung.name, {12.0 * static_cast<double>(n), 0}, [&] {
            return rung.run(tg::formula::id<tg::formula::Add>, out.array(), {in, 2});
        });
}

void transpose(std::int64_t side) {
    const Operand<float> out({side, side}), in({side, side}, {1, side});
    const double bytes = 8.0 * static_cast<double>(side * side);
    for (const auto& rung : copy_rungs_here())
        measure(named("copy of a transpose, side", side), rung.name, {bytes, 0},
                [&] { return rung.run(out.array(), in.array()); });
}

void sum(std::int64_t lines, std::int64_t n) {
    const Operand<float> out({lines, 1}), in({lines, n});
    const double count = static_cast<double>(lines * n);
    for (const auto& rung : sum_rungs_here())
        measure(named("sum of lines of", n), rung.name, {4 * count, count},
                [&] { return rung.run(out.array(), in.array()); });
}

void scan(std::int64_t lines, std::int64_t n) {
    const Operand<float> out({lines, n}), in({lines, n});
    const double count = static_cast<double>(lines * n);
    for (const auto& rung : cumsum_rungs_here())
        measure(named("cumsum of lines of", n), rung.name, {8 * count, count},
                [&] { return rung.run(out.array(), in.array(), 1, false); });
}

void sort(std::int64_t lines, std::int64_t n) {
    const Operand<std::int64_t> out({lines, n});
    const Operand<float> in({lines, n});
    for (const auto& rung : argsort_rungs_here())
        measure(named("argsort of lines of", n), rung.name,
                {12.0 * static_cast<double>(lines * n), 0},
                [&] { return rung.run(out.array(), in.array(), 1, false); });
}

void soften(std::int64_t lines, std::int64_t n) {
    const Operand<float> x({lines, n}), y({lines, n});
    const double count = static_cast<double>(lines * n);
    const std::string family = named("softmax of lines of", n);
    for (const auto& rung : softmax_rungs_here())
        measure(family, rung.name, {8 * count, 0},
                [&] { return rung.run(y.array(), x.array(), false); });
    if (backend().emulated) return;
    bench::Cudnn cudnn;
    if (!cudnn.open() || !cudnn.prepare_softmax(static_cast<int>(lines), static_cast<int>(n)))
        std::printf("softmax | cuDNN | not found\n");
    else
        measure(family, "cuDNN", {8 * count, 0},
                [&] { return cudnn.softmax(x.array().data, y.array().data); });
}

void normalize(std::int64_t lines, std::int64_t n) {
    const Operand<float> x({lines, n}), y({lines, n}), r({lines, 1});
    for (const auto& rung : layer_norm_rungs_here())
        measure(named("layer norm of lines of", n), rung.name,
                {8.0 * static_cast<double>(lines * n), 0},
                [&] { return rung.run(y.array(), r.array(), x.array(), 1e-5); });
}

// Heads of 64 columns, each query with all keys.
void attend(std::int64_t heads, std::int64_t n) {
    const Dims rows = {heads, n, 64}, one = {heads, n, 1};
    const Operand<float> q(rows), k(rows), v(rows), y(rows), g(rows), lse(one), delta(one);
    const Operand<float> dq(rows), dk(rows), dv(rows);
    const double elements = static_cast<double>(heads * n * 64), products = static_cast<double>(n);
    const std::string size = std::to_string(heads) + " heads of" + named("", n);
    for (const auto& rung : attention_rungs_here())
        measure("attention, " + size, rung.name, {16 * elements, 4 * elements * products}, [&] {
            return rung.run(y.array(), lse.array(), q.array(), k.array(), v.array(), 0.125, false);
        });
    for (const auto& rung : attention_gradient_rungs_here())
        measure("attention's gradient, " + size, rung.name,
                {28 * elements, 10 * elements * products}, [&] {
                    return rung.run(
                        dq.array(), dk.array(), dv.array(),
                        {q.array(), k.array(), v.array(), lse.array(), delta.array(), g.array()},
                        0.125, false);
                });
}

void matmul(std::int64_t side) {
    const Operand<float> a({side, side}), b({side, side}), out({side, side});
    const double n = static_cast<double>(side);
    const Work work = {12 * n * n, 2 * n * n * n};
    for (const auto& rung : matmul_rungs_here())
        measure(named("matmul, float32, side", side), rung.name, work,
                [&] { return rung.run(out.array(), a.array(), b.array()); });
    if (backend().emulated) return;
    bench::Cublas cublas;
    if (!cublas.open()) {
        std::printf("matmul | cuBLAS | not found\n");
        return;
    }
    measure(named("matmul, float32, side", side), "cuBLAS", work, [&] {
        return cublas.multiply(static_cast<int>(side), a.array().data, b.array().data,
                               out.array().data);
    });
}

void convolve(std::int64_t batch, std::int64_t channels, std::int64_t side) {
    const Operand<float> x({batch, channels, side, side}), w({channels, channels, 3, 3});
    const Operand<float> y({batch, channels, side, side});
    cpu::Windows windows;
    for (int d = 0; d < 2; ++d) windows.padding[d] = 1;
    const double outputs = static_cast<double>(batch * channels * side * side);
    const Work work = {8 * outputs, outputs * 2 * 9 * static_cast<double>(channels)};
    const std::string size = std::to_string(batch) + "x" + std::to_string(channels) + "x" +
                             std::to_string(side) + "x" + std::to_string(side);
    for (const auto& rung : convolution_rungs_here())
        measure("conv2d 3x3, " + size, rung.name, work,
                [&] { return rung.run(y.array(), x.array(), w.array(), windows); });
    if (backend().emulated) return;
    for (const auto& [name, way] : {std::pair("cuDNN, implicit GEMM", bench::Cudnn::implicit_gemm),
                                    std::pair("cuDNN, Winograd", bench::Cudnn::winograd)}) {
        bench::Cudnn cudnn;
        if (!cudnn.open() || !cudnn.prepare(way, static_cast<int>(batch),
                                            static_cast<int>(channels), static_cast<int>(side)))
            std::printf("conv2d | %s | not found\n", name);
        else
            measure("conv2d 3x3, " + size, name, work,
                    [&] { return cudnn.convolve(x.array().data, w.array().data, y.array().data); });
    }
}

// Windows of 2 x 2, side by side.
void pool(std::int64_t batch, std::int64_t channels, std::int64_t side) {
    const Operand<float> x({batch, channels, side, side});
    const Operand<float> y({batch, channels, side / 2, side / 2});
    cpu::Pool windows;
    windows.rows = windows.columns = {side, side / 2, 2, 2, 0, 1};
    const double bytes = 5.0 * static_cast<double>(batch * channels * side * side);
    const std::string family = named("mean of 2x2 windows, side", side);
    for (const auto& rung : pool_mean_rungs_here())
        measure(family, rung.name, {bytes, 0},
                [&] { return rung.run(y.array(), x.array(), windows, 4); });
    for (const auto& rung : pool_spread_rungs_here())
        measure("gradient of the " + family, rung.name, {bytes, 0},
                [&] { return rung.run(x.array(), y.array(), windows, 4); });
}

// As many tensors, of n numbers each.
void adam(std::size_t tensors, std::int64_t n) {
    std::deque<Operand<float>> numbers;  // which stay where they are
    std::deque<Operand<double>> counts;
    std::vector<Array> in{counts.emplace_back(Dims()).array()}, out;
    for (std::size_t t = 0; t < tensors; ++t) {
        for (int k = 0; k < 4; ++k) in.push_back(numbers.emplace_back(Dims{n}).array());
        for (int k = 0; k < 3; ++k) out.push_back(numbers.emplace_back(Dims{n}).array());
        in.push_back(counts.emplace_back(Dims()).array());
        out.push_back(counts.emplace_back(Dims()).array());
    }
    const double count = static_cast<double>(tensors) * static_cast<double>(n);
    for (const auto& rung : adam_rungs_here())
        measure("Adam, " + std::to_string(tensors) + named(" tensors of", n), rung.name,
                {28 * count, 0}, [&] { return rung.run({}, out, in); });
}

}  // namespace

int main(int count, char** words) {
    const bool small = count > 1 && std::strcmp(words[1], "--small") == 0;
    std::printf("device: %s, %s\n", backend().name, backend().properties().name);
    std::printf("family | rung | ms | GB/s | GFLOP/s\n");
    add(small ? 1000 : std::int64_t{1} << 25);
    transpose(small ? 40 : 4096);
    sum(small ? 2 : 4096, small ? 500 : 4096);
    sum(1, small ? 500 : std::int64_t{1} << 25);
    scan(small ? 2 : 4096, small ? 500 : 4096);
    sort(small ? 2 : 1024, small ? 50 : 1024);
    soften(small ? 2 : 4096, small ? 50 : 1024);
    normalize(small ? 2 : 4096, small ? 50 : 1024);
    attend(small ? 2 : 96, small ? 40 : 1024);
    matmul(small ? 20 : 4096);
    pool(small ? 1 : 32, small ? 2 : 64, small ? 6 : 112);
    convolve(small ? 1 : 32, small ? 2 : 64, small ? 6 : 56);
    adam(small ? 3 : 200, small ? 500 : 1 << 12);
    return status;
}
