#include <doctest/doctest.h>

#include "tapegraph.h"

using namespace tg;

TEST_CASE("SGD with dampening takes its first step undamped, as PyTorch's, also compiled") {
    for (const bool compiled : {false, true}) {
        Tensor w = tensor(std::vector<float>{1}).requires_grad_();
        optim::SGD sgd({w}, {.lr = 0.5, .momentum = 0.5, .dampening = 0.75});
        const Compiled::Function step = [&](const std::vector<Tensor>&) {
            sgd.zero_grad();
            const Tensor loss = (w * 2).sum();  // its gradient is 2
            loss.backward();
            sgd.step();
            return std::vector<Tensor>{};
        };
        Compiled fast("step", step);
        // v = 2, 1 + 0.5, 0.75 + 0.5
        for (const double after : {0.0, -0.75, -1.375}) {
            if (compiled)
                fast(std::vector<Tensor>{});
            else
                step({});
            CHECK(w.item<double>() == after);
        }
        CHECK(fast.traces().size() == (compiled ? 1 : 0));
    }
}
