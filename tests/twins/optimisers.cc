#include "tests/twins/twins.h"

namespace twins {

using namespace tg;

namespace {

using namespace optim;

// Twelve clipped steps; then the weights and the state.
Outcome trained(auto make) {
    nn::Sequential model{nn::Linear(4, 8), nn::Tanh(), nn::Linear(8, 3)};
    const Group rest{model[0].parameters()}, head{model[2].parameters(), {{"lr", 0.02}}};
    const std::unique_ptr<Optimizer> optimizer = make(std::vector{rest, head});
    OneCycleLR schedule(
        *optimizer, {0.1, 0.2},
        {.total_steps = 12, .cycle_momentum = !dynamic_cast<Adagrad*>(optimizer.get())});
    const Tensor classes = tensor(std::vector<std::int64_t>{0, 2, 1, 2, 0});
    for (int k = 0; k < 12; ++k) {
        optimizer->zero_grad();
        cross_entropy(model(randn({5, 4})), classes).backward();
        nn::utils::clip_grad_norm_(model.parameters(), 0.5);
        optimizer->step();
        schedule.step();
    }
    Outcome o{"", model.parameters()};
    for (const State& state : optimizer->state_dict().state)
        for (const auto& [name, tensor] : state) o.tensors.push_back(tensor);
    return o;
}

// The rates of two groups, and the first one's momentum, at each of thirty steps.
Outcome scheduled(auto make) {
    const Tensor a = random_leaf({2}), b = random_leaf({2});
    SGD optimizer({Group{{a}}, Group{{b}, {{"lr", 0.02}}}}, {.lr = 0.1, .momentum = 0.9});
    const std::unique_ptr<LRScheduler> schedule = make(optimizer);
    Outcome o;
    const auto see = [&](double number) {
        o.tensors.push_back(scalar_tensor(number, {DType::float64}));
    };
    for (int k = 0; k < 30; ++k) {
        for (const ParamGroup& group : optimizer.param_groups) see(group["lr"]);
        see(optimizer.param_groups[0]["momentum"]);
        if (auto* plateau = dynamic_cast<ReduceLROnPlateau*>(schedule.get()))
            plateau->step(1.0 / (1 + std::min(k, 4)));
        else
            schedule->step();
    }
    return o;
}

template <class O>
auto optimiser(auto options) {
    return [=](const std::vector<Group>& groups) { return std::make_unique<O>(groups, options); };
}

template <class S>
auto schedule(auto... options) {
    return [=](Optimizer& optimizer) { return std::make_unique<S>(optimizer, options...); };
}

void schedule_cases() {
    twin("LambdaLR", [] {
        const LambdaLR::Function f = [](std::int64_t t) {
            return 1 / (1 + static_cast<double>(t));
        };
        return scheduled(schedule<LambdaLR>(f));
    });
    twin("StepLR", [] { return scheduled(schedule<StepLR>(7, 0.3)); });
    twin("MultiStepLR", [] {
        return scheduled(schedule<MultiStepLR>(std::vector<std::int64_t>{3, 5, 5, 20}, 0.3));
    });
    twin("ExponentialLR", [] { return scheduled(schedule<ExponentialLR>(0.9)); });
    twin("LinearLR", [] { return scheduled(schedule<LinearLR>(0.2, 0.9, 12)); });
    twin("CosineAnnealingLR", [] { return scheduled(schedule<CosineAnnealingLR>(9, 0.001)); });
    twin("OneCycleLR",
         [] { return scheduled(schedule<OneCycleLR>(0.3, OneCycleOptions{.total_steps = 30})); });
    twin("OneCycleLR in three phases", [] {
        return scheduled(
            schedule<OneCycleLR>(Rates{0.3, 0.5}, OneCycleOptions{.epochs = 3,
                                                                  .steps_per_epoch = 10,
                                                                  .pct_start = 0.4,
                                                                  .anneal_strategy = "linear",
                                                                  .base_momentum = 0.8,
                                                                  .three_phase = true}));
    });
    twin("ReduceLROnPlateau", [] {
        return scheduled(schedule<ReduceLROnPlateau>(
            PlateauOptions{.factor = 0.5, .patience = 2, .cooldown = 1, .min_lr = {0.005, 0}}));
    });
    twin("SequentialLR", [] {
        return scheduled([](Optimizer& o) {
            const std::vector<std::shared_ptr<LRScheduler>> both{
                std::make_shared<LinearLR>(o), std::make_shared<ExponentialLR>(o, 0.9)};
            return std::make_unique<SequentialLR>(o, both, std::vector<std::int64_t>{6});
        });
    });
}

}  // namespace

void optimiser_cases() {
    twin("SGD", [] { return trained(optimiser<SGD>(SGDOptions{.lr = 0.1})); });
    twin("SGD with momentum", [] {
        return trained(optimiser<SGD>(SGDOptions{0.1, 0.9, 0.5, 0.01}));
    });
    twin("SGD with nesterov", [] {
        return trained(optimiser<SGD>(
            SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true, .maximize = true}));
    });
    twin("Adam", [] { return trained(optimiser<Adam>(AdamOptions{.weight_decay = 0.01})); });
    twin("Adam with amsgrad", [] {
        return trained(optimiser<Adam>(AdamOptions{
            .lr = 0.01, .betas = {0.4, 0.9}, .eps = 1e-6, .amsgrad = true, .maximize = true}));
    });
    twin("AdamW", [] { return trained(optimiser<AdamW>(AdamWOptions{})); });
    twin("RMSprop",
         [] { return trained(optimiser<RMSprop>(RMSpropOptions{.weight_decay = 0.01})); });
    twin("RMSprop, centered", [] {
        return trained(
            optimiser<RMSprop>(RMSpropOptions{.alpha = 0.4, .momentum = 0.9, .centered = true}));
    });
    twin("Adagrad", [] {
        return trained(optimiser<Adagrad>(AdagradOptions{
            .lr_decay = 0.01, .weight_decay = 0.01, .initial_accumulator_value = 0.1}));
    });
    schedule_cases();
}

}  // namespace twins
