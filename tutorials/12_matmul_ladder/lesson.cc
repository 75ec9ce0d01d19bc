// Lesson 12: a ladder of matrix products, and what each rung does to memory.
//
// Read README.md first. The kernels are in lesson.cu; they are compiled with the checks here.
// lesson.ipynb does the same in Python and prints the same lines.
#include "tutorials/12_matmul_ladder/lesson.cu"

#include "tutorials/counters.h"

using namespace lesson;

namespace {

const std::string source = TAPEGRAPH_SOURCE_DIR "/tutorials/12_matmul_ladder/lesson.cu";

using Floats = std::vector<float>;
using Kernel = void (*)(float*, const float*, const float*, int);

constexpr int n = 128;
constexpr int flops = 2 * n * n * n;  // n multiplications and additions for each of n * n

struct Rung {
    const char* name;
    Kernel kernel;
    int side;      // a block has side x side numbers of y
    int barriers;  // that a block comes to
};

// n * n numbers between -0.5 and 0.5
Floats numbers_from(int seed) {
    Floats all;
    for (int i = 0; i < n * n; ++i)
        all.push_back(static_cast<float>((i * 37 + seed) % 101) / 100 - 0.5f);
    return all;
}

// y[r, c] as the loop over k that everybody knows.
Floats product(const Floats& a, const Floats& b) {
    Floats y(n * n);
    for (std::size_t r = 0; r < n; ++r)
        for (std::size_t c = 0; c < n; ++c)
            for (std::size_t k = 0; k < n; ++k) y[r * n + c] += a[r * n + k] * b[k * n + c];
    return y;
}

std::string row(const char* name, const std::string& sectors, const std::string& flops_a_byte,
                const std::string& passes, const std::string& barriers) {
    char buffer[120];
    std::snprintf(buffer, sizeof buffer, "%-16s %8s  %12s  %11s  %8s", name, sectors.c_str(),
                  flops_a_byte.c_str(), passes.c_str(), barriers.c_str());
    return buffer;
}

std::string one_digit(double x) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.1f", x);
    return buffer;
}

}  // namespace

int main() {
    count_memory();
    const Rung rungs[] = {{"naive", matmul_naive, 16, 0},
                          {"coalesced", matmul_coalesced, 16, 0},
                          {"tiled", matmul_tiled, 16, 2 * n / 16},
                          {"register-blocked", matmul_blocked, 64, 2 * n / 16},
                          {"double-buffered", matmul_buffered, 64, n / 16 + 1}};
    const Floats in_a = numbers_from(0), in_b = numbers_from(50), expected = product(in_a, in_b);
    const OnDevice<float> a(in_a), b(in_b);
    std::vector<std::string> table = {
        row("rung", "sectors", "flops a byte", "bank passes", "barriers")};

    say("y = a b, each ", n, " x ", n, ": ", flops, " flops");
    int number = 0;
    for (const Rung& rung : rungs) {
        say(++number, ". ", rung.name);
        const OnDevice<float> y(n * n);
        const dim3 grid(n / rung.side, n / rung.side);
        launch(rung.kernel, grid, dim3(16, 16), y, a, b, n);
        show_counts(source);
        const Totals all = totals();
        table.push_back(row(rung.name, std::to_string(all.sectors),
                            one_digit(flops / static_cast<double>(32 * all.sectors)),
                            std::to_string(all.passes), std::to_string(rung.barriers)));
        say("the bits of the plain loop: ", yes_no(y.host() == expected));
        check(y.host() == expected && !simt::check::counts().cut && all.most_passes <= 1);
    }
    say("6. Beside each other");
    for (const std::string& line : table) say(line);
    return done();
}
