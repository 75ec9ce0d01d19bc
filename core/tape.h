// The tape: the nodes that a value was made of, in order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/op.h"

namespace tg {

// Every node that the roots are made of, inputs before outputs. Ids are given in order of
// creation and a node's inputs exist before it, so sorting by id is a topological order.
// `edges` has, for every input of every node in turn, the place of its node in `nodes`, or -1.
struct Tape {
    std::vector<Node*> nodes;
    std::vector<std::int32_t> edges;
    std::vector<std::int32_t> first_edge;  // by node, and one past the end
};
enum class Follow { all, gradients };
Tape tape(std::span<const Value> roots, Follow follow = Follow::all);
std::int32_t place_of(const Tape& tape, const Node* node);  // -1: not on it
std::string tape_text(const Tensor& root);  // one line a node, as `./dev gdb` prints it

// A leaf line of a recording stands for a value of the tape outside, and there the way goes on;
// null for all other nodes.
const Value* beyond(const Node& node);

}  // namespace tg
