// Kernels in PTX from their launch to their results, and what is said of wrong ones.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/simt/ptx/program.h"
#include "tests/kernels/simt/ptx/text.h"

namespace {

using simt_test::Device;
using simt_test::error;
using simt_test::kernel;

// %at is the address of the thread's own u32 of `values`, %x what it holds, %t its threadIdx.x.
const std::string own_number = R"(
    .reg .b32 %t, %n, %block, %x, %y, %r<9>;
    .reg .b64 %values, %at, %rd<9>;
    .reg .pred %p<9>;
    ld.param.u64 %values, [values];
    mov.u32 %t, %tid.x;
    mov.u32 %n, %ntid.x;
    mov.u32 %block, %ctaid.x;
    mad.lo.u32 %r0, %block, %n, %t;
    mul.wide.u32 %at, %r0, 4;
    add.s64 %at, %values, %at;
    ld.global.u32 %x, [%at];
)";

// What `values` holds behind a launch; the error waits.
std::vector<unsigned> after(const simt::ptx::Module& module, unsigned grid, unsigned block,
                            const std::vector<unsigned>& values, std::size_t shared_bytes = 0) {
    REQUIRE(module.error == "");
    const Device<unsigned> device(values);
    simt::ptx::launch(*module.entry("kernel"), grid, block, shared_bytes, device.data);
    return device.host();
}

std::vector<unsigned> counted(unsigned n) {
    std::vector<unsigned> values(n);
    for (unsigned i = 0; i < n; ++i) values[i] = i;
    return values;
}

TEST_CASE("ptx: a loop with labels counts, in each thread of each block") {
    const auto module = kernel(own_number + R"(
        mov.u32 %y, 0;
    $more:
        setp.eq.s32 %p1, %x, 0;
        @%p1 bra $done;
        add.s32 %y, %y, %x;
        add.s32 %x, %x, -1;
        bra.uni $more;
    $done:
        st.global.u32 [%at], %y;
        ret;)");
    CHECK(after(module, 2, 3, counted(6)) == std::vector<unsigned>{0, 1, 3, 6, 10, 15});
    CHECK(error() == "");
}

TEST_CASE("ptx: a block turns round its numbers in shared memory, its own or the launch's") {
    const std::string turn = R"(
        mul.lo.u32 %r1, %t, 4;
        mov.u32 %r2, tile;
        add.u32 %r3, %r2, %r1;
        st.shared.u32 [%r3], %x;
        bar.sync 0;
        sub.u32 %r4, %n, %t;
        mul.lo.u32 %r4, %r4, 4;
        add.u32 %r4, %r4, %r2;
        ld.shared.u32 %y, [%r4+-4];
        st.global.u32 [%at], %y;
        ret;)";
    const std::vector<unsigned> turned = {3, 2, 1, 0, 7, 6, 5, 4};
    const std::string inside = ".shared .align 4 .b8 tile[16];";
    CHECK(after(kernel(inside + own_number + turn), 2, 4, counted(8)) == turned);
    CHECK(error() == "");
    const std::string outside = ".shared .align 1 .b8 unused[3]; .shared .align 4 .b8 tile[16];";
    CHECK(after(kernel(own_number + turn, outside), 2, 4, counted(8)) == turned);
    CHECK(error() == "");
    const std::string dynamic = ".extern .shared .align 16 .b8 tile[];";
    CHECK(after(kernel(own_number + turn, dynamic), 2, 4, counted(8), 16) == turned);
    CHECK(error() == "");
    after(kernel(own_number + turn, dynamic), 2, 4, counted(8), 12);
    CHECK(error() ==
          "ptx: thread (3, 0, 0) of block (0, 0, 0) at test.ptx:22: byte 12 of shared memory, "
          "which has 12");
}

TEST_CASE("ptx: dynamic shared memory begins behind what the kernel declares") {
    const auto module = kernel(own_number + R"(
        mov.u32 %r1, tile;
        mov.u32 %r2, dynamic;
        sub.u32 %y, %r2, %r1;
        st.global.u32 [%at], %y;
        ret;)",
                               ".shared .b8 tile[17]; .extern .shared .align 16 .b8 dynamic[];");
    CHECK(after(module, 1, 1, {0}, 8) == std::vector<unsigned>{32});
    CHECK(error() == "");
}

