// Module: a tree of parameters, buffers and further modules, under PyTorch's names, so that
// state_dicts fit. What it computes, a class made of it says in an operator() of its own, with the
// inputs and outputs that it has; layer.h has those of one tensor to one tensor.
//
//   struct Net : nn::Module {
//       nn::Linear& hidden = register_module("hidden", nn::Linear(64, 32));
//       Tensor operator()(const Tensor& x) { return relu(hidden(x)); }
//   };
//
// The tree owns what is registered, and gives a reference to it: so a module may be moved, and
// `a.weight = b.weight` makes the two share one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/ops.h"
#include "core/recording.h"

namespace tg::nn {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// The names that load_state_dict could not use.
struct LoadResult {
    std::vector<std::string> missing_keys, unexpected_keys;
};

class Module {
  public:
    Module() = default;
    Module(Module&&) = default;
    virtual ~Module() = default;

    // ---- the tree -------------------------------------------------------------------------------
    using NamedModules = std::vector<std::pair<std::string, Module*>>;
    NamedModules named_children() const;
    // This module, "", and all below it, with their paths; each once, or wherever it is.
    NamedModules named_modules(bool remove_duplicate = true);
    NamedTensors named_parameters() const;  // ("hidden.weight", parameter), ...; each once
    NamedTensors named_buffers() const;
    std::vector<Tensor> parameters() const;
    // The module at a path: "hidden.0". Throws Error where there is none.
    Module& get_submodule(const std::string& path);
    // Calls f with every module below this one, children first, and with this one last.
    Module& apply(const std::function<void(Module&)>& f);

    // ---- state ----------------------------------------------------------------------------------
    // Every parameter and persistent buffer by name: tensors on the same bytes, apart from the
    // tape. One that is shared has all of its names.
    NamedTensors state_dict() const;
    // Copies values in. Throws Error, having written nothing, if a shape does not fit or, if
    // strict, a name is missing or unexpected; the text lists them all.
    LoadResult load_state_dict(const NamedTensors& state, bool strict = true);

    Module& train(bool mode = true);
    Module& eval() { return train(false); }
    bool is_training() const;  // a compiled function that asked is traced anew after a change
    Module& requires_grad_(bool on = true);
    void zero_grad(bool set_to_none = true);
    // Every floating parameter and buffer in another dtype, or all on another device. One that
    // changes is a new tensor: make the optimiser, and what is compiled, after.
    Module& to(DType dtype);
    Module& to(Device device);

    // ---- printing -------------------------------------------------------------------------------
    std::string name() const;          // of its class: "Linear"
    virtual std::string text() const;  // as PyTorch prints it, one line a module
    virtual std::string extra_repr() const { return ""; }  // what stands between the brackets

  protected:
    // Each gives what the tree owns from here on. An undefined tensor stands for PyTorch's None.
    Tensor& register_parameter(const std::string& name, Tensor value);
    Tensor& register_buffer(const std::string& name, Tensor value, bool persistent = true);
    template <class M>
    M& register_module(const std::string& name, std::shared_ptr<M> module) {
        add_child(name, module);
        return *module;
    }
    template <class M>
    requires std::is_base_of_v<Module, M> M& register_module(const std::string& name, M module) {
        return register_module(name, std::make_shared<M>(std::move(module)));
    }
    // `parts` below each other in the brackets, two columns in, or extra_repr() alone.
    std::string text_with(const std::vector<std::string>& parts) const;

    struct Child {
        std::string name;
        std::shared_ptr<Module> module;
    };
    std::vector<Child> children_;

  private:
    enum Kind : std::uint8_t { parameter, buffer, unsaved };  // unsaved: a buffer, not in the state
    struct Entry {
        std::string name;
        Kind kind;
        std::unique_ptr<Tensor> tensor;  // stays where it is if the module is moved
    };
    Tensor& enter(const std::string& name, Kind kind, Tensor value);
    void add_child(const std::string& name, std::shared_ptr<Module> module);
    void check_name(const std::string& name) const;
    NamedTensors named(bool parameters) const;
    void replace(const std::function<Tensor(const Tensor&)>& moved);

    std::vector<Entry> entries_;
    Watched training_ = std::make_shared<std::atomic<std::int64_t>>(true);
};

}  // namespace tg::nn
