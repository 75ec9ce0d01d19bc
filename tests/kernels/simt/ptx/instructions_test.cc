// What each instruction computes, against numbers by hand.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/kernels/simt/ptx/text.h"

namespace {

using simt_test::Device;
using simt_test::error;
using Word = std::uint64_t;

// What %d holds after `lines`, with three numbers in %a, %b and %c.
Word result(const std::string& lines, Word a, Word b = 0, Word c = 0) {
    const auto module = simt_test::kernel(R"(
        .reg .b64 %a, %b, %c, %d, %e, %in;
        .reg .pred %p, %q;
        ld.param.u64 %in, [values];
        ld.global.u64 %a, [%in];
        ld.global.u64 %b, [%in+8];
        ld.global.u64 %c, [%in+16];
        mov.u64 %d, 0;
        )" + lines + R"(
        st.global.u64 [%in+24], %d;
        ret;)");
    REQUIRE(module.error == "");
    const Device<Word> values({a, b, c, 0});
    simt::ptx::launch(*module.entry("kernel"), 1, 1, 0, values.data);
    REQUIRE(error() == "");
    return values.host()[3];
}

constexpr Word minus(Word x) { return 0 - x; }
Word bits(float x) { return std::bit_cast<std::uint32_t>(x); }
Word bits(double x) { return std::bit_cast<Word>(x); }

struct Row {
    const char* lines;
    Word a, b, c, expected;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(std::string(row.lines));
        CHECK(result(row.lines, row.a, row.b, row.c) == row.expected);
    }
}

// A register of fewer bits keeps the sign of a signed type in those above.
TEST_CASE("ptx: integers are added and multiplied, and wrap") {
    check({
        {"add.s32 %d, %a, %b;", 0x7fffffff, 1, 0, minus(0x80000000)},
        {"add.u16 %d, %a, %b;", 0xffff, 2, 0, 1},
        {"sub.s64 %d, %a, %b;", 3, 5, 0, minus(2)},
        {"mul.lo.s32 %d, %a, %b;", minus(3), 5, 0, minus(15)},
        {"mul.lo.s16 %d, %a, %b;", 300, 300, 0, 24464},
        {"mul.hi.u32 %d, %a, %b;", 0xffffffff, 0xffffffff, 0, 0xfffffffe},
        {"mul.hi.s32 %d, %a, %b;", minus(1), 5, 0, minus(1)},
        {"mul.hi.u64 %d, %a, %b;", minus(1), minus(1), 0, minus(2)},
        {"mul.hi.s64 %d, %a, %b;", minus(1), 5, 0, minus(1)},
        {"mul.wide.s32 %d, %a, %b;", minus(3), 0x40000000, 0, minus(0xc0000000)},
        {"mul.wide.u32 %d, %a, %b;", 0xffffffff, 0xffffffff, 0, 0xfffffffe00000001},
        {"mul.wide.u16 %d, %a, %b;", 0xffff, 0xffff, 0, 0xfffe0001},
        {"mad.lo.u32 %d, %a, %b, %c;", 7, 6, 0xffffffff, 41},
        {"mad.wide.u32 %d, %a, %b, %c;", 0xffffffff, 2, 5, 0x200000003},
        {"mad.hi.s32 %d, %a, %b, %c;", 0x40000000, 8, 1, 3},
        {"neg.s16 %d, %a;", 5, 0, 0, minus(5)},
        {"abs.s32 %d, %a;", minus(5), 0, 0, 5},
        {"min.s32 %d, %a, %b;", minus(5), 3, 0, minus(5)},
        {"min.u32 %d, %a, %b;", minus(5), 3, 0, 3},
        {"max.s64 %d, %a, %b;", minus(5), 3, 0, 3},
    });
}

