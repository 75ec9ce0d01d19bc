// What a traced function leaves behind: the tensors that it returns, and those that it makes
// somebody's .grad. One that was there before is itself. One that was made in the trace is made
// again at each call, and those that share a storage or a history in the trace share it outside.
#pragma once

#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/trace.h"

namespace tg {

// The outputs of a program in the making.
class ProgramOutputs {
  public:
    int add(const Value& value);        // a gradient flows to it, if there is a way
    int add_bytes(const Value& value);  // none does
    const std::vector<Value>& values() const { return values_; }
    const std::vector<char>& differentiable() const { return differentiable_; }

  private:
    std::vector<Value> values_;
    std::vector<char> differentiable_;
};

class Results {
  public:
    Results(Recording& recording, const Outside& outside, ProgramOutputs& outputs)
        : r_(recording), outside_(outside), outputs_(outputs) {}

    // All that will be left has to be known before the first is asked for: a tensor that is its
    // whole storage, and shares it with no other, is the simple case.
    void expect(const Tensor& tensor);
    Result of(const Tensor& tensor);
    // The .grad of what was made in the trace and is left.
    std::vector<GradientCommit> gradients_of_made();

    std::vector<NewTensor> made;
    // The leaf lines of those among them that are leaves.
    std::vector<std::pair<int, const Node*>> leaf_lines;

  private:
    Result build(const Tensor& tensor);
    std::optional<OuterTensor> there_already(const Tensor& tensor) const;
    bool is_simple(const Tensor& tensor) const;
    bool made_here(const Ref<Storage>& storage) const;
    bool made_here(const Ref<History>& history) const;
    bool goes_on(const Ref<History>& history) const;
    int bytes_of(const Ref<Storage>& storage);
    int node_of(const Ref<Storage>& storage, const Ref<History>& history);
    bool set_history(NewTensor& n, const Tensor& tensor);
    void set_leaf(NewTensor& n, const Tensor& tensor);
    int leaf_behind(const Tensor& view);
    void show_own_node(NewTensor& n, const Tensor& tensor);
    const GradState* gradient_in(const Tensor& tensor) const;

    Recording& r_;
    const Outside& outside_;
    ProgramOutputs& outputs_;
    std::vector<std::pair<Tensor, Result>> known_;
    std::vector<Tensor> of_made_;  // by new tensor: what it is in the trace
    std::unordered_map<const Storage*, std::vector<Tensor>> expected_;
    std::unordered_map<const Storage*, int> bytes_;   // output
    std::unordered_map<const History*, int> nodes_;   // output
    std::unordered_map<const History*, int> owners_;  // the first new tensor with it
};

}  // namespace tg
