#include "graph/passes/passes.h"

#include <doctest/doctest.h>

#include "tests/graph/programs.h"

using namespace tg;
using namespace tg::test;

// Runs one pass, checks that the bits stay, and returns the program after it.
static Ref<Program> after(const Pass& pass, const Ref<Program>& before) {
    const Pass* const passes[] = {&pass};
    const Ref<Program> result = optimise(*before, passes);
    const std::vector<Tensor> in = inputs_for(*before);
    const std::vector<Tensor> expected = execute(*before, in);
    CHECK(same_bits(execute(*result, in), expected));
    CHECK(same_bits(Plan(result).run(in), expected));
    CHECK(parse_program(result->text())->equals(*result));
    return result;
}

static bool is(const Ref<Program>& program, const std::string& text) {
    const bool equal = program->equals(*parse_program(text));
    if (!equal) MESSAGE(program->text());
    return equal;
}

TEST_CASE("a transposed product is written in the order that is wanted") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (4, 2)\n"
        "  %1 = argument g float32 (4, 3)\n"
        "  %2 = permute %0 dims=(1, 0) float32 (2, 4)\n"
        "  %3 = matmul %2 %1 float32 (2, 3)\n"
        "  %4 = permute %3 dims=(1, 0) float32 (3, 2)\n"
        "  %5 = permute %4 dims=(1, 0) float32 (2, 3)\n"
        "  return %4\n");
    const Ref<Program> turned = after(drop_dead, after(turn_products, p));
    CHECK(is(turned,
             "program p\n"
             "  %0 = argument x float32 (4, 2)\n"
             "  %1 = argument g float32 (4, 3)\n"
             "  %6 = permute %1 dims=(1, 0) float32 (3, 4)\n"
             "  %4 = matmul %6 %0 float32 (3, 2)\n"
             "  return %4\n"));
}

TEST_CASE("lines on constants only are folded into constants") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (2,)\n"
        "  %1 = full shape=(2,) dtype=float32 device=0 value=3 float32 (2,)\n"
        "  %2 = mul %1 0.5 float32 (2,)\n"
        "  %3 = add %0 %2 float32 (2,)\n"
        "  return %3\n");
    CHECK(is(after(fold_constants, p),
             "program p\n"
             "  %0 = argument x float32 (2,)\n"
             "  %1 = full shape=(2,) dtype=float32 device=0 value=3 float32 (2,)\n"
             "  %2 = full shape=(2,) dtype=float32 device=0 value=1.5 float32 (2,)\n"
             "  %3 = add %0 %2 float32 (2,)\n"
             "  return %3\n"));
}

TEST_CASE("large constants are left to be computed") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = full shape=(100000,) dtype=float32 device=0 value=3 float32 (100000,)\n"
        "  %1 = exp %0 float32 (100000,)\n"
        "  return %1\n");
    CHECK(after(fold_constants, p)->equals(*p));
}

TEST_CASE("equal lines are merged, and what only gradients see is passed over") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (2,)\n"
        "  %1 = exp %0 float32 (2,)\n"
        "  %2 = detach %1 float32 (2,)\n"
        "  %3 = exp %0 float32 (2,)\n"
        "  %4 = mul %2 %3 float32 (2,)\n"
        "  %5 = add %4 0.0 float32 (2,)\n"
        "  %6 = add %4 -0.0 float32 (2,)\n"
        "  return %5 %6\n");
    CHECK(is(after(merge_equal, p),
             "program p\n"
             "  %0 = argument x float32 (2,)\n"
             "  %1 = exp %0 float32 (2,)\n"
             "  %4 = mul %1 %1 float32 (2,)\n"
             "  %5 = add %4 0.0 float32 (2,)\n"
             "  %6 = add %4 -0.0 float32 (2,)\n"
             "  return %5 %6\n"));
}

TEST_CASE("random lines are never merged nor folded") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = variable generator int64 (2,)\n"
        "  %1 = rand %0 shape=(4,) dtype=float32 device=0 float32 (4,)\n"
        "  %2 = rand %0 shape=(4,) dtype=float32 device=0 float32 (4,)\n"
        "  return %1 %2\n");
    CHECK(after(merge_equal, p)->equals(*p));
    CHECK(after(fold_constants, p)->equals(*p));
}

TEST_CASE("lines whose values nobody uses are dropped, but for those that write state") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (2,)\n"
        "  %1 = exp %0 float32 (2,)\n"
        "  %2 = log %1 float32 (2,)\n"
        "  %3 = mul %0 2.0 float32 (2,)\n"
        "  %4 = assign %3 variable=0 float32 (2,)\n"
        "  return %1\n");
    CHECK(is(after(drop_dead, p),
             "program p\n"
             "  %0 = argument x float32 (2,)\n"
             "  %1 = exp %0 float32 (2,)\n"
             "  %3 = mul %0 2.0 float32 (2,)\n"
             "  %4 = assign %3 variable=0 float32 (2,)\n"
             "  return %1\n"));
}

