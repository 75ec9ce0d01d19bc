#include "core/hooks.h"

#include <algorithm>
#include <mutex>

#include "core/backward.h"
#include "core/function.h"
#include "core/history.h"
#include "core/ops.h"
#include "core/recording.h"

namespace tg {
namespace {

// Hooks come and go while other threads walk the same tape. Nothing is called under it.
std::mutex& hooks_mutex() {
    static std::mutex& mutex = *new std::mutex;
    return mutex;
}

std::vector<Ref<Hook>> present(const std::vector<Ref<Hook>>& hooks, int output) {
    const std::lock_guard lock(hooks_mutex());
    std::vector<Ref<Hook>> list;
    for (const Ref<Hook>& hook : hooks)
        if (hook->output == output && !hook->removed) list.push_back(hook);
    return list;
}

std::vector<std::shared_ptr<Retained>> retained_by(const NodeExtras& extras, int output) {
    const std::lock_guard lock(hooks_mutex());
    std::vector<std::shared_ptr<Retained>> list;
    for (const auto& [of, waiting] : extras.retained)
        if (auto kept = of == output ? waiting.lock() : nullptr) list.push_back(std::move(kept));
    return list;
}

// Says nothing of a hook that has gone: what it was is forgotten when the next one comes.
void add(std::vector<Ref<Hook>>& hooks, const Ref<Hook>& hook) {
    static std::atomic<std::uint64_t>& next = *new std::atomic<std::uint64_t>{1};
    const std::lock_guard lock(hooks_mutex());
    hook->id = next.fetch_add(1);
    hook->born = recording() ? recording()->id : 0;
    hooks.erase(std::remove_if(hooks.begin(), hooks.end(),
                               [](const Ref<Hook>& h) { return h->removed.load(); }),
                hooks.end());
    hooks.push_back(hook);
}

// Where the gradient of x arrives. In a recording, only what was made there: of others the path
// goes on outside, and what is hung onto it there outlives the recording.
Value node_of(const Tensor& x, const char* name) {
    if (!x.requires_grad())
        fail(ErrorKind::runtime, name, ": this tensor of shape ", text(x.shape()),
             " does not require a gradient, so none would ever come");
    const Recording* r = recording();
    const Value value = goes_to(value_of(x));
    const LeafLine* leaf = r ? r->leaf_of(*value.node) : nullptr;
    if (r && (x.handle().born != r->id || (leaf && leaf->outside)))
        fail(ErrorKind::runtime, name, ": this tensor was made outside of ", r->name,
             ", where its gradient goes on: call it there, before");
    return value;
}

}  // namespace

NodeExtras& extras_of(Node& node) {
    if (!node.extras) node.extras = std::make_unique<NodeExtras>();
    return *node.extras;
}

void HookHandle::remove() {
    if (!hook_) return;
    if (const Recording* r = recording(); r && hook_->born != r->id && !hook_->removed)
        fail(ErrorKind::runtime, "remove: this hook was registered outside of ", r->name,
             ", and would be taken off only while that is traced; remove it outside");
    const std::lock_guard lock(hooks_mutex());
    hook_->removed = true;
}

HookHandle register_hook(const Tensor& x, GradHook call) {
    const Value value = node_of(x, "register_hook");
    Ref<Hook> hook(new Hook);
    hook->call = std::move(call);
    hook->output = value.index;
    add(extras_of(*value.node).hooks, hook);
    return HookHandle(hook);
}

HookHandle register_post_accumulate_grad_hook(const Tensor& x, std::function<void()> call) {
    const Value value = node_of(x, "register_post_accumulate_grad_hook");
    if (!x.is_leaf())
        fail(ErrorKind::runtime, "register_post_accumulate_grad_hook: this tensor of shape ",
             text(x.shape()), " is the result of ", name_of(*value.node), at(value.node->where),
             " and no leaf, so nothing is added to its .grad; use register_hook");
    Ref<Hook> hook(new Hook);
    hook->call = [call = std::move(call)](const Tensor&) {
        call();
        return Tensor();
    };
    add(extras_of(*value.node).after, hook);
    return HookHandle(hook);
}

std::uint64_t hooks_on(const Node& node) {
    if (!node.extras) return 0;
    const NodeExtras& extras = *node.extras;
    std::uint64_t sum = 0;  // a polynomial of the ids, so that their order counts
    const std::lock_guard lock(hooks_mutex());
    for (const auto* hooks : {&extras.hooks, &extras.after})
        for (const Ref<Hook>& hook : *hooks)
            if (!hook->removed) sum = sum * 1000003 + hook->id;
    return sum;
}

static std::uint64_t retained_at(const NodeExtras& extras) {
    std::uint64_t sum = 0;
    const std::lock_guard lock(hooks_mutex());
    for (const auto& [output, waiting] : extras.retained)
        sum = sum * 1000003 + reinterpret_cast<std::uintptr_t>(waiting.lock().get());
    return sum;
}

std::uint64_t hooks_on(const Handle& handle) {
    std::uint64_t sum = 0;
    const Value* const ways[] = {&handle.seen, &handle.history->now};
    for (const Value* way : ways)
        for (const Node* n = way->node.get(); n;
             n = n->op->view ? n->inputs[0].value.node.get() : nullptr)
            if (n->extras) sum = (sum * 31 + hooks_on(*n)) * 31 + retained_at(*n->extras);
    return sum;
}

Tensor hooked(NodeExtras& extras, int output, const Tensor& gradient) {
    Tensor g = gradient;
    extras.ran = true;
    for (const Ref<Hook>& hook : present(extras.hooks, output)) {
        const Tensor other = hook->call(g);
        if (!other.defined()) continue;
        if (other.shape() != g.shape() || other.dtype() != g.dtype() ||
            other.device() != g.device())
            fail(ErrorKind::runtime, "backward: a hook was given a gradient of ", describe(g),
                 " on ", name_of(g.device()), ", and returned ", describe(other), " on ",
                 name_of(other.device()));
        g = other;
    }
    for (const auto& kept : retained_by(extras, output)) add_gradient(kept->gradient, g);
    return g;
}

void run_after_hooks(const NodeExtras& extras) {
    for (const Ref<Hook>& hook : present(extras.after, 0)) hook->call(Tensor());
}

// ---- retain_grad -------------------------------------------------------------------------------

void Tensor::retain_grad() const {
    node_of(*this, "retain_grad");
    if (!is_leaf() && !handle_->retained) retain_from(*this);
}

bool Tensor::retains_grad() const { return handle_->retained && !is_leaf(); }

void retain_from(const Tensor& x) {
    const Value value = goes_to(value_of(x));
    // What waited at an older node waits no more.
    x.handle().retained = std::make_shared<Retained>(Retained{gradient_of(x)});
    const std::lock_guard lock(hooks_mutex());
    extras_of(*value.node).retained.emplace_back(value.index, x.handle().retained);
}

}  // namespace tg
