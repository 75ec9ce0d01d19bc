#include "kernels/simt/cooperative_groups.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/simt/cooperative_groups/reduce.h"
#include "tests/kernels/simt/device.h"

namespace {

namespace cg = cooperative_groups;
using simt_test::Device;
using simt_test::error;

__global__ void ranks(int* out) {
    const cg::thread_block block = cg::this_thread_block();
    const auto tile = cg::tiled_partition<8>(block);
    const auto half = cg::tiled_partition<4>(tile);
    const cg::grid_group grid = cg::this_grid();
    int* mine = out + 6 * grid.thread_rank();
    mine[0] = static_cast<int>(block.thread_rank());
    mine[1] = static_cast<int>(tile.thread_rank());
    mine[2] = static_cast<int>(tile.meta_group_rank());
    mine[3] = static_cast<int>(half.thread_rank());
    mine[4] = static_cast<int>(block.group_index().x);
    mine[5] = static_cast<int>(grid.size());
    block.sync();
}

// Sum, least and largest of each tile of 8; what a neighbour has; who has an even number.
__global__ void tiles(int* out) {
    const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
    const int t = static_cast<int>(threadIdx.x);
    int* mine = out + 8 * t;
    mine[0] = cg::reduce(tile, t, cg::plus<int>());
    mine[1] = cg::reduce(tile, t, cg::less<int>());
    mine[2] = cg::reduce(tile, t, cg::greater<int>());
    mine[3] = tile.shfl(t, 2);
    mine[4] = tile.shfl_down(t, 3);
    mine[5] = tile.shfl_up(t, 3);
    mine[6] = static_cast<int>(tile.ballot(t % 3 == 0));
    mine[7] = tile.any(t == 11) + 2 * tile.all(t >= 16);
    tile.sync();
}

// Odd threads meet on their own.
__global__ void together(int* out) {
    const int t = static_cast<int>(threadIdx.x);
    if (t % 2 == 0) return;
    const cg::coalesced_group group = cg::coalesced_threads();
    int* mine = out + 5 * t;
    mine[0] = static_cast<int>(group.thread_rank());
    mine[1] = static_cast<int>(group.size());
    mine[2] = cg::reduce(group, t, cg::plus<int>());
    mine[3] = group.shfl_down(t, 1);
    mine[4] = static_cast<int>(group.ballot(t > 20));
}

// Adds up whoever is here, with one atomic a group [CUDA programming guide, aggregated atomics].
__global__ void count_odd(int* counter, int* tickets) {
    if (threadIdx.x % 2 == 0) return;
    const cg::coalesced_group group = cg::coalesced_threads();
    int first = 0;
    if (group.thread_rank() == 0) first = atomicAdd(counter, static_cast<int>(group.size()));
    const int ticket = group.shfl(first, 0) + static_cast<int>(group.thread_rank());
    tickets[ticket] += 1;
}

// A tile's type need not say what it was cut from.
__device__ int sum_of(const cg::thread_block_tile<4>& tile, int x) {
    return cg::reduce(tile, x, cg::plus<int>());
}
__global__ void named_tiles(int* out) {
    const cg::thread_block block = cg::this_thread_block();
    const cg::thread_block_tile<8> tile = cg::tiled_partition<8>(block);
    const cg::thread_block_tile<4> half = cg::tiled_partition<4>(tile);
    const int t = static_cast<int>(block.thread_rank());
    out[t] = 100 * tile.shfl(t, 0) + sum_of(half, t);
}

int line = 0;
__global__ void divided_tile() {
    const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
    line = __LINE__ + 1;
    if (threadIdx.x != 5) tile.shfl(1, 5);
}

}  // namespace

TEST_CASE("groups number their threads as CUDA does") {
    Device<int> out(6 * 3 * 48);
    simt::launch(ranks, 3, dim3(6, 8), 0, out.data);
    CHECK(error() == "");
    const std::vector<int> got = out.host();
    for (int t = 0; t < 3 * 48; ++t) {
        const int in_block = t % 48;
        const auto mine = got.begin() + 6 * t;
        CHECK(std::vector<int>(mine, mine + 6) ==
              std::vector<int>{in_block, in_block % 8, in_block / 8, in_block % 4, t / 48, 144});
    }
}

TEST_CASE("tiles shuffle, vote and reduce among themselves") {
    Device<int> out(8 * 64);
    simt::launch(tiles, 1, 64, 0, out.data);
    CHECK(error() == "");
    const std::vector<int> got = out.host();
    for (int t = 0; t < 64; ++t) {
        const int begin = t / 8 * 8;
        int thirds = 0;
        for (int r = 0; r < 8; ++r) thirds |= ((begin + r) % 3 == 0) << r;
        const auto mine = got.begin() + 8 * t;
        CHECK(std::vector<int>(mine, mine + 8) ==
              std::vector<int>{8 * begin + 28, begin, begin + 7, begin + 2, t % 8 < 5 ? t + 3 : t,
                               t % 8 < 3 ? t : t - 3, thirds, (begin == 8) + 2 * (begin >= 16)});
    }
}

TEST_CASE("a tile is one whose type names no parent") {
    Device<int> out(16);
    simt::launch(named_tiles, 1, 16, 0, out.data);
    CHECK(error() == "");
    CHECK(out.host() ==
          std::vector<int>{6, 6, 6, 6, 22, 22, 22, 22, 838, 838, 838, 838, 854, 854, 854, 854});
}

TEST_CASE("the threads of a branch are a group") {
    Device<int> out(5 * 32);
    simt::launch(together, 1, 32, 0, out.data);
    CHECK(error() == "");
    const std::vector<int> got = out.host();
    for (int t = 1; t < 32; t += 2) {
        const auto mine = got.begin() + 5 * t;
        CHECK(std::vector<int>(mine, mine + 5) ==
              std::vector<int>{t / 2, 16, 256, std::min(t + 2, 31), 0xfc00});
    }
}

TEST_CASE("a sum by whoever is together is right under every schedule") {
    for (const auto schedule :
         {simt::Schedule::forward, simt::Schedule::reverse, simt::Schedule::random}) {
        simt::set_schedule(schedule, 5);
        Device<int> counter(1), tickets(2 * 32);
        simt::launch(count_odd, 1, 128, 0, counter.data, tickets.data);
        CHECK(error() == "");
        CHECK(counter.host()[0] == 64);
        CHECK(tickets.host() == std::vector<int>(64, 1));
    }
    simt::set_schedule(simt::Schedule::forward);
}

TEST_CASE("a tile that lacks a thread is reported at the line of the kernel") {
    simt::launch(divided_tile, 1, 16, 0);
    CHECK(error() ==
          "__shfl_sync: thread (0, 0, 0) of block (0, 0, 0) reads lane 5 at "
          "cooperative_groups_test.cc:" +
              std::to_string(line) + ", but that thread has returned");
}
