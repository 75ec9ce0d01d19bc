#include <doctest/doctest.h>

#include "tapegraph.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

TEST_CASE("Sequential calls one layer after another, by number or by name") {
    nn::Sequential net{nn::Flatten(), nn::Linear(4, 2), nn::ReLU()};
    CHECK(net(rand({3, 2, 2})).shape() == Dims{3, 2});
    net.append("last", nn::Softmax(1));
    CHECK(net.size() == 4);
    CHECK(numbers(sum(net(rand({3, 2, 2}))))[0] == doctest::Approx(3));
    CHECK(net.text() ==
          "Sequential(\n"
          "  (0): Flatten(start_dim=1, end_dim=-1)\n"
          "  (1): Linear(in_features=4, out_features=2, bias=True)\n"
          "  (2): ReLU()\n"
          "  (last): Softmax(dim=1)\n"
          ")");
    const auto relu = net.pop(2);
    CHECK(net[-1].name() == "Softmax");
    net.insert(0, relu);
    CHECK(net.text().starts_with("Sequential(\n  (0): ReLU()\n  (1): Flatten("));
    CHECK(error_of([&] { net[4]; }) == "Sequential: 4 is outside of its 4 modules");
}

TEST_CASE("the weights of a Sequential in braces are drawn from left to right") {
    manual_seed(0);
    const nn::Linear first(2, 3), second(3, 1);
    manual_seed(0);
    const nn::Sequential net{nn::Linear(2, 3), std::make_shared<nn::Linear>(3, 1)};
    CHECK(numbers(net.parameters()[0]) == numbers(first.weight));
    CHECK(numbers(net.parameters()[2]) == numbers(second.weight));
}

TEST_CASE("a moved Sequential is the same model") {
    nn::Sequential inner{nn::Linear(2, 2), nn::Tanh()};
    const Tensor weight = inner.parameters()[0];
    nn::Sequential outer{std::move(inner), nn::Linear(2, 1)};
    CHECK(outer.parameters()[0].same(weight));
    CHECK(outer(rand({5, 2})).shape() == Dims{5, 1});
}

TEST_CASE("ModuleList and ModuleDict hold modules of a class, and print as PyTorch's") {
    nn::ModuleList<nn::Linear> list{nn::Linear(3, 3), nn::Linear(3, 3)};
    list.append(nn::Linear(3, 1));
    Tensor x = rand({2, 3});
    for (nn::Linear* layer : list.list()) x = (*layer)(x);
    CHECK(x.shape() == Dims{2, 1});
    CHECK(list[0].in_features == 3);
    CHECK(list.named_parameters()[4].first == "2.weight");
    CHECK(list.text() ==
          "ModuleList(\n"
          "  (0-1): 2 x Linear(in_features=3, out_features=3, bias=True)\n"
          "  (2): Linear(in_features=3, out_features=1, bias=True)\n"
          ")");
    nn::ModuleDict<> dict;
    dict.insert("act", nn::ReLU());
    dict.insert("drop", nn::Identity());
    CHECK(dict.contains("act"));
    CHECK(numbers(dict["act"](tensor(Floats{-1, 2}))) == Floats{0, 2});
    CHECK(dict.text() == "ModuleDict(\n  (act): ReLU()\n  (drop): Identity()\n)");
    dict.pop("act");
    CHECK(dict.keys() == std::vector<std::string>{"drop"});
    CHECK(error_of([&] { dict["act"]; }) == "ModuleDict: there is no module 'act'");
}

TEST_CASE("ParameterList makes its tensors parameters") {
    nn::ParameterList list({zeros({2, 3}), zeros({4})});
    CHECK(list[-1].requires_grad());
    CHECK(list.named_parameters()[1].first == "1");
    CHECK(list.text() ==
          "ParameterList(\n"
          "  (0): Parameter containing: [tapegraph.float32 of size 2x3]\n"
          "  (1): Parameter containing: [tapegraph.float32 of size 4]\n"
          ")");
}
