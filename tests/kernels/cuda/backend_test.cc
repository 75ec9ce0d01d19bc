#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {

TEST_CASE("there is always a back end, and it is chosen once") {
    CHECK(&backend() == &backend());
    const char* wish = std::getenv("TAPEGRAPH_CUDA");
    const bool checks = wish != nullptr && std::string(wish) == "checking";
    const char* emulated = checks ? "checking emulator" : "emulator";
    CHECK(std::string(backend().name) == (backend().emulated ? emulated : "cuda"));
}

TEST_CASE("TAPEGRAPH_CUDA=emulator leaves no choice") {
    const char* wish = std::getenv("TAPEGRAPH_CUDA");
    if (wish != nullptr && std::string(wish) == "emulator") CHECK(&backend() == &emulator());
}

#ifdef TAPEGRAPH_CUDA
TEST_CASE("without a driver or a device there is no GPU, and that is no error") {
    const Backend* found = gpu();
    if (found == nullptr) {
        CHECK(&backend() == &emulator());
        CHECK(std::string(backend().last_error()) == "");
    } else {
        CHECK(std::string(found->name) == "cuda");
    }
}
#endif

TEST_CASE("bytes go to the device and back, and an allocation of none is not null") {
    const Backend& device = backend();
    void* empty = device.allocate(0);
    CHECK(empty != nullptr);
    void* memory = device.allocate(8);
    double there = 3.5, back = 0;
    device.to_device(memory, &there, 8);
    device.synchronize();
    device.to_host(&back, memory, 8);
    CHECK(back == 3.5);
    device.release(memory);
    device.release(empty);
    device.release(nullptr);
    CHECK(std::string(device.last_error()) == "");
}

TEST_CASE("more memory than there is gives null, and no error stays behind") {
    CHECK(backend().allocate(std::size_t{1} << 60) == nullptr);
    CHECK(std::string(backend().last_error()) == "");
}

TEST_CASE("a host pointer given to a kernel is an error of the launch") {
    float on_host[4] = {};
    Array x;
    x.data = on_host;
    x.dims = 1;
    x.shape[0] = 4;
    x.strides[0] = 1;
    REQUIRE(emulator().sum(x, x));
    CHECK(std::string(emulator().last_error()) == "launch: argument 2 is host memory");
    CHECK(std::string(emulator().last_error()) == "");
}

}  // namespace tg::kernels::cuda
