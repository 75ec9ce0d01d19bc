#include <doctest/doctest.h>

#include <memory>

#include "tapegraph.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Make = std::function<std::unique_ptr<optim::Optimizer>(const std::vector<optim::Group>&)>;

template <class O>
Make of(auto options) {
    return [=](const auto& groups) { return std::make_unique<O>(groups, options); };
}

const Make makers[] = {
    of<optim::SGD>(optim::SGDOptions{.momentum = 0.9, .dampening = 0.5, .weight_decay = 0.01}),
    of<optim::SGD>(optim::SGDOptions{.momentum = 0.9, .nesterov = true, .maximize = true}),
    of<optim::Adam>(optim::AdamOptions{.betas = {0.4, 0.9}, .amsgrad = true}),
    of<optim::AdamW>(optim::AdamWOptions{}),
    of<optim::RMSprop>(optim::RMSpropOptions{.momentum = 0.9, .centered = true}),
    of<optim::Adagrad>(optim::AdagradOptions{.lr_decay = 0.01, .weight_decay = 0.01})};

// A network of two groups, its optimiser, and a step of both.
struct Training {
    nn::Sequential net{nn::Linear(4, 8), nn::Tanh(), nn::Linear(8, 3)};
    std::unique_ptr<optim::Optimizer> optimizer;

    explicit Training(const Make& make)
        : optimizer(make({{net[0].parameters()}, {net[2].parameters(), {{"lr", 0.02}}}})) {}
    Compiled::Function step() {
        return [this](const std::vector<Tensor>& x) {
            optimizer->zero_grad();
            const Tensor y = net(x[0]);
            const Tensor loss = (y * y).mean();
            loss.backward();
            optimizer->step();
            return std::vector<Tensor>{loss};
        };
    }
    Floats everything() const {
        Floats all;
        const auto take = [&](const Tensor& t) {
            for (const float x : numbers(t)) all.push_back(x);
        };
        for (const Tensor& p : net.parameters()) take(p);
        for (const auto& state : optimizer->state_dict().state)
            for (const auto& [name, tensor] : state) take(tensor);
        return all;
    }
};

}  // namespace

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

TEST_CASE(
    "a compiled step is the tape's for every optimiser, and follows a schedule in one trace") {
    for (const Make& make : makers) {
        Floats found[2];
        for (const bool compiled : {false, true}) {
            manual_seed(2);
            Training t(make);
            optim::OneCycleLR schedule(
                *t.optimizer, 0.05,
                {.total_steps = 10, .cycle_momentum = t.optimizer->param_groups[0].has("alpha")});
            Compiled fast("step", t.step());
            for (int k = 0; k < 10; ++k) {
                const std::vector<Tensor> x{randn({5, 4})};
                compiled ? fast(x) : t.step()(x);
                schedule.step();
            }
            if (compiled) CHECK(fast.traces().size() == 1);
            found[compiled] = t.everything();
        }
        CHECK(found[0] == found[1]);
    }
}

TEST_CASE("training goes on from a state_dict to the last bit") {
    for (const Make& make : makers) {
        manual_seed(2);
        Training a(make), b(make);
        const std::vector<Tensor> x{randn({5, 4})};
        for (int k = 0; k < 3; ++k) a.step()(x);
        a.optimizer->set_lr(0.005);
        b.net.load_state_dict(a.net.state_dict());
        b.optimizer->load_state_dict(a.optimizer->state_dict());
        CHECK(b.optimizer->param_groups[1]["lr"] == 0.005);
        for (int k = 0; k < 3; ++k) {
            a.step()(x);
            b.step()(x);
        }
        CHECK(a.everything() == b.everything());
    }
}

TEST_CASE("a step calls its closure with gradients on, and gives what that gave") {
    Tensor w = leaf({3});
    optim::SGD sgd({w}, {.lr = 0.5});
    const NoGrad mode;
    const Tensor loss = sgd.step([&] {
        const Tensor y = (w * w).sum();
        y.backward();
        return y;
    });
    CHECK(loss.item<float>() == 9);
    CHECK(w.item<float>() == 0);
    sgd.zero_grad(false);
    CHECK(w.grad().item<float>() == 0);
}

TEST_CASE("a momentum that was 0 may be set, and gets its state then") {
    Tensor w = leaf({1});
    optim::SGD sgd({w}, {.lr = 0.5});
    CHECK(sgd.state_dict().state[0].empty());
    sgd.param_groups[0].set("momentum", 0.5);
    CHECK(sgd.state_dict().state[0].count("momentum_buffer") == 1);
}