TEST_CASE("ptx: integers are divided, and nothing stops at 0") {
    check({
        {"div.s32 %d, %a, %b;", minus(7), 2, 0, minus(3)},
        {"div.u32 %d, %a, %b;", 0xfffffff9, 2, 0, 0x7ffffffc},
        {"rem.s64 %d, %a, %b;", minus(7), 2, 0, minus(1)},
        {"rem.u16 %d, %a, %b;", 7, 4, 0, 3},
        {"div.s32 %d, %a, %b;", 0x80000000, minus(1), 0, minus(0x80000000)},
        {"rem.s32 %d, %a, %b;", 0x80000000, minus(1), 0, 0},
        {"div.u32 %d, %a, %b;", 7, 0, 0, 0xffffffff},
        {"rem.u32 %d, %a, %b;", 7, 0, 0, 7},
    });
}

TEST_CASE("ptx: numbers longer than a register carry and borrow") {
    check({
        {"add.cc.u32 %e, %a, %b; addc.u32 %d, %c, 0;", 0xffffffff, 1, 4, 5},
        {"add.cc.u32 %e, %a, %b; addc.u32 %d, %c, 0;", 0xfffffffe, 1, 4, 4},
        {"add.cc.u32 %e, %a, %b; addc.cc.u32 %e, %c, %a; addc.u32 %d, 0, 0;", 0xffffffff, 1, 0, 1},
        {"add.cc.s64 %e, %a, %b; addc.s64 %d, %c, 0;", minus(1), 1, 4, 5},
        {"sub.cc.u32 %e, %a, %b; subc.u32 %d, %c, 0;", 0, 1, 4, 3},
        {"sub.cc.u32 %e, %a, %b; subc.cc.u32 %e, 0, 0; subc.u32 %d, %c, 0;", 0, 1, 4, 3},
        {"mad.lo.cc.u32 %e, %a, %a, %b; madc.hi.u32 %d, %a, %a, %c;", 0x10000, 1, 4, 5},
        {"mad.lo.cc.u32 %e, %a, 1, %b; madc.hi.cc.u32 %e, %a, %a, %a; addc.u32 %d, %c, 0;",
         0xffffffff, 1, 4, 5},
        {"mad.lo.cc.u32 %e, %a, 1, %b; madc.lo.cc.u32 %d, %c, 2, 0;", 0xffffffff, 1, 4, 9},
    });
}

TEST_CASE("ptx: bits are combined, shifted, counted and moved") {
    check({
        {"and.b64 %d, %a, -8;", 0xffffffff00000007, 0, 0, 0xffffffff00000000},
        {"or.b32 %d, %a, %b;", 0xf0, 0x0f, 0, 0xff},
        {"xor.b16 %d, %a, %b;", 0xff, 0x0f, 0, 0xf0},
        {"not.b32 %d, %a;", 0, 0, 0, 0xffffffff},
        {"shl.b32 %d, %a, %b;", 3, 31, 0, 0x80000000},
        {"shl.b32 %d, %a, %b;", 3, 32, 0, 0},
        {"shl.b64 %d, %a, 63;", 3, 0, 0, Word{1} << 63},
        {"shl.b16 %d, %a, %b;", 3, 0x10001, 0, 0},
        {"shr.u32 %d, %a, %b;", 0x80000000, 31, 0, 1},
        {"shr.s32 %d, %a, %b;", 0x80000000, 31, 0, minus(1)},
        {"shr.s64 %d, %a, %b;", minus(1), 99, 0, minus(1)},
        {"clz.b32 %d, %a;", 1, 0, 0, 31},
        {"clz.b64 %d, %a;", 0, 0, 0, 64},
        {"popc.b32 %d, %a;", 0xf00000000f, 0, 0, 4},
        {"brev.b32 %d, %a;", 1, 0, 0, 0x80000000},
        {"brev.b64 %d, %a;", 1, 0, 0, Word{1} << 63},
        {"bfi.b32 %d, %a, %b, 4, 8;", 0xfab, 0xffffffff, 0, 0xfffffabf},
        {"bfi.b64 %d, %a, %b, 32, 32;", 5, 7, 0, 0x500000007},
        {"bfind.u32 %d, %a;", 0x180, 0, 0, 8},
        {"bfind.shiftamt.u32 %d, %a;", 0x180, 0, 0, 23},
        {"bfind.s64 %d, %a;", minus(5), 0, 0, 2},
        {"bfind.u32 %d, %a;", 0, 0, 0, 0xffffffff},
        {"prmt.b32 %d, %a, %b, %c;", 0x33221100, 0x77665544, 0x7250, 0x77225500},
        {"shf.l.wrap.b32 %d, %a, %b, %c;", 0x80000001, 5, 36, 0x58},
        {"shf.r.wrap.b32 %d, %a, %b, %c;", 0x80000010, 5, 4, 0x58000001},
        {"shf.l.clamp.b32 %d, %a, %b, %c;", 7, 5, 36, 7},
        {"shf.r.clamp.b32 %d, %a, %b, %c;", 7, 5, 32, 5},
        {"sad.s32 %d, %a, %b, %c;", minus(3), 4, 10, 17},
        {"sad.u16 %d, %a, %b, %c;", 9, 4, 10, 15},
        {"dp4a.s32.s32 %d, %a, %b, %c;", 0x0102ff80, 0x01010102, 10, minus(244)},
        {"dp4a.u32.u32 %d, %a, %b, %c;", 0x0102ff80, 0x01010102, 10, 524},
        {"mov.b64 %d, {%a, %b};", 0xffffffff00000001, 2, 0, 0x200000001},
        {"mov.b64 {%e, %d}, %a;", 0x200000001, 0, 0, 2},
        {"mov.b32 %d, {%a, %b};", 1, 2, 0, 0x20001},
        {"mov.b32 {%d, %e}, %a;", 0x20001, 0, 0, 1},
        {"mov.u64 %d, -7;", 0, 0, 0, minus(7)},
        {"mov.f32 %d, 0f3F800000;", 0, 0, 0, 0x3f800000},
        {"mov.f64 %d, 0d3FF0000000000000;", 0, 0, 0, 0x3ff0000000000000},
    });
}

