#include "core/nn/module.h"

#include <cxxabi.h>

#include <cstdlib>
#include <set>
#include <typeinfo>
#include <unordered_map>

namespace tg::nn {

// ---- the tree
// ------------------------------------------------------------------------------------

void Module::check_name(const std::string& name) const {
    if (name.empty() || name.find('.') != std::string::npos)
        fail(ErrorKind::value, "register: '", name,
             "' is no name for a part of a module: a word without dots");
    for (const Entry& e : entries_)
        if (e.name == name) fail(ErrorKind::value, "register: there is a tensor '", name, "'");
    for (const Child& c : children_)
        if (c.name == name) fail(ErrorKind::value, "register: there is a module '", name, "'");
}

Tensor& Module::enter(const std::string& name, Kind kind, Tensor value) {
    check_name(name);
    entries_.push_back({name, kind, std::make_unique<Tensor>(std::move(value))});
    return *entries_.back().tensor;
}

Tensor& Module::register_parameter(const std::string& name, Tensor value) {
    if (value.defined() && value.is_leaf()) value.requires_grad_();
    return enter(name, parameter, std::move(value));
}

Tensor& Module::register_buffer(const std::string& name, Tensor value, bool persistent) {
    return enter(name, persistent ? buffer : unsaved, std::move(value));
}

void Module::add_child(const std::string& name, std::shared_ptr<Module> module) {
    check_name(name);
    children_.push_back({name, std::move(module)});
}

Module::NamedModules Module::named_children() const {
    NamedModules all;
    for (const Child& c : children_) all.push_back({c.name, c.module.get()});
    return all;
}

Module::NamedModules Module::named_modules(bool remove_duplicate) {
    NamedModules all, todo{{"", this}};
    std::set<const Module*> seen;
    while (!todo.empty()) {
        const auto [path, module] = todo.back();
        todo.pop_back();
        if (!seen.insert(module).second && remove_duplicate) continue;
        all.push_back({path, module});
        const auto& below = module->children_;
        for (auto c = below.rbegin(); c != below.rend(); ++c)
            todo.push_back({path.empty() ? c->name : path + "." + c->name, c->module.get()});
    }
    return all;
}

static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
}

NamedTensors Module::named(bool parameters) const {
    NamedTensors all;
    std::set<const Handle*> seen;
    for (const auto& [path, module] : const_cast<Module*>(this)->named_modules())
        for (const Entry& e : module->entries_)
            if ((e.kind == parameter) == parameters && e.tensor->defined() &&
                seen.insert(&e.tensor->handle()).second)
                all.push_back({below(path, e.name), *e.tensor});
    return all;
}

NamedTensors Module::named_parameters() const { return named(true); }
NamedTensors Module::named_buffers() const { return named(false); }

std::vector<Tensor> Module::parameters() const {
    std::vector<Tensor> all;
    for (const auto& [name, tensor] : named_parameters()) all.push_back(tensor);
    return all;
}

Module& Module::get_submodule(const std::string& path) {
    for (const auto& [name, module] : named_modules(false))
        if (name == path) return *module;
    fail(ErrorKind::value, "get_submodule: ", name(), " has no module '", path, "'");
}

Module& Module::apply(const std::function<void(Module&)>& f) {
    for (const Child& c : children_) c.module->apply(f);
    f(*this);
    return *this;
}

// ---- state
// ---------------------------------------------------------------------------------------

NamedTensors Module::state_dict() const {
    NamedTensors state;
    for (const auto& [path, module] : const_cast<Module*>(this)->named_modules(false))
        for (const Kind kind : {parameter, buffer})
            for (const Entry& e : module->entries_)
                if (e.kind == kind && e.tensor->defined())
                    state.push_back({below(path, e.name), e.tensor->detach()});
    return state;
}

static const Tensor* find(const NamedTensors& list, const std::string& name) {
    for (const auto& [n, tensor] : list)
        if (n == name) return &tensor;
    return nullptr;
}

static std::string quoted(const std::vector<std::string>& names) {
    std::string s;
    for (const std::string& name : names) s += (s.empty() ? "\"" : ", \"") + name + "\"";
    return s;
}

