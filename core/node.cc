// Ops' small parts, and how nodes come and go.
#include <bit>

#include "core/hooks.h"
#include "core/op.h"
#include "core/state.h"

namespace tg {

std::string text(const Desc& desc) {
    return std::string(name_of(desc.dtype)) + " " + text(desc.shape);
}

bool Attr::operator==(const Attr& other) const {
    if (value.index() != other.value.index()) return false;
    if (const auto* object = std::get_if<Ref<Object>>(&value)) {
        const auto& theirs = std::get<Ref<Object>>(other.value);
        return *object == theirs || (*object && theirs && (*object)->equals(*theirs));
    }
    // -0.0 is not 0.0: what fills a tensor with one does not make the other's bits.
    if (const auto* real = std::get_if<double>(&value))
        return std::bit_cast<std::uint64_t>(*real) ==
               std::bit_cast<std::uint64_t>(std::get<double>(other.value));
    return value == other.value;
}

Attrs::Attrs(std::initializer_list<Attr> list) : Attrs(std::vector<Attr>(list)) {}

Attrs::Attrs(std::vector<Attr> list) {
    if (!list.empty()) list_ = std::make_shared<const std::vector<Attr>>(std::move(list));
}

bool Attrs::operator==(const Attrs& other) const {
    if (size() != other.size()) return false;
    for (int i = 0; i < size(); ++i)
        if (!((*this)[i] == other[i])) return false;
    return true;
}

int attribute_count(const Op& op) {
    int n = 0;
    for (const AttrSchema& a : op.attributes) n += a.name != nullptr;
    return n;
}

Node::Node() = default;

Ref<Node> new_node(const Op& op, const Attrs& attrs) {
    Ref<Node> node(new Node);
    node->op = &op;
    node->id = state().next_node.fetch_add(1, std::memory_order_relaxed);
    node->attrs = attrs;
    node->where = current_line();
    state().nodes_alive.fetch_add(1, std::memory_order_relaxed);
    return node;
}

// A chain of a million nodes must not be a million nested destructors: a node hands its edges to
// a list, and the outermost destructor on this thread empties the list.
Node::~Node() {
    thread_local Inline<Ref<Node>, 4>* dropped = nullptr;
    state().nodes_alive.fetch_sub(1, std::memory_order_relaxed);
    Inline<Ref<Node>, 4> mine;
    const bool outermost = dropped == nullptr;
    if (outermost) dropped = &mine;
    for (Input& input : inputs)
        if (input.value) dropped->push_back(std::move(input.value.node));
    if (!outermost) return;
    while (!mine.empty()) mine.pop_back();
    dropped = nullptr;
}

std::int64_t node_count() { return state().nodes_alive; }
std::int64_t nodes_made() { return static_cast<std::int64_t>(state().next_node) - 1; }
std::int64_t ops_run() { return state().ops_run; }

}  // namespace tg
