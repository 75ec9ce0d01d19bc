// Numbers that count their arithmetic compute what plain ones do, and tell an observer.
#include "kernels/simt/counted.h"

#include <doctest/doctest.h>

#include "kernels/simt/observer.h"
#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt::counted_double;
using simt_test::Device;
using simt_test::error;

unsigned operations = 0;
const void* changed = nullptr;

struct Watched {
    Watched() {
        operations = 0;
        before = simt::observer;
        static simt::Observer counting;
        counting.computed = [](unsigned n, const void*, const void* at, std::size_t) {
            operations += n;
            if (at) changed = at;
        };
        simt::observer = &counting;
    }
    ~Watched() { simt::observer = before; }
    const simt::Observer* before;
};

template <class T>
__global__ void formula(T* out, const T* in, int n) {
    const T x = in[threadIdx.x];
    T y = -x / 4 + fma(x, x, 2) - sqrt(fabs(x));
    y = fmax(y, 1.0) > fmin(x, 0.5) ? y + exp(-x) : y;
    y += __shfl_xor_sync(~0u, x, 1);
    y *= n;
    y -= static_cast<double>(x);
    y /= 2;
    out[threadIdx.x] = y;
}

}  // namespace

TEST_CASE("counted numbers give the results of plain ones") {
    std::vector<double> numbers(32);
    for (std::size_t i = 0; i < 32; ++i) numbers[i] = static_cast<double>(i) / 8;
    const Device<double> in(numbers);
    Device<double> plain(32), counted(32);
    simt::launch(formula<double>, 1, 32, 0, plain.data, in.data, 3);
    simt::launch(formula<counted_double>, 1, 32, 0, reinterpret_cast<counted_double*>(counted.data),
                 reinterpret_cast<const counted_double*>(in.data), 3);
    CHECK(error() == "");
    CHECK(counted.host() == plain.host());
}

TEST_CASE_FIXTURE(Watched, "each operation is one, fma two, a sign and a comparison none") {
    counted_double x = 3;
    CHECK(double(x + 1) == 4);
    CHECK(operations == 1);
    CHECK(double(2 * x - x / 4) == 5.25);
    CHECK(operations == 4);
    CHECK(double(fma(x, x, 1)) == 10);
    CHECK(operations == 6);
    CHECK(fabs(-x) > 2);
    CHECK(max(x, 4) == 4);
    CHECK(operations == 6);
    CHECK(changed == nullptr);
    x += 1;
    CHECK(operations == 7);
    CHECK(changed == &x);
    CHECK(double(sqrt(x)) == 2);
    CHECK(operations == 8);
}