TEST_CASE("elementwise lines of one shape become a group") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (3000,)\n"
        "  %1 = argument s float32 ()\n"
        "  %2 = mul %0 %1 float32 (3000,)\n"
        "  %3 = exp %2 float32 (3000,)\n"
        "  %4 = add %3 1.0 float32 (3000,)\n"
        "  return %3 %4\n");
    CHECK(is(after(fuse, p),
             "program p\n"
             "  %0 = argument x float32 (3000,)\n"
             "  %1 = argument s float32 ()\n"
             "  %3 %4 = fused %0 %1 float32 (3000,), float32 (3000,)\n"
             "    body = program group\n"
             "      %0 = argument a float32 (3000,)\n"
             "      %1 = argument b float32 ()\n"
             "      %2 = mul %0 %1 float32 (3000,)\n"
             "      %3 = exp %2 float32 (3000,)\n"
             "      %4 = add %3 1.0 float32 (3000,)\n"
             "      return %3 %4\n"
             "  return %3 %4\n"));
}

TEST_CASE("a group never takes in a line that would make it wait for itself") {
    // %4 needs the sum, which needs %1: %1 and %4 cannot run as one.
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (20,)\n"
        "  %1 = exp %0 float32 (20,)\n"
        "  %2 = sum %1 dim=(0,) keepdim=0 float32 ()\n"
        "  %3 = neg %1 float32 (20,)\n"
        "  %4 = div %1 %2 float32 (20,)\n"
        "  %5 = mul %4 %3 float32 (20,)\n"
        "  return %5\n");
    const Ref<Program> q = after(fuse, p);
    CHECK(q->lines.size() == 3);
    CHECK(std::string(q->lines[0].op->name) == "exp");
    CHECK(std::string(q->lines[1].op->name) == "sum");
    CHECK(std::string(q->lines[2].op->name) == "fused");
}

TEST_CASE("a group reads transposed, sliced and repeated inputs block by block") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (70, 90)\n"
        "  %1 = argument y float32 (90, 70)\n"
        "  %2 = argument column float32 (70, 1)\n"
        "  %3 = argument row float32 (90,)\n"
        "  %4 = permute %1 dims=(1, 0) float32 (70, 90)\n"
        "  %5 = add %0 %4 float32 (70, 90)\n"
        "  %6 = mul %5 %2 float32 (70, 90)\n"
        "  %7 = sub %6 %3 float32 (70, 90)\n"
        "  %8 = gt %7 0.0 bool (70, 90)\n"
        "  %9 = where %8 %7 %5 float32 (70, 90)\n"
        "  %10 = cast %9 dtype=float64 float64 (70, 90)\n"
        "  %11 = tanh %10 float64 (70, 90)\n"
        "  return %11 %8\n");
    const Ref<Program> q = after(fuse, p);
    CHECK(q->lines.size() == 2);
}

TEST_CASE("a group's lines and inputs are bounded") {
    std::string text = "program p\n  %0 = argument x float32 (10,)\n";
    for (int i = 1; i <= 100; ++i)
        text +=
            "  %" + std::to_string(i) + " = tanh %" + std::to_string(i - 1) + " float32 (10,)\n";
    const Ref<Program> q = after(fuse, parse_program(text + "  return %100\n"));
    CHECK(q->lines.size() == 4);
}

TEST_CASE("a text may not hold a group that cannot run") {
    const std::string head =
        "program p\n  %0 = argument x float32 (4,)\n  %1 = fused %0 float32 (4,)\n"
        "    body = program group\n      %0 = argument a float32 (4,)\n";
    CHECK(error_of([&] {
              parse_program(head +
                            "      %1 = sum %0 dim=(0,) keepdim=1 float32 (1,)\n"
                            "      return %1\n  return %1\n");
          }).find("fused") != std::string::npos);
    CHECK(error_of([&] {
              parse_program(head +
                            "      %1 = exp %0 float32 (4,)\n      return %0\n  return %1\n");
          }).find("an input or returned twice") != std::string::npos);
}

TEST_CASE("all passes together give the same bits, with fewer launches") {
    const Ref<Program> p = parse_program(network);
    int shown = 0;
    const Ref<Program> q =
        optimise(*p, all_passes(), [&](const Pass&, const Program&, const Program&) { ++shown; });
    CHECK(shown == static_cast<int>(all_passes().size()));
    const std::vector<Tensor> in = inputs_for(*p);
    CHECK(same_bits(Plan(q).run(in), execute(*p, in)));
    CHECK(Plan(q).statistics().launches < Plan(p).statistics().launches);
    CHECK(find_pass("fuse") == &fuse);
    CHECK(find_pass("nothing") == nullptr);
}

TEST_CASE("a difference shows what a pass has done") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (2,)\n"
        "  %1 = exp %0 float32 (2,)\n"
        "  %2 = log %0 float32 (2,)\n"
        "  return %1\n");
    CHECK(difference(*p, *after(drop_dead, p)) ==
          "@@ -1 +1 @@\n"
          " program p\n"
          "   %0 = argument x                           float32 (2,)\n"
          "   %1 = exp %0                               float32 (2,)\n"
          "-  %2 = log %0                               float32 (2,)\n"
          "   return %1\n");
    CHECK(difference(*p, *p) == "");
}