TEST_CASE("ptx: lanes read each other, within segments") {
    const auto shuffled = [](const std::string& how, const std::string& amount, int clamp) {
        return after(kernel(own_number + "shfl.sync." + how + ".b32 %y|%p1, %x, " + amount + ", " +
                            std::to_string(clamp) + R"(, -1;
            @!%p1 add.u32 %y, %y, 100;
            st.global.u32 [%at], %y;
            ret;)"),
                     1, 32, counted(32));
    };
    const int whole = 31, eighths = (32 - 8) << 8 | 31;
    const auto down = shuffled("down", "1", whole);
    CHECK(down[0] == 1);
    CHECK(down[31] == 131);
    const auto up = shuffled("up", "2", (32 - 8) << 8);
    CHECK(up[1] == 101);
    CHECK(up[2] == 0);
    CHECK(up[9] == 109);
    const auto down_in_eighths = shuffled("down", "1", eighths);
    CHECK(down_in_eighths[6] == 7);
    CHECK(down_in_eighths[7] == 107);
    const auto crossed = shuffled("bfly", "5", whole);
    CHECK(crossed[0] == 5);
    CHECK(crossed[31] == 26);
    const auto first = shuffled("idx", "8", eighths);  // lane 0 of each segment
    CHECK(first[7] == 0);
    CHECK(first[31] == 24);
    CHECK(error() == "");
}

TEST_CASE("ptx: lanes vote") {
    const auto voted = [](const std::string& how, const std::string& to) {
        return after(kernel(own_number + "setp.lt.u32 %p1, %t, 3; mov.u32 %y, 0; mov.pred %p2, 0;" +
                            "vote.sync." + how + " " + to + R"(, %p1, -1;
            @%p2 mov.u32 %y, 1;
            st.global.u32 [%at], %y;
            ret;)"),
                     1, 32, counted(32))[9];
    };
    CHECK(voted("ballot.b32", "%y") == 7);
    CHECK(voted("any.pred", "%p2") == 1);
    CHECK(voted("all.pred", "%p2") == 0);
    const auto all = kernel(own_number + R"(
        activemask.b32 %y;
        bar.warp.sync -1;
        st.global.u32 [%at], %y;
        exit;)");
    CHECK(after(all, 1, 32, counted(32))[3] != 0);
    CHECK(error() == "");
}

TEST_CASE("ptx: lanes find those with their value, and reduce") {
    const auto each = [](const std::string& lines) {
        return after(kernel(own_number + lines + "\nst.global.u32 [%at], %y;\nret;"), 1, 32,
                     counted(32));
    };
    const auto any = each("and.b32 %r1, %x, 3; match.any.sync.b32 %y, %r1, -1;");
    CHECK(any[0] == 0x11111111);
    CHECK(any[31] == 0x88888888);
    const std::string upper = "shr.u32 %r1, %x, 4; mov.b64 %rd1, {0, %r1};";
    CHECK(each(upper + "match.any.sync.b64 %y, %rd1, -1;")[16] == 0xffff0000);
    CHECK(each(upper + "match.all.sync.b64 %y|%p1, %rd1, -1; @%p1 mov.u32 %y, 7;")[5] == 0);
    CHECK(each("match.all.sync.b32 %y|%p1, 5, -1; @!%p1 mov.u32 %y, 7;")[5] == 0xffffffff);
    CHECK(each("redux.sync.add.s32 %y, %x, -1;")[9] == 496);
    const std::string negative = "sub.s32 %r1, 3, %x;";
    CHECK(each(negative + "redux.sync.min.s32 %y, %r1, -1;")[9] == 0u - 28);
    CHECK(each(negative + "redux.sync.max.s32 %y, %r1, -1;")[9] == 3);
    CHECK(each(negative + "redux.sync.min.u32 %y, %r1, -1;")[9] == 0);
    CHECK(each(negative + "redux.sync.max.u32 %y, %r1, -1;")[9] == 0xffffffff);
    CHECK(each("redux.sync.and.b32 %y, -8, -1;")[0] == 0xfffffff8);
    CHECK(each("redux.sync.or.b32 %y, %x, -1;")[0] == 31);
    CHECK(each("redux.sync.xor.b32 %y, %x, -1;")[0] == 0);
    CHECK(error() == "");
}

