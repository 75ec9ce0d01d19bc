#include "tests/kernels/simt/nvcc/compare.h"

#include <cxxabi.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "kernels/simt/check/module.h"
#include "kernels/simt/observer.h"
#include "kernels/simt/ptx/program.h"

namespace simt_test {

// ---- names ------------------------------------------------------------------------------------
// Both compilers demangle to "void tg::kernels::cuda::(anonymous namespace)::f<T>(parameters)". The
// parameters are left out: nvcc mangles std::is_same_v in them in a way of its own.
std::string kernel_name(const char* mangled) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
    std::string name = text ? text.get() : mangled;
    const std::string unnamed = "(anonymous namespace)::";
    for (std::size_t at; (at = name.find(unnamed)) != std::string::npos;)
        name.erase(at, unnamed.size());
    int depth = 0;
    std::size_t begin = 0, end = 0;
    for (; end < name.size() && (depth > 0 || name[end] != '('); ++end) {
        depth += (name[end] == '<') - (name[end] == '>');
        if (depth == 0 && (name[end] == ' ' || name[end] == ':')) begin = end + 1;
    }
    return name.substr(begin, end - begin);
}

std::string launched_kernel(const simt::Launch& launch) {
    const auto address = reinterpret_cast<std::uintptr_t>(launch.kernel);
    const auto* module = simt::check::module_of(address);
    const auto* symbol = module ? module->symbol(address) : nullptr;
    return symbol ? kernel_name(symbol->name.c_str()) : "a kernel without a name";
}

// ---- all kernels ------------------------------------------------------------------------------
static bool stores(std::string_view body, std::string_view type) {
    for (std::size_t at = 0; (at = body.find("st.", at)) != std::string_view::npos; ++at) {
        const std::string_view opcode = body.substr(at, body.find_first_of(" \t", at) - at);
        if (opcode.find(".global") != std::string_view::npos && opcode.ends_with(type)) return true;
    }
    return body.find("atom.global.add." + std::string(type)) != std::string_view::npos;
}

std::string Kernels::add(std::string_view text, std::string file) {
    modules_.push_back(simt::ptx::read(text, std::move(file)));
    const simt::ptx::Module& module = modules_.back();
    for (const std::string& mangled : module.entries()) {
        const std::size_t begin = text.find(".entry " + mangled);
        const std::string_view body = text.substr(begin, text.find(".entry ", begin + 1) - begin);
        Entry& entry = entries_[kernel_name(mangled.c_str())];
        if (entry.function) return "two kernels " + kernel_name(mangled.c_str());
        entry.function = module.entry(mangled);
        entry.stores_float = stores(body, "f32");
        entry.stores_double = stores(body, "f64");
    }
    return module.error;
}

Entry* Kernels::named(const std::string& name) {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

// ---- memory -----------------------------------------------------------------------------------
static std::map<const std::byte*, std::size_t> live;

void watch_memory() {
    static simt::Observer observer;
    observer.allocated = [](const void* memory, std::size_t bytes) {
        live[static_cast<const std::byte*>(memory)] = bytes;
    };
    observer.released = [](const void* memory, std::size_t) {
        live.erase(static_cast<const std::byte*>(memory));
    };
    simt::observer = &observer;
}

using Copies = std::vector<std::vector<std::byte>>;  // of each live allocation

static Copies copies() {
    Copies all;
    for (const auto& [memory, bytes] : live) all.emplace_back(memory, memory + bytes);
    return all;
}

static void put_back(const Copies& all) {
    std::size_t next = 0;
    for (const auto& [memory, bytes] : live)
        std::memcpy(const_cast<std::byte*>(memory), all[next++].data(), bytes);
}

// ---- the two runs -----------------------------------------------------------------------------
// Are the two floats that hold byte `k` both NaN, or at most `units` units in the last place apart?
template <class T>
static bool nearly(const std::byte* a, const std::byte* b, std::size_t k, std::size_t bytes,
                   double units) {
    const std::size_t begin = k / sizeof(T) * sizeof(T);
    if (begin + sizeof(T) > bytes) return false;
    T x, y;
    std::memcpy(&x, a + begin, sizeof x);
    std::memcpy(&y, b + begin, sizeof y);
    if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
    const T unit = std::nextafter(std::fabs(y), std::numeric_limits<T>::infinity()) - std::fabs(y);
    return std::fabs(x - y) <= static_cast<T>(units) * unit;
}

// Whether memory's byte `k` may differ so.
static bool excused(const Entry& entry, const std::byte* got, const std::byte* expected,
                    std::size_t k, std::size_t bytes) {
    return entry.gap.holds(k) ||
           (entry.stores_float && nearly<float>(got, expected, k, bytes, entry.units)) ||
           (entry.stores_double && nearly<double>(got, expected, k, bytes, entry.units));
}

static std::string hexadecimal(const std::byte* bytes, std::size_t count) {
    std::string text = "0x";
    while (count-- > 0) {
        const auto byte = static_cast<unsigned>(bytes[count]);
        text += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    }
    return text;
}

static std::string argument_text(const simt::Launch& launch, const std::byte* memory) {
    for (std::size_t i = 0; i < launch.arguments.size(); ++i)
        if (simt::allocation_at(launch.arguments[i].pointer()).data() == memory)
            return "argument " + std::to_string(i);
    return "an allocation that is no argument";
}

// Where memory, as the PTX left it, differs from the emulator's.
static std::string first_difference(const simt::Launch& launch, const Entry& entry,
                                    const Copies& emulators) {
    std::size_t wrong = 0, next = 0;
    std::string first;
    for (const auto& [memory, bytes] : live) {
        const std::byte* expected = emulators[next++].data();
        if (std::memcmp(memory, expected, bytes) == 0) continue;
        for (std::size_t k = 0; k < bytes; ++k) {
            if (memory[k] == expected[k] || excused(entry, memory, expected, k, bytes)) continue;
            const std::size_t begin = k / 8 * 8, count = std::min<std::size_t>(8, bytes - begin);
            if (wrong++ == 0)
                first = argument_text(launch, memory) + ", byte " + std::to_string(k) + " of " +
                        std::to_string(bytes) + ", around which it is " +
                        hexadecimal(memory + begin, count) + ", but the emulator's " +
                        hexadecimal(expected + begin, count);
        }
    }
    return wrong == 0 ? "" : std::to_string(wrong) + " bytes differ: " + first;
}

std::string difference(const simt::Launch& launch, Entry& entry, const std::string& name) {
    const Copies before = copies();
    simt::run(launch);
    if (const std::string error = simt::last_error(); !error.empty()) {
        simt::set_error(error);  // for the test that made it
        return "";
    }
    ++entry.launches;
    const Copies emulators = copies();
    put_back(before);
    simt::ptx::launch(*entry.function, launch.grid, launch.block, launch.shared_bytes,
                      launch.arguments);
    std::string what = simt::last_error();
    if (what.empty()) what = first_difference(launch, entry, emulators);
    put_back(emulators);
    return what.empty() ? "" : name + " as PTX: " + what;
}

}  // namespace simt_test
