#include <doctest/doctest.h>

#include "core/optim/optim.h"
#include "graph/compile.h"
#include "graph/passes/passes.h"
#include "kernels/parallel.h"
#include "tests/graph/programs.h"

using namespace tg;
using namespace tg::test;

namespace {

struct Restore {
    int threads = kernels::num_threads();
    ~Restore() { kernels::set_num_threads(threads); }
};

// Runs the pass and checks that the bits stay, with 1 and 2 threads. Gives the program after it.
Ref<Program> after(const std::string& text) {
    const Restore restore;
    const Ref<Program> before = parse_program(text);
    const Pass* const passes[] = {&run_together};
    const Ref<Program> result = optimise(*before, passes);
    INFO(result->text());
    const std::vector<Tensor> in = inputs_for(*before);
    const std::vector<Tensor> expected = execute(*before, in);
    const Plan plan(result);
    for (int threads : {1, 2}) {
        kernels::set_num_threads(threads);
        CHECK(same_bits(execute(*result, in), expected));
        CHECK(same_bits(plan.run(in), expected));
    }
    CHECK(parse_program(result->text())->equals(*result));
    return result;
}

std::string ops_of(const Program& program) {
    std::string s;
    for (const Line& line : program.lines) s += (s.empty() ? "" : " ") + std::string(line.op->name);
    return s;
}

const Program& body_of(const Line& line) {
    return static_cast<const Program&>(*line.attrs.object(0));
}

}  // namespace

TEST_CASE("groups that do not wait for each other become one launch") {
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (3,)\n"
        "  %1 = argument a float32 (2, 3)\n"
        "  %2 = argument b float32 (3, 2)\n"
        "  %3 = exp %0 float32 (3,)\n"
        "  %4 = matmul %1 %2 float32 (2, 2)\n"
        "  %5 = fused %1 %0 float32 (2, 3)\n"
        "    body = program group\n"
        "      %0 = argument a float32 (2, 3)\n"
        "      %1 = argument b float32 (3,)\n"
        "      %2 = mul %0 %1 float32 (2, 3)\n"
        "      %3 = tanh %2 float32 (2, 3)\n"
        "      return %3\n"
        "  return %3 %4 %5\n");
    CHECK(
        p->equals(*parse_program("program p\n"
                                 "  %0 = argument x float32 (3,)\n"
                                 "  %1 = argument a float32 (2, 3)\n"
                                 "  %2 = argument b float32 (3, 2)\n"
                                 "  %4 = matmul %1 %2 float32 (2, 2)\n"
                                 "  %3 %5 = together %0 %1 float32 (3,), float32 (2, 3)\n"
                                 "    body = program launch\n"
                                 "      %0 = argument x0 float32 (3,)\n"
                                 "      %1 = argument x1 float32 (2, 3)\n"
                                 "      %2 = exp %0 float32 (3,)\n"
                                 "      %3 = fused %1 %0 float32 (2, 3)\n"
                                 "        body = program group\n"
                                 "          %0 = argument a float32 (2, 3)\n"
                                 "          %1 = argument b float32 (3,)\n"
                                 "          %2 = mul %0 %1 float32 (2, 3)\n"
                                 "          %3 = tanh %2 float32 (2, 3)\n"
                                 "          return %3\n"
                                 "      return %2 %3\n"
                                 "  return %3 %4 %5\n")));
}

TEST_CASE("a group that needs another's values is in a later launch, unless they are numbers") {
    // %3 and %4 are needed by %5 and %6, %2 by both, and it is a number.
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (4,)\n"
        "  %1 = argument n float32 ()\n"
        "  %2 = exp %1 float32 ()\n"
        "  %3 = tanh %0 float32 (4,)\n"
        "  %4 = sin %0 float32 (4,)\n"
        "  %5 = mul %3 %2 float32 (4,)\n"
        "  %6 = add %4 %2 float32 (4,)\n"
        "  return %5 %6\n");
    CHECK(ops_of(*p) == "together together");
    CHECK(ops_of(body_of(p->lines[0])) == "tanh sin");
    CHECK(ops_of(body_of(p->lines[1])) == "exp mul add");
}

TEST_CASE("numbers that follow from numbers are in their users' launch") {
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (5,)\n"
        "  %1 = argument n float64 (1,)\n"
        "  %2 = add %1 1 float64 (1,)\n"
        "  %3 = cast %2 dtype=float32 float32 (1,)\n"
        "  %4 = div %0 %3 float32 (5,)\n"
        "  %5 = sub %0 %3 float32 (5,)\n"
        "  return %2 %4 %5\n");
    CHECK(ops_of(*p) == "together");
}

