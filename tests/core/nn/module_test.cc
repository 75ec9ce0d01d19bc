#include <doctest/doctest.h>

#include "tapegraph.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

struct Net : nn::Module {
    nn::Linear& hidden = register_module("hidden", nn::Linear(3, 4));
    nn::Linear& out = register_module("out", nn::Linear(4, 2, false));
    Tensor& scale = register_buffer("scale", ones({}));
    Tensor& scratch = register_buffer("scratch", ones({}), false);
    Tensor operator()(const Tensor& x) { return out(relu(hidden(x))) * scale; }
};

std::vector<std::string> names(const nn::NamedTensors& all) {
    std::vector<std::string> s;
    for (const auto& [name, tensor] : all) s.push_back(name);
    return s;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a module's tree has PyTorch's names and its text PyTorch's lines") {
    Net net;
    CHECK(names(net.named_parameters()) == Names{"hidden.weight", "hidden.bias", "out.weight"});
    CHECK(names(net.named_buffers()) == Names{"scale", "scratch"});
    CHECK(names(net.state_dict()) == Names{"scale", "hidden.weight", "hidden.bias", "out.weight"});
    CHECK(&net.get_submodule("hidden") == &net.hidden);
    CHECK(net.text() ==
          "Net(\n"
          "  (hidden): Linear(in_features=3, out_features=4, bias=True)\n"
          "  (out): Linear(in_features=4, out_features=2, bias=False)\n"
          ")");
    CHECK(error_of([&] { net.get_submodule("other"); }) ==
          "get_submodule: Net has no module 'other'");
}

TEST_CASE("gradients flow to every parameter, and zero_grad takes them away") {
    Net net;
    net(rand({5, 3})).sum().backward();
    for (const Tensor& p : net.parameters()) CHECK(p.grad().defined());
    CHECK(numbers(sum(abs(net.hidden.weight.grad())))[0] > 0);
    net.zero_grad(false);
    CHECK(numbers(sum(abs(net.hidden.weight.grad())))[0] == 0);
    net.zero_grad();
    CHECK(!net.hidden.weight.grad().defined());
}

TEST_CASE("load_state_dict copies all values, or says all that does not fit and copies none") {
    manual_seed(1);
    Net a, b;
    const Tensor x = rand({5, 3});
    CHECK(numbers(a(x)) != numbers(b(x)));
    b.load_state_dict(a.state_dict());
    CHECK(numbers(a(x)) == numbers(b(x)));
    nn::Linear small(2, 1);
    const Floats before = numbers(small.weight);
    CHECK(
        error_of([&] {
            small.load_state_dict({{"weight", zeros({1, 3})}, {"more", zeros({1})}});
        }) ==
        "Error(s) in loading state_dict for Linear:\n"
        "\tMissing key(s) in state_dict: \"bias\".\n"
        "\tUnexpected key(s) in state_dict: \"more\".\n"
        "\tsize mismatch for weight: copying a param with shape (1, 3) from checkpoint, the shape "
        "in current model is (1, 2).");
    CHECK(numbers(small.weight) == before);
    const auto result =
        small.load_state_dict({{"weight", ones({1, 2})}, {"more", zeros({1})}}, false);
    CHECK(result.missing_keys == Names{"bias"});
    CHECK(result.unexpected_keys == Names{"more"});
    CHECK(numbers(small.weight) == Floats{1, 1});
}

TEST_CASE("a weight that two layers share is one parameter with two names in the state") {
    nn::Sequential net{nn::Linear(3, 3), nn::Linear(3, 3, false)};
    auto& first = static_cast<nn::Linear&>(net[0]);
    static_cast<nn::Linear&>(net[1]).weight = first.weight;
    CHECK(names(net.named_parameters()) == Names{"0.weight", "0.bias"});
    CHECK(names(net.state_dict()) == Names{"0.weight", "0.bias", "1.weight"});
    net.to(DType::float64);
    CHECK(first.weight.same(static_cast<nn::Linear&>(net[1]).weight));
}

TEST_CASE(
    "to changes parameters, gradients and floating buffers; what it gives requires gradients") {
    Net net;
    net(rand({5, 3})).sum().backward();
    net.to(DType::float64);
    CHECK(net.hidden.weight.dtype() == DType::float64);
    CHECK(net.hidden.weight.requires_grad());
    CHECK(net.hidden.weight.grad().dtype() == DType::float64);
    CHECK(net.scale.dtype() == DType::float64);
    CHECK(net(rand({5, 3}, {.dtype = DType::float64})).dtype() == DType::float64);
    const Tensor weight = net.hidden.weight;
    net.to(Device::cpu);
    CHECK(weight.same(net.hidden.weight));
    CHECK(error_of([&] { net.to(DType::int64); }) ==
          "to: parameters are of a floating dtype, which int64 is not");
}

TEST_CASE("train, eval, apply and requires_grad_ reach every module") {
    nn::Sequential net{nn::Linear(2, 2), nn::Sequential{nn::ReLU(), nn::Linear(2, 1)}};
    net.eval();
    Names order;
    net.apply([&](nn::Module& m) {
        CHECK(!m.is_training());
        order.push_back(m.name());
    });
    CHECK(order == Names{"Linear", "ReLU", "Linear", "Sequential", "Sequential"});
    CHECK(net.train().is_training());
    net.requires_grad_(false);
    for (const Tensor& p : net.parameters()) CHECK(!p.requires_grad());
}

TEST_CASE("hooks see and may change what goes in and out of a layer, until they are taken off") {
    nn::ReLU layer;
    auto before =
        layer.register_forward_pre_hook([](nn::Layer&, const Tensor& x) { return x + 1; });
    auto after = layer.register_forward_hook([](nn::Layer& self, const Tensor& x, const Tensor& y) {
        CHECK(self.name() == "ReLU");
        CHECK(numbers(x) == Floats{0, 3});
        return y * 10;
    });
    const Tensor x = tensor(Floats{-1, 2});
    CHECK(numbers(layer(x)) == Floats{0, 30});
    before.remove();
    after.remove();
    after.remove();
    CHECK(numbers(layer(x)) == Floats{0, 2});
}

TEST_CASE("a part's name is a word without dots that is not taken") {
    struct Twice : nn::Module {
        explicit Twice(const std::string& second) {
            register_parameter("a", zeros({1}));
            register_buffer(second, zeros({1}));
        }
    };
    CHECK(error_of([] { Twice("a"); }) == "register: there is a tensor 'a'");
    CHECK(error_of([] { Twice("b.c"); }) ==
          "register: 'b.c' is no name for a part of a module: a word without dots");
}

TEST_CASE("the ops of a layer have the line of its call, with and without hooks") {
    nn::Sequential net{nn::Flatten(), nn::Linear(2, 2)};
    const Tensor x = rand({5, 3});
    const auto at = [](int line) { return "linear (module_test.cc:" + std::to_string(line) + ")"; };
    CHECK(error_of([&] { net(x); }).starts_with(at(__LINE__)));
    auto handle = net[1].register_forward_hook(
        [](nn::Layer&, const Tensor&, const Tensor&) { return Tensor(); });
    CHECK(error_of([&] { net(x); }).starts_with(at(__LINE__)));
}
