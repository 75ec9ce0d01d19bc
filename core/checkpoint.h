// A checkpoint: a part of the tape that keeps none of its own values, and computes them again when
// the backward comes to it.
//
// The tape is the same with it or without. While the part runs, its nodes keep what they need as
// always. At its end, what only these nodes hold is let go of; what the user holds too, as weights
// and the part's arguments, stays. The first node that wants a value back runs the part once more,
// and the k-th node of that run has what the k-th node of the first let go.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "core/op.h"

namespace tg {

// Runs the part under a checkpoint. It is run again for the backward, by the same random numbers if
// `preserve_rng_state`, and must then do the same. Throws RuntimeError in the backward if it does
// not, or if one of the inputs was written since. Where nothing is recorded on the tape, also in a
// graph or a trace, it just runs: there the planner sees to the memory.
using Part = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
std::vector<Tensor> checkpoint(const Part& part, const std::vector<Tensor>& inputs,
                               bool preserve_rng_state = true, Where where = Where::here());

// ---- how it is done ----------------------------------------------------------------------------

struct Checkpoint : Counted {
    std::function<void()> again;        // runs the part once more, from the same start
    std::vector<Ref<Node>> nodes;       // while the part runs
    std::vector<Ref<Node>> recomputed;  // by place; null once its twin has been freed
    std::vector<char> wanted;           // by place: was a value of it dropped, and is still needed?
    std::vector<std::pair<Tensor, Tensor>> generators;  // that moved on, and where they were before
    bool running_again = false;
};

// Opens a checkpoint for as long as it lives. Its end drops the values.
class CheckpointScope {
  public:
    explicit CheckpointScope(Checkpoint* checkpoint);
    ~CheckpointScope();
    CheckpointScope(const CheckpointScope&) = delete;
    CheckpointScope& operator=(const CheckpointScope&) = delete;
    void finish();  // without an error: now the values may be dropped

  private:
    Checkpoint* mine_;
    Checkpoint* before_;
};

// Tells the open checkpoint of a node that it has made, and of a generator's numbers that are about
// to be written.
void note_in_checkpoint(const Ref<Node>& node);
void note_generator_in_checkpoint(const Ref<Storage>& numbers);

// What a node of a checkpoint kept as its k-th value, from the second run; and that it needs none
// of them any more.
const Saved& saved_again(const Node& node, int k);
void forget_again(const Node& node);

}  // namespace tg