TEST_CASE("ptx: floats are rounded once") {
    const float big = 16777216;  // 2^24, next to which is 2^24 + 2
    check({
        {"add.rn.f32 %d, %a, %b;", bits(big), bits(1.0f), 0, bits(big)},
        {"sub.rn.f64 %d, %a, %b;", bits(1.0), bits(0.25), 0, bits(0.75)},
        {"mul.rn.f32 %d, %a, %b;", bits(3.0f), bits(0.5f), 0, bits(1.5f)},
        {"div.rn.f64 %d, %a, %b;", bits(1.0), bits(3.0), 0, bits(1.0 / 3)},
        {"fma.rn.f32 %d, %a, %b, %c;", bits(1 + 0x1p-23f), bits(1 - 0x1p-23f), bits(-1.0f),
         bits(-0x1p-46f)},
        {"fma.rz.f32 %d, %a, %b, %c;", bits(big), bits(1.0f), bits(-0x1p-9f), bits(big - 1)},
        {"fma.rn.f32 %d, %a, %b, %c;", bits(big), bits(1.0f), bits(-0x1p-9f), bits(big)},
        {"add.rz.f32 %d, %a, %b;", bits(big), bits(3.0f), 0, bits(big + 2)},
        {"sub.rp.f32 %d, %a, %b;", bits(big), bits(-1.0f), 0, bits(big + 2)},
        {"mul.rm.f32 %d, %a, %a;", bits(-1 - 0x1p-23f), 0, 0, bits(1 + 0x1p-22f)},
        {"mul.rp.f64 %d, %a, %a;", bits(1 + 0x1p-52), 0, 0, bits(1 + 0x1p-51 + 0x1p-52)},
        {"div.rm.f64 %d, %a, %b;", bits(2.0), bits(3.0), 0, 0x3fe5555555555555},
        {"div.rp.f64 %d, %a, %b;", bits(2.0), bits(3.0), 0, 0x3fe5555555555556},
        {"rcp.rp.f64 %d, %a;", bits(3.0), 0, 0, 0x3fd5555555555556},
        {"sqrt.rz.f32 %d, %a;", bits(3.0f), 0, 0, 0x3fddb3d7},
        {"fma.rm.f32 %d, %a, %b, %c;", bits(big), bits(-1.0f), bits(0x1p-9f), bits(-big)},
        {"fma.rp.f32 %d, %a, %b, %c;", bits(big), bits(1.0f), bits(0x1p-9f), bits(big + 2)},
        {"fma.rn.f64 %d, %a, %b, %c;", bits(3.0), bits(4.0), bits(5.0), bits(17.0)},
        {"sqrt.rn.f32 %d, %a;", bits(2.0f), 0, 0, bits(std::sqrt(2.0f))},
        {"rcp.rn.f64 %d, %a;", bits(3.0), 0, 0, bits(1.0 / 3)},
        {"neg.f32 %d, %a;", bits(0.0f), 0, 0, bits(-0.0f)},
        {"abs.f64 %d, %a;", bits(-2.0), 0, 0, bits(2.0)},
        {"copysign.f32 %d, %a, %b;", bits(-1.0f), bits(5.0f), 0, bits(-5.0f)},
        {"ex2.approx.ftz.f32 %d, %a;", bits(3.0f), 0, 0, bits(8.0f)},
        {"lg2.approx.f32 %d, %a;", bits(8.0f), 0, 0, bits(3.0f)},
        {"rcp.approx.ftz.f32 %d, %a;", bits(0x1p-140f), 0, 0,
         bits(std::numeric_limits<float>::infinity())},
        {"rcp.approx.ftz.f64 %d, %a;", bits(3.0), 0, 0, bits(1.0 / 3) >> 32 << 32},
        {"rsqrt.approx.ftz.f64 %d, %a;", bits(0.25), 0, 0, bits(2.0)},
        {"sin.approx.f32 %d, %a;", 0, 0, 0, 0},
        {"cos.approx.f32 %d, %a;", 0, 0, 0, bits(1.0f)},
        {"tanh.approx.f32 %d, %a;", 0, 0, 0, 0},
    });
}

