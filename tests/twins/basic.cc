#include "tests/twins/twins.h"

namespace twins {

using namespace tg;

void basic_cases() {
    twin("Linear", [] { return layer(nn::Linear(3, 4), {5, 3}); });
    twin("Linear without bias", [] { return layer(nn::Linear(3, 4, false), {5, 3}); });
    twin("Sequential", [] {
        return layer(nn::Sequential{nn::Flatten(), nn::Linear(6, 4), nn::Identity(), nn::Tanh(),
                                    nn::Unflatten(1, {2, 2})},
                     {5, 2, 3});
    });
    const Dims shape{3, 4};
    twin("Sigmoid", [&] { return layer(nn::Sigmoid(), shape); });
    twin("LogSigmoid", [&] { return layer(nn::LogSigmoid(), shape); });
    twin("Softsign", [&] { return layer(nn::Softsign(), shape); });
    twin("Tanhshrink", [&] { return layer(nn::Tanhshrink(), shape); });
    twin("ReLU", [&] { return layer(nn::ReLU(), shape); });
    twin("ReLU in place", [&] { return layer(nn::ReLU(true), shape); });
    twin("ReLU6", [&] { return layer(nn::ReLU6(), shape); });
    twin("SiLU in place", [&] { return layer(nn::SiLU(true), shape); });
    twin("Mish", [&] { return layer(nn::Mish(), shape); });
    twin("Hardsigmoid", [&] { return layer(nn::Hardsigmoid(), shape); });
    twin("Hardswish", [&] { return layer(nn::Hardswish(true), shape); });
    twin("LeakyReLU", [&] { return layer(nn::LeakyReLU(1e-4, true), shape); });
    twin("ELU", [&] { return layer(nn::ELU(0.5), shape); });
    twin("Hardtanh", [&] { return layer(nn::Hardtanh(-0.5, 1), shape); });
    twin("GELU", [&] { return layer(nn::GELU("tanh"), shape); });
    twin("Softplus", [&] { return layer(nn::Softplus(2, 1), shape); });
    twin("Softmax", [&] { return layer(nn::Softmax(1), shape); });
    twin("LogSoftmax", [&] { return layer(nn::LogSoftmax(-1), shape); });
    twin("Softmin", [&] { return layer(nn::Softmin(0), shape); });
    twin("GLU", [&] { return layer(nn::GLU(), shape); });
    twin("PReLU", [&] { return layer(nn::PReLU(4), shape); });
    twin("init", [] {
        const auto made = [] { return empty({3, 5}); };
        return Outcome{"",
                       {nn::init::uniform_(made(), -1, 2), nn::init::normal_(made(), 1, 2),
                        nn::init::trunc_normal_(made()), nn::init::xavier_uniform_(made(), 2),
                        nn::init::xavier_normal_(made()),
                        nn::init::kaiming_uniform_(made(), 0, "fan_out", "relu"),
                        nn::init::kaiming_normal_(made(), 0.1), nn::init::eye_(made())}};
    });
    twin("Generator", [] {
        Generator g;
        g.manual_seed(7);
        const Options whole{.dtype = DType::int64};
        return Outcome{"",
                       {rand({5}, {}, g), randn({3}, {}, g), randint(0, 9, {4}, whole, g),
                        randperm(6, whole, g), bernoulli(full({8}, 0.5), g),
                        normal(zeros({2}), 2.0, g), multinomial(ones({3}), 2, false, g),
                        nn::init::trunc_normal_(empty({3}), 0, 1, -2, 2, g),
                        nn::init::kaiming_normal_(empty({3, 5}), 0, "fan_in", "leaky_relu", g),
                        g.get_state(), g.clone_state().get_state(), rng_state()}};
    });
}

}  // namespace twins
