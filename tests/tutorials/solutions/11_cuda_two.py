# %%
SUM_OF_THREE = r"""
__global__ void sum_of_three(float* y, const float* x, int n) {
    __shared__ float tile[66];
    const int t = threadIdx.x, i = blockIdx.x * 64 + t;
    tile[t + 1] = x[i];
    if (t == 0) tile[0] = i > 0 ? x[i - 1] : 0;
    if (t == 63) tile[65] = i + 1 < n ? x[i + 1] : 0;
    __syncthreads();
    y[i] = tile[t] + tile[t + 1] + tile[t + 2];
}
"""

# %%
SUM_OF_ROWS = r"""
__global__ void sum_of_rows(float* y, const float* x) {
    __shared__ float tile[32][33];
    const int lane = threadIdx.x;
    for (int r = 0; r < 32; ++r) tile[r][lane] = x[r * 32 + lane];
    __syncwarp();
    float sum = 0;
    for (int c = 0; c < 32; ++c) sum += tile[lane][c];
    y[lane] = sum;
}
"""

# %%
MOVE_AROUND = r"""
__global__ void move_around(int* x, int steps) {
    __shared__ int ring[64];
    const int t = threadIdx.x;
    ring[t] = x[t];
    for (int i = 0; i < steps; ++i) {
        __syncthreads();
        const int next = ring[(t + 1) % 64];
        __syncthreads();
        ring[t] = next;
    }
    x[t] = ring[t];
}
"""

# %%
LARGEST_OF_WARP = r"""
__global__ void largest_of_warp(float* y, const float* x) {
    float mine = x[threadIdx.x];
    for (int away = 16; away > 0; away /= 2)
        mine = fmaxf(mine, __shfl_xor_sync(0xffffffff, mine, away));
    y[threadIdx.x] = mine;
}
"""
