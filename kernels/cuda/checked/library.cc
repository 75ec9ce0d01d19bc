// The library that kernels/cuda/checking.cc opens: the kernels of the folder above, compiled with
// checks, on the emulator with kernels/simt/check. This function is all that can be seen of it.
#include "kernels/cuda/rungs.h"
#include "kernels/simt/host.h"

namespace tg::kernels::cuda {

extern "C" __attribute__((visibility("default"))) const Backend* tapegraph_open_checking(
    std::size_t table_bytes, bool (*stopping)()) {
    if (table_bytes != sizeof(Backend)) return nullptr;
    static Backend table = emulator();
    table.name = "checking emulator";
    simt::stop_when(stopping);  // the caller's: this library has a pool of its own, which idles
    return &table;
}

static_assert(std::is_same_v<decltype(tapegraph_open_checking), OpenChecking>);

}  // namespace tg::kernels::cuda
