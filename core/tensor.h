// A tensor is three things, because PyTorch's in-place operations, views and detach pull them
// apart:
//
//   Storage   the bytes and their version            shared by a base, its views, and detach()
//   History   the node that made the present value   shared by a base and its views;
//                                                    detach() gives a new one
//   Handle    storage + history + layout, .grad      one for each tensor the user holds
//
// A Tensor is a counted pointer to a handle: copying it names the same tensor twice, as in Python.
// Read next: op.h, then apply.cc, where an op runs or is written down.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "core/storage.h"

namespace tg {

struct Node;
class Gradient;   // gradient.h
struct Retained;  // hooks.h
class Tensor;

// Which output of which node. An empty one: no gradient flows there.
struct Value {
    Ref<Node> node;
    int index = 0;
    explicit operator bool() const { return static_cast<bool>(node); }
    bool operator==(const Value& other) const = default;
};

// The part of a tensor's identity that gradients follow.
struct History : Counted {
    Value now;                  // what made the present value of the base
    std::uint32_t version = 0;  // the storage's version at which `now` was right
    bool leaf = false;          // made by requires_grad_()
    std::uint64_t born = 0;     // the recording in which it was made
};

// One tensor in a user's hands. `seen` is the node that made *this* handle's value; it is used as
// long as nobody has written to the base since (`version`), and found anew otherwise (history.cc).
struct Handle : Counted {
    Ref<Storage> storage;
    Ref<History> history;
    Layout layout;
    Value seen;
    std::uint32_t version = 0;           // the storage's version when `seen` was right
    bool leaf = false;                   // it is the leaf of its history, and no view of it
    std::uint64_t seen_in = 0;           // the recording that `seen` belongs to; 0: the tape
    std::uint64_t born = 0;              // the innermost recording open when it was made
    std::shared_ptr<Gradient> gradient;  // .grad, once it was asked for
    std::shared_ptr<Retained> retained;  // retain_grad() was called
    void* object = nullptr;              // Python's object for it while there is one: x is x
};

// The user's tensor. Methods are PyTorch's; ops.h declares the functions that they call.
class Tensor {
  public:
    Tensor() = default;  // undefined: no tensor at all
    explicit Tensor(Ref<Handle> handle) : handle_(std::move(handle)) {}

    bool defined() const { return static_cast<bool>(handle_); }
    const Dims& shape() const { return handle_->layout.shape; }
    const Dims& strides() const { return handle_->layout.strides; }
    std::int64_t size(std::int64_t dim) const { return shape()[wrap_dim("size", dim, dims())]; }
    int dims() const { return handle_->layout.shape.size(); }
    std::int64_t numel() const { return element_count(shape()); }
    DType dtype() const { return handle_->storage->dtype; }
    Device device() const { return handle_->storage->device; }
    bool is_contiguous() const { return handle_->layout.is_contiguous(); }
    std::uint32_t version() const;  // of its storage, as the open recording sees it
    bool is_symbolic() const { return handle_->storage->symbol; }
    bool same(const Tensor& other) const { return handle_ == other.handle_; }

    // Gradients.
    bool requires_grad() const;
    bool is_leaf() const;
    Tensor& requires_grad_(bool on = true, Where where = Where::here());
    Tensor grad() const;  // undefined if there is none
    void set_grad(const Tensor& grad) const;
    void retain_grad() const;  // a result's gradient is kept as a leaf's is
    bool retains_grad() const;
    Tensor detach() const;
    void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false,
                  Where where = Where::here()) const;

    // Values. Each throws if the tensor is symbolic.
    template <class T>
    T item(Where where = Where::here()) const {
        return static_cast<T>(item_scalar(where).as_real());
    }
    Scalar item_scalar(Where where = Where::here()) const;
    void* data() const;  // of the first element

    // The commonest ops, as methods (tensor_methods.cc); the rest are functions in ops.h.
    Tensor sum(Where where = Where::here()) const;
    Tensor sum(std::int64_t dim, bool keepdim = false, Where where = Where::here()) const;
    Tensor mean(Where where = Where::here()) const;
    Tensor mean(std::int64_t dim, bool keepdim = false, Where where = Where::here()) const;
    Tensor exp(Where where = Where::here()) const;
    Tensor log(Where where = Where::here()) const;
    Tensor tanh(Where where = Where::here()) const;
    Tensor relu(Where where = Where::here()) const;
    Tensor matmul(const Tensor& other, Where where = Where::here()) const;
    Tensor t(Where where = Where::here()) const;  // (M, N) -> (N, M)
    Tensor transpose(std::int64_t a, std::int64_t b, Where where = Where::here()) const;
    Tensor permute(const Dims& order, Where where = Where::here()) const;
    Tensor reshape(const Dims& to, Where where = Where::here()) const;
    Tensor expand(const Dims& to, Where where = Where::here()) const;
    Tensor unsqueeze(std::int64_t dim, Where where = Where::here()) const;
    Tensor squeeze(std::int64_t dim, Where where = Where::here()) const;
    Tensor select(std::int64_t dim, std::int64_t index, Where where = Where::here()) const;
    Tensor slice(std::int64_t dim, std::int64_t begin, std::int64_t end, std::int64_t step = 1,
                 Where where = Where::here()) const;
    Tensor operator[](std::int64_t index) const;  // select(0, index)
    Tensor contiguous(Where where = Where::here()) const;
    Tensor clone(Where where = Where::here()) const;
    Tensor to(DType dtype, Where where = Where::here()) const;
    Tensor to(Device device, Where where = Where::here()) const;
    Tensor& add_(const struct Arg& y, Where where = Where::here());
    Tensor& sub_(const struct Arg& y, Where where = Where::here());
    Tensor& mul_(const struct Arg& y, Where where = Where::here());
    Tensor& copy_(const struct Arg& y, Where where = Where::here());
    Tensor& fill_(double value, Where where = Where::here());
    Tensor& zero_(Where where = Where::here());

    Handle& handle() const { return *handle_; }
    const Ref<Handle>& ref() const { return handle_; }

  private:
    Ref<Handle> handle_;
};

std::string text(const Tensor& tensor);      // as repr() in Python prints it; never throws
std::string describe(const Tensor& tensor);  // "float32 (32, 10)"

// ---- making tensors ----------------------------------------------------------------------------
struct Options {
    DType dtype = default_dtype();
    Device device = Device::cpu;
    bool requires_grad = false;
};
Tensor tensor_of(Ref<Storage> storage, Layout layout);  // fresh history, nothing recorded
Tensor empty(const Dims& shape, Options options = {});

// ---- modes -------------------------------------------------------------------------------------
bool grad_enabled();
void set_grad_enabled(bool on);

class GradMode {
  public:
    explicit GradMode(bool on) : before_(grad_enabled()) { set_grad_enabled(on); }
    ~GradMode() { set_grad_enabled(before_); }
    GradMode(const GradMode&) = delete;
    GradMode& operator=(const GradMode&) = delete;

  private:
    bool before_;
};

struct NoGrad : GradMode {
    NoGrad() : GradMode(false) {}
};

}  // namespace tg
