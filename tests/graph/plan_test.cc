#include <doctest/doctest.h>

#include <thread>

#include "graph/passes/passes.h"
#include "graph/plan_arena.h"
#include "tests/graph/programs.h"

using namespace tg;
using namespace tg::test;

// Plans the program as it is and as the passes make it, and compares with the reference.
static void check_plans(const std::string& text) {
    const Ref<Program> p = parse_program(text);
    const std::vector<Tensor> in = inputs_for(*p);
    const std::vector<Tensor> expected = execute(*p, in);
    const Plan plan(p);
    const Plan improved(optimise(*p, all_passes()));
    INFO(improved.program().text(), improved.text());
    for (int run = 0; run < 3; ++run) {
        CHECK(same_bits(plan.run(in), expected));
        CHECK(same_bits(improved.run(in), expected));
    }
    CHECK(same_bits(execute(improved.program(), in), expected));
}

TEST_CASE("a plan gives the reference's bits for a network") { check_plans(network); }

TEST_CASE("a plan gives the reference's bits for views, casts, integers and repeated operands") {
    check_plans(
        "program p\n"
        "  %0 = argument x float32 (4, 4)\n"
        "  %1 = argument i int64 (4,)\n"
        "  %2 = exp %0 float32 (4, 4)\n"
        "  %3 = permute %2 dims=(1, 0) float32 (4, 4)\n"
        "  %4 = add %2 %3 float32 (4, 4)\n"
        "  %5 = mul %4 %4 float32 (4, 4)\n"
        "  %6 = cast %1 dtype=float32 float32 (4,)\n"
        "  %7 = unsqueeze %6 dim=1 float32 (4, 1)\n"
        "  %8 = add %5 %7 float32 (4, 4)\n"
        "  %9 = select %8 dim=0 index=2 float32 (4,)\n"
        "  %10 = cast %9 dtype=int64 int64 (4,)\n"
        "  %11 = maximum %10 %1 int64 (4,)\n"
        "  return %8 %11 %9\n");
}

TEST_CASE("a plan runs empty tensors and tensors of no dims") {
    check_plans(
        "program p\n"
        "  %0 = argument x float32 (0, 3)\n"
        "  %1 = argument s float32 ()\n"
        "  %2 = exp %0 float32 (0, 3)\n"
        "  %3 = add %2 %1 float32 (0, 3)\n"
        "  %4 = sum %3 dim=(0,) keepdim=0 float32 (3,)\n"
        "  %5 = tanh %1 float32 ()\n"
        "  %6 = mul %5 %5 float32 ()\n"
        "  return %3 %4 %6\n");
}

TEST_CASE("a plan reads inputs with strides of 0") {
    check_plans(
        "program p\n"
        "  %0 = argument row float32 (5,)\n"
        "  %1 = argument column float32 (7, 1)\n"
        "  %2 = expand %0 shape=(7, 5) float32 (7, 5)\n"
        "  %3 = expand %1 shape=(7, 5) float32 (7, 5)\n"
        "  %4 = mul %2 %3 float32 (7, 5)\n"
        "  %5 = sub %4 %1 float32 (7, 5)\n"
        "  return %5 %2\n");
}

TEST_CASE("dead values' room is used again") {
    const Plan plan(parse_program(network));
    CHECK(plan.statistics().arena_bytes > 0);
    CHECK(plan.statistics().arena_bytes < plan.statistics().value_bytes);
    CHECK(plan.statistics().launches == 17);
}

TEST_CASE("a chain of elementwise lines is written over one room") {
    std::string text = "program p\n  %0 = argument x float32 (100,)\n";
    for (int i = 1; i <= 10; ++i)
        text +=
            "  %" + std::to_string(i) + " = tanh %" + std::to_string(i - 1) + " float32 (100,)\n";
    const Ref<Program> p = parse_program(text + "  return %10\n");
    const Plan plan(p);
    CHECK(plan.statistics().arena_bytes == 448);  // one value of 400 bytes, to 64
    CHECK(plan.statistics().value_bytes == 9 * 448);
    CHECK(plan.text().find("over its input") != std::string::npos);
    const std::vector<Tensor> in = inputs_for(*p);
    CHECK(same_bits(plan.run(in), execute(*p, in)));
}

TEST_CASE("threads that run one plan do not meet") {
    const Ref<Program> p = parse_program(network);
    const Plan plan(p);
    std::vector<std::vector<Tensor>> inputs, expected;
    for (int k = 0; k < 4; ++k) {
        inputs.push_back(inputs_for(*p));
        inputs.back()[0] = numbers(p->values[0], 100 + k);
        expected.push_back(execute(*p, inputs.back()));
    }
    std::vector<char> right(4, 1);
    std::vector<std::thread> threads;
    for (std::size_t k = 0; k < 4; ++k)
        threads.emplace_back([&, k] {
            for (int run = 0; run < 200; ++run)
                if (!same_bits(plan.run(inputs[k]), expected[k])) right[k] = 0;
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(right == std::vector<char>(4, 1));
}

TEST_CASE("a plan's bytes are given back after each run") {
    const Ref<Program> p = parse_program(network);
    const Plan plan(p);
    const std::vector<Tensor> in = inputs_for(*p);
    plan.run(in);
    const std::int64_t live = allocator::statistics().live;
    plan.run(in);
    CHECK(allocator::statistics().live == live);
}

TEST_CASE("an arena takes the smallest gap that fits, and joins gaps") {
    Arena arena;
    CHECK(arena.take(100) == 0);  // 128
    CHECK(arena.take(64) == 128);
    CHECK(arena.take(200) == 192);  // 256
    CHECK(arena.take(64) == 448);
    arena.give(0, 100);
    arena.give(192, 200);
    CHECK(arena.take(128) == 0);  // not in the gap of 256
    CHECK(arena.take(192) == 192);
    CHECK(arena.take(64) == 384);
    arena.give(0, 128);
    arena.give(192, 192);
    arena.give(128, 64);
    CHECK(arena.take(384) == 0);
    CHECK(arena.size() == 512);
    arena.give(448, 64);
    CHECK(arena.take(100) == 448);  // the last gap is made longer
    CHECK(arena.size() == 576);
    CHECK(arena.take(0) == 0);
}
