#include "kernels/simt/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt::Schedule;
using simt_test::Device;
using simt_test::error;

// For the length of a test.
struct Scheduled {
    explicit Scheduled(Schedule schedule, std::uint64_t seed = 1) {
        simt::set_schedule(schedule, seed);
    }
    ~Scheduled() { simt::set_schedule(Schedule::forward); }
};

// When each thread begins, goes on behind a barrier, and behind a shuffle.
__global__ void order(int* began, int* behind_barrier, int* behind_shuffle, int* clock) {
    const unsigned t =
        threadIdx.x +
        blockDim.x * (threadIdx.y + blockDim.y * (blockIdx.x + gridDim.x * blockIdx.y));
    began[t] = atomicAdd(&clock[0], 1);
    __syncthreads();
    behind_barrier[t] = atomicAdd(&clock[1], 1);
    __syncthreads();
    __shfl_sync(0xffffffff, 1, 0);
    behind_shuffle[t] = atomicAdd(&clock[2], 1);
}

constexpr dim3 grid = {3, 2}, block = {16, 5};
constexpr std::size_t total = 480;

struct Orders {
    std::vector<int> began, behind_barrier, behind_shuffle;
    bool operator==(const Orders&) const = default;
};

Orders orders() {
    Device<int> began(total), barrier(total), shuffle(total), clock(3);
    simt::launch(order, grid, block, 0, began.data, barrier.data, shuffle.data, clock.data);
    CHECK(error() == "");
    return {began.host(), barrier.host(), shuffle.host()};
}

bool is_permutation(std::vector<int> numbers) {
    std::sort(numbers.begin(), numbers.end());
    for (std::size_t i = 0; i < numbers.size(); ++i)
        if (numbers[i] != static_cast<int>(i)) return false;
    return true;
}

// A kernel that is wrong: thread 0 reads what thread 1 writes, without a barrier.
__global__ void reads_neighbour(int* x) {
    const unsigned t = threadIdx.x, next = (t + 1) % blockDim.x;
    x[t] = 1;
    x[blockDim.x + t] = x[next];
}

}  // namespace

TEST_CASE("forward runs blocks and threads in the order of their numbers, reverse backwards") {
    const Orders forward = orders();
    std::vector<int> ascending(total);
    std::iota(ascending.begin(), ascending.end(), 0);
    CHECK(forward.began == ascending);
    CHECK(forward.behind_barrier == ascending);
    const Scheduled reversed(Schedule::reverse);
    const Orders reverse = orders();
    std::reverse(ascending.begin(), ascending.end());
    CHECK(reverse.began == ascending);
    CHECK(reverse.behind_barrier == ascending);
}

TEST_CASE("the random schedule runs everything once, in orders that its seed repeats") {
    std::set<std::vector<int>> seen;
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        const Scheduled random(Schedule::random, seed);
        const Orders first = orders(), second = orders();
        for (const Orders& run : {first, second}) {
            CHECK(is_permutation(run.began));
            CHECK(is_permutation(run.behind_barrier));
            CHECK(is_permutation(run.behind_shuffle));
            seen.insert(run.began);
            seen.insert(run.behind_barrier);
            seen.insert(run.behind_shuffle);
        }
        simt::set_schedule(Schedule::random, seed);
        CHECK(orders() == first);
        CHECK(orders() == second);
    }
    CHECK(seen.size() == 18);
}

TEST_CASE("a random order of blocks is a permutation for any number of them") {
    simt::Order order;
    order.schedule = Schedule::random;
    for (const std::uint64_t blocks : {1u, 2u, 3u, 12u, 97u, 1000u}) {
        order.begin_launch(blocks);
        std::vector<int> all;
        for (std::uint64_t i = 0; i < blocks; ++i)
            all.push_back(static_cast<int>(order.block(i, blocks)));
        CHECK(is_permutation(all));
    }
}

TEST_CASE("a missing barrier that one schedule hides shows under another") {
    int right = 0;
    const auto run = [&] {
        Device<int> x(128);
        simt::launch(reads_neighbour, 1, 64, 0, x.data);
        const std::vector<int> got = x.host();
        right += std::count(got.begin(), got.end(), 1) == 128;
    };
    for (const Schedule schedule : {Schedule::forward, Schedule::reverse, Schedule::random}) {
        const Scheduled scheduled(schedule);
        run();
    }
    CHECK(right == 0);
}

TEST_CASE("the words of SIMT_SCHEDULE are understood, and others are not") {
    Schedule schedule = Schedule::forward;
    std::uint64_t seed = 1;
    CHECK(simt::read_schedule("reverse", schedule, seed));
    CHECK(schedule == Schedule::reverse);
    CHECK(simt::read_schedule("random:77", schedule, seed));
    CHECK((schedule == Schedule::random && seed == 77));
    CHECK(simt::read_schedule("forward", schedule, seed));
    CHECK(schedule == Schedule::forward);
    for (const char* wrong : {"", "Random", "random:", "random:x", "backward"})
        CHECK_FALSE(simt::read_schedule(wrong, schedule, seed));
}
