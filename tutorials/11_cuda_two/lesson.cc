// Lesson 11: CUDA II. Shared memory, tiles, bank conflicts, shuffles, and races that are found.
//
// Read README.md first. The kernels are in lesson.cu; they are compiled with the checks here.
// lesson.ipynb does the same in Python and prints the same lines.
#include "tutorials/11_cuda_two/lesson.cu"

#include "tutorials/counters.h"

using namespace lesson;

namespace {

const std::string source = TAPEGRAPH_SOURCE_DIR "/tutorials/11_cuda_two/lesson.cu";

using Floats = std::vector<float>;

Floats up_to(int n) {  // 0, 1, ... n - 1
    Floats all;
    for (int i = 0; i < n; ++i) all.push_back(static_cast<float>(i));
    return all;
}

bool turned(const Floats& y, const Floats& x, std::size_t n) {
    for (std::size_t r = 0; r < n; ++r)
        for (std::size_t c = 0; c < n; ++c)
            if (y[c * n + r] != x[r * n + c]) return false;
    return true;
}

}  // namespace

int main() {
    count_memory();

    say("1. Two mistakes that lesson 10 could not see");
    const OnDevice<float> a(up_to(10)), b(10, 100.0f), y(10), total(1);
    say(error_of([&] { launch(add_unguarded, 3, 4, y, a, b); }));
    say(error_of([&] { launch(add_to_total, 1, 2, total, a); }));
    say("and the total is ", numbers(total.host()), ", as it should be");

    say("2. Transposed without shared memory");
    const int n = 64;
    const Floats in = up_to(n * n);
    const OnDevice<float> x(in), plain(n * n), tiled(n * n), padded(n * n);
    const dim3 grid(n / 32, n / 32), threads(32, 32);
    launch(transpose_plain, grid, threads, plain, x, n);
    show_counts(source);
    check(turned(plain.host(), in, n));

    say("3. By a tile in shared memory");
    launch(transpose_tiled<32>, grid, threads, tiled, x, n);
    show_counts(source);
    say("the most passes of one instruction: ", totals().most_passes);
    check(turned(tiled.host(), in, n) && totals().most_passes == 32);

    say("4. With one column more, that nobody uses");
    launch(transpose_tiled<33>, grid, threads, padded, x, n);
    show_counts(source);
    say("the most passes of one instruction: ", totals().most_passes);
    check(turned(padded.host(), in, n) && totals().most_passes == 1);

    say("5. Without the barrier");
    const std::string race =
        error_of([&] { launch(transpose_hurried, grid, threads, plain, x, n); });
    block(race + "\n");

    say("6. A sum in shared memory, and by shuffles");
    const OnDevice<float> numbers256(up_to(256));
    launch(sum_by_tree, 1, 256, total, numbers256);
    say(numbers(total.host()));
    show_counts(source);
    launch(sum_by_shuffles, 1, 256, total, numbers256);
    say(numbers(total.host()));
    show_counts(source);

    say("7. A shuffle to which not all come");
    const OnDevice<float> lanes(up_to(32));
    say(error_of([&] { launch(half_a_warp, 1, 32, lanes); }));
    return done();
}
