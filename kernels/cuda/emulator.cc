// The back end that is always there: the kernels of this folder on the emulator.
#include "kernels/cuda/rungs.h"
#include "kernels/simt/host.h"

namespace tg::kernels::cuda {
namespace {

void nothing_to_wait_for() {}  // a launch on the emulator returns when it is done

}  // namespace

const Backend& emulator() {
    static constexpr Backend table = {
        .name = "emulator",
        .emulated = true,
        .allocate = simt::allocate,
        .release = simt::release,
        .to_device = simt::copy_to_device,
        .to_host = simt::copy_to_host,
        .synchronize = nothing_to_wait_for,
        .elementwise = elementwise<Emulator>,
        .sum = sum<Emulator>,
        .matmul = matmul<Emulator>,
        .last_error = simt::last_error,
    };
    return table;
}

}  // namespace tg::kernels::cuda
