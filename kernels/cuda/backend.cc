// Which back end serves the device "cuda": a GPU, if nvcc's build is in and finds one, else the
// emulator. TAPEGRAPH_CUDA=emulator in the environment asks for the emulator anyway, and
// TAPEGRAPH_CUDA=checking for the one that checks every access to memory.
#include <cstdlib>
#include <string>
#include <utility>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

const Backend& choose() {
    const char* const variable = std::getenv("TAPEGRAPH_CUDA");
    const std::string wish = variable == nullptr ? "" : variable;
    if (wish == "emulator") return emulator();
    if (wish == "checking") return checking();
    if (!wish.empty())
        return unavailable("TAPEGRAPH_CUDA is \"" + wish + "\", not emulator or checking");
#ifdef TAPEGRAPH_CUDA
    if (const Backend* found = gpu()) return *found;
#endif
    return emulator();
}

std::string why_not;

}  // namespace

const Backend& unavailable(std::string reason) {
    static Backend table = emulator();
    why_not = std::move(reason);
    table.last_error = [] { return why_not.c_str(); };
    return table;
}

const Backend& backend() {
    static const Backend& chosen = choose();
    return chosen;
}

}  // namespace tg::kernels::cuda
