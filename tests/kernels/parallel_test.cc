#include "kernels/parallel.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace tg::kernels {
namespace {

std::int64_t sum_to(std::int64_t n, std::int64_t grain) {
    std::atomic<std::int64_t> sum{0};
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t part = 0;
        for (std::int64_t i = begin; i < end; ++i) part += i;
        sum += part;
    });
    return sum;
}

TEST_CASE("every element is visited once, for every number of threads") {
    const int before = num_threads();
    for (int threads : {1, 2, 5}) {
        set_num_threads(threads);
        CHECK(num_threads() == threads);
        for (std::int64_t n : {0, 1, 9, 10, 11, 1000}) {
            std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
            parallel_for(n, 10, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
            });
            for (const auto& v : visits) REQUIRE(v == 1);
        }
    }
    set_num_threads(before);
}

TEST_CASE("chunks begin at multiples of the grain, whatever the number of threads") {
    for (int threads : {1, 3}) {
        set_num_threads(threads);
        std::atomic<bool> right{true};
        parallel_for(1000, 64, [&](std::int64_t begin, std::int64_t end) {
            if (begin % 64 != 0 || end != std::min<std::int64_t>(begin + 64, 1000)) right = false;
        });
        CHECK(right);
    }
}

TEST_CASE("ten thousand small jobs in a row all finish") {
    set_num_threads(2);
    std::int64_t wrong = 0;
    for (int i = 0; i < 10000; ++i) wrong += sum_to(8, 1) != 28;
    CHECK(wrong == 0);
}

TEST_CASE("a parallel_for inside of a chunk, and threads that call it at once, are safe") {
    set_num_threads(3);
    std::atomic<std::int64_t> nested{0};
    parallel_for(16, 1, [&](std::int64_t, std::int64_t) { nested += sum_to(100, 7); });
    CHECK(nested == 16 * 4950);
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t)
        callers.emplace_back([&] {
            for (int i = 0; i < 500; ++i)
                if (sum_to(1000, 10) != 499500) ++wrong;
        });
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
}

bool stop_at_once() { return true; }

TEST_CASE("once the poll says stop, the chunks that have not begun are left out") {
    for (int threads : {1, 2}) {
        set_num_threads(threads);
        set_poll(stop_at_once);
        std::atomic<int> chunks{0};
        parallel_for(1000, 1, [&](std::int64_t, std::int64_t) {
            ++chunks;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
        set_poll(nullptr);
        CHECK(interrupted());
        CHECK(chunks < 1000);
        clear_interrupted();
        CHECK_FALSE(interrupted());
    }
}

TEST_CASE("a forked child makes a pool of its own") {
    set_num_threads(2);
    REQUIRE(sum_to(1000, 10) == 499500);
    const pid_t child = fork();
    if (child == 0) _exit(sum_to(1000, 10) == 499500 ? 0 : 1);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

}  // namespace
}  // namespace tg::kernels
