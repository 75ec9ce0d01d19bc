// A compiled call: a program that runs as one op, and is one node on the tape.
//
// Its gradient is made when it is first asked for, by writing the program's lines down again and
// taking their gradients there, in ops like any other. What comes out is cut in two:
//
//     forward    the program, with what the gradient needs as further outputs
//     backward   those saved values, and g  ->  the gradients of the variables
//     joint      the inputs, and g          ->  the gradients, as a function that can itself be
//                                               differentiated: create_graph calls it
//
// g has the gradients of the outputs, and of a variable that is used again after the call what
// these uses have added up: the call goes on from there, so that a sum has the tape's order.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace tg {

struct CallGradient;

namespace ops {
extern const Op call;  // inputs -> what the program returns
}

// A program made ready for one executor. Variables are its leaf lines, in order: the places to
// which gradients flow. It holds no tensor and no history.
struct Callable final : Object {
    Callable(Ref<Program> program, Executor executor);
    ~Callable() override;
    std::string text() const override { return written->text(); }

    std::vector<Tensor> run(std::span<const Tensor> inputs) const;
    const CallGradient& gradient() const;  // made at the first call
    int launches() const;                  // kernels a run calls

    Ref<Program> written;   // as recorded
    Ref<Program> improved;  // after the passes
    Executor executor;
    std::unique_ptr<Plan> plan;        // none for Executor::lines
    std::vector<int> variables;        // by leaf line: its value's number
    std::vector<char> differentiable;  // by output: no freed node between it and the leaves
    std::vector<char> overwritten;     // by input: the end of the call writes it; empty: none

  private:
    mutable std::once_flag once_;
    mutable std::unique_ptr<CallGradient> gradient_;
};

// The gradients of some outputs, given theirs.
struct GradientHalves {
    Ref<Callable> backward;  // null: joint does it
    Ref<Callable> joint;
    std::vector<int> given;            // the variables that get a gradient, in order
    std::vector<int> joint_variables;  // by joint's leaf line: a variable, or -1 - k: seed k
};

struct CallGradient {
    Ref<Callable> forward;
    std::vector<int> seeds;                          // the outputs that have a seed, in order
    std::vector<std::vector<int>> variables_behind;  // by seed: those that its output depends on
    std::vector<int> sums;                           // the variables behind any
    int outputs = 0;  // of the program; what follows them in `forward` is saved

    // By seed, then by sum: is it given? An output that the loss does not use has no gradient.
    const GradientHalves& halves(const Callable& callable, const std::vector<char>& present) const;

    // With every seed and sum given. What is compiled is what is left of these without the absent.
    Ref<Program> backward;
    Ref<Program> joint;
    std::vector<int> given, joint_variables;

  private:
    mutable std::mutex mutex_;
    mutable std::map<std::vector<char>, std::unique_ptr<GradientHalves>> made_;
};

// Runs it. `variables` are the nodes to which gradients flow, by leaf line (empty: none). Where
// any does, and gradients are on, the outputs hang on one node of the tape.
std::vector<Tensor> call(const Ref<Callable>& callable, std::span<const Tensor> inputs,
                         std::span<const Value> variables);

}  // namespace tg
