// Kernels whose counts are known by hand, compiled with the checks. Each launches one block.
#pragma once

namespace counted {

void transpose_32(float* out, const float* in);  // 32 x 32 through shared float[32][32]
void transpose_33(float* out, const float* in);  // ... float[32][33]
void copy_stride_2(float* out, const float* in);
void copy_misaligned(float* out, const float* in);
void broadcast(float* out, const float* in);
void histogram(int* bins);  // 64 threads, 4 bins
void copy_float4(float* out, const float* in);
void every_second(float* out);
void four_lanes(int* out, const int* in);                // 1 x 4 threads
void many_rounds(int* out, const int* in);               // 2 x 2 threads, 10 rounds
void product(float* y, const float* a, const float* b);  // y = 2 a b of 16 x 16, in a block
void counted_product(float* y, const float* a, const float* b);
void functions(float* out, const float* in);  // 32 threads
void by_block(float* out);                    // uses blockIdx, blockDim and gridDim

// The line of counted.cu, as "counted.cu:12", that holds this text.
const char* line(const char* text);

}  // namespace counted
