// Which back end serves the device "cuda": a GPU, if nvcc's build is in and finds one, else the
// emulator. TAPEGRAPH_CUDA=emulator in the environment asks for the emulator anyway, and
// TAPEGRAPH_CUDA=checking for the one that checks every access to memory.
#include <cstdlib>
#include <cstring>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

const Backend& choose() {
    const char* wish = std::getenv("TAPEGRAPH_CUDA");
    if (wish != nullptr && std::strcmp(wish, "emulator") == 0) return emulator();
    if (wish != nullptr && std::strcmp(wish, "checking") == 0) return checking();
#ifdef TAPEGRAPH_CUDA
    if (const Backend* found = gpu()) return *found;
#endif
    return emulator();
}

}  // namespace

const Backend& backend() {
    static const Backend& chosen = choose();
    return chosen;
}

}  // namespace tg::kernels::cuda
