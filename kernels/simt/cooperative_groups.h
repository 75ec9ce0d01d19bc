// A part of CUDA's cooperative groups: the block, tiles of a warp, the threads that are together,
// and the grid's numbers. With this folder on the include path the file stands in for CUDA's own of
// the same name. Not here: grid.sync(), groups of several warps, memcpy_async, partitions by label.
#pragma once

#include "simt.h"

namespace cooperative_groups {

// Each function takes the caller's place as its last parameters, for the checks of simt.h.
#define SIMT_HERE int line = __builtin_LINE(), const char *file = __builtin_FILE()

// ---- the grid and the block -------------------------------------------------------------------
class grid_group {
  public:
    unsigned long long size() const { return group_blocks() * block_threads(); }
    unsigned long long num_threads() const { return size(); }
    unsigned long long thread_rank() const {
        const unsigned long long row = blockIdx.y + 1ull * gridDim.y * blockIdx.z;
        const unsigned in_block =
            threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
        return (blockIdx.x + gridDim.x * row) * block_threads() + in_block;
    }
    dim3 group_dim() const { return gridDim; }

  private:
    static unsigned long long group_blocks() { return 1ull * gridDim.x * gridDim.y * gridDim.z; }
    static unsigned long long block_threads() {
        return 1ull * blockDim.x * blockDim.y * blockDim.z;
    }
};

class thread_block {
  public:
    static void sync(SIMT_HERE) { __syncthreads(line, file); }
    static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
    static unsigned num_threads() { return size(); }
    static unsigned thread_rank() {
        return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    }
    static dim3 group_index() { return {blockIdx.x, blockIdx.y, blockIdx.z}; }
    static dim3 thread_index() { return {threadIdx.x, threadIdx.y, threadIdx.z}; }
    static dim3 group_dim() { return blockDim; }
    static dim3 dim_threads() { return blockDim; }
};

inline grid_group this_grid() { return {}; }
inline thread_block this_thread_block() { return {}; }

// ---- tiles ------------------------------------------------------------------------------------
// Size neighbouring lanes of a warp; Parent is what they were cut from, void where no one asks.
template <unsigned Size, class Parent = void>
class thread_block_tile {
    static_assert(Size > 0 && Size <= 32 && (Size & (Size - 1)) == 0, "1, 2, 4, 8, 16 or 32");
    static constexpr int width = static_cast<int>(Size);

  public:
    thread_block_tile() = default;
    template <class Other>
    requires std::is_void_v<Parent> &&
        (!std::is_void_v<Other>)thread_block_tile(const thread_block_tile<Size, Other>&) {}

    static constexpr unsigned size() { return Size; }
    static constexpr unsigned num_threads() { return Size; }
    static unsigned thread_rank() { return thread_block::thread_rank() % Size; }
    static unsigned meta_group_rank() { return thread_block::thread_rank() / Size; }
    static unsigned meta_group_size() { return (thread_block::size() + Size - 1) / Size; }

    static void sync(SIMT_HERE) { __syncwarp(mask(), line, file); }
    template <class T>
    static T shfl(T value, int rank, SIMT_HERE) {
        return static_cast<T>(__shfl_sync(mask(), value, rank, width, line, file));
    }
    template <class T>
    static T shfl_up(T value, unsigned delta, SIMT_HERE) {
        return static_cast<T>(__shfl_up_sync(mask(), value, delta, width, line, file));
    }
    template <class T>
    static T shfl_down(T value, unsigned delta, SIMT_HERE) {
        return static_cast<T>(__shfl_down_sync(mask(), value, delta, width, line, file));
    }
    template <class T>
    static T shfl_xor(T value, unsigned flip, SIMT_HERE) {
        return static_cast<T>(
            __shfl_xor_sync(mask(), value, static_cast<int>(flip), width, line, file));
    }
    static int any(int yes, SIMT_HERE) { return __any_sync(mask(), yes, line, file); }
    static int all(int yes, SIMT_HERE) { return __all_sync(mask(), yes, line, file); }
    // Bit r is rank r's.
    static unsigned ballot(int yes, SIMT_HERE) {
        return __ballot_sync(mask(), yes, line, file) >> first_lane();
    }
    template <class T>
    static unsigned match_any(T value, SIMT_HERE) {
        return __match_any_sync(mask(), value, line, file) >> first_lane();
    }
    template <class T>
    static unsigned match_all(T value, int& same, SIMT_HERE) {
        return __match_all_sync(mask(), value, &same, line, file) >> first_lane();
    }

