// The back end that is always there: the kernels of this folder on the emulator.
#include "kernels/cuda/rungs.h"
#include "kernels/parallel.h"
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
    static const bool polls = (simt::stop_when(stopping), true);
    static_cast<void>(polls);
    return table;
}

}  // namespace tg::kernels::cuda
