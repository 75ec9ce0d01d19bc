// Attention in one pass, and its gradient: see kernels/attention.h for what is computed.
// Read before: matmul.cu (tiles in shared memory), teams.h (what lanes know together).
//   by threads   a thread a query, or a key: the formulas as they stand. Each reads all keys from
//                global memory, and its own sum there too.
//   by tiles     a block has some rows of its own, and walks over all of the others: 32 at a time
//                come to shared memory, and each is met by every row of the block. A lane has one
//                of the 32 where a score is computed, and a column where rows are added up. Rows
//                of up to 512 bytes. [Dao 2023, FlashAttention-2, algorithms 1 and 2]
// The gradient is two launches: of queries (which walk over keys), and of keys (over queries). Both
// compute p again; so no two blocks add to one place, and every run gives the same bits.
#include "kernels/attention.h"
#include "kernels/cuda/teams.h"

namespace tg::kernels::cuda {
namespace {

using attention::GradientInputs;
using attention::Inputs;
using attention::Rows;

// ---- by threads -------------------------------------------------------------------------------
template <class T>
__global__ void attend_query(Inputs<T> in, Rows<T> y, Rows<T> lse) {
    for (std::int64_t n = thread_number(); n < y.batch * y.count; n += thread_count()) {
        const std::int64_t b = n / y.count, i = n % y.count;
        lse(b, i)[0] = attention::attend(in, b, i, y(b, i));
    }
}

template <class T>
__global__ void query_gradients(GradientInputs<T> in, Rows<T> dq) {
    for (std::int64_t n = thread_number(); n < dq.batch * dq.count; n += thread_count()) {
        const std::int64_t b = n / dq.count, i = n % dq.count;
        attention::query_gradient(in, b, i, dq(b, i));
    }
}

template <class T>
__global__ void key_gradients(GradientInputs<T> in, Rows<T> dk, Rows<T> dv) {
    for (std::int64_t n = thread_number(); n < dk.batch * dk.count; n += thread_count()) {
        const std::int64_t b = n / dk.count, j = n % dk.count;
        attention::key_gradient(in, b, j, dk(b, j), dv(b, j));
    }
}

// ---- by tiles ---------------------------------------------------------------------------------
constexpr int warps = 4;
constexpr int block = 32 * warps;
template <class T>
constexpr int columns = 512 / sizeof(T) / 32;  // of a row, at most, that a lane has

__device__ int lane() { return static_cast<int>(threadIdx.x % 32); }
__device__ int warp() { return static_cast<int>(threadIdx.x / 32); }

// Lanes that read one column of 32 rows find them an odd number of elements apart: in 32 banks.
__host__ __device__ constexpr std::int64_t pitch(std::int64_t width) { return width | 1; }

// `count` rows from row `first` on, to shared memory; zeros beyond the last.
template <class T>
__device__ void load(T* to, const Rows<const T>& from, std::int64_t b, std::int64_t first,
                     int count) {
    for (int r = warp(); r < count; r += warps)
        for (std::int64_t c = lane(); c < from.width; c += 32)
            to[r * pitch(from.width) + c] = first + r < from.count ? from(b, first + r)[c] : 0;
}

// scores[r] = own row r of this warp . this lane's row of the tile
template <int rows, class T>
__device__ void multiply(T (&scores)[rows], const T* own, const T* tile, std::int64_t width) {
    for (int r = 0; r < rows; ++r) scores[r] = 0;
    for (std::int64_t c = 0; c < width; ++c) {
        const T x = tile[lane() * pitch(width) + c];
        for (int r = 0; r < rows; ++r) scores[r] += own[(warp() * rows + r) * pitch(width) + c] * x;
    }
}

// What a lane leaves for the others: factors of its row of the tile, by own row. Aligned, so that
// they are read at once.
template <class T>
struct alignas(16) Factors {
    T of[4];
};

// sums[r][n] += sum_j factors[j].of[from + r] tile_j[c] for this lane's columns c = lane + 32 n
template <int from, int rows, class T>
__device__ void add(T (&sums)[rows][columns<T>], const Factors<T>* factors, const T* tile,
                    std::int64_t width) {
    for (int j = 0; j < 32; ++j) {
        const Factors<T> f = factors[j];
        for (int n = 0; n < columns<T>; ++n) {
            if (lane() + 32 * n >= width) continue;
            const T x = tile[j * pitch(width) + lane() + 32 * n];
            for (int r = 0; r < rows; ++r) sums[r][n] += f.of[from + r] * x;
        }
    }
}

template <class T>
__device__ void store(const lines::Line<T>& to, const T (&sums)[columns<T>], T factor) {
    for (int n = 0; n < columns<T>; ++n)
        if (lane() + 32 * n < to.n) to[lane() + 32 * n] = factor * sums[n];
}

constexpr int factor_elements = 4 * block;

constexpr int query_rows = 4;  // of each warp

template <class T>
__global__ void attend_tiles(Inputs<T> in, Rows<T> y, Rows<T> lse) {
    constexpr int rows = query_rows, block_rows = warps * rows;
    const T least = static_cast<T>(-INFINITY);
    DYNAMIC_SHARED(T, shared);
    Factors<T>* factors = reinterpret_cast<Factors<T>*>(shared) + 32 * warp();
    T* k = shared + factor_elements;
    T* v = k + 32 * pitch(in.k.width);
    T* q = v + 32 * pitch(in.v.width);

    const std::int64_t stretches = blocks_for(y.count, block_rows);
    for (std::int64_t at = blockIdx.x; at < y.batch * stretches; at += gridDim.x) {
        const std::int64_t b = at / stretches, first = at % stretches * block_rows;
        T largest[rows], total[rows], sums[rows][columns<T>] = {};
        for (int r = 0; r < rows; ++r) {
            largest[r] = least;
            total[r] = 0;  // of this lane's keys
        }
        load(q, in.q, b, first, block_rows);
        const std::int64_t keys = in.keys_of(first + block_rows - 1);
        for (std::int64_t j0 = 0; j0 < keys; j0 += 32) {
            load(k, in.k, b, j0, 32);
            load(v, in.v, b, j0, 32);
            __syncthreads();  // all rows are there
            T scores[rows];
            multiply(scores, q, k, in.k.width);
            for (int r = 0; r < rows; ++r) {
                const bool seen = j0 + lane() < in.keys_of(first + warp() * rows + r);
                const T score = seen ? in.scale * scores[r] : least;
                const T of_tile = warp_largest(score);
                const T now = largest[r] > of_tile ? largest[r] : of_tile;
                // Where a larger score turns up, the sums so far are scaled down.
                const T shrink = lines::moved(largest[r], now);
                const T p = score == least ? 0 : formula::Exp::of<T>(score - now);
                for (int n = 0; n < columns<T>; ++n) sums[r][n] *= shrink;
                total[r] = total[r] * shrink + p;
                largest[r] = now;
                factors[lane()].of[r] = p;
            }
            __syncwarp();  // its factors are there
            add<0>(sums, factors, v, in.v.width);
            __syncthreads();  // before the next rows are written there
        }
        for (int r = 0; r < rows; ++r) {
            const T all = warp_sum(total[r]);
            const std::int64_t i = first + warp() * rows + r;
            if (i >= y.count) continue;
            store(y(b, i), sums[r], 1 / all);
            if (lane() == 0) lse(b, i)[0] = largest[r] + formula::Log::of<T>(all);
        }
    }
}

// The rows of a block are queries or keys, and those of the tiles the others: of both there are two
// matrices, (q, g) and (k, v), whose products are s and g v.
constexpr int gradient_rows = 2;

template <bool of_keys, class T>
__global__ void gradient_tiles(GradientInputs<T> in, Rows<T> d_first, Rows<T> d_second) {
    constexpr int rows = gradient_rows, block_rows = warps * rows;
    const std::int64_t width = in.k.width, v_width = in.v.width;
    DYNAMIC_SHARED(T, shared);
    Factors<T>* factors = reinterpret_cast<Factors<T>*>(shared) + 32 * warp();
    T* first_tile = shared + factor_elements;
    T* second_tile = first_tile + 32 * pitch(width);
    T* first_own = second_tile + 32 * pitch(v_width);
    T* second_own = first_own + block_rows * pitch(width);

    const std::int64_t own_count = of_keys ? in.k.count : in.q.count;
    const std::int64_t stretches = blocks_for(own_count, block_rows);
    for (std::int64_t at = blockIdx.x; at < in.q.batch * stretches; at += gridDim.x) {
        const std::int64_t b = at / stretches, first = at % stretches * block_rows;
        load(first_own, of_keys ? in.k : in.q, b, first, block_rows);
        load(second_own, of_keys ? in.v : in.g, b, first, block_rows);
        T sums[rows][columns<T>] = {}, weighted[rows][columns<T>] = {};
        const std::int64_t begin = of_keys ? in.first_query_of(first) : 0;
        const std::int64_t end = of_keys ? in.q.count : in.keys_of(first + block_rows - 1);
        for (std::int64_t other = begin; other < end; other += 32) {
            load(first_tile, of_keys ? in.q : in.k, b, other, 32);
            load(second_tile, of_keys ? in.g : in.v, b, other, 32);
            __syncthreads();  // all rows are there
            T scores[rows], products[rows];
            multiply(scores, first_own, first_tile, width);
            multiply(products, second_own, second_tile, v_width);
            for (int r = 0; r < rows; ++r) {
                const std::int64_t own = first + warp() * rows + r;
                const std::int64_t i = of_keys ? other + lane() : own;
                const std::int64_t j = of_keys ? own : other + lane();
                const bool seen = i < in.q.count && j < in.keys_of(i);
                const T p = seen ? in.weight(b, i, in.scale * scores[r]) : 0;
                factors[lane()].of[r] = seen ? p * (products[r] - in.delta(b, i)[0]) : 0;
                factors[lane()].of[rows + r] = p;
            }
            __syncwarp();  // its factors are there
            add<0>(sums, factors, first_tile, width);
            if (of_keys) add<rows>(weighted, factors, second_tile, v_width);
            __syncthreads();  // before the next rows are written there
        }
        for (int r = 0; r < rows; ++r) {
            const std::int64_t own = first + warp() * rows + r;
            if (own >= own_count) continue;
            store(d_first(b, own), sums[r], in.scale);
            if (of_keys) store(d_second(b, own), weighted[r], T(1));
        }
    }
}

// ---- from arrays to launches ------------------------------------------------------------------
template <class T>
Inputs<T> inputs(const Array& q, const Array& k, const Array& v, double scale, bool causal) {
    return {Rows<const T>(q), Rows<const T>(k), Rows<const T>(v), static_cast<T>(scale), causal};
}

template <class T>
GradientInputs<T> inputs(const AttentionGradientArrays& in, double scale, bool causal) {
    return {inputs<T>(in.q, in.k, in.v, scale, causal), Rows<const T>(in.lse),
            Rows<const T>(in.delta), Rows<const T>(in.g)};
}

template <class T>
dim3 grid_of(const Rows<T>& rows, int rows_a_block) {
    return grid_up_to(rows.batch * blocks_for(rows.count, rows_a_block));
}

// Factors, 32 rows of a tile of both matrices, and a block's own.
template <class T>
std::size_t shared_bytes(const Array& k, const Array& v, int own_k, int own_v) {
    return sizeof(T) * static_cast<std::size_t>(factor_elements + (32 + own_k) * pitch(k.shape[2]) +
                                                (32 + own_v) * pitch(v.shape[2]));
}

template <class T>
bool fits_tiles(const Array& k, const Array& v) {
    return k.shape[2] <= 32 * columns<T> && v.shape[2] <= 32 * columns<T> && k.shape[1] > 0;
}

bool is_empty(const Array& x) { return x.shape[0] == 0 || x.shape[1] == 0; }

bool forward_by_threads(const Array& y, const Array& lse, const Array& q, const Array& k,
                        const Array& v, double scale, bool causal) {
    if (is_empty(y)) return true;
    return of_floats(q.dtype, [&]<class T>(T) {
        launch(attend_query<T>, grid_of(Rows<T>(y), team_block), team_block, 0,
               inputs<T>(q, k, v, scale, causal), Rows<T>(y), Rows<T>(lse));
        return true;
    });
}

bool forward_by_tiles(const Array& y, const Array& lse, const Array& q, const Array& k,
                      const Array& v, double scale, bool causal) {
    if (is_empty(y)) return true;
    return of_floats(q.dtype, [&]<class T>(T) {
        if (!fits_tiles<T>(k, v)) return false;
        constexpr int own = warps * query_rows;
        launch(attend_tiles<T>, grid_of(Rows<T>(y), own), block, shared_bytes<T>(k, v, own, 0),
               inputs<T>(q, k, v, scale, causal), Rows<T>(y), Rows<T>(lse));
        return true;
    });
}

bool gradient_by_threads(const Array& dq, const Array& dk, const Array& dv,
                         const AttentionGradientArrays& in, double scale, bool causal) {
    return of_floats(in.q.dtype, [&]<class T>(T) {
        const GradientInputs<T> all = inputs<T>(in, scale, causal);
        if (!is_empty(dq))
            launch(query_gradients<T>, grid_of(Rows<T>(dq), team_block), team_block, 0, all,
                   Rows<T>(dq));
        if (!is_empty(dk))
            launch(key_gradients<T>, grid_of(Rows<T>(dk), team_block), team_block, 0, all,
                   Rows<T>(dk), Rows<T>(dv));
        return true;
    });
}

bool gradient_by_tiles(const Array& dq, const Array& dk, const Array& dv,
                       const AttentionGradientArrays& in, double scale, bool causal) {
    return of_floats(in.q.dtype, [&]<class T>(T) {
        if (!fits_tiles<T>(in.k, in.v)) return false;
        const GradientInputs<T> all = inputs<T>(in, scale, causal);
        constexpr int own = warps * gradient_rows;
        const std::size_t bytes = shared_bytes<T>(in.k, in.v, own, own);
        if (!is_empty(dq))
            launch(gradient_tiles<false, T>, grid_of(Rows<T>(dq), own), block, bytes, all,
                   Rows<T>(dq), Rows<T>(dq));
        if (!is_empty(dk))
            launch(gradient_tiles<true, T>, grid_of(Rows<T>(dk), own), block, bytes, all,
                   Rows<T>(dk), Rows<T>(dv));
        return true;
    });
}

}  // namespace

template <class Machine>
bool attention(const Array& y, const Array& lse, const Array& q, const Array& k, const Array& v,
               double scale, bool causal) {
    return forward_by_tiles(y, lse, q, k, v, scale, causal) ||
           forward_by_threads(y, lse, q, k, v, scale, causal);
}

template <class Machine>
std::span<const Rung<Attention>> attention_rungs() {
    static constexpr Rung<Attention> rungs[] = {{"by threads", forward_by_threads},
                                                {"by tiles", forward_by_tiles}};
    return rungs;
}

template <class Machine>
bool attention_gradient(const Array& dq, const Array& dk, const Array& dv,
                        const AttentionGradientArrays& in, double scale, bool causal) {
    return gradient_by_tiles(dq, dk, dv, in, scale, causal) ||
           gradient_by_threads(dq, dk, dv, in, scale, causal);
}

template <class Machine>
std::span<const Rung<AttentionGradient>> attention_gradient_rungs() {
    static constexpr Rung<AttentionGradient> rungs[] = {{"by threads", gradient_by_threads},
                                                        {"by tiles", gradient_by_tiles}};
    return rungs;
}

template bool attention<ThisMachine>(const Array&, const Array&, const Array&, const Array&,
                                     const Array&, double, bool);
template std::span<const Rung<Attention>> attention_rungs<ThisMachine>();
template bool attention_gradient<ThisMachine>(const Array&, const Array&, const Array&,
                                              const AttentionGradientArrays&, double, bool);
template std::span<const Rung<AttentionGradient>> attention_gradient_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
