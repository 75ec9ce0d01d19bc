#include "graph/passes/pass.h"

#include "graph/passes/passes.h"

namespace tg {

std::span<const Pass* const> all_passes() {
    static const Pass* const list[] = {&fold_constants, &merge_equal, &turn_products,
                                       &drop_dead,      &fuse,        &run_together};
    return list;
}

const Pass* find_pass(const std::string& name) {
    for (const Pass* pass : all_passes())
        if (name == pass->name) return pass;
    return nullptr;
}

Ref<Program> optimise(const Program& program, std::span<const Pass* const> passes,
                      const ShowPass& show) {
    Ref<Program> now = make<Program>(program);
    for (const Pass* pass : passes) {
        Ref<Program> better = pass->run(*now);
        verify(*better);
        if (show) show(*pass, *now, *better);
        now = better;
    }
    return now;
}

}  // namespace tg