TEST_CASE("ptx: the extrema of floats pass over NaN, and -0 is below 0") {
    const Word nan = bits(std::nanf(""));
    check({
        {"min.f32 %d, %a, %b;", nan, bits(1.0f), 0, bits(1.0f)},
        {"min.f32 %d, %a, %b;", bits(1.0f), nan, 0, bits(1.0f)},
        {"max.f32 %d, %a, %b;", nan, bits(1.0f), 0, bits(1.0f)},
        {"max.f32 %d, %a, %b;", bits(1.0f), nan, 0, bits(1.0f)},
        {"min.f32 %d, %a, %b;", 0, bits(-0.0f), 0, bits(-0.0f)},
        {"max.f64 %d, %a, %b;", bits(-0.0), 0, 0, 0},
    });
}

TEST_CASE("ptx: numbers are converted, and what is too large becomes the largest") {
    check({
        {"cvt.u64.u32 %d, %a;", 0xffffffff, 0, 0, 0xffffffff},
        {"cvt.s64.s32 %d, %a;", 0xffffffff, 0, 0, minus(1)},
        {"cvt.s32.s8 %d, %a;", 0x180, 0, 0, minus(128)},
        {"cvt.u16.u64 %d, %a;", 0x12345, 0, 0, 0x2345},
        {"cvt.rn.f32.s32 %d, %a;", minus(16777217), 0, 0, bits(-16777216.0f)},
        {"cvt.rn.f32.u64 %d, %a;", minus(1), 0, 0, bits(0x1p64f)},
        {"cvt.rn.f32.f64 %d, %a;", bits(1.0 / 3), 0, 0, bits(1.0f / 3)},
        {"cvt.f64.f32 %d, %a;", bits(0.5f), 0, 0, bits(0.5)},
        {"cvt.rzi.s32.f32 %d, %a;", bits(-2.75f), 0, 0, minus(2)},
        {"cvt.rni.s32.f64 %d, %a;", bits(2.5), 0, 0, 2},
        {"cvt.rmi.s32.f64 %d, %a;", bits(-2.5), 0, 0, minus(3)},
        {"cvt.rpi.f32.f32 %d, %a;", bits(2.5f), 0, 0, bits(3.0f)},
        {"cvt.rzi.s32.f32 %d, %a;", bits(1e20f), 0, 0, 0x7fffffff},
        {"cvt.rzi.s64.f64 %d, %a;", bits(-1e40), 0, 0, Word{1} << 63},
        {"cvt.rzi.u32.f32 %d, %a;", bits(-1.0f), 0, 0, 0},
        {"cvt.rzi.s32.f32 %d, %a;", bits(std::nanf("")), 0, 0, 0},
        {"cvt.rzi.s64.f32 %d, %a;", bits(std::nanf("")), 0, 0, Word{1} << 63},
        {"cvt.sat.f32.f32 %d, %a;", bits(0.25f), 0, 0, bits(0.25f)},
        {"cvt.sat.f32.f32 %d, %a;", bits(1.5f), 0, 0, bits(1.0f)},
        {"cvt.sat.f32.f32 %d, %a;", bits(-0.0f), 0, 0, 0},
        {"cvt.sat.f32.f32 %d, %a;", bits(std::nanf("")), 0, 0, 0},
        {"cvt.rn.sat.f32.f64 %d, %a;", bits(1e300), 0, 0, bits(1.0f)},
    });
}

