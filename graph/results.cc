#include "graph/results.h"

#include <algorithm>

#include "core/function.h"
#include "core/gradient.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/ops.h"

namespace tg {

// ---- outputs -----------------------------------------------------------------------------------
namespace {

// A hook was called here, on symbols, or never will be: the call's gradient is made from the
// program, which has none.
void refuse_hooks(const Node& node) {
    if (node.recording == 0 || hooks_on(node) == 0) return;
    fail(ErrorKind::runtime, recording()->name, ": a hook was registered on the result of ",
         name_of(node), at(node.where),
         ", but the gradient is taken outside of it, where the hook is not; call backward inside, "
         "or use a Function");
}

// A path through a node that a backward inside has freed cannot be walked again outside.
bool walkable(const Value& v) {
    if (!v.node->requires_grad || !is_floating(v.node->outputs[v.index].dtype)) return false;
    const Tape t = tape({&v, 1}, Follow::gradients);
    const auto walked = [](const Node* n) {
        return n->recording != 0 &&
               (n->freed || (n->extras && n->extras->ran && hooks_on(*n) != 0));
    };
    if (std::any_of(t.nodes.begin(), t.nodes.end(), walked)) return false;
    for (const Node* n : t.nodes) refuse_hooks(*n);
    return true;
}

}  // namespace

int ProgramOutputs::add(const Value& value) {
    values_.push_back(value);
    differentiable_.push_back(walkable(value));
    return static_cast<int>(values_.size()) - 1;
}

int ProgramOutputs::add_bytes(const Value& value) {
    values_.push_back(value);
    differentiable_.push_back(0);
    return static_cast<int>(values_.size()) - 1;
}

// ---- results -----------------------------------------------------------------------------------

bool Results::made_here(const Ref<Storage>& storage) const {
    return r_.made(*storage) && !storage->foreign && !r_.state(storage).given;
}

bool Results::made_here(const Ref<History>& history) const {
    return history->born == r_.id && outside_.number_of(history.get()) < 0;
}

// A history of the trace, no leaf's, that carries a gradient.
bool Results::goes_on(const Ref<History>& history) const {
    return made_here(history) && !history->leaf && r_.wants_gradient(history);
}

const GradState* Results::gradient_in(const Tensor& t) const {
    const auto found = r_.grad_by_place.find(gradient_of(t).get());
    const bool set = found != r_.grad_by_place.end() && found->second->now.defined();
    return set ? found->second : nullptr;
}

void Results::expect(const Tensor& t) {
    if (!t.defined() || !made_here(t.handle().storage)) return;
    std::vector<Tensor>& list = expected_[t.handle().storage.get()];
    for (const Tensor& other : list)
        if (other.same(t)) return;
    list.push_back(t);
    if (const GradState* g = gradient_in(t)) expect(g->now);
}

Result Results::of(const Tensor& t) {
    if (!t.defined()) return {};
    for (const auto& [other, result] : known_)
        if (other.same(t)) return result;
    Result result{.is = there_already(t)};
    if (!result.is) result = build(t);
    known_.push_back({t, result});
    return result;
}

std::optional<OuterTensor> Results::there_already(const Tensor& t) const {
    for (std::size_t i = 0; i < r_.stand_ins.size(); ++i)
        if (r_.stand_ins[i].same(t)) return OuterTensor{static_cast<int>(i), {}};
    if (t.handle().born < r_.id) return OuterTensor{-1, t.ref()};
    return {};
}

bool Results::is_simple(const Tensor& t) const {
    const Handle& h = t.handle();
    return shows_base(h) && !h.leaf && !h.retained && !gradient_in(t) &&
           expected_.at(h.storage.get()).size() == 1;
}

Result Results::build(const Tensor& t) {
    const Handle& h = t.handle();
    const auto alone = [&] { return Result{.output = outputs_.add(value_of(contiguous(t)))}; };
    const bool here = made_here(h.storage);
    const bool of_another_recording = h.storage->symbol && !r_.made(*h.storage);
    if (of_another_recording || (here && is_simple(t))) return alone();
    NewTensor n;
    n.layout = h.layout;
    if (!set_history(n, t)) return alone();
    if (here)
        n.bytes = bytes_of(h.storage);
    else  // what the function names itself stays that, even if it is the storage of a window
        n.storage = h.storage->symbol ? outside_.outside(h.storage) : OuterStorage{-1, h.storage};
    // A history that begins here is of the whole storage outside, so a window of it will not do.
    if (n.history >= 0 && n.storage.number >= 0) {
        const auto given = static_cast<std::size_t>(n.storage.number);
        r_.wants_whole_storages |=
            r_.given_keys[given].base != r_.given[given].handle().storage->shape;
    }
    n.retains = static_cast<bool>(h.retained);
    const auto number = static_cast<int>(made.size());
    owners_.emplace(h.history.get(), number);
    made.push_back(n);
    of_made_.push_back(t);
    return {.made = number};
}

// The history of a new tensor, and the node that it shows. False if it has a way of its own and its
// history none: then it can only go on by itself, and shares its memory with nobody.
bool Results::set_history(NewTensor& n, const Tensor& t) {
    const Ref<History>& history = t.handle().history;
    const bool wanted = t.requires_grad();
    if (history->leaf && made_here(history)) {
        set_leaf(n, t);
        return true;
    }
    if (!made_here(history)) {
        n.outer = outside_.outside(history);
        if (wanted) show_own_node(n, t);
        return true;
    }
    if (goes_on(history)) {
        n.history = node_of(t.handle().storage, history);
        const bool is_base =
            wanted &&
            goes_to(value_of(t)) == goes_to(outputs_.values()[static_cast<std::size_t>(n.history)]);
        if (is_base) n.shows = NewTensor::base;
        if (wanted && !is_base) show_own_node(n, t);
        return true;
    }
    const auto owner = owners_.find(history.get());
    if (owner != owners_.end()) n.shares = owner->second;
    return !wanted;
}

// A leaf of the trace, or a view of one that is also left.
void Results::set_leaf(NewTensor& n, const Tensor& t) {
    const Handle& h = t.handle();
    if (h.leaf) {
        n.leaf = true;
        leaf_lines.push_back({static_cast<int>(made.size()), h.history->now.node.get()});
        return;
    }
    for (const Tensor& other : expected_[h.storage.get()])
        if (other.handle().leaf && other.handle().history == h.history) n.shares = of(other).made;
    if (n.shares < 0) n.shares = leaf_behind(t);
    if (t.requires_grad()) show_own_node(n, t);
}

// The leaf itself, which nobody has outside but through this view of it.
int Results::leaf_behind(const Tensor& view) {
    const Handle& h = view.handle();
    const auto known = owners_.find(h.history.get());
    if (known != owners_.end()) return known->second;
    NewTensor leaf;
    leaf.bytes = bytes_of(h.storage);
    leaf.layout = Layout::contiguous(h.storage->shape);
    leaf.leaf = true;
    const auto number = static_cast<int>(made.size());
    leaf_lines.push_back({number, h.history->now.node.get()});
    owners_.emplace(h.history.get(), number);
    made.push_back(leaf);
    of_made_.push_back({});
    return number;
}

// The way of its own that it has in the trace: gradients are added up in the tape's order.
void Results::show_own_node(NewTensor& n, const Tensor& t) {
    n.node = outputs_.add(value_of(contiguous(t)));
    n.shows = NewTensor::own_node;
}

int Results::node_of(const Ref<Storage>& storage, const Ref<History>& history) {
    const auto found = nodes_.find(history.get());
    if (found != nodes_.end()) return found->second;
    return nodes_[history.get()] = outputs_.add(r_.base(storage, history));
}

int Results::bytes_of(const Ref<Storage>& storage) {
    for (const Tensor& t : expected_[storage.get()])
        if (goes_on(t.handle().history)) return node_of(storage, t.handle().history);
    const auto found = bytes_.find(storage.get());
    if (found != bytes_.end()) return found->second;
    return bytes_[storage.get()] = outputs_.add_bytes(r_.state(storage).now);
}

std::vector<GradientCommit> Results::gradients_of_made() {
    std::vector<GradientCommit> list;
    // By index: a .grad may be a new tensor with a .grad of its own.
    for (std::size_t i = 0; i < of_made_.size(); ++i)
        if (const GradState* g = of_made_[i].defined() ? gradient_in(of_made_[i]) : nullptr)
            list.push_back({{}, static_cast<int>(i), of(g->now)});
    return list;
}

}  // namespace tg
