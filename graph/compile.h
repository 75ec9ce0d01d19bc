// compile(fn): call fn once with symbols in place of its tensors, keep what it wrote down as a
// program, and run that from then on.
//
// A program is kept per key: what of the call fn's code may depend on. A call with another key
// traces again, and explain() says which part of the key was new.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace tg {

struct CompileOptions {
    Executor executor = Executor::fused;
};

class Compiled {
  public:
    // Undefined tensors may be returned: they stay undefined.
    using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
    Compiled(std::string name, Function function, CompileOptions options = {},
             Where where = Where::here());
    ~Compiled();

    // `extra` stands for all of the caller's key that is not in the tensors (plain arguments,
    // globals, the arguments' structure): equal numbers, equal keys. `why` says in words what is
    // new about it, for explain().
    // `attachment` is kept with a trace for the caller: the function sets it while it is traced,
    // and each later call of that trace finds it there.
    std::vector<Tensor> call(const std::vector<Tensor>& arguments, std::int64_t extra = 0,
                             const std::string& why = "", Where where = Where::here(),
                             std::shared_ptr<void>* attachment = nullptr);
    std::vector<Tensor> operator()(const std::vector<Tensor>& arguments,
                                   Where where = Where::here()) {
        return call(arguments, 0, "", where);
    }

    struct Trace {
        std::string key;          // in words
        std::string why;          // what was new about it
        double milliseconds = 0;  // tracing and compiling
        std::int64_t calls = 0;
        int launches = 0;                 // kernels a run calls
        Ref<Program> written;             // as traced
        Ref<Program> improved;            // after the passes
        std::vector<std::string> reads;   // variables loaded at each run, with their lines
        std::vector<std::string> writes;  // variables changed at the end of each run
    };
    std::vector<Trace> traces() const;
    std::string explain() const;
    void clear();  // forget all traces

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Runs fn as a tape and as a program, line by line beside each other, and stops at the first line
// whose values differ. What fn returns and writes is compared too, with what a Compiled gives. The
// state that it writes is put back. A line that only moves values may stand on one side alone.
struct Lockstep {
    bool equal = false;
    int lines = 0;
    std::string text;  // two columns: the tape's line, the program's, equal or not
};
Lockstep lockstep(const Compiled::Function& function, const std::vector<Tensor>& arguments,
                  Executor executor = Executor::planned);

}  // namespace tg