TEST_CASE("no group waits for what waits for it") {
    // %2 is needed by the sum, and %4 needs the sum.
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (4,)\n"
        "  %1 = argument y float32 (9,)\n"
        "  %2 = exp %0 float32 (4,)\n"
        "  %3 = sum %2 dim=(0,) keepdim=0 float32 ()\n"
        "  %4 = div %2 %3 float32 (4,)\n"
        "  %5 = exp %1 float32 (9,)\n"
        "  return %4 %5\n");
    CHECK(ops_of(*p) == "exp sum together");
    CHECK(ops_of(body_of(p->lines[2])) == "div exp");
}

TEST_CASE("a view comes after the launch that makes what it looks at") {
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (4, 3)\n"
        "  %1 = argument y float32 (5,)\n"
        "  %2 = exp %0 float32 (4, 3)\n"
        "  %3 = permute %2 dims=(1, 0) float32 (3, 4)\n"
        "  %4 = select %3 dim=0 index=1 float32 (4,)\n"
        "  %5 = exp %1 float32 (5,)\n"
        "  %6 = sin %1 float32 (5,)\n"
        "  %7 = tanh %4 float32 (4,)\n"
        "  return %3 %5 %6 %7\n");
    CHECK(ops_of(*p) == "exp permute select together");
    const Ref<Program> q = after(
        "program p\n"
        "  %0 = argument x float32 (4, 3)\n"
        "  %1 = argument y float32 (5,)\n"
        "  %2 = exp %0 float32 (4, 3)\n"
        "  %3 = permute %2 dims=(1, 0) float32 (3, 4)\n"
        "  %4 = select %3 dim=0 index=1 float32 (4,)\n"
        "  %5 = exp %1 float32 (5,)\n"
        "  return %3 %5 %4\n");
    CHECK(ops_of(*q) == "together permute select");
}

TEST_CASE("a launch has empty groups, and groups of more than a chunk") {
    for (const char* shape : {"(0,)", "(1, 0)", "(20000,)", "(3, 16384)", "(70, 901)"}) {
        const std::string s = shape;
        const Ref<Program> p = after(
            "program p\n"
            "  %0 = argument x float32 " +
            s +
            "\n"
            "  %1 = argument y float64 (33,)\n"
            "  %2 = argument z float32 (40001,)\n"
            "  %3 = exp %1 float64 (33,)\n"
            "  %4 = add %0 1.5 float32 " +
            s +
            "\n"
            "  %5 = gt %2 0.25 bool (40001,)\n"
            "  %6 = sqrt %0 float32 " +
            s +
            "\n"
            "  return %3 %4 %5 %6\n");
        CHECK(ops_of(*p) == "together");
    }
}

TEST_CASE("a launch of groups without elements runs") {
    CHECK(ops_of(*after("program p\n"
                        "  %0 = argument x float32 (0,)\n"
                        "  %1 = exp %0 float32 (0,)\n"
                        "  %2 = sin %0 float32 (0,)\n"
                        "  return %1 %2\n")) == "together");
}

TEST_CASE("a launch writes over a dead input only where no other group reads it") {
    // %2 and %3 die in the launch. Both %4 and %5 are made of %2.
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (1000,)\n"
        "  %1 = argument y float32 (900,)\n"
        "  %2 = cumsum %0 dim=0 back=0 float32 (1000,)\n"
        "  %3 = cumsum %1 dim=0 back=0 float32 (900,)\n"
        "  %4 = exp %2 float32 (1000,)\n"
        "  %5 = sin %2 float32 (1000,)\n"
        "  %6 = tanh %3 float32 (900,)\n"
        "  %7 = cat %4 %5 %6 dim=0 float32 (2900,)\n"
        "  return %7\n");
    CHECK(ops_of(*p) == "cumsum cumsum together cat");
    const std::string plan = Plan(p).text();
    const std::size_t over = plan.find("over its input");
    CHECK(plan.rfind("%6", over) > plan.rfind("%5", over));
    CHECK(plan.find("over its input", over + 1) == std::string::npos);
}

