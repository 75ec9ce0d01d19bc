// The C++ tests' main. Two things beyond doctest's own: `--levels` prints the levels of the
// processor that this machine can run, and a TAPEGRAPH_CPU that it cannot run ends with 77, which
// ctest shows as skipped, instead of testing another level in its name.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "kernels/cpu/cpu.h"

// "x86-64-v3" answers to "v3" too.
static bool has_name(std::string_view level, std::string_view name) {
    return level == name || (level.size() > name.size() && level.ends_with(name) &&
                             level[level.size() - name.size() - 1] == '-');
}

int main(int argc, char** argv) {
    const auto levels = tg::kernels::cpu::levels();
    if (argc == 2 && std::strcmp(argv[1], "--levels") == 0) {
        for (const char* level : levels) std::cout << level << '\n';
        return 0;
    }
    if (const char* wanted = std::getenv("TAPEGRAPH_CPU")) {
        bool runs = false;
        for (const char* level : levels) runs = runs || has_name(level, wanted);
        if (!runs) {
            std::cout << "TAPEGRAPH_CPU=" << wanted << ": not a level of this machine\n";
            return 77;
        }
        if (!has_name(tg::kernels::cpu::level(), wanted)) {
            std::cout << "TAPEGRAPH_CPU=" << wanted << ": but " << tg::kernels::cpu::level()
                      << " was chosen\n";
            return 1;
        }
    }

    doctest::Context tests(argc, argv);
    // TAPEGRAPH_TEST=a,b: only cases whose sentence holds a or b (how `./dev test a b` asks).
    if (const char* names = std::getenv("TAPEGRAPH_TEST")) tests.addFilter("test-case", names);
    return tests.run();
}
