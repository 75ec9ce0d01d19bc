// The TensorFlow 1 style: build a graph first, run parts of it later.
//
//     Graph graph;
//     Tensor x, y;
//     {
//         GraphScope open(graph);                  // from here on ops are written down
//         x = placeholder("x", {None, 64});
//         y = relu(matmul(x, w));                  // w is a variable: read when the program runs
//     }
//     Session session(graph);
//     std::vector<Tensor> out = session.run({y}, {{x, batch}});
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/backward.h"
#include "core/ops.h"
#include "core/recording.h"
#include "graph/execute.h"
#include "graph/program.h"

namespace tg {

constexpr std::int64_t None = -1;  // in a placeholder's shape: known only when it is fed

class Graph {
  public:
    explicit Graph(std::string name = "graph", Where where = Where::here());
    Recording& recording() { return *recording_; }
    const Recording& recording() const { return *recording_; }
    std::string text() const;  // every line written so far, as a program

  private:
    std::unique_ptr<Recording> recording_;
};

class GraphScope {
  public:
    explicit GraphScope(Graph& graph) : scope_(&graph.recording()) {}

  private:
    RecordingScope scope_;
};

// Steps out of all recordings: what is called inside runs now.
class Eagerly {
  public:
    Eagerly() : scope_(nullptr) {}

  private:
    RecordingScope scope_;
};

Tensor placeholder(const std::string& name, const Dims& shape, DType dtype = DType::float32,
                   Where where = Where::here(), Device device = Device::cpu);
// The value that `variable` will have once a run that fetched this has ended. Reads still see the
// value at the start of the run.
Tensor assign(const Tensor& variable, const Arg& value);
// tf.gradients: written down like any other op.
std::vector<Tensor> gradients(const Tensor& loss, const std::vector<Tensor>& inputs,
                              Where where = Where::here());

enum class Executor { lines, planned, fused };
const char* name_of(Executor executor);

using Feed = std::pair<Tensor, Tensor>;  // a placeholder, and what to feed it

class Session {
  public:
    explicit Session(Graph& graph, Executor executor = Executor::fused);
    ~Session();
    // Runs only the lines that the fetches need. Fetches and feeds are checked; the program is
    // kept for the next run with the same fetches and the same fed shapes.
    std::vector<Tensor> run(const std::vector<Tensor>& fetches, const std::vector<Feed>& feeds = {},
                            Where where = Where::here());
    Ref<Program> program(const std::vector<Tensor>& fetches);  // as written, unknown dims and all
    Ref<Program> last() const;       // the one that ran last, as improved by the passes
    std::int64_t lines_run() const;  // by the last run
    // "placeholder 'x' (train.py:12) has shape (?, 2)"; an error if it is none of the graph's.
    std::string placeholder_text(const Tensor& placeholder) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tg
