// What few nodes and tensors carry: hooks that see gradients pass, results that keep theirs, and
// the checkpoint by which a node's saved values are computed again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "core/checkpoint.h"
#include "core/gradient.h"
#include "core/op.h"

namespace tg {

// ---- hooks -------------------------------------------------------------------------------------

// Called with a gradient of the tensor's shape; what it gives back goes on in its place, unless
// that is undefined.
using GradHook = std::function<Tensor(const Tensor& gradient)>;

struct Hook : Counted {
    GradHook call;
    int output = 0;          // of its node
    std::uint64_t id = 0;    // no two are the same
    std::uint64_t born = 0;  // the recording in which it was registered
    std::atomic<bool> removed{false};
};

// Takes the hook off; does nothing the second time.
class HookHandle {
  public:
    HookHandle() = default;
    explicit HookHandle(Ref<Hook> hook) : hook_(std::move(hook)) {}
    void remove();

  private:
    Ref<Hook> hook_;
};

// PyTorch's Tensor.register_hook: called when the gradient of x is complete, before it goes on.
HookHandle register_hook(const Tensor& x, GradHook hook);
// And register_post_accumulate_grad_hook: called after the .grad of the leaf x has been added to.
HookHandle register_post_accumulate_grad_hook(const Tensor& x, std::function<void()> hook);

// Says which hooks are on a gradient: equal numbers, equal hooks; 0: none.
std::uint64_t hooks_on(const Node& node);
// And on the way of this tensor's gradient along views to its leaf, with what is retained there.
std::uint64_t hooks_on(const Handle& handle);

// ---- what the walk asks ------------------------------------------------------------------------

// A result keeps its gradient. Its tensor holds this, and its node knows of it as long as that
// lives; after a write into the tensor it waits at another node, as another one.
struct Retained {
    GradientRef gradient;
};

struct NodeExtras {
    std::weak_ptr<Gradient> leaf;  // of a leaf's node: what it adds to, while the leaf is there
    std::vector<Ref<Hook>> hooks;  // in the order in which they run
    std::atomic<bool> ran{false};  // has a backward come by?
    std::vector<Ref<Hook>> after;  // a leaf's: once its .grad has been added to
    std::vector<std::pair<int, std::weak_ptr<Retained>>> retained;  // by output
    Ref<Checkpoint> checkpoint;                                     // made the node
    int place = 0;  // among those that the checkpoint made
};

NodeExtras& extras_of(Node& node);  // threads share a leaf's, so that has its own from the start
void retain_from(const Tensor& x);  // the node of x, which retains, keeps its gradient

// The gradient of one output after the hooks; kept on the way by the results that retain it.
Tensor hooked(NodeExtras& extras, int output, const Tensor& gradient);
void run_after_hooks(const NodeExtras& extras);

}  // namespace tg
