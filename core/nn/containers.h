// Modules that hold modules or parameters, as vectors and maps do.
//
// They are made with braces, for only in braces does C++ go from left to right: so the weights are
// drawn in order. Sequential{Linear(64, 32), ReLU(), Linear(32, 10)}
#pragma once

#include <algorithm>

#include "core/nn/layer.h"

namespace tg::nn {

// A module of class M, or made of it, as it is given to a list: itself, or a pointer to it.
template <class M>
struct Part {
    std::shared_ptr<M> module;
    template <class L>
    requires std::is_base_of_v<M, L> Part(L given)
        : module(std::make_shared<L>(std::move(given))) {}
    template <class L>
    requires std::is_base_of_v<M, L> Part(std::shared_ptr<L> given) : module(std::move(given)) {}
};

// Modules of class M under the names "0", "1", ...: what Sequential and ModuleList share.
template <class Base, class M>
class Numbered : public Base {
  public:
    std::int64_t size() const { return static_cast<std::int64_t>(this->children_.size()); }
    // -1 is the last. Throws IndexError.
    M& operator[](std::int64_t index) const { return of(this->children_[place(index)]); }
    std::vector<M*> list() const {
        std::vector<M*> all;
        for (const auto& child : this->children_) all.push_back(&of(child));
        return all;
    }
    template <class L>
    L& append(std::shared_ptr<L> module) {
        static_assert(std::is_base_of_v<M, L>, "this list is of another class of modules");
        return this->register_module(std::to_string(size()), module);
    }
    template <class L>
    requires std::is_base_of_v<M, L> L& append(L module) {
        return append(std::make_shared<L>(std::move(module)));
    }
    // Puts module before the one at index, and counts those after it anew.
    template <class L>
    L& insert(std::int64_t index, std::shared_ptr<L> module) {
        const auto at = index == size()
                            ? this->children_.end()
                            : this->children_.begin() + static_cast<std::ptrdiff_t>(place(index));
        this->children_.insert(at, {"0", module});
        number();
        return *module;
    }
    std::shared_ptr<M> pop(std::int64_t index = -1) {
        const auto at = this->children_.begin() + static_cast<std::ptrdiff_t>(place(index));
        const auto module = std::static_pointer_cast<M>(at->module);
        this->children_.erase(at);
        number();
        return module;
    }

  private:
    static M& of(const auto& child) { return static_cast<M&>(*child.module); }
    std::size_t place(std::int64_t index) const {
        if (index < -size() || index >= size())
            fail(ErrorKind::index, this->name(), ": ", index, " is outside of its ", size(),
                 " modules");
        return static_cast<std::size_t>(index < 0 ? index + size() : index);
    }
    // Names that are numbers are given anew, in order.
    void number() {
        for (std::size_t i = 0; i < this->children_.size(); ++i) {
            std::string& name = this->children_[i].name;
            if (name.find_first_not_of("0123456789") == std::string::npos) name = std::to_string(i);
        }
    }
};

// One layer after another: Sequential(a, b)(x) is b(a(x)).
class Sequential final : public Numbered<Layer, Layer> {
  public:
    Sequential() = default;
    Sequential(std::initializer_list<Part<Layer>> layers) {
        for (const auto& layer : layers) append(layer.module);
    }
    using Numbered::append;
    template <class L>
    L& append(const std::string& name, L layer) {
        return register_module(name, std::move(layer));
    }
    Tensor forward(const Tensor& x) override {
        Tensor y = x;
        for (Layer* layer : list()) y = (*layer)(y);
        return y;
    }
};

// A list whose modules, each an M, are part of the model: layers[0](x). It has no function.
template <class M = Layer>
class ModuleList final : public Numbered<Module, M> {
  public:
    ModuleList() = default;
    ModuleList(std::initializer_list<Part<M>> modules) {
        for (const auto& given : modules) this->append(given.module);
    }
    // Neighbours that print alike are one line: (0-2): 3 x Linear(...).
    std::string text() const override {
        std::vector<std::string> parts;
        const auto all = this->list();
        for (std::size_t i = 0, j = 0; i < all.size(); i = j) {
            const std::string one = all[i]->text();
            while (j < all.size() && all[j]->text() == one) ++j;
            const std::string first = "(" + std::to_string(i);
            parts.push_back(j == i + 1 ? first + "): " + one
                                       : first + "-" + std::to_string(j - 1) +
                                             "): " + std::to_string(j - i) + " x " + one);
        }
        return this->text_with(parts);
    }
};

// Modules by name, in the order in which they came.
template <class M = Layer>
class ModuleDict final : public Module {
  public:
    std::int64_t size() const { return static_cast<std::int64_t>(children_.size()); }
    bool contains(const std::string& key) const { return find(key) != children_.end(); }
    M& operator[](const std::string& key) const { return static_cast<M&>(*at(key)->module); }
    std::vector<std::string> keys() const {
        std::vector<std::string> all;
        for (const Child& child : children_) all.push_back(child.name);
        return all;
    }
    template <class L>
    requires std::is_base_of_v<M, L> L& insert(const std::string& key, L module) {
        return register_module(key, std::move(module));
    }
    std::shared_ptr<M> pop(const std::string& key) {
        const auto child = at(key);
        const auto module = std::static_pointer_cast<M>(child->module);
        children_.erase(child);
        return module;
    }

  private:
    std::vector<Child>::const_iterator find(const std::string& key) const {
        return std::find_if(children_.begin(), children_.end(),
                            [&](const Child& child) { return child.name == key; });
    }
    std::vector<Child>::const_iterator at(const std::string& key) const {
        const auto child = find(key);
        if (child == children_.end())
            fail(ErrorKind::index, "ModuleDict: there is no module '", key, "'");
        return child;
    }
};

// A list of parameters.
class ParameterList final : public Module {
  public:
    ParameterList() = default;
    explicit ParameterList(const std::vector<Tensor>& values) {
        for (const Tensor& value : values) append(value);
    }
    std::int64_t size() const { return static_cast<std::int64_t>(list_.size()); }
    Tensor& operator[](std::int64_t index) const;
    Tensor& append(const Tensor& value);
    std::string text() const override;

  private:
    std::vector<Tensor*> list_;
};

}  // namespace tg::nn
