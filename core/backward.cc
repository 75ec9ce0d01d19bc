#include "core/backward.h"

#include <algorithm>

#include "core/anomaly.h"
#include "core/autocast.h"
#include "core/function.h"
#include "core/gradient.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/lines.h"
#include "core/low_precision.h"
#include "core/ops.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"

namespace tg {

// ---- what a rule sees --------------------------------------------------------------------------

namespace {

// A formula's gradient is a formula of several ops: of low precision, they run in float32, and the
// cast back to the input's dtype rounds once.
Tensor for_rule(const Node& node, const Tensor& x) {
    return is_elementwise(*node.op) ? widened(x) : x;
}

}  // namespace

Tensor Backward::g(int output) const {
    const Tensor& g = g_[static_cast<std::size_t>(output)];
    if (g.defined()) return for_rule(node_, g);
    const Desc& d = node_.outputs[output];
    return zeros(d.shape, {d.dtype, d.device});
}

bool Backward::wants(int input) const {
    const Value& v = node_.inputs[input].value;
    return v && v.node->requires_grad;
}

namespace {

void check_not_freed(const Node& node) {
    if (node.freed)
        fail(ErrorKind::runtime, "backward: the values that ", name_of(node), at(node.where),
             " kept were freed by the backward", at(node.freed_by),
             "; to walk this tape twice, pass retain_graph=True the first time");
}

// What to write instead of this op in place: "write y = y + 1 instead of y += 1".
std::string instead_of(const char* op) {
    const std::string name = op;
    constexpr const char* signs[][2] = {
        {"add_", "+"}, {"sub_", "-"}, {"mul_", "*"}, {"div_", "/"}, {"pow_", "**"}};
    for (const auto& [of, sign] : signs)
        if (name == of)
            return std::string("write y = y ") + sign + " 1 instead of y " + sign + "= 1";
    if (name.back() != '_') return "make a new tensor instead";
    return "call " + name.substr(0, name.size() - 1) + " instead, which makes a new tensor";
}

// The k-th kept value, if nobody has written to it since.
Tensor unpack(const Node& node, int k, const Value& value, const Desc& desc, const char* which) {
    const bool dropped = !node.saved[k].storage;  // by a checkpoint
    const Saved& saved = dropped ? saved_again(node, k) : node.saved[k];
    Recording* r = recording();
    const bool recorded = r && node.recording != 0;
    const StorageState* s = recorded ? &r->state(saved.storage) : nullptr;
    const std::uint32_t version = s ? s->version : saved.storage->version.load();
    if (version != saved.version)
        fail(ErrorKind::runtime, "backward: ", name_of(node), at(node.where), " needs its old ",
             which, ", but ", s ? s->written_by : saved.storage->written_by,
             at(s ? s->writer : saved.storage->writer), " changed it in place (version ",
             saved.version, ", now ", version, "); ",
             instead_of(s ? s->written_by : saved.storage->written_by), ", or clone first");
    if (recorded) return r->symbol(value, desc);
    return tensor_for(value, saved.storage, saved.layout);
}

Tensor unpack(const Node& node, Need what, const Value& value, const Desc& desc) {
    check_not_freed(node);
    for (int k = 0; k < node.saved.size(); ++k)
        if (node.saved[k].what == what)
            return unpack(node, k, value, desc, is_output(what) ? "output" : "input");
    fail(ErrorKind::runtime, "backward: ", name_of(node), " kept no such value");
}

}  // namespace

Arg Backward::input(int i) const {
    const Input& in = node_.inputs[i];
    if (in.is_scalar) return in.scalar;
    return for_rule(node_, unpack(node_, static_cast<Need>(i + 1), in.value, in.desc));
}

Tensor Backward::output(int k) const {
    const auto need = static_cast<Need>(static_cast<int>(Need::y) + k);
    return for_rule(node_, unpack(node_, need, Value{Ref<Node>(&node_), k}, node_.outputs[k]));
}

Tensor Backward::kept(int k, const Value& value, const Desc& desc, const char* which) const {
    check_not_freed(node_);
    if (k < node_.saved.size()) return unpack(node_, k, value, desc, which);
    return recording()->symbol(value, desc);
}

// ---- the walk ----------------------------------------------------------------------------------
namespace {

// The sum back to an input's shape and the cast back to its dtype happen here and nowhere else:
// where the forward op broadcast x, its gradient is the sum over the copies.
Tensor fitted_to(const Tensor& gradient, const Desc& desc) {
    Tensor g = gradient;
    if (g.shape() != desc.shape) g = sum_to(g, desc.shape);
    if (g.dtype() != desc.dtype) g = cast(g, desc.dtype);
    return g;
}

// Numbers choose which elements pass, in max_pool2d and prelu too: they are made of these.
bool bends(const Op& op) { return &op == &ops::relu || &op == &ops::where || &op == &ops::gather; }

// With create_graph the gradient of relu(x) is differentiable by x, though it is 1 or 0 whatever x
// is near here: who differentiates again gets zeros, and not an error.
Tensor tied_to(const Tensor& g, const Input& chooser) {
    const Desc desc = desc_of(g);
    const Value own{
        line(ops::tied, {}, {input(value_of(g), desc), input(chooser.value, chooser.desc)}, desc),
        0};
    if (Recording* r = recording()) return r->symbol(own, desc);
    return tensor_for(own, g.handle().storage, g.handle().layout);
}

[[noreturn]] void reaches_outside(const Node& node) {
    fail(ErrorKind::runtime, "backward: in ", recording()->name,
         " the gradient reaches a tensor that was computed outside of it", at(node.where),
         "; detach() it, or compute it inside");
}

// The gradients of all outputs of all nodes while the walk lasts, by place and output.
struct Slots {
    std::vector<Tensor> slots;
    std::vector<std::size_t> first;
    explicit Slots(const Tape& t) {
        std::size_t n = 0;
        for (const Node* node : t.nodes) {
            first.push_back(n);
            n += static_cast<std::size_t>(node->outputs.size());
        }
        slots.resize(n);
    }
    Tensor& at(std::int32_t place, int output) {
        return slots[first[static_cast<std::size_t>(place)] + static_cast<std::size_t>(output)];
    }
    void add_to(std::int32_t place, int output, const Tensor& g) {
        Tensor& slot = at(place, output);
        slot = slot.defined() ? add(slot, g) : g;
    }
};

Tensor seed(const Tensor& root, const Tensor& gradient) {
    if (!root.requires_grad())
        fail(ErrorKind::runtime, "backward: this tensor of shape ", text(root.shape()),
             " does not require a gradient: nothing that it was made from does");
    if (gradient.defined()) {
        if (gradient.shape() != root.shape())
            fail(ErrorKind::runtime, "backward: the gradient has shape ", text(gradient.shape()),
                 ", but the tensor has shape ", text(root.shape()));
        return gradient.dtype() == root.dtype() ? gradient : cast(gradient, root.dtype());
    }
    if (any_unknown(root.shape()) || root.numel() != 1)
        fail(ErrorKind::runtime, "backward: a tensor of shape ", text(root.shape()),
             " is not a single number; sum() it, or pass the gradient");
    return ones(root.shape(), {root.dtype(), root.device()});
}

// Which nodes lead to one of the targets, and which of them lie behind one, so that their rules are
// not asked; without targets, all lead.
enum class Leads : char { nowhere, is_target, onward };
std::vector<Leads> leads_to(const Tape& t, std::span<const std::int32_t> targets) {
    std::vector<Leads> leads(t.nodes.size(), targets.empty() ? Leads::onward : Leads::nowhere);
    for (std::int32_t target : targets)
        if (target >= 0) leads[static_cast<std::size_t>(target)] = Leads::is_target;
    if (targets.empty()) return leads;
    for (std::size_t i = 0; i < t.nodes.size(); ++i)
        for (std::int32_t e = t.first_edge[i]; e < t.first_edge[i + 1]; ++e) {
            const std::int32_t from = t.edges[static_cast<std::size_t>(e)];
            if (from >= 0 && leads[static_cast<std::size_t>(from)] != Leads::nowhere)
                leads[i] = Leads::onward;
        }
    return leads;
}

// A backward inside of a recording goes on outside along views, to the leaf that they are cut from.
// Anything else that was computed outside is another tensor at each call.
void check_inside(const Node& node) {
    const Recording* r = recording();
    if (!r || node.recording == r->id || node.op == &ops::leaf) return;
    if (!node.op->view) reaches_outside(node);
}

// A path that leaves the recording, and would reach a target outside of it where the walk does not
// follow: through an argument, or to one.
void check_arguments(const Tape& t, std::span<const Value> targets) {
    const Recording* r = recording();
    if (!r || targets.empty()) return;
    for (const Node* node : t.nodes) {
        const LeafLine* leaf = r->leaf_of(*node);
        if (!leaf || !leaf->outside) continue;
        const Tape outside = tape({&leaf->outside, 1}, Follow::gradients);
        for (const Value& target : targets) {
            if (target.node.get() == node) continue;
            const bool inside = target.node->recording == r->id;
            if (leaf->goes_on && !inside) continue;  // the walk goes there
            const LeafLine* own = inside ? r->leaf_of(*target.node) : nullptr;
            const Value there = !inside ? target : own ? own->outside : Value{};
            if (there && place_of(outside, there.node.get()) >= 0) reaches_outside(*node);
        }
    }
}

void call_rule(const Tape& t, std::size_t i, Slots& slots, const std::vector<Leads>& leads,
               bool retain) {
    Node& node = *t.nodes[i];
    const auto place = static_cast<std::int32_t>(i);
    const std::span<const Tensor> g(&slots.at(place, 0),
                                    static_cast<std::size_t>(node.outputs.size()));
    const Elsewhere line(node.where);
    const std::span edges = std::span(t.edges).subspan(static_cast<std::size_t>(t.first_edge[i]));
    Inline<Tensor*, 2> sums;
    for (int k = 0; k < node.inputs.size(); ++k) {
        const std::int32_t from = edges[static_cast<std::size_t>(k)];
        sums.push_back(from < 0 ? nullptr : &slots.at(from, goes_to(node.inputs[k].value).index));
    }
    Backward rule(node, g, sums);
    node.op->gradient(rule);
    for (int k = 0; k < node.inputs.size(); ++k) {
        const std::int32_t from = edges[static_cast<std::size_t>(k)];
        const Tensor& result = rule.results()[static_cast<std::size_t>(k)];
        if (from < 0 || !result.defined()) continue;
        if (leads[static_cast<std::size_t>(from)] == Leads::nowhere) continue;
        const int output = goes_to(node.inputs[k].value).index;
        const Tensor g_k = fitted_to(result, node.inputs[k].desc);
        const bool tie = bends(*node.op) && grad_enabled() && !g_k.requires_grad();
        slots.add_to(from, output, tie ? tied_to(g_k, node.inputs[k]) : g_k);
    }
    if (retain || node.saved.empty()) return;
    node.freed = true;
    node.saved.clear();
    if (node.extras) forget_again(node);
}

// The gradients of a node's outputs are complete: its hooks see them.
void see_gradients(Node& node, std::span<Tensor> gradients) {
    for (std::size_t k = 0; k < gradients.size(); ++k)
        if (Tensor& g = gradients[k]; g.defined()) g = hooked(*node.extras, static_cast<int>(k), g);
}

// At a leaf the way ends, or goes on outside of the recording.
void leave(const Tape& t, std::size_t i, Slots& slots, bool accumulates) {
    const Node& node = *t.nodes[i];
    const Tensor g = std::move(slots.at(static_cast<std::int32_t>(i), 0));
    if (const Value* outside = beyond(node)) {
        const std::int32_t to = t.edges[static_cast<std::size_t>(t.first_edge[i + 1]) - 1];
        if (to >= 0) slots.add_to(to, outside->index, g);
    } else if (accumulates) {
        const Recording* r = recording();
        const LeafLine* line = r ? r->leaf_of(node) : nullptr;
        if (line && line->outside) reaches_outside(node);
        if (!node.extras) return;
        if (const GradientRef gradient = node.extras->leaf.lock()) add_gradient(gradient, g);
        run_after_hooks(*node.extras);
    }
}

// Says for as long as it lives what the walk is at.
class AtNode {
  public:
    explicit AtNode(const Differentiating* now) : before_(thread_state().differentiating) {
        thread_state().differentiating = now;
    }
    ~AtNode() { thread_state().differentiating = before_; }
    AtNode(const AtNode&) = delete;
    AtNode& operator=(const AtNode&) = delete;

