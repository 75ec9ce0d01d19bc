// Layer: a module that makes one tensor of one tensor, which is what Sequential strings together.
//
//   struct Twice final : nn::Layer {
//       Tensor forward(const Tensor& x) override { return x * 2; }
//   };
#pragma once

#include "core/nn/module.h"

namespace tg::nn {

class Layer : public Module {
  public:
    virtual Tensor forward(const Tensor& x) = 0;
    // forward, with the hooks before and after it; its ops have the line of this call.
    Tensor operator()(const Tensor& x, Where where = Where::here());

    // What a hook gives, unless it is undefined, takes the place of the input or the output.
    using PreHook = std::function<Tensor(Layer& layer, const Tensor& input)>;
    using Hook = std::function<Tensor(Layer& layer, const Tensor& input, const Tensor& output)>;
    class Handle {
      public:
        void remove();  // takes the hook off; does nothing the second time

      private:
        friend Layer;
        std::weak_ptr<PreHook> before_;
        std::weak_ptr<Hook> after_;
    };
    Handle register_forward_pre_hook(PreHook hook);
    Handle register_forward_hook(Hook hook);

  private:
    Tensor with_hooks(const Tensor& x, Where where);
    std::vector<std::shared_ptr<PreHook>> before_;  // an empty function was taken off
    std::vector<std::shared_ptr<Hook>> after_;
};

}  // namespace tg::nn
