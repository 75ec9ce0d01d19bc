// What must hold when all tests of the kernels have run: it runs behind them, as files are in the
// order of their names, and fails where only some were asked for.
#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>
#include <regex>
#include <set>
#include <string>

#include "tests/kernels/simt/nvcc/every_launch.h"

namespace {

using simt_test::kernels;

// The names behind __global__ in the kernels' sources.
std::set<std::string> declared_kernels() {
    std::set<std::string> names;
    const std::filesystem::path folder = TAPEGRAPH_SOURCE_DIR "/kernels/cuda";
    const std::regex declaration(
        R"(__global__[^;{}]*?\bvoid\s*(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\()");
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (file.path().extension() != ".cu" && file.path().extension() != ".h") continue;
        const std::string text = simt_test::text_of(file.path());
        for (std::sregex_iterator i(text.begin(), text.end(), declaration), end; i != end; ++i)
            names.insert((*i)[1]);
    }
    return names;
}

TEST_CASE("every kernel ran as nvcc compiled it") {
    std::set<std::string> compared;
    std::size_t entries = 0, launches = 0;
    for (const auto& [name, entry] : kernels().all()) {
        if (entry.launches == 0) continue;
        ++entries;
        launches += static_cast<std::size_t>(entry.launches);
        compared.insert(name.substr(0, name.find('<')));
    }
    CHECK(compared == declared_kernels());
    CHECK(compared.size() >= 40);
    std::cout << launches << " launches of " << entries << " of " << kernels().all().size()
              << " kernels\n";
}

}  // namespace
