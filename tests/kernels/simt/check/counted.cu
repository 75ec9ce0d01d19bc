#include <fstream>
#include <string>

#include "kernels/simt/counted.h"
#include "kernels/simt/simt.h"
#include "tests/kernels/simt/check/counted.h"

namespace counted {
namespace {

using simt::launch;

template <int width>
__global__ void transpose(float* out, const float* in) {
    __shared__ float tile[32][width];
    const unsigned x = threadIdx.x, y = threadIdx.y;
    tile[y][x] = in[y * 32 + x];
    __syncthreads();
    const float turned = tile[x][y];
    out[y * 32 + x] = turned;
}

__global__ void stride_2(float* out, const float* in) {
    const float value = in[2 * threadIdx.x];
    out[threadIdx.x] = value;
}

__global__ void misaligned(float* out, const float* in) {
    const float value = in[threadIdx.x + 1];
    out[threadIdx.x] = value;
}

__global__ void all_read_one(float* out, const float* in) {
    const float value = in[0];
    out[threadIdx.x] = value;
}

__global__ void add_to_bins(int* bins) { atomicAdd(&bins[threadIdx.x % 4], 1); }

__global__ void copy_wide(float4* out, const float4* in) {
    __shared__ float4 copy[32];
    copy[threadIdx.x] = in[threadIdx.x];
    out[threadIdx.x] = copy[threadIdx.x];
}

__global__ void even_lanes(float* out) {
    if (threadIdx.x % 2 == 0) out[threadIdx.x] = 1;
}

__global__ void drawn(int* out, const int* in) {
    __shared__ int tile[64];
    const int value = in[12 * threadIdx.x];
    tile[16 * threadIdx.x] = value;
    __syncthreads();
    out[threadIdx.x] = tile[0];
}

__global__ void summed(int* out, const int* in) {
    int total = 0;
    for (unsigned i = 0; i < 10; ++i) total += in[threadIdx.x + i];
    out[2 * blockIdx.x + threadIdx.x] = total;
}

template <class T>
__global__ void doubled_product(T* y, const T* a, const T* b) {
    __shared__ T tile_a[16][16], tile_b[16][16];
    const unsigned i = threadIdx.y, j = threadIdx.x;
    tile_a[i][j] = a[i * 16 + j];
    tile_b[i][j] = b[i * 16 + j];
    __syncthreads();
    T total = 0;
    for (unsigned k = 0; k < 16; ++k) {
        total += tile_a[i][k] * tile_b[k][j];
    }
    y[i * 16 + j] = 2 * total;
}

template <class T>
__global__ void of_functions(T* out, const T* in) {
    const T x = in[threadIdx.x];
    const T one = fmaf(x, 2.0f, 1);
    const T two = expf(fmaxf(x, 0.0f)) * 2;
    const T four = one + two - 1 > two ? T(0) : -two;
    const T all = two + __shfl_down_sync(~0u, -four, 1);
    atomicAdd(out, all);
    if (threadIdx.x == 0) out[1] += 7;
}

__global__ void global_index(float* out) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < gridDim.x * blockDim.x) out[i] = 1;
}

}  // namespace

void transpose_32(float* out, const float* in) {
    launch(transpose<32>, 1, dim3(32, 32), 0, out, in);
}
void transpose_33(float* out, const float* in) {
    launch(transpose<33>, 1, dim3(32, 32), 0, out, in);
}
void copy_stride_2(float* out, const float* in) { launch(stride_2, 1, 32, 0, out, in); }
void copy_misaligned(float* out, const float* in) { launch(misaligned, 1, 32, 0, out, in); }
void broadcast(float* out, const float* in) { launch(all_read_one, 1, 32, 0, out, in); }
void histogram(int* bins) { launch(add_to_bins, 1, 64, 0, bins); }
void copy_float4(float* out, const float* in) {
    launch(copy_wide, 1, 32, 0, reinterpret_cast<float4*>(out),
           reinterpret_cast<const float4*>(in));
}
void every_second(float* out) { launch(even_lanes, 1, 32, 0, out); }
void four_lanes(int* out, const int* in) { launch(drawn, 1, 4, 0, out, in); }
void many_rounds(int* out, const int* in) { launch(summed, 2, 2, 0, out, in); }
void product(float* y, const float* a, const float* b) {
    launch(doubled_product<float>, 1, dim3(16, 16), 0, y, a, b);
}
void counted_product(float* y, const float* a, const float* b) {
    using T = simt::counted_float;
    launch(doubled_product<T>, 1, dim3(16, 16), 0, reinterpret_cast<T*>(y),
           reinterpret_cast<const T*>(a), reinterpret_cast<const T*>(b));
}
void functions(float* out, const float* in) {
    using T = simt::counted_float;
    launch(of_functions<T>, 1, 32, 0, reinterpret_cast<T*>(out), reinterpret_cast<const T*>(in));
}
void by_block(float* out) { launch(global_index, 1, 32, 0, out); }

const char* line(const char* wanted) {
    static std::string found;
    std::ifstream source(__FILE__);
    std::string text;
    for (int number = 1; std::getline(source, text); ++number) {
        if (text.find(wanted) == std::string::npos) continue;
        found = "counted.cu:" + std::to_string(number);
        return found.c_str();
    }
    return "no such line";
}

}  // namespace counted