TEST_CASE("ptx: comparisons know NaN, and choose") {
    const Word nan = bits(std::nan(""));
    const auto compared = [](const std::string& how, Word a, Word b) {
        return result("setp." + how + " %p, %a, %b; selp.b64 %d, 1, 0, %p;", a, b);
    };
    CHECK(compared("lt.s32", minus(1), 0) == 1);
    CHECK(compared("lt.u32", minus(1), 0) == 0);
    CHECK(compared("lo.u32", 1, 2) == 1);
    CHECK(compared("hs.u64", 2, 2) == 1);
    CHECK(compared("ne.b16", 0x10001, 1) == 0);
    const char* ordered[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    const bool expected[][3] = {{0, 1, 0}, {1, 0, 1}, {1, 0, 0}, {1, 1, 0}, {0, 0, 1}, {0, 1, 1}};
    const double others[] = {2, 1, 0};  // 1 is below, equal, above
    for (int k = 0; k < 6; ++k) {
        CAPTURE(std::string(ordered[k]));
        for (int o = 0; o < 3; ++o) {
            CHECK(compared(std::string(ordered[k]) + ".f64", bits(1.0), bits(others[o])) ==
                  expected[k][o]);
            CHECK(compared(std::string(ordered[k]) + "u.f64", bits(1.0), bits(others[o])) ==
                  expected[k][o]);
        }
        CHECK(compared(std::string(ordered[k]) + ".f64", bits(1.0), nan) == 0);
        CHECK(compared(std::string(ordered[k]) + "u.f64", nan, bits(1.0)) == 1);
    }
    CHECK(compared("num.f64", bits(1.0), nan) == 0);
    CHECK(compared("num.f64", bits(1.0), bits(1.0)) == 1);
    CHECK(compared("nan.f64", bits(1.0), nan) == 1);
    CHECK(compared("nan.f64", bits(1.0), bits(1.0)) == 0);
}

TEST_CASE("ptx: predicates are combined, and guard instructions") {
    check({
        {"setp.eq.s64 %p, %a, 1; setp.eq.s64 %q, %b, 1; and.pred %p, %p, %q; @%p mov.u64 %d, 5;", 1,
         1, 0, 5},
        {"setp.eq.s64 %p, %a, 1; setp.eq.s64 %q, %b, 1; and.pred %p, %p, %q; @%p mov.u64 %d, 5;", 1,
         2, 0, 0},
        {"setp.eq.s64 %p, %a, 1; not.pred %q, %p; @!%q mov.u64 %d, 5;", 1, 0, 0, 5},
        {"mov.pred %p, 0; setp.eq.s64 %q, %a, 1; xor.pred %p, %p, %q; @%p mov.u64 %d, 5;", 1, 0, 0,
         5},
        {"mov.pred %p, -1; @!%p mov.u64 %d, 5;", 0, 0, 0, 0},
    });
}

}  // namespace