TEST_CASE("ptx: threads vote at a barrier") {
    const auto voted = [](const std::string& how, int below) {
        return after(kernel(own_number + "setp.lt.u32 %p1, %t, " + std::to_string(below) +
                            "; mov.u32 %y, 0; mov.pred %p2, 0;" + how + R"(, 0, %p1;
            @%p2 mov.u32 %y, 1;
            st.global.u32 [%at], %y;
            ret;)"),
                     2, 40, counted(80))[79];
    };
    CHECK(voted("bar.red.popc.u32 %y", 35) == 35);
    CHECK(voted("barrier.red.popc.aligned.u32 %y", 3) == 3);
    CHECK(voted("bar.red.and.pred %p2", 39) == 0);
    CHECK(voted("bar.red.and.pred %p2", 40) == 1);
    CHECK(voted("bar.red.or.pred %p2", 0) == 0);
    CHECK(voted("bar.red.or.pred %p2", 1) == 1);
    CHECK(error() == "");
}

TEST_CASE("ptx: a clock is read anew each time") {
    const auto module = kernel(own_number + R"(
        mov.u64 %rd1, %clock64;
    $wait:
        mov.u64 %rd2, %clock64;
        setp.le.u64 %p1, %rd2, %rd1;
        @%p1 bra $wait;
        mov.u32 %r1, %clock;
        mov.u64 %rd3, %globaltimer;
        setp.gt.u64 %p1, %rd3, %rd1;
        selp.u32 %y, 1, 0, %p1;
        st.global.u32 [%at], %y;
        ret;)");
    CHECK(after(module, 1, 1, {0}) == std::vector<unsigned>{1});
    CHECK(error() == "");
}

TEST_CASE("ptx: threads add to one place, and the last one to write stays") {
    const auto module = kernel(own_number + R"(
        atom.global.add.u32 %y, [%values], 2;
        nanosleep.u32 100;
        red.global.max.s32 [%values+4], %t;
        atom.global.cas.b32 %r1, [%values+8], 2, 9;
        atom.global.exch.b32 %r1, [%values+12], 7;
        membar.gl;
        ret;)");
    CHECK(after(module, 1, 8, {0, 1, 2, 3, 0, 0, 0, 0}) ==
          std::vector<unsigned>{16, 7, 9, 7, 0, 0, 0, 0});
    const auto floats = kernel(own_number + R"(
        .reg .f64 %d;
        atom.global.add.f64 %d, [%values], 0d3FE0000000000000;
        ret;)");
    CHECK(after(floats, 1, 8, {0, 0, 0, 0, 0, 0, 0, 0})[1] == 0x40100000);  // 8 / 2 is 4.0
    CHECK(error() == "");
}

