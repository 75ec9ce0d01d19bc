#include "core/anomaly.h"

#include <doctest/doctest.h>

#include "core/backward.h"
#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

struct Detecting {
    Detecting() { set_detect_anomaly(true); }
    ~Detecting() { set_detect_anomaly(false); }
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the first NaN is named with its op, its line and its inputs") {
    Tensor x = leaf({4, -1});
    const Detecting on;
    const std::string error = error_of([&] { sqrt(x); });
    CHECK(contains(error, "detect_anomaly: sqrt (anomaly_test.cc:"));
    CHECK(contains(error,
                   ") gave nan at index (1,): its output is float32 (2,), 1 nan, the rest "
                   "from 2 to 2; its input 0 is float32 (2,) from -1 to 4"));
}

TEST_CASE("in a backward both lines are named, on cuda too") {
    for (const Device device : {Device::cpu, Device::cuda}) {
        Tensor x = zeros({1}, {.device = device, .requires_grad = true});
        const Tensor y = sqrt(x).sum();
        const Detecting on;
        const std::string error = error_of([&] { y.backward(); });
        CHECK(contains(error, "detect_anomaly: div, in the gradient of sqrt (anomaly_test.cc:"));
        CHECK(contains(error, ") that the backward (anomaly_test.cc:"));
        CHECK(contains(error, ") took, gave inf at index (0,)"));
    }
}

TEST_CASE("a compiled function is looked over line by line, and is itself again afterwards") {
    Compiled f("f", [](const std::vector<Tensor>& in) {
        return std::vector<Tensor>{exp(sqrt(in[0])).sum()};
    });
    Tensor good = leaf({4, 9}), bad = leaf({4, -1});
    const Tensor expected = f({good})[0];
    {
        const Detecting on;
        CHECK(f({good})[0].item<float>() == expected.item<float>());
        CHECK(contains(error_of([&] { f({bad}); }), "detect_anomaly: sqrt (anomaly_test.cc:"));
    }
    CHECK(f({bad})[0].item<float>() != f({bad})[0].item<float>());
}
