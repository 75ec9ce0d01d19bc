// Which level of the processor runs: the best one that this machine has, or the one that the
// environment variable TAPEGRAPH_CPU names. Chosen at the first use, before which nothing is known.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kernels/cpu/levels/level.h"

namespace tg::kernels::cpu {

#if defined(__x86_64__)
namespace v1 {
extern const Level level;
}
namespace v3 {
extern const Level level;
}
namespace v4 {
extern const Level level;
}
#endif

namespace {

struct Choice {
    std::atomic<const Level*> current{nullptr};
    const Level* runnable[3] = {};
    const char* names[3] = {};
    std::size_t count = 0;
    char error[160] = "";

    Choice();
    void add(const Level& level) {
        runnable[count] = &level;
        names[count++] = level.name;
    }
    bool choose(std::string_view name);
};

// "v3" and "x86-64-v3" name the same level.
bool Choice::choose(std::string_view name) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view full = names[i];
        const std::string_view brief = full.substr(full.rfind('-') + 1);
        if (name != full && name != brief) continue;
        current.store(runnable[i]);
        return true;
    }
    return false;
}

Choice::Choice() {
#if defined(__x86_64__)
    const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (has_v4) add(v4::level);
    if (has_v3) add(v3::level);
    add(v1::level);
#else
    add(generic::level);
#endif
    current.store(runnable[0]);
    const char* forced = std::getenv("TAPEGRAPH_CPU");
    if (forced == nullptr || *forced == '\0' || choose(forced)) return;
    int length =
        std::snprintf(error, sizeof error, "TAPEGRAPH_CPU is %.40s; this machine can run:", forced);
    for (std::size_t i = 0; i < count; ++i)
        length += std::snprintf(error + length, sizeof error - static_cast<std::size_t>(length),
                                " %s", names[i]);
}

Choice& choice() {
    static Choice the_choice;
    return the_choice;
}

}  // namespace

const Level& current_level() {
    static Choice& chosen = choice();
    return *chosen.current.load(std::memory_order_relaxed);
}

const char* level() { return current_level().name; }

std::span<const char* const> levels() { return {choice().names, choice().count}; }

bool set_level(const char* name) { return choice().choose(name); }

const char* level_error() { return choice().error; }

Block block(int formula, DType dtype) { return current_level().block(formula, dtype); }

Block cast_block(DType from, DType to) { return current_level().cast_block(from, to); }

}  // namespace tg::kernels::cpu
