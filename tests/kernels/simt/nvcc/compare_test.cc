// What counts as a difference, on a kernel whose PTX is by hand.
#include "tests/kernels/simt/nvcc/compare.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <utility>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::Entry;
using simt_test::kernel_name;
using simt_test::Kernels;

__global__ void add_one(float* x) { x[threadIdx.x] += 1; }

// add_one as PTX, with other lines in place of `add.rn.f32 %f, %f, 0f3F800000;`
std::string text(const std::string& addition) {
    return R"(.entry _Z7add_onePf(.param .u64 x) {
        .reg .b64 %rd<3>;
        .reg .b32 %t;
        .reg .f32 %f;
        .reg .pred %p;
        ld.param.u64 %rd0, [x];
        mov.u32 %t, %tid.x;
        mul.wide.u32 %rd1, %t, 4;
        add.s64 %rd1, %rd0, %rd1;
        ld.global.f32 %f, [%rd1];
        )" +
           addition + R"(
        st.global.f32 [%rd1], %f;
        ret;
    })";
}

Entry* entry = nullptr;
std::string found;

// What differs with such a line, for x = {1, 2}.
std::string difference(const std::string& addition, float x = 1, double units = 0,
                       Entry::Gap gap = {}) {
    Kernels kernels;
    REQUIRE(kernels.add(text(addition), "by_hand.ptx") == "");
    entry = kernels.named("add_one");
    REQUIRE(entry != nullptr);
    entry->units = units;
    entry->gap = gap;
    const Device<float> values({x, 2});
    const auto before = simt::instead_of_run;
    simt::instead_of_run = [](const simt::Launch& launch) {
        found = simt_test::difference(launch, *entry, "add_one");
    };
    simt::launch(add_one, 1, 2, 0, values.data);
    simt::instead_of_run = before;
    CHECK(values.host()[1] == 3);  // the emulator's is left
    CHECK(simt_test::error() == "");
    return found;
}

TEST_CASE("a difference names the argument and both contents") {
    CHECK(difference("add.rn.f32 %f, %f, 0f3F800000;") == "");
    CHECK(entry->launches == 1);
    CHECK(difference("add.rn.f32 %f, %f, 0f40000000;") ==
          "add_one as PTX: 2 bytes differ: argument 0, byte 2 of 8, around which it is "
          "0x4080000040400000, but the emulator's 0x4040000040000000");
    CHECK(difference("trap;") ==
          "add_one as PTX: ptx: thread (0, 0, 0) of block (0, 0, 0) at by_hand.ptx:11: trap");
}

TEST_CASE("NaN equals NaN, and what may differ is excused") {
    const float nan = std::nanf("");
    CHECK(difference("mov.f32 %f, 0f7FFFFFFF;", nan).find("4 bytes differ: argument 0, byte 4") !=
          std::string::npos);
    CHECK(difference("setp.nan.f32 %p, %f, %f; add.rn.f32 %f, %f, 0f3F800000;"
                     "@%p mov.f32 %f, 0f7FFFFFFF;",
                     nan) == "");
    const std::string next = "add.rn.f32 %f, %f, 0f3F800000; add.s32 %f, %f, 1;";
    CHECK(difference(next) != "");
    CHECK(difference(next, 1, 0.5) != "");
    CHECK(difference(next, 1, 1) == "");
    CHECK(difference(next, 1, 0, {4, 0, 1}) == "");
    CHECK(difference(next, 1, 0, {4, 1, 4}) != "");
}

TEST_CASE("both compilers' names of a kernel are one") {
    CHECK(kernel_name("_Z7add_onePf") == "add_one");
    const char* gcc = "_ZN2tg7kernels4cuda12_GLOBAL__N_110copy_tilesIhEEvNS2_5TilesEPT_PKS4_";
    const char* nvcc =
        "_ZN2tg7kernels4cuda44_GLOBAL__N__cb7141f9_7_copy_cu_ee5919f8_989110copy_tilesIhEEvNS2_"
        "5TilesEPT_PKS5_";
    CHECK(kernel_name(gcc) == "copy_tiles<unsigned char>");
    CHECK(kernel_name(nvcc) == "copy_tiles<unsigned char>");
}

}  // namespace
