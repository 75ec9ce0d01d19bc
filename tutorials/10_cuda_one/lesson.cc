// Lesson 10: CUDA I. Blocks and threads, guards, grid-stride loops, sums.
//
// Read README.md first. The kernels are in lesson.cu. Step through one thread of one block:
//
//     ./dev gdb -x tutorials/10_cuda_one/session.gdb 10
//
// lesson.ipynb does the same in Python and prints the same lines.
#include "tutorials/10_cuda_one/lesson.cu"

#include "tutorials/device.h"

using namespace lesson;

namespace {

using Floats = std::vector<float>;

// How many blocks of so many threads cover n elements.
unsigned blocks_for(unsigned n, unsigned threads) { return (n + threads - 1) / threads; }

Floats up_to(int n) {  // 0, 1, ... n - 1
    Floats all;
    for (int i = 0; i < n; ++i) all.push_back(static_cast<float>(i));
    return all;
}

std::string nine_digits(float x) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.9g", static_cast<double>(x));
    return buffer;
}

}  // namespace

int main() {
    say("1. A launch is a grid of blocks of threads");
    const OnDevice<int> block(12), thread(12);
    launch(who_am_i, 3, 4, block, thread);
    say("blockIdx.x  ", numbers(block.host()));
    say("threadIdx.x ", numbers(thread.host()));

    say("2. One thread, one element");
    const OnDevice<float> a(up_to(10)), b(10, 100.0f), y(10);
    say("10 elements in blocks of 4: ", blocks_for(10, 4), " blocks, 12 threads");
    launch(add_two, blocks_for(10, 4), 4, y, a, b, 10);
    say(numbers(y.host()));
    check(y.host()[9] == 109);

    say("3. Without the guard");
    // 12 places, of which the last two belong to somebody else.
    const OnDevice<float> a12(up_to(12)), b12(12, 100.0f), guarded(12, -1), unguarded(12, -1);
    launch(add_two, 3, 4, guarded, a12, b12, 10);
    launch(add_unguarded, 3, 4, unguarded, a12, b12);
    say("with it:    ", numbers(guarded.host()));
    say("without it: ", numbers(unguarded.host()));
    check(guarded.host()[10] == -1 && unguarded.host()[10] == 110);

    say("4. Two dims");
    const OnDevice<float> table(up_to(15)), row(Floats{0, 100, 200, 300, 400}), sums(15);
    const dim3 threads(4, 2), blocks(blocks_for(5, 4), blocks_for(3, 2));
    say("3 rows of 5 in blocks of 2 rows of 4: ", blocks.x, " x ", blocks.y, " blocks");
    launch(add_row, blocks, threads, sums, table, row, 3, 5);
    say(numbers(sums.host()));
    check(sums.host()[14] == 414);

    say("5. A grid-stride loop: any grid will do");
    for (const unsigned grid : {1, 2, 8}) {
        const OnDevice<float> x(up_to(20));
        const OnDevice<int> who(20, -1);
        launch(double_all, grid, 4, x, who, 20);
        say(grid, " x 4: by thread ", numbers(who.host()));
        check(x.host()[19] == 38);
    }

    say("6. A sum, by one thread, by atomic additions, by blocks");
    const OnDevice<float> x(up_to(256)), total(1);
    launch(sum_by_blocks, 2, 64, total, x, 256);
    say("0 + 1 + ... + 255 by 2 blocks of 64: ", numbers(total.host()));
    check(total.host()[0] == 255 * 256 / 2);
    const int n = 10000;
    const OnDevice<float> tenths(n, 0.1f), one(1), atomics(1), by_blocks(1);
    launch(sum_by_one, 1, 1, one, tenths, n);
    launch(sum_by_atomics, blocks_for(n, 64), 64, atomics, tenths, n);
    launch(sum_by_blocks, 8, 64, by_blocks, tenths, n);
    say("10000 times 0.1 is 1000, and in float32:");
    say("by one thread ", nine_digits(one.host()[0]), ", 10000 additions in a row");
    say("by atomics    ", nine_digits(atomics.host()[0]), ", 10000 in a row, in any order");
    say("by blocks     ", nine_digits(by_blocks.host()[0]), ", 20 + 6 + 8 in a row");

    say("7. All threads of a block, or none");
    const OnDevice<float> reversed(64);
    launch(leaves_early, 1, 64, reversed, tenths, 64);
    for (const int numbers : {64, 40}) {
        const auto leave = [&] { launch(leaves_early, 1, 64, reversed, tenths, numbers); };
        say("n = ", numbers, ": ", error_of(leave));
    }

    say("8. What a launch may not be");
    say(error_of([&] { launch(add_unguarded, 1, 2048, y, a, b); }));
    say(error_of([&] { launch(add_unguarded, dim3(1, 70000), 64, y, a, b); }));
    return done();
}
