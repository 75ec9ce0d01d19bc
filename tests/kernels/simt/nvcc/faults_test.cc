// The comparison can fail: of kernels with one instruction changed in nvcc's text, as by a fault of
// the compiler, most are found.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/kernels/cuda/on_device.h"
#include "tests/kernels/simt/nvcc/every_launch.h"

namespace tg::kernels::cuda {
namespace {

using simt_test::Kernels;

// nvcc's text of one kernel, with what stands before the first one.
std::string text_of_kernel(const std::string& file, const std::string& name) {
    const std::string text = simt_test::text_of(TAPEGRAPH_PTX_FOLDER "/" + file);
    const std::string entry = ".entry ";
    const std::size_t first = text.find(entry);
    for (std::size_t at = first; at != std::string::npos;) {
        const std::size_t next = text.find(entry, at + 1), begin = at + entry.size();
        const std::string mangled = text.substr(begin, text.find_first_of("( \n", begin) - begin);
        if (simt_test::kernel_name(mangled.c_str()) == name)
            return text.substr(0, first) + text.substr(at, next - at);
        at = next;
    }
    return "";
}

constexpr std::pair<std::string_view, std::string_view> changes[] = {
    {"\tadd.s64", "\tsub.s64"},
    {"\tadd.s32", "\tsub.s32"},
    {"\tsub.s32", "\tadd.s32"},
    {"\tadd.rn.f32", "\tsub.rn.f32"},
    {"\tmul.rn.f32", "\tadd.rn.f32"},
    {"\tmul.lo.s64", "\tadd.s64"},
    {"\tshl.b32", "\tshr.u32"},
    {"\tsetp.lt.", "\tsetp.le."},
    {"\tsetp.ge.", "\tsetp.gt."},
    {"\tsetp.gt.", "\tsetp.ge."},

    {"\tst.global.", "\t@0 st.global."},
    {"\tst.shared.", "\t@0 st.shared."},
    {"%tid.x", "%tid.y"},
    {"%ctaid.x", "%ctaid.y"},
    {"%ntid.x", "%nctaid.x"}};

// `text` with its line at `at` replaced.
std::string with_line(const std::string& text, std::size_t at, const std::string& line) {
    const std::size_t begin = text.rfind('\n', at) + 1;
    return text.substr(0, begin) + line + text.substr(text.find('\n', at));
}

std::string line_at(const std::string& text, std::size_t at) {
    const std::size_t begin = text.rfind('\n', at) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
}

// A kernel whose text can be changed, and something that launches it.
struct Patient {
    std::string text;
    simt_test::Entry& entry;
    std::string name;
    std::function<void()> work;

    bool differs(const std::string& changed) const {
        Kernels kernels;
        REQUIRE(kernels.add(changed, "changed.ptx") == "");
        std::vector<std::string> found;
        simt_test::keep_differences(&found);
        entry.function = kernels.named(name)->function;
        work();
        simt_test::keep_differences(nullptr);
        return !found.empty();
    }
};

// All changes to instructions that run: found, all, and the lines of those that are not found.
struct Score {
    int found = 0, all = 0;
    std::string missed;
};

Score score(const Patient& patient) {
    Score score;
    const std::string& text = patient.text;
    for (const auto& [from, to] : changes)
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; ++at) {
            if (!patient.differs(with_line(text, at, "trap;"))) continue;  // it does not run
            std::string line = line_at(text, at);
            line.replace(line.find(from), from.size(), to);
            const bool found = patient.differs(with_line(text, at, line));
            ++score.all;
            score.found += found;
            if (!found) score.missed += line + '\n';
        }
    return score;
}

template <class Rungs>
auto rung(const Rungs& rungs, std::string_view name) {
    for (const auto& one : rungs)
        if (one.name == name) return one.run;
    FAIL("no rung " << name);
    return rungs[0].run;
}

void check(const std::string& file, const std::string& name, const std::function<void()>& work) {
    simt_test::Entry* entry = simt_test::kernels().named(name);
    REQUIRE(entry != nullptr);
    const Patient patient{text_of_kernel(file, name), *entry, name, work};
    REQUIRE(!patient.text.empty());
    const simt::ptx::Function* right = entry->function;
    simt::set_time_limit(1);
    const Score result = score(patient);
    CHECK_FALSE(patient.differs(patient.text));
    simt::set_time_limit(300);
    entry->function = right;
    INFO(result.found, " of ", result.all, " found, but not:\n", result.missed);
    CHECK(result.all >= 40);
    // Many of the others change nothing: `x < 1` where x is never 1, the 0th part of a grid.
    CHECK(result.found * 5 >= result.all * 3);
}

// Before each launch the output holds other numbers, so that one that is not stored is seen.
template <class T, class Launch>
auto from_nothing(const Numbers<T>& out, const OnDevice<T>& on_out, Launch launch) {
    return [&out, &on_out, launch] {
        backend().to_device(on_out.array.data, out.data.get(), on_out.bytes);
        launch();
    };
}

TEST_CASE("most changed instructions of a sum are found") {
    Numbers<float> in({5, 300}), out({5, 1});
    fill(in, 1);
    const OnDevice on_in(in), on_out(out);
    check("sum.ptx", "reduce_by_blocks<tg::kernels::cuda::Plus<float> >",
          from_nothing(out, on_out,
                       [&] { rung(sum_rungs_here(), "by blocks")(on_out.array, on_in.array); }));
}

TEST_CASE("most changed instructions of a matrix product are found") {
    Numbers<float> a({2, 33, 35}), b({2, 35, 34}), y({2, 33, 34});
    fill(a, 1);
    fill(b, 2);
    const OnDevice on_a(a), on_b(b), on_y(y);
    check("matmul.ptx", "matmul_tiled<float>", from_nothing(y, on_y, [&] {
              rung(matmul_rungs_here(), "tiled")(on_y.array, on_a.array, on_b.array);
          }));
}

TEST_CASE("most changed instructions of a copy are found") {
    Numbers<float> in({3, 70, 40}, {2800, 1, 70}), out({3, 70, 40});
    fill(in, 1);
    const OnDevice on_in(in), on_out(out);
    check("copy.ptx", "copy_tiles<unsigned int>", from_nothing(out, on_out, [&] {
              rung(copy_rungs_here(), "tiles")(on_out.array, on_in.array);
          }));
}

}  // namespace
}  // namespace tg::kernels::cuda
