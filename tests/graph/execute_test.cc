#include "graph/execute.h"

#include <doctest/doctest.h>

#include "tests/graph/programs.h"

using namespace tg;
using namespace tg::test;

TEST_CASE("a program's lines run in order, and a number takes the dtype of the tensor beside it") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (2, 3)\n"
        "  %1 = argument i int32 (3,)\n"
        "  %2 = add %0 1.5 float32 (2, 3)\n"
        "  %3 = mul %1 2 int32 (3,)\n"
        "  %4 = gt %2 4.0 bool (2, 3)\n"
        "  %5 = where %4 %2 0.0 float32 (2, 3)\n"
        "  %6 = sum %5 dim=(1,) keepdim=0 float32 (2,)\n"
        "  return %6 %3\n");
    const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
    const Tensor i = cast(tensor(std::vector<std::int64_t>{1, 2, 3}), DType::int32);
    const std::vector<Tensor> out = execute(*p, std::vector<Tensor>{x, i});
    CHECK(floats(out[0]) == std::vector<float>{4.5f, 5.5f + 6.5f + 7.5f});
    CHECK(static_cast<const std::int32_t*>(out[1].data())[2] == 6);
}

TEST_CASE("a view shares bytes with its input; one that there is not is copied first") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (2, 3)\n"
        "  %1 = permute %0 dims=(1, 0) float32 (3, 2)\n"
        "  %2 = reshape %1 shape=(6,) float32 (6,)\n"
        "  %3 = slice %2 dim=0 begin=1 end=4 step=1 float32 (3,)\n"
        "  %4 = detach %3 float32 (3,)\n"
        "  return %4 %1\n");
    const std::vector<Tensor> in{tensor({{1, 2, 3}, {4, 5, 6}})};
    const std::vector<Tensor> out = execute(*p, in);
    CHECK(floats(out[0]) == std::vector<float>{4, 2, 5});
    CHECK(floats(out[1]) == std::vector<float>{1, 4, 2, 5, 3, 6});
    CHECK(same_bits(Plan(p).run(in), out));
}

TEST_CASE("outputs share bytes with no input and with no other output") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (3,)\n"
        "  %1 = exp %0 float32 (3,)\n"
        "  %2 = detach %1 float32 (3,)\n"
        "  return %0 %1 %2 %1\n");
    const std::vector<Tensor> in{tensor(std::vector<float>{0, 0, 0})};
    for (const std::vector<Tensor>& out : {execute(*p, in), Plan(p).run(in)}) {
        CHECK(floats(out[3]) == std::vector<float>{1, 1, 1});
        for (std::size_t a = 0; a < out.size(); ++a) {
            CHECK(out[a].data() != in[0].data());
            for (std::size_t b = 0; b < a; ++b) CHECK(out[a].data() != out[b].data());
        }
    }
}

TEST_CASE("inputs that do not fit are refused by name") {
    const Ref<Program> p = parse_program(
        "program p\n  %0 = argument x float32 (2, 3)\n  %1 = exp %0 float32 (2, 3)\n  return %1\n");
    const auto error = [&](const std::vector<Tensor>& in) {
        const std::string reference = error_of([&] { execute(*p, in); });
        CHECK(error_of([&] { Plan(p).run(in); }) == reference);
        return reference;
    };
    CHECK(error({}) == "program p has 1 inputs, but was given 0");
    CHECK(error({tensor({{1, 2}, {3, 4}, {5, 6}}).t()}) ==
          "program p: input 0 (x) is float32 (2, 3) on cpu, contiguous, but was given float32 "
          "(2, 3) on cpu with strides (1, 2)");
    CHECK(error({tensor({{1, 2}})}).find("but was given float32 (1, 2)") != std::string::npos);
    CHECK(error_of([&] { execute(*p, std::vector<Tensor>{Tensor{}}); }) ==
          "exp: its input is an absent gradient");
    CHECK(error_of([&] { Plan(p).run(std::vector<Tensor>{Tensor{}}); }) ==
          "program p: input 0 (x) is used, but is an absent gradient");
}