TEST_CASE("a compiled step is traced anew for a number that is no tensor, and not for another lr") {
    for (const bool compiled : {false, true}) {
        Tensor w = leaf({4});
        optim::SGD sgd({w}, {.lr = 0.5});
        const Compiled::Function step = [&](const std::vector<Tensor>&) {
            sgd.zero_grad();
            (w * 2).sum().backward();
            sgd.step();
            return std::vector<Tensor>{};
        };
        Compiled fast("step", step);
        const auto call = [&] { compiled ? fast(std::vector<Tensor>{}) : step({}); };
        call();
        sgd.set_lr(0.25);
        call();
        CHECK(fast.traces().size() == (compiled ? 1 : 0));
        sgd.param_groups[0].set("weight_decay", 1);
        call();  // 4 - 1 - 0.5 = 2.5, and that - (2 + 2.5) / 4
        CHECK(w.item<double>() == 1.375);
        sgd.param_groups[0].set("momentum", 0.5);
        call();  // b = 2 + 1.375
        CHECK(w.item<double>() == 0.53125);
        CHECK(fast.traces().size() == (compiled ? 3 : 0));
    }
}

TEST_CASE("optimisers and schedules say what does not fit them") {
    Tensor w = leaf({1, 2});
    const Tensor y = w * 2;
    using optim::SGD;
    CHECK(error_of([&] { SGD({w}, {.lr = -1}); }) == "SGD: lr must not be negative, and is -1");
    CHECK(error_of([&] { SGD({w}, {.nesterov = true}); }) ==
          "SGD: nesterov needs a momentum above 0");
    CHECK(error_of([&] { SGD(std::vector<Tensor>{}, {}); }) ==
          "SGD: there is no parameter to optimise");
    CHECK(error_of([&] { SGD({y}, {}); }) ==
          "SGD: only a leaf can be optimised; this is a result float32 (2,)");
    CHECK(error_of([&] { SGD({w, w}, {}); }) == "SGD: a parameter is given twice");
    CHECK(error_of([&] {
              SGD({optim::Group{{w}, {{"rate", 1}}}}, {});
          }) == "SGD: a group of parameters has no rate");
    CHECK(error_of([&] {
              optim::AdamW({w}, {.betas = {0.9, 1}});
          }) == "AdamW: betas[1] must be in [0, 1), and is 1");
    optim::Adam adam({w});
    auto state = adam.state_dict();
    state.state[0]["exp_avg"] = zeros({3});
    CHECK(error_of([&] { adam.load_state_dict(state); }) ==
          "load_state_dict: exp_avg of parameter 0 is (3,), and the parameter is (2,)");
    CHECK(error_of([&] { adam.load_state_dict({}); }) ==
          "load_state_dict: the groups, or their parameters, are other ones");
    CHECK(error_of([&] { optim::OneCycleLR(adam, 0.1, {}); }) ==
          "OneCycleLR: give total_steps, or epochs and steps_per_epoch");
    CHECK(error_of([&] { optim::ReduceLROnPlateau(adam, {.mode = "mean"}); }) ==
          "ReduceLROnPlateau: mode must be 'min' or 'max', not 'mean'");
    CHECK(error_of([&] { optim::StepLR(adam, 2, 0.1, 3); }) ==
          "StepLR: last_epoch is 3, and param_groups[0] has no initial_lr; load the optimiser's "
          "state first");
    Compiled fast("step", [&](const std::vector<Tensor>& x) {
        adam.set_lr(0.1);
        return x;
    });
    CHECK(error_of([&] {
              fast(std::vector<Tensor>{ones({1})});
          }).find("lr: set to 0.1 inside of a compiled function") == 0);
}

TEST_CASE("a schedule goes on from its state and the optimiser's") {
    Tensor w = leaf({1});
    optim::SGD a({w}, {.lr = 1}), b({w}, {.lr = 1});
    optim::StepLR first(a, 3, 0.5);
    optim::ReduceLROnPlateau plateau(a, {.patience = 1});
    for (int k = 0; k < 4; ++k) first.step();
    plateau.step(1.0);
    optim::StepLR second(b, 3, 0.5);
    optim::ReduceLROnPlateau other(b, {.patience = 1});
    second.load_state_dict(first.state_dict());
    other.load_state_dict(plateau.state_dict());
    b.load_state_dict(a.state_dict());
    CHECK(b.lr() == 0.5);
    for (int k = 0; k < 2; ++k) {
        first.step();
        second.step();
        plateau.step(2.0);
        other.step(2.0);
    }
    CHECK(a.lr() == doctest::Approx(0.025));
    CHECK(b.lr() == a.lr());
}
