#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include "kernels/math.h"
#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {
namespace {

// How the four operands lie in memory.
struct Layouts {
    std::string what;
    Dims shape, out, a, b, c;
    bool one_line;  // merges to one dim
};

std::vector<Layouts> layouts() {
    std::vector<Layouts> all;
    for (const std::int64_t n : {0, 1, 255, 256, 257})
        all.push_back({"contiguous", {n}, {1}, {1}, {1}, {1}, true});
    all.push_back({"a scalar", {}, {}, {}, {}, {}, true});
    all.push_back({"one number repeated", {3, 5}, {5, 1}, {0, 0}, {5, 1}, {0, 0}, true});
    all.push_back({"every third", {40}, {1}, {3}, {1}, {2}, true});
    all.push_back({"a row repeated", {7, 40}, {40, 1}, {40, 1}, {0, 1}, {0, 1}, false});
    all.push_back({"a column repeated", {7, 40}, {40, 1}, {1, 0}, {40, 1}, {1, 0}, false});
    all.push_back({"transposed", {17, 16}, {16, 1}, {1, 17}, {16, 1}, {1, 17}, false});
    all.push_back({"out transposed", {17, 16}, {1, 17}, {16, 1}, {1, 17}, {1, 17}, false});
    all.push_back({"permuted", {2, 3, 4}, {12, 4, 1}, {1, 2, 6}, {3, 1, 6}, {0, 4, 1}, false});
    all.push_back({"an empty dim", {3, 0, 4}, {0, 4, 1}, {1, 3, 3}, {0, 4, 1}, {0, 0, 0}, true});
    return all;
}

template <class F, class T>
using First = std::conditional_t<F::selects, bool, T>;
template <class F, class T>
using Result = std::conditional_t<F::compares, bool, T>;

void run(Elementwise* kernel, int formula, const Array& out, std::span<const Array> in) {
    REQUIRE(kernel(formula, out, in));
    REQUIRE(std::string(backend().last_error()) == "");
}

// The device's answer against the formula called here, element by element.
template <class F, class T>
void check(Elementwise* kernel, const Layouts& layout) {
    Numbers<Result<F, T>> out(layout.shape, layout.out);
    Numbers<First<F, T>> a(layout.shape, layout.a);
    Numbers<T> b(layout.shape, layout.b), c(layout.shape, layout.c);
    fill(a, 1);
    fill(b, 2);
    fill(c, 3);
    const OnDevice on_out(out);
    const OnDevice on_a(a);
    const OnDevice on_b(b), on_c(c);
    const Array in[] = {on_a.array, on_b.array, on_c.array};
    run(kernel, formula::id<F>, on_out.array, {in, F::inputs});
    on_out.fetch(out);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < out.count(); ++i) {
        Result<F, T> expected;
        if constexpr (F::inputs == 1)
            expected = F::of(a[i]);
        else if constexpr (F::inputs == 2)
            expected = F::of(a[i], b[i]);
        else
            expected = F::of(a[i], b[i], c[i]);
        if (!agree(out[i], expected)) ++wrong;
    }
    CHECK(wrong == 0);
}

template <class F, class T>
void check_all_layouts() {
    CAPTURE(std::string(F::name));
    if constexpr (formula::defined<F, T>) {
        for (const Layouts& layout : layouts()) {
            CAPTURE(layout.what);
            check<F, T>(elementwise_rungs_here()[0].run, layout);
            check<F, T>(backend().elementwise, layout);
            if (layout.one_line) check<F, T>(elementwise_rungs_here()[1].run, layout);
        }
    } else {
        Numbers<T> x({4});
        Numbers<Result<F, T>> y({4});
        const OnDevice on_x(x);
        const OnDevice on_y(y);
        const Array in[] = {on_x.array, on_x.array};
        CHECK_FALSE(backend().elementwise(formula::id<F>, on_y.array, {in, F::inputs}));
    }
}

template <class T, class... F>
void check_every_formula(formula::List<F...>) {
    (check_all_layouts<F, T>(), ...);
}

}  // namespace

TEST_CASE_TEMPLATE("every formula on the device gives what it gives when called, in any layout", T,
                   float, double, std::int64_t, std::int32_t, std::int16_t, std::int8_t,
                   std::uint8_t, bool) {
    check_every_formula<T>(formula::All{});
}

TEST_CASE("an array longer than the grid is covered to its end") {
    const std::int64_t n = 4096 * 256 + 1;
    check<formula::Add, float>(backend().elementwise, {"long", {n}, {1}, {1}, {1}, {1}, true});
    check<formula::Mul, float>(elementwise_rungs_here()[0].run,
                               {"long", {n}, {1}, {0}, {1}, {1}, true});
}

TEST_CASE("the output may be an input of the same layout") {
    Numbers<float> x({300});
    fill(x, 5);
    const OnDevice on_x(x);
    const Array in[] = {on_x.array, on_x.array};
    REQUIRE(backend().elementwise(formula::id<formula::Add>, on_x.array, {in, 2}));
    Numbers<float> doubled({300});
    on_x.fetch(doubled);
    for (std::int64_t i = 0; i < 300; ++i) CHECK(doubled[i] == 2 * x[i]);
}

TEST_CASE("the flat rung refuses a layout that is not one line") {
    Numbers<float> x({3, 5}), t({3, 5}, first_dim_fastest({3, 5}));
    const OnDevice on_x(x);
    const OnDevice on_t(t);
    const Array in[] = {on_t.array};
    CHECK_FALSE(elementwise_rungs_here()[1].run(formula::id<formula::Neg>, on_x.array, {in, 1}));
}

TEST_CASE("a dtype that has no CUDA kernel is refused, not computed wrongly") {
    Numbers<float> x({3});
    OnDevice on_x(x);
    on_x.array.dtype = DType::bfloat16;  // core widens it first
    const Array in[] = {on_x.array};
    CHECK_FALSE(backend().elementwise(formula::id<formula::Neg>, on_x.array, {in, 1}));
}

}  // namespace tg::kernels::cuda