TEST_CASE("a transposed, a sliced and a repeated input are read by a launch's groups") {
    const Ref<Program> p = after(
        "program p\n"
        "  %0 = argument x float32 (130, 170)\n"
        "  %1 = argument row float32 (130,)\n"
        "  %2 = permute %0 dims=(1, 0) float32 (170, 130)\n"
        "  %3 = select %0 dim=1 index=7 float32 (130,)\n"
        "  %4 = exp %2 float32 (170, 130)\n"
        "  %5 = mul %3 %1 float32 (130,)\n"
        "  %6 = sub %2 %1 float32 (170, 130)\n"
        "  return %4 %5 %6\n");
    CHECK(ops_of(*p) == "permute select together");
}

// n products, each added to what came in: what a step does that adds up gradients.
static std::string sums(int n, int size) {
    const std::string shape =
        "float32 (" + std::to_string(size) + ", " + std::to_string(size) + ")\n";
    std::string text = "program p\n  %0 = argument x " + shape, back = "  return";
    for (int i = 1; i <= n; ++i)
        text += "  %" + std::to_string(i) + " = argument g" + std::to_string(i) + " " + shape;
    for (int i = 1; i <= n; ++i) {
        const std::string product = std::to_string(n + 2 * i), sum = std::to_string(n + 2 * i + 1);
        text += "  %" + product + " = matmul %0 %" + std::to_string(i) + " " + shape;
        text += "  %" + sum + " = add %" + std::to_string(i) + " %" + product + " " + shape;
        back += " %" + sum;
    }
    return text + back + "\n";
}

TEST_CASE("groups do not wait where that needs more memory") {
    const Ref<Program> small = parse_program(sums(20, 20));
    const Ref<Program> large = parse_program(sums(20, 200));
    const Pass* const passes[] = {&run_together};
    // 20 products of 1.6 KB may wait, of 160 KB none may.
    CHECK(Plan(optimise(*small, passes)).statistics().launches == 21);
    const Plan plan(optimise(*large, passes));
    CHECK(plan.statistics().launches == 40);
    CHECK(plan.statistics().arena_bytes == Plan(large).statistics().arena_bytes);
}

TEST_CASE("a text may not hold a launch that cannot run") {
    const std::string head =
        "program p\n  %0 = argument x float32 (4,)\n  %1 %2 = together %0 float32 (4,), float32 "
        "(4,)\n    body = program launch\n      %0 = argument a float32 (4,)\n";
    const auto error = [&](const std::string& rest) {
        return error_of([&] { parse_program(head + rest + "  return %1 %2\n"); });
    };
    CHECK(error("      %1 = exp %0 float32 (4,)\n      %2 = sin %0 float32 (4,)\n"
                "      return %1 %2\n") == "");
    CHECK(error("      %1 = exp %0 float32 (4,)\n      %2 = sin %1 float32 (4,)\n"
                "      return %1 %2\n")
              .find("sin reads %1, which another group makes; only numbers may be read so") !=
          std::string::npos);
    CHECK(error("      %1 = exp %0 float32 (4,)\n      %2 = cumsum %0 dim=0 back=0 float32 (4,)\n"
                "      return %1 %2\n")
              .find("cumsum of float32 (4,) has no place in a launch of elementwise groups") !=
          std::string::npos);
    CHECK(error("      %1 = exp %0 float32 (4,)\n      %2 = sin %0 float32 (4,)\n"
                "      return %2 %1\n")
              .find("the body returns not all that it makes") != std::string::npos);
}

TEST_CASE("a compiled optimiser updates all parameters in one launch") {
    std::vector<Tensor> parameters;
    for (const Dims& shape : {Dims{100, 300}, Dims{300}, Dims{300, 7}, Dims{7}, Dims{}, Dims{0}})
        parameters.push_back(ones(shape).requires_grad_());
    optim::SGD sgd(parameters, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01});
    for (Tensor& p : parameters) p.set_grad(ones(p.shape()));
    Compiled step("step", [&](const std::vector<Tensor>&) {
        sgd.step();
        return std::vector<Tensor>{};
    });
    step({});
    const Compiled::Trace trace = step.traces()[0];
    CHECK(trace.launches == 1);
    CHECK(std::string(trace.improved->lines.back().op->name) == "together");
    CHECK(step.explain().find(", 1 launches\n") != std::string::npos);
    Compiled planned("step",
                     [&](const std::vector<Tensor>&) {
                         sgd.step();
                         return std::vector<Tensor>{};
                     },
                     {.executor = Executor::planned});
    planned({});
    CHECK(planned.traces()[0].launches > 24);
}
