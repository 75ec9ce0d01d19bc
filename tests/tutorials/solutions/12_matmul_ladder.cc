int sectors_of_tiled(int n, int tile) { return 2 * n * n / 8 * (n / tile) + n * n / 8; }

__global__ void matmul_any(float* y, const float* a, const float* b, int n) {
    __shared__ float tile_a[16][16], tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int r = blockIdx.y * 16 + ty, c = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k0 = 0; k0 < n; k0 += 16) {
        tile_a[ty][tx] = r < n && k0 + tx < n ? a[r * n + k0 + tx] : 0;
        tile_b[ty][tx] = k0 + ty < n && c < n ? b[(k0 + ty) * n + c] : 0;
        __syncthreads();
        for (int k = 0; k < 16; ++k) sum += tile_a[ty][k] * tile_b[k][tx];
        __syncthreads();
    }
    if (r < n && c < n) y[r * n + c] = sum;
}

__global__ void matmul_transposed(float* y, const float* a, const float* b, int n) {
    __shared__ float tile_a[16][16], tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int r = blockIdx.y * 16 + ty, c = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k0 = 0; k0 < n; k0 += 16) {
        tile_a[ty][tx] = a[(k0 + ty) * n + blockIdx.y * 16 + tx];
        tile_b[ty][tx] = b[(k0 + ty) * n + c];
        __syncthreads();
        for (int k = 0; k < 16; ++k) sum += tile_a[k][ty] * tile_b[k][tx];
        __syncthreads();
    }
    y[r * n + c] = sum;
}

__global__ void matmul_two(float* y, const float* a, const float* b, int n) {
    __shared__ float tile_a[32][16], tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int r = blockIdx.y * 32 + ty, c = blockIdx.x * 16 + tx;
    float upper = 0, lower = 0;
    for (int k0 = 0; k0 < n; k0 += 16) {
        tile_a[ty][tx] = a[r * n + k0 + tx];
        tile_a[ty + 16][tx] = a[(r + 16) * n + k0 + tx];
        tile_b[ty][tx] = b[(k0 + ty) * n + c];
        __syncthreads();
        for (int k = 0; k < 16; ++k) {
            const float right = tile_b[k][tx];
            upper += tile_a[ty][k] * right;
            lower += tile_a[ty + 16][k] * right;
        }
        __syncthreads();
    }
    y[r * n + c] = upper;
    y[(r + 16) * n + c] = lower;
}
