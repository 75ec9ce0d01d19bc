// A product of two 20 x 40 matrices on the emulator, to be watched in gdb: see cuda_thread.gdb.
// A is 1 in row 0, 2 in row 1, ...; B is the number of its column; Y[m, n] = 40 (m + 1) n.
#include <cstdio>
#include <vector>

#include "kernels/cuda/rungs.h"

using namespace tg::kernels;

int main() {
    constexpr int M = 20, K = 40, N = 20;
    std::vector<float> a(M * K), b(K * N), y(M * N);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i / K + 1);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % N);

    const cuda::Backend& device = cuda::emulator();
    const auto upload = [&](const std::vector<float>& x, int rows, int columns) {
        const std::size_t bytes = x.size() * sizeof(float);
        Array array = {
            device.allocate(bytes), tg::DType::float32, 2, {rows, columns}, {columns, 1}};
        device.to_device(array.data, x.data(), bytes);
        return array;
    };
    const Array on_a = upload(a, M, K), on_b = upload(b, K, N), on_y = upload(y, M, N);
    device.matmul(on_y, on_a, on_b);
    device.to_host(y.data(), on_y.data, y.size() * sizeof(float));
    std::printf("Y[3, 19] = %g, error: \"%s\"\n", static_cast<double>(y[3 * N + 19]),
                device.last_error());
    for (const Array& array : {on_a, on_b, on_y}) device.release(array.data);
}