TEST_CASE("ptx: functions are called, and take and return memory") {
    const std::string twice = R"(
        .func (.param .align 8 .b8 both[16]) twice(.param .b32 x);
        .global .align 4 .b8 table[12] = {0, 0, 0, 0, 1, 0, 0, 0, 255, 255};
        .const .u32 words[2] = {5, -6};
        .func (.param .align 8 .b8 both[16]) twice(.param .b32 x) {
            .reg .b32 %r<5>;
            .reg .b64 %rd<3>, %SP;
            .local .align 8 .b8 depot[16];
            mov.u64 %SP, depot;
            ld.param.u32 %r1, [x];
            st.local.u32 [%SP+4], %r1;
            cvta.local.u64 %rd0, %SP;
            ld.u32 %r2, [%rd0+4];
            add.u32 %r2, %r2, %r1;
            mov.u64 %rd1, table;
            ld.global.lu.u32 %r3, [%rd1+8];
            mov.u64 %rd2, words;
            ld.const.u32 %r4, [%rd2+4];
            add.u32 %r3, %r3, %r4;
            st.param.b32 [both+0], %r2;
            st.param.b32 [both+8], %r3;
            ret;
        })";
    const auto module = kernel(own_number + R"(
        {
        .reg .b32 %t;
        .param .b32 argument;
        .param .align 8 .b8 result[16];
        st.param.b32 [argument+0], %x;
        call.uni (result), twice, (argument);
        ld.param.b32 %t, [result+0];
        ld.param.b32 %y, [result+8];
        add.u32 %y, %y, %t;
        }
        add.u32 %y, %y, %t;
        st.global.u32 [%at], %y;
        ret;)",
                               twice);
    // 2 x + 65535 - 6 + t
    CHECK(after(module, 1, 3, counted(3)) == std::vector<unsigned>{65529, 65532, 65535});
    CHECK(error() == "");
}

struct Pair {
    std::int64_t first;
    unsigned char bytes[3];
};

TEST_CASE("ptx: parameters of every size are read, in parts too") {
    const auto module = simt::ptx::read(R"(
        .visible .entry parts(.param .u64 out, .param .align 8 .b8 pair[16], .param .u8 index)
        .maxntid 32, 1, 1
        {
        .reg .b64 %rd<6>;
        .reg .b16 %rs<4>;
        ld.param.u64 %rd0, [out];
        ld.param.u64 %rd1, [pair];
        mov.b64 %rd2, pair;
        ld.param.u8 %rs0, [index];
        cvt.u64.u16 %rd3, %rs0;
        add.s64 %rd2, %rd2, %rd3;
        ld.param.u8 %rs1, [%rd2+8];
        ld.param.v2.u8 {%rs2, %rs3}, [pair+8];
        cvta.to.global.u64 %rd4, %rd0;
        st.global.u64 [%rd4], %rd1;
        st.global.v4.u16 [%rd4+8], {%rs1, %rs2, %rs3, 7};
        ret;
        })",
                                        "parts.ptx");
    REQUIRE(module.error == "");
    CHECK(module.entries() == std::vector<std::string>{"parts"});
    const Device<std::uint16_t> out(8);
    const Pair pair = {0x0004000300020001, {10, 11, 12}};
    simt::ptx::launch(*module.entry("parts"), 1, 1, 0, out.data, pair, std::uint8_t{2});
    CHECK(error() == "");
    CHECK(out.host() == std::vector<std::uint16_t>{1, 2, 3, 4, 12, 10, 11, 7});
    simt::ptx::launch(*module.entry("parts"), 1, 1, 0, out.data, pair, 2);
    CHECK(error() == "ptx: parameter 2 of parts has 1 bytes, but the argument has 4");
    simt::ptx::launch(*module.entry("parts"), 1, 1, 0, out.data);
    CHECK(error() == "ptx: parts has 3 parameters, but 1 arguments were given");
}

TEST_CASE("ptx: addresses of all memory reach shared memory") {
    const auto module = kernel(".shared .b8 before[8]; .shared .align 8 .b8 tile[8];" + own_number +
                               R"(
        mov.u64 %rd0, tile;
        cvta.shared.u64 %rd1, %rd0;
        st.u32 [%rd1+4], 77;
        cvta.to.shared.u64 %rd2, %rd1;
        ld.shared.u32 %y, [%rd2+4];
        cvta.to.global.u64 %rd3, %at;
        st.u32 [%rd3], %y;
        ret;)");
    CHECK(after(module, 1, 1, {1}) == std::vector<unsigned>{77});
    CHECK(error() == "");
}