LoadResult Module::load_state_dict(const NamedTensors& state, bool strict) {
    const NamedTensors own = state_dict();
    LoadResult result;
    std::string misshapen;
    for (const auto& [name, tensor] : own) {
        const Tensor* given = find(state, name);
        if (!given)
            result.missing_keys.push_back(name);
        else if (given->shape() != tensor.shape())
            misshapen += "\n\tsize mismatch for " + name + ": copying a param with shape " +
                         tg::text(given->shape()) +
                         " from checkpoint, the shape in current model is " +
                         tg::text(tensor.shape()) + ".";
    }
    for (const auto& [name, tensor] : state)
        if (!find(own, name)) result.unexpected_keys.push_back(name);
    std::string wrong;
    if (strict && !result.missing_keys.empty())
        wrong += "\n\tMissing key(s) in state_dict: " + quoted(result.missing_keys) + ".";
    if (strict && !result.unexpected_keys.empty())
        wrong += "\n\tUnexpected key(s) in state_dict: " + quoted(result.unexpected_keys) + ".";
    wrong += misshapen;
    if (!wrong.empty())
        fail(ErrorKind::runtime, "Error(s) in loading state_dict for ", name(), ":", wrong);
    const NoGrad mode;
    for (auto [name, tensor] : own)
        if (const Tensor* given = find(state, name)) tensor.copy_(given->detach());
    return result;
}

Module& Module::train(bool mode) {
    for (const auto& [path, module] : named_modules()) *module->training_ = mode;
    return *this;
}

bool Module::is_training() const {
    rest_on(training_, "train() or eval() was called");
    return *training_ != 0;
}

Module& Module::requires_grad_(bool on) {
    for (Tensor& p : parameters()) p.requires_grad_(on);
    return *this;
}

void Module::zero_grad(bool set_to_none) {
    const NoGrad mode;
    for (const Tensor& p : parameters())
        if (set_to_none)
            p.set_grad({});
        else if (Tensor g = p.grad(); g.defined())
            g.zero_();
}

// Puts what `moved` makes of them in the places of the tensors; those that are shared stay so.
void Module::replace(const std::function<Tensor(const Tensor&)>& moved) {
    const NoGrad mode;
    std::unordered_map<const Handle*, std::pair<Tensor, Tensor>> made;  // the old one is kept alive
    for (const auto& [path, module] : named_modules())
        for (const Entry& e : module->entries_) {
            const Tensor old = *e.tensor;
            if (!old.defined()) continue;
            const auto [at, is_new] = made.try_emplace(&old.handle());
            if (is_new) {
                Tensor next = moved(old.detach());
                if (e.kind == parameter) next.requires_grad_(old.requires_grad());
                if (old.is_leaf() && old.grad().defined()) next.set_grad(moved(old.grad()));
                at->second = {old, next};
            }
            *e.tensor = at->second.second;
        }
}

Module& Module::to(DType dtype) {
    if (!is_floating(dtype))
        fail(ErrorKind::type, "to: parameters are of a floating dtype, which ", name_of(dtype),
             " is not");
    bool changes = false;
    for (const bool parameters : {true, false})
        for (const auto& [name, t] : named(parameters))
            changes = changes || (is_floating(t.dtype()) && t.dtype() != dtype);
    if (changes) replace([&](const Tensor& t) { return is_floating(t.dtype()) ? t.to(dtype) : t; });
    return *this;
}

Module& Module::to(Device device) {
    bool changes = false;
    for (const bool parameters : {true, false})
        for (const auto& [name, t] : named(parameters)) changes = changes || t.device() != device;
    if (changes) replace([&](const Tensor& t) { return t.to(device); });
    return *this;
}

// ---- printing
// ------------------------------------------------------------------------------------

// "tg::nn::ModuleList<tg::nn::Linear>" is a ModuleList.
std::string Module::name() const {
    int status = 0;
    char* full = abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status);
    std::string s = full ? full : "Module";
    std::free(full);
    std::size_t start = 0;
    for (std::size_t i = 0, depth = 0; i < s.size(); ++i) {
        if (s[i] == '<') ++depth;
        if (s[i] == '>') --depth;
        if (s[i] == ':' && depth == 0) start = i + 1;
    }
    s = s.substr(start);
    return s.substr(0, s.find('<'));
}

std::string Module::text_with(const std::vector<std::string>& parts) const {
    const std::string extra = extra_repr();
    if (parts.empty()) return name() + "(" + extra + ")";
    std::string s = name() + "(\n  ";
    for (const char c : extra.empty() ? "" : extra + "\n") s += c == '\n' ? "\n  " : std::string{c};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) s += "\n  ";
        for (const char c : parts[i]) s += c == '\n' ? "\n  " : std::string{c};
    }
    return s + "\n)";
}

std::string Module::text() const {
    std::vector<std::string> parts;
    for (const Child& c : children_) parts.push_back("(" + c.name + "): " + c.module->text());
    return text_with(parts);
}

}  // namespace tg::nn
