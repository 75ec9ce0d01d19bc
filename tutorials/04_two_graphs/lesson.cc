// Lesson 4: one program, two graphs.
//
// The same training step runs as a tape (lesson 2) and as a graph (lesson 3). This time the graph
// is not written by hand: `Compiled` calls the function once, keeps what it wrote down, and runs
// that from then on. lesson.ipynb does the same in Python and prints the same lines.
#include <cmath>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

namespace {

using Floats = std::vector<float>;
using Tensors = std::vector<Tensor>;

// One layer, and what a training step does with it.
struct Layer {
    Tensor w = tensor({{0.5f, -0.25f}, {0.25f, 0.5f}});
    Tensor b = tensor(Floats{0, 0});
    Tensor rate = scalar_tensor(0.5);
    int calls = 0;  // how often the lines of `step` have run

    Layer() {
        w.requires_grad_();
        b.requires_grad_();
    }

    // arguments: x (N, 2) and target (N, 2); returns the loss before the update.
    Tensors step(const Tensors& arguments) {
        ++calls;
        const Tensor y = tanh(matmul(arguments[0], w) + b);
        const Tensor error = y - arguments[1];
        const Tensor loss = (error * error).mean();
        w.set_grad({});
        b.set_grad({});
        loss.backward();
        const NoGrad off;
        w.sub_(w.grad() * rate);
        b.sub_(b.grad() * rate);
        return {loss};
    }
};

// The square root of a, by Newton's method. How many steps? That depends on a's value.
Tensors newton(const Tensors& arguments) {
    const Tensor& a = arguments[0];
    Tensor y = a;
    while (abs(y * y - a).item<double>() > 1e-4) y = (y + a / y) * 0.5;
    return {y};
}

}  // namespace

int main() {
    const Tensors data = {tensor({{1, 0}, {0, 1}, {1, 1}, {-1, 2}}),
                          tensor({{0.5f, -0.5f}, {-0.5f, 0.5f}, {0, 0}, {-0.75f, 0.75f}})};

    say("1. The same step, four ways");
    // 20 steps each, from the same start. The tape runs each op when its line is reached. The
    // graphs: line by line; with memory laid out once; with elementwise lines run together.
    std::string tape_losses;
    for (const char* how : {"tape", "lines", "planned", "fused"}) {
        Layer layer;
        const std::string name = how;
        const Executor executor = name == "lines"     ? Executor::lines
                                  : name == "planned" ? Executor::planned
                                                      : Executor::fused;
        Compiled compiled("step", [&](const Tensors& x) { return layer.step(x); }, {executor});
        std::string losses;
        std::int64_t nodes = 0, ops = 0;
        for (int i = 0; i < 20; ++i) {
            const std::int64_t nodes_before = nodes_made();
            const std::int64_t ops_before = ops_run();
            const Tensor loss = name == "tape" ? layer.step(data)[0] : compiled(data)[0];
            nodes = nodes_made() - nodes_before;
            ops = ops_run() - ops_before;
            losses += digits(loss) + " ";
            if (i == 0 || i == 19) say(how, ": step ", i + 1, ", loss ", digits(loss));
        }
        say(how, ": times the function's lines ran: ", layer.calls,
            "; made by the last step: ", nodes, " nodes; run by it: ", ops, " ops");
        if (name == "tape") tape_losses = losses;
        check(losses == tape_losses);  // all 20, to the last bit
        check(layer.calls == (name == "tape" ? 20 : 1));
    }

    say("2. Side by side: lockstep");
    // Both ways at once, op by op, until the first difference. Here there is none.
    Layer layer;
    const Lockstep both = lockstep([&](const Tensors& x) { return layer.step(x); }, data);
    block(both.text);
    say("equal: ", yes_no(both.equal), ", over ", both.lines, " ops");
    check(both.equal);

    say("3. What a compiler does with the lines");
    Compiled chain("chain", [](const Tensors& in) {
        const Tensor unused = in[0] * 100;  // nobody needs it
        const Tensor a = in[0] * 2;
        const Tensor b = exp(in[0] * 2);  // one line is written twice
        return Tensors{log(b + a)};
    });
    chain({data[0]});
    Ref<Program> program = chain.traces()[0].written;
    block(program->text());
    for (const Pass* pass : all_passes()) {
        const std::size_t before = program->lines.size();
        program = optimise(*program, {&pass, 1});
        const std::size_t after = program->lines.size();  // a pass may find nothing to do
        if (after != before) say(pass->name, ": ", before, " lines -> ", after);
    }
    block(program->text());

    say("4. Where a mistake shows up");
    // The last line of this function cannot work: 2 columns against 3 rows.
    const auto broken = [](const Tensors& x) {
        const Tensor h = tanh(x[0] * 2);
        return Tensors{matmul(h, ones({3, 1}))};
    };
    std::int64_t ran = ops_run();
    const std::string on_tape = error_of([&] { broken({data[0]}); });
    say("tape:  ", on_tape);
    say("       ", ops_run() - ran, " ops had run");
    Compiled compiled_broken("broken", broken);
    ran = ops_run();
    const std::string in_graph = error_of([&] { compiled_broken({data[0]}); });
    say("graph: ", in_graph);
    say("       ", ops_run() - ran, " ops had run");
    // The same words and the same line: shapes are checked where an op is written, run or not.
    check(on_tape == in_graph);

    say("5. What changes between two calls");
    Tensor rate = scalar_tensor(2.0);
    Compiled by_tensor("by_tensor", [&](const Tensors& x) { return Tensors{x[0] * rate}; });
    const Tensor one = scalar_tensor(1.0);
    const Tensor first = by_tensor({one})[0];
    rate.fill_(3);
    const Tensor second = by_tensor({one})[0];
    say("a tensor:        ", digits(first), " then ", digits(second), ", traced ",
        by_tensor.traces().size(), " time");
    check(first.item<float>() == 2 && second.item<float>() == 3);
    // A number is part of the program's text. Python's compile sees that it changed and traces
    // again. C++ cannot look into a lambda: without the second argument of `call`, which says
    // which program is meant, `by_number` would go on multiplying by 2.
    int factor = 2;
    Compiled by_number("by_number", [&](const Tensors& x) { return Tensors{x[0] * factor}; });
    const Tensor third = by_number.call({one}, factor)[0];
    factor = 3;
    check(by_number.call({one}, 2)[0].item<float>() == 2);  // the old program is still there
    const Tensor fourth = by_number.call({one}, factor)[0];
    say("a plain number:  ", digits(third), " then ", digits(fourth), ", traced ",
        by_number.traces().size(), " times");
    by_tensor({data[0]});
    say("another shape:   traced ", by_tensor.traces().size(), " times");

    say("6. Where the tape wins: steps that depend on the data");
    for (const double number : {2.0, 100.0}) {
        Tensor a = scalar_tensor(number, {.dtype = DType::float64, .requires_grad = true});
        const std::int64_t before = nodes_made();
        const Tensor root = newton({a})[0];
        const std::int64_t nodes = nodes_made() - before;
        root.backward();
        say("sqrt(", number, ") = ", rounded(root), ", derivative ", rounded(a.grad()), ", ", nodes,
            " nodes");
        check(std::fabs(a.grad().item<double>() - 0.5 / std::sqrt(number)) < 1e-4);
    }
    Compiled compiled_newton("newton", newton);
    say(error_of([&] { compiled_newton({scalar_tensor(2.0)}); }));
    return done();
}
