// Running a program. A ladder of executors, slowest and plainest first; all give the same bits.
//
//   execute       line by line, every value a tensor of its own: the reference, to be stepped
//   Plan          memory and views laid out once, dead values' room reused; then, if the fusion
//                 pass has been over the program, elementwise groups run in blocks that stay in
//                 cache
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "graph/program.h"

namespace tg {

// The outputs of a program on these inputs. Inputs are contiguous whole tensors that fit the
// descriptions (throws Error otherwise); an undefined one stands for an absent gradient slot and
// may not be used by any line. Outputs own their storage: none shares bytes with an input.
std::vector<Tensor> execute(const Program& program, std::span<const Tensor> inputs);

struct PlanStatistics {
    std::int64_t arena_bytes = 0;  // for all values between the lines
    std::int64_t value_bytes = 0;  // what they would take without reuse
    int launches = 0;              // kernels a run calls
};

// A program made ready to run many times. Safe to run from several threads.
class Plan {
  public:
    explicit Plan(Ref<Program> program);
    ~Plan();
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    std::vector<Tensor> run(std::span<const Tensor> inputs) const;
    const Program& program() const;
    const PlanStatistics& statistics() const;
    std::string text() const;  // each value's place and lifetime, one a line

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tg