TEST_CASE("ptx: an access outside ends the launch before it, and names the line") {
    const auto message = [](const std::string& line) {
        after(kernel(own_number + line + "\nret;"), 1, 1, {1, 2});
        return error();
    };
    const std::string here = "ptx: thread (0, 0, 0) of block (0, 0, 0) at test.ptx:18: ";
    CHECK(message("st.global.u32 [%at+8], %x;") ==
          here + "4 bytes past the end of an allocation of 8");
    CHECK(message("ld.global.v2.u32 {%x, %y}, [%at+4];") ==
          here + "an address that is no multiple of 8");
    CHECK(message("ld.global.u32 %x, [4096];") == here + "host memory");
    CHECK(message("ld.global.u32 %x, [4];") == here + "host memory");
    CHECK(message("ld.local.u32 %x, [%at];") == here + "no local memory");
    CHECK(message("ld.param.u32 %x, [%at];") == here + "no parameter");
    CHECK(message("@0 ld.param.u32 %x, [%at];") == "");
    CHECK(message("trap;") == here + "trap");
    CHECK(message("bar.sync 1;") == here + "a barrier that is not number 0 for all");
    CHECK(message("st.global.u32 [%at], %x;") == "");
}

TEST_CASE("ptx: barriers that threads do not share are told by the lines of the text") {
    const auto module = kernel(own_number + R"(setp.eq.u32 %p1, %t, 0;
        @%p1 bra $other;
        bar.sync 0;
        ret;
    $other:
        bar.sync 0;
        ret;)");
    after(module, 1, 2, {0, 0});
    CHECK(error() ==
          "__syncthreads: in block (0, 0, 0) thread (0, 0, 0) waits at test.ptx:23, but thread (1, "
          "0, 0) waits at test.ptx:20; all threads of a block must reach the same __syncthreads");
}

TEST_CASE("ptx: what is not known is an error that names its line") {
    const auto message = [](const std::string& line) {
        return kernel(".reg .b32 %r<4>;\n.reg .f32 %f<4>;\n" + line + "\nret;").error;
    };
    CHECK(message("wgmma.fence.sync.aligned;") ==
          "test.ptx:8: wgmma.fence.sync.aligned is not supported");
    CHECK(message("add.sat.s32 %r0, %r1, %r2;") ==
          "test.ptx:8: add.sat.s32 is not supported: it has .sat");
    CHECK(message("add.rn.ftz.f32 %f0, %f1, %f2;") ==
          "test.ptx:8: add.rn.ftz.f32 is not supported: it has .ftz");
    CHECK(message("add.f16 %f0, %f1, %f2;") == "test.ptx:8: add.f16 is not supported");
    CHECK(message("add.s32 %r0, %x1, %r2;") == "test.ptx:8: \"%x1\" is not declared");
    CHECK(message("add.s32 %r0, %r1, 3x;") == "test.ptx:8: \"3x\" is not declared");
    CHECK(message("add.s32 %r0, %r1, %r2") == "test.ptx:9: \"ret\" where \";\" was expected");
    CHECK(message("bra $nowhere;") == "test.ptx:10: no label $nowhere, to which line 8 goes");
    CHECK(message("{") == "test.ptx:10: the file ends inside kernel");
    CHECK(message("call.uni nobody;") == "test.ptx: nobody is called, but not there");
    CHECK(message("sub.s32 %r0, %r1, %r2;") == "");
    CHECK(simt::ptx::read(".texref t;", "a.ptx").error == "a.ptx:1: \".texref\" is not known");
    CHECK(simt::ptx::read(".global .b8 t[2] = {1, 2, 3};", "a.ptx").error ==
          "a.ptx:1: more numbers than there is room");
    CHECK(kernel(".reg .b32 %r<9>; .local .b8 large[99999]; ret;").error ==
          "test.ptx:7: kernel needs 12502 registers and words of memory, but a thread here has "
          "8192");
    CHECK(kernel("ret;").entry("another") == nullptr);
}

TEST_CASE("ptx: a function that calls itself ends the launch") {
    const auto module = kernel("call.uni again; ret;", ".func again() { call.uni again; ret; }");
    after(module, 1, 1, {0});
    CHECK(error() ==
          "ptx: thread (0, 0, 0) of block (0, 0, 0) at test.ptx:4: a call that is too deep");
}

}  // namespace
