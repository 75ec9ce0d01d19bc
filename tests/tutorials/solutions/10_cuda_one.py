# %%
DIFFERENCES = r"""
__global__ void differences(float* y, const float* x, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i + 1 < n) y[i] = x[i + 1] - x[i];
}
"""

# %%
OUTER = r"""
__global__ void outer(float* y, const float* a, const float* b, int rows, int columns) {
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    const int r = blockIdx.y * blockDim.y + threadIdx.y;
    if (r < rows && c < columns) y[r * columns + c] = a[r] * b[c];
}
"""

# %%
COUNT_ABOVE = r"""
__global__ void count_above(int* count, const float* x, float limit, int n) {
    int mine = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        if (x[i] > limit) ++mine;
    atomicAdd(count, mine);
}
"""

# %%
LARGEST_OF_BLOCK = r"""
__global__ void largest_of_block(float* y, const float* x, int n) {
    __shared__ float part[64];
    const int t = threadIdx.x, i = blockIdx.x * 64 + t;
    part[t] = i < n ? x[i] : -INFINITY;
    __syncthreads();
    for (int half = 32; half > 0; half /= 2) {
        if (t < half) part[t] = fmaxf(part[t], part[t + half]);
        __syncthreads();
    }
    if (t == 0) y[blockIdx.x] = part[0];
}
"""
