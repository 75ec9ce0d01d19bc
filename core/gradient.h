// Where a tensor keeps its gradient. A backward adds to a leaf's, and to that of a result which was
// told to by retain_grad(); any other tensor has one as soon as it is set.
#pragma once

#include <memory>

#include "core/tensor.h"

namespace tg {

// Threads may share it: each method is one step. Nothing is computed under its lock.
class Gradient {
  public:
    explicit Gradient(std::uint64_t born_in = 0) : born(born_in) {}
    ~Gradient();
    Gradient(const Gradient&) = delete;
    Gradient& operator=(const Gradient&) = delete;

    Tensor get() const;
    void set(const Tensor& value);
    // False, and nothing is done, if it is not `before` any more.
    bool replace(const Tensor& before, const Tensor& after);

    const std::uint64_t born;  // the recording in which it was made

  private:
    Ref<Handle> value_;
};

using GradientRef = std::shared_ptr<Gradient>;

// Where this tensor's gradient is, or would be.
GradientRef gradient_of(const Tensor& tensor);

// As the open recording sees it, and changes it; outside of all, as it is.
Tensor read_gradient(const GradientRef& gradient);
void write_gradient(const GradientRef& gradient, const Tensor& value);
// Adds to it. Out of place: x + y hands one tensor to both of its inputs.
void add_gradient(const GradientRef& gradient, const Tensor& g);

}  // namespace tg
