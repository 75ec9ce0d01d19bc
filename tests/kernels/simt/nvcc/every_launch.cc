#include "tests/kernels/simt/nvcc/every_launch.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

namespace simt_test {

std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

Kernels& kernels() {
    static Kernels& only = *new Kernels;
    return only;
}

// ---- where the two may differ -----------------------------------------------------------------
// The formulas that call the C library: nvcc calls its own, which rounds otherwise. All others are
// the project's own to the last step, and agree bit for bit.
constexpr std::string_view of_the_library[] = {
    "Log2", "Log10", "Pow",   "Sin",   "Cos",   "Tan",  "Asin",  "Acos", "Atan",   "Atan2",
    "Sinh", "Cosh",  "Asinh", "Acosh", "Atanh", "Exp2", "Hypot", "Erf",  "Lgamma", "Polygamma"};

static double units_of(std::string_view formula) {
    if (formula == "Lgamma") return 128;     // near 1 and 2 it is 0, and the difference of much
    if (formula == "Polygamma") return 1e6;  // larger numbers; so is polygamma elsewhere
    return 2;
}

static void allow(const std::string& name, Entry& entry) {
    for (const std::string_view formula : of_the_library)
        if (name.find("::" + std::string(formula) + ",") != std::string::npos)
            entry.units = units_of(formula);
    // Normal numbers call cos and sin.
    if (name.starts_with("random_") && name.ends_with(", true>")) entry.units = 2;
    // What argmax keeps of each part: a value, and 8 bytes behind it its place.
    if (name.starts_with("reduce_parts<") && name.find("::Place<") != std::string::npos) {
        constexpr std::pair<const char*, std::size_t> bytes[] = {
            {"bool", 1}, {"char", 1}, {"short", 2}, {"int", 4}, {"float", 4}};
        for (const auto& [type, its] : bytes)
            if (name.ends_with(std::string(type) + "> >")) entry.gap = {16, its, 8};
    }
}

// ---- each launch ------------------------------------------------------------------------------
static std::vector<std::string>* kept = nullptr;

void keep_differences(std::vector<std::string>* them) { kept = them; }

static void compare(const simt::Launch& launch) {
    const std::string name = launched_kernel(launch);
    Entry* entry = kernels().named(name);
    if (entry == nullptr) {
        simt::run(launch);
        FAIL_CHECK("nvcc's output has no kernel " << name);
        return;
    }
    const std::string what = difference(launch, *entry, name);
    if (kept && !what.empty())
        kept->push_back(what);
    else if (!what.empty())
        FAIL_CHECK(what);
}

std::string compare_every_launch() {
    for (const auto& file : std::filesystem::directory_iterator(TAPEGRAPH_PTX_FOLDER)) {
        std::string error = kernels().add(text_of(file.path()), file.path().filename());
        if (!error.empty()) return error;
    }
    for (auto& [name, entry] : kernels().all()) allow(name, entry);
    simt::instead_of_run = compare;
    return "";
}

}  // namespace simt_test