  private:
    const Differentiating* before_;
};

// Walks the tape backwards. With targets, stops there and leaves their gradients in `found`;
// without, adds into the leaves' .grad.
void walk(std::span<const Tensor> roots, std::span<const Tensor> gradients,
          std::span<const Value> targets, std::span<Tensor> found, BackwardOptions options) {
    std::vector<Value> values;
    std::vector<Tensor> seeds;
    for (std::size_t i = 0; i < roots.size(); ++i) {
        seeds.push_back(seed(roots[i], i < gradients.size() ? gradients[i] : Tensor{}));
        values.push_back(goes_to(value_of(roots[i])));
    }
    const Tape t = tape(values, Follow::gradients);
    std::vector<std::int32_t> places;
    for (const Value& target : targets) places.push_back(place_of(t, target.node.get()));
    const std::vector<Leads> leads = leads_to(t, places);
    check_arguments(t, targets);
    const Where caller = current_line();
    Slots slots(t);
    for (std::size_t i = 0; i < roots.size(); ++i)
        slots.add_to(place_of(t, values[i].node.get()), values[i].index, seeds[i]);
    seeds.clear();
    const bool retain = options.retain_graph || options.create_graph;
    const GradMode mode(options.create_graph);
    const AutocastScope as_it_ran({});
    Differentiating at_node{nullptr, caller};
    const AtNode telling(&at_node);
    for (std::size_t i = t.nodes.size(); i-- > 0;) {
        Node& node = *t.nodes[i];
        const auto place = static_cast<std::int32_t>(i);
        bool any = false;
        for (int k = 0; k < node.outputs.size(); ++k) any = any || slots.at(place, k).defined();
        if (!any || leads[i] == Leads::nowhere) continue;
        if (node.extras)
            see_gradients(node,
                          {&slots.at(place, 0), static_cast<std::size_t>(node.outputs.size())});
        for (std::size_t k = 0; k < targets.size(); ++k)
            if (places[k] == place) found[k] = slots.at(place, targets[k].index);
        if (node.op == &ops::leaf) {
            leave(t, i, slots, targets.empty());
            continue;
        }
        if (leads[i] == Leads::onward) {
            check_inside(node);
            at_node.node = &node;
            call_rule(t, i, slots, leads, retain);
            if (node.freed && !node.freed_by) node.freed_by = caller;
        }
        for (int k = 0; k < node.outputs.size(); ++k) slots.at(place, k) = Tensor{};
    }
}

}  // namespace

Value target_of(const Tensor& input) {
    const Value v = goes_to(value_of(input));
    const Value* outside = beyond(*v.node);
    return outside ? *outside : v;
}

void backward(std::span<const Tensor> roots, std::span<const Tensor> gradients,
              BackwardOptions options) {
    walk(roots, gradients, {}, {}, options);
}

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         std::span<const Tensor> gradients, BackwardOptions options) {
    std::vector<Value> targets;
    for (const Tensor& input : inputs) {
        if (!input.requires_grad())
            fail(ErrorKind::runtime, "grad: input ", targets.size(), " of shape ",
                 text(input.shape()), " does not require a gradient; call requires_grad_() on it ",
                 "before the outputs are computed");
        targets.push_back(target_of(input));
    }
    if (targets.empty()) fail(ErrorKind::value, "grad: no inputs to take gradients of");
    std::vector<Tensor> found(inputs.size());
    walk(outputs, gradients, targets, found, options);
    for (std::size_t i = 0; i < found.size(); ++i)
        if (!found[i].defined() && !options.allow_unused)
            fail(ErrorKind::runtime, "grad: input ", i,
                 " was not used to compute the outputs; pass allow_unused=True to get None for it");
    return found;
}

}  // namespace tg