  private:
    static unsigned first_lane() { return thread_block::thread_rank() % 32 / Size * Size; }
    static unsigned mask() { return 0xffffffffu >> (32 - Size) << first_lane(); }
};

template <unsigned Size>
thread_block_tile<Size, thread_block> tiled_partition(const thread_block&) {
    return {};
}
template <unsigned Size, unsigned Larger, class Parent>
thread_block_tile<Size, thread_block_tile<Larger, Parent>> tiled_partition(
    const thread_block_tile<Larger, Parent>&) {
    static_assert(Size <= Larger, "a tile is cut into smaller ones");
    return {};
}

// ---- the threads that are here together -------------------------------------------------------
// Ranks count the lanes of the mask from 0.
class coalesced_group {
  public:
    explicit coalesced_group(unsigned mask) : mask_(mask) {}

    unsigned size() const { return static_cast<unsigned>(__popc(mask_)); }
    unsigned num_threads() const { return size(); }
    unsigned thread_rank() const {
        return static_cast<unsigned>(__popc(mask_ & ((1u << lane()) - 1)));
    }
    void sync(SIMT_HERE) const { __syncwarp(mask_, line, file); }
    template <class T>
    T shfl(T value, unsigned rank, SIMT_HERE) const {
        return static_cast<T>(__shfl_sync(mask_, value, lane_of(rank), 32, line, file));
    }
    // Beyond either end: the caller's own value.
    template <class T>
    T shfl_up(T value, unsigned delta, SIMT_HERE) const {
        const unsigned rank = thread_rank();
        return shfl(value, delta <= rank ? rank - delta : rank, line, file);
    }
    template <class T>
    T shfl_down(T value, unsigned delta, SIMT_HERE) const {
        const unsigned rank = thread_rank();
        return shfl(value, delta < size() - rank ? rank + delta : rank, line, file);
    }
    int any(int yes, SIMT_HERE) const { return __any_sync(mask_, yes, line, file); }
    int all(int yes, SIMT_HERE) const { return __all_sync(mask_, yes, line, file); }
    unsigned ballot(int yes, SIMT_HERE) const {
        const unsigned lanes = __ballot_sync(mask_, yes, line, file);
        unsigned ranks = 0;
        for (unsigned rank = 0; rank < size(); ++rank)
            ranks |= (lanes >> lane_of(rank) & 1u) << rank;
        return ranks;
    }

  private:
    static unsigned lane() { return thread_block::thread_rank() % 32; }
    int lane_of(unsigned rank) const {
        unsigned lanes = mask_;
        for (; rank > 0; --rank) lanes &= lanes - 1;
        return __ffs(static_cast<int>(lanes)) - 1;
    }

    unsigned mask_;
};

// Which threads that are is not defined: see __activemask.
inline coalesced_group coalesced_threads(SIMT_HERE) {
    return coalesced_group(__activemask(line, file));
}

template <class Group>
void sync(const Group& group, SIMT_HERE) {
    group.sync(line, file);
}

// ---- reductions -------------------------------------------------------------------------------
template <class T>
struct plus {
    T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct less {
    T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
    T operator()(T a, T b) const { return a < b ? b : a; }
};
template <class T>
struct bit_and {
    T operator()(T a, T b) const { return a & b; }
};
template <class T>
struct bit_or {
    T operator()(T a, T b) const { return a | b; }
};
template <class T>
struct bit_xor {
    T operator()(T a, T b) const { return a ^ b; }
};

// Everybody gets the result. In which order numbers are joined is not defined; here by a tree whose
// partners are far apart at first.
template <unsigned Size, class Parent, class T, class Join>
T reduce(const thread_block_tile<Size, Parent>& tile, T value, Join join, SIMT_HERE) {
    for (unsigned flip = Size / 2; flip > 0; flip /= 2)
        value = join(value, tile.shfl_xor(value, flip, line, file));
    return value;
}
// Here in the order of ranks.
template <class T, class Join>
T reduce(const coalesced_group& group, T value, Join join, SIMT_HERE) {
    T total = group.shfl(value, 0, line, file);
    for (unsigned rank = 1; rank < group.size(); ++rank)
        total = join(total, group.shfl(value, rank, line, file));
    return total;
}

#undef SIMT_HERE

}  // namespace cooperative_groups
