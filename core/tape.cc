#include "core/tape.h"

#include <algorithm>
#include <mutex>

#include "core/apply.h"
#include "core/function.h"
#include "core/history.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"
#include "kernels/parallel.h"

namespace tg {

const Value* beyond(const Node& node) {
    const Recording* r = recording();
    if (!r || node.op != &ops::leaf || node.recording != r->id) return nullptr;
    const LeafLine* leaf = r->leaf_of(node);
    return leaf && leaf->goes_on ? &leaf->outside : nullptr;
}

// Why an order at all? In `b = a + a; c = b * b` the node b must have received both of c's
// gradients before it hands its own on; walking depth-first from c would hand on the first alone.
Tape tape(std::span<const Value> roots, Follow follow) {
    // The marks are scratch on the nodes, and two threads may walk graphs that share some.
    static std::mutex& mutex = *new std::mutex;
    std::lock_guard lock(mutex);
    const std::uint64_t walk = state().next_walk.fetch_add(1);
    Tape t;
    const auto reach = [&](const Value& value) {
        Node* node = value.node.get();
        if (!node || node->mark == walk) return;
        if (follow == Follow::gradients && !node->requires_grad) return;
        node->mark = walk;
        t.nodes.push_back(node);
    };
    for (const Value& root : roots) reach(root);
    const auto from = [&](const Input& input) -> const Value& {
        return follow == Follow::gradients ? goes_to(input.value) : input.value;
    };
    const bool goes_on = follow == Follow::gradients && recording();
    for (std::size_t i = 0; i < t.nodes.size(); ++i) {  // grows while we walk: no recursion
        for (const Input& input : t.nodes[i]->inputs) reach(from(input));
        if (const Value* outside = goes_on ? beyond(*t.nodes[i]) : nullptr) reach(*outside);
    }
    std::sort(t.nodes.begin(), t.nodes.end(), [](Node* a, Node* b) { return a->id < b->id; });

    std::uint32_t place = 0;
    for (Node* node : t.nodes) node->place = place++;
    for (Node* node : t.nodes) {
        t.first_edge.push_back(static_cast<std::int32_t>(t.edges.size()));
        const auto add_edge = [&](const Value& to) {
            const bool reached = to && to.node->mark == walk;
            t.edges.push_back(reached ? static_cast<std::int32_t>(to.node->place) : -1);
        };
        for (const Input& input : node->inputs) add_edge(from(input));
        if (const Value* outside = goes_on ? beyond(*node) : nullptr) add_edge(*outside);
    }
    t.first_edge.push_back(static_cast<std::int32_t>(t.edges.size()));
    return t;
}

std::int32_t place_of(const Tape& t, const Node* node) {
    const auto at = std::lower_bound(t.nodes.begin(), t.nodes.end(), node,
                                     [](const Node* a, const Node* b) { return a->id < b->id; });
    return at != t.nodes.end() && *at == node ? static_cast<std::int32_t>(at - t.nodes.begin())
                                              : -1;
}

std::string tape_text(const Tensor& root) {
    const Value values[] = {value_of(root)};
    if (!values[0]) return "no tape: this tensor does not require a gradient\n";
    std::string s;
    const Tape t = tape(values);
    for (std::size_t i = 0; i < t.nodes.size(); ++i) {
        if (kernels::stopping()) check_interrupt();
        const Node& node = *t.nodes[i];
        s += "%" + std::to_string(i) + " = " + name_of(node);
        for (int k = 0; k < node.inputs.size(); ++k) {
            const std::int32_t from = t.edges[static_cast<std::size_t>(t.first_edge[i] + k)];
            const Input& in = node.inputs[k];
            s += in.is_scalar ? " " + text(in.scalar)
                 : from < 0   ? " _"
                              : " %" + std::to_string(from);
        }
        for (const Desc& d : node.outputs) s += "  " + text(d);
        s += at(node.where) + "\n";
    }
    return s;
}

}  // namespace tg
