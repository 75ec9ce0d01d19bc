#include <doctest/doctest.h>

#include <climits>
#include <cmath>
#include <type_traits>
#include <vector>

#include "kernels/simt/simt.h"
#include "tests/kernels/simt/device.h"

namespace {

using simt_test::Device;
using simt_test::error;

__constant__ float table[4];
__device__ int counter = 5;

__global__ void __launch_bounds__(32, 1)
    use_symbols(float* __restrict__ out, const float* __restrict__ in) {
    const unsigned t = threadIdx.x;
    out[t] = table[t % 4] * __ldg(&in[t]);
    if (t == 0) counter += 1;
}

}  // namespace

TEST_CASE("functions on bits give CUDA's results, also for zero") {
    CHECK(__popc(0) == 0);
    CHECK(__popc(0xf0f00001) == 9);
    CHECK(__popcll(0xf0f0000100000001ull) == 10);
    CHECK(__clz(0) == 32);
    CHECK(__clz(1) == 31);
    CHECK(__clz(-1) == 0);
    CHECK(__clzll(0) == 64);
    CHECK(__clzll(1ll << 40) == 23);
    CHECK(__ffs(0) == 0);
    CHECK(__ffs(0x18) == 4);
    CHECK(__ffs(static_cast<int>(0x80000000)) == 32);
    CHECK(__ffsll(1ll << 40) == 41);
    CHECK(__brev(0x00000001) == 0x80000000);
    CHECK(__brev(0x12345678) == 0x1e6a2c48);
    CHECK(__brevll(0x12345678) == 0x1e6a2c4800000000ull);
    CHECK(__funnelshift_l(0x80000001, 0x00000005, 4) == 0x58);
    CHECK(__funnelshift_l(7, 5, 32) == 5);
    CHECK(__funnelshift_r(0x80000010, 0x00000005, 4) == 0x58000001);
    CHECK(__byte_perm(0x33221100, 0x77665544, 0x7250) == 0x77225500);
    CHECK(__byte_perm(0x000000ff, 0, 0x3218) == 0x000000ff);
    CHECK(__umulhi(0xffffffff, 0xffffffff) == 0xfffffffe);
    CHECK(__mulhi(-2, 3) == -1);
    CHECK(__umul64hi(~0ull, ~0ull) == ~0ull - 1);
    CHECK(__umul64hi(1ull << 33, 1ull << 34) == 8);
    CHECK(__mul64hi(-1, 1) == -1);
    CHECK(__mul64hi(-(1ll << 33), 1ll << 34) == -8);
    CHECK(__mul64hi(-1, -1) == 0);
    CHECK(__mul24(0xffffff, 5) == -5);
    CHECK(__umul24(0xff000003u, 5) == 15);
    CHECK(__hadd(-3, 0) == -2);
    CHECK(__rhadd(-3, 0) == -1);
    CHECK(__hadd(INT_MAX, INT_MAX) == INT_MAX);
    CHECK(__uhadd(~0u, ~0u) == ~0u);
    CHECK(__urhadd(2, 3) == 3);
    CHECK(__sad(INT_MIN, INT_MAX, 1) == 0);
    CHECK(__usad(3, 5, 10) == 12);
    CHECK(__funnelshift_lc(7, 5, 32) == 7);
    CHECK(__funnelshift_rc(7, 5, 33) == 5);
    CHECK(__funnelshift_rc(0x80000010, 0x00000005, 4) == 0x58000001);
    CHECK(__dp4a(0x0102ff80, 0x01010102, 10) == 10 + 1 + 2 - 1 - 256);
    CHECK(__dp4a(0x0102ff80u, 0x01010102u, 10u) == 10 + 1 + 2 + 255 + 256);
    CHECK(__dp4a(make_char4(1, -2, 3, 4), make_char4(5, 6, 7, -8), INT_MAX) == INT_MAX - 18);
    CHECK(__dp2a_lo(0x0002ffff, 0x04030201, 1) == 1 - 1 + 4);
    CHECK(__dp2a_hi(0x0002ffffu, 0x04030201u, 1u) == 1 + 3 * 65535 + 8);
}

TEST_CASE("a number becomes an integer by the rounding named, and the nearest that there is") {
    CHECK(__float2int_ru(-2.5f) == -2);
    CHECK(__float2int_rd(-2.5f) == -3);
    CHECK(__float2int_rn(3e9f) == INT_MAX);
    CHECK(__float2int_rz(-INFINITY) == INT_MIN);
    CHECK(__float2int_rn(NAN) == 0);
    CHECK(__float2uint_rz(-1.0f) == 0);
    CHECK(__float2uint_ru(2.1f) == 3);
    CHECK(__double2ll_rn(0x1p53 + 2) == (1ll << 53) + 2);
    CHECK(__double2ull_rz(1e30) == ~0ull);
    CHECK(__double2int_rn(1.5) == 2);
    CHECK(__ll2float_rn(1ll << 40) == 0x1p40f);
    CHECK(__double2float_rn(0.1) == 0.1f);
    CHECK(__ull2float_rn(~0ull) == 0x1p64f);
    CHECK(__ull2double_rn(1ull << 63) == 0x1p63);
}

TEST_CASE("an atomic operation is as wide as the block, or the system") {
    int x = 5;
    CHECK(atomicAdd_block(&x, 2) == 5);
    CHECK(atomicMax_system(&x, 9) == 7);
    CHECK(atomicCAS_system(&x, 9, 1) == 9);
    CHECK(x == 1);
}

TEST_CASE("numbers keep their bits as another type, and round as named") {
    CHECK(__float_as_int(1.0f) == 0x3f800000);
    CHECK(__uint_as_float(__float_as_uint(-0.1f)) == -0.1f);
    CHECK(__longlong_as_double(__double_as_longlong(0.1)) == 0.1);
    CHECK(__hiloint2double(0x3ff00000, 1) == 1 + 0x1p-52);
    CHECK(__hiloint2double(0, -1) == 0x1p-1074 * 0xffffffff);
    CHECK(__double2hiint(-2.0) == static_cast<int>(0xc0000000));
    CHECK(__double2loint(-1 - 0x1p-52) == 1);
    CHECK(__float2int_rn(2.5f) == 2);
    CHECK(__float2int_rz(-2.7f) == -2);
    // Fused: (1 + e)(1 - e) - 1 = -e^2, which a rounded product loses.
    const float e = std::ldexp(1.0f, -23);
    CHECK(__fmaf_rn(1 + e, 1 - e, -1.0f) == -e * e);
    CHECK(__fadd_rn(__fmul_rn(1 + e, 1 - e), -1.0f) != -e * e);
    CHECK(__saturatef(1.5f) == 1.0f);
    CHECK(__saturatef(NAN) == 0.0f);
    CHECK(__fdividef(1.0f, 4.0f) == 0.25f);
    CHECK(fdividef(1.0f, 3.0f) == 1.0f / 3.0f);
    CHECK(__drcp_rn(3.0) == 1.0 / 3.0);
    CHECK(rsqrtf(0.25f) == 2.0f);
    CHECK(__frsqrt_rn(3.0f) == static_cast<float>(1 / std::sqrt(3.0)));
    CHECK(__expf(1.0f) == std::exp(1.0f));
    CHECK(__powf(2, 10) == 1024.0f);
    CHECK(min(3, 7u) == 3u);
    CHECK(max(-3, 2ll) == 2);
    CHECK(max(1.0f, static_cast<float>(NAN)) == 1.0f);
    CHECK(llmin(-1, 1ll << 40) == -1);
    CHECK(ullmax(1, ~0ull) == ~0ull);
    CHECK(umin(3, 4) == 3);
}

TEST_CASE("the functions of <cmath> have their names alone, for float and double") {
    const float none = NAN;
    CHECK(isnan(none));
    CHECK(!isnan(1.0));
    CHECK(isinf(-INFINITY));
    CHECK(!isfinite(HUGE_VAL));
    CHECK(signbit(-0.0f));
    CHECK(abs(-0.5f) == 0.5f);
    CHECK(std::is_same_v<decltype(exp(1.0f)), float>);
}

TEST_CASE("loads and stores with advice are loads and stores") {
    float x = 1;
    __stcs(&x, 2);
    CHECK(__ldcs(&x) == 2);
    __stcg(&x, 3);
    CHECK(__ldcg(&x) == 3);
    __stwb(&x, 4);
    CHECK(__ldca(&x) == 4);
    __stwt(&x, 5);
    CHECK(__ldcv(&x) == 5);
    CHECK(__ldlu(&x) == 5);
}

// What CUDA's vector_types.h says of 4-byte numbers also holds of 1, 2 and 8.
TEST_CASE("vectors have CUDA's sizes and alignments") {
    const auto is = [](auto vector, std::size_t bytes, std::size_t alignment) {
        return sizeof vector == bytes && alignof(decltype(vector)) == alignment;
    };
    CHECK(is(make_char1(1), 1, 1));
    CHECK(is(make_uchar2(1, 2), 2, 2));
    CHECK(is(make_char3(1, 2, 3), 3, 1));
    CHECK(is(make_uchar4(1, 2, 3, 4), 4, 4));
    CHECK(is(make_short2(1, 2), 4, 4));
    CHECK(is(make_ushort4(1, 2, 3, 4), 8, 8));
    CHECK(is(make_uint1(1), 4, 4));
    CHECK(is(make_int3(1, 2, 3), 12, 4));
    CHECK(is(make_float4(1, 2, 3, 4), 16, 16));
    CHECK(is(make_long2(1, 2), 2 * sizeof(long), 2 * sizeof(long)));
    CHECK(is(make_ulong4(1, 2, 3, 4), 4 * sizeof(long), 16));
    CHECK(is(make_longlong3(1, 2, 3), 24, 8));
    CHECK(is(make_ulonglong2(1, 2), 16, 16));
    CHECK(is(make_double1(1), 8, 8));
    CHECK(is(make_double4(1, 2, 3, 4), 32, 16));
    CHECK(is(make_double4_32a(1, 2, 3, 4), 32, 32));
    CHECK(make_uchar4(1, 2, 3, 255).w == 255);
    CHECK(make_char2(1, -2).y == -2);
    const dim3 size = make_uint3(2, 3, 4);
    CHECK(size.z == 4);
    CHECK(static_cast<uint3>(size).y == 3);
}

TEST_CASE("the host sets constants and reads variables of the device") {
    const float numbers[] = {1, 2, 3, 4};
    simt::copy_to_symbol(table, numbers, sizeof numbers);
    const float ten = 10;
    simt::copy_to_symbol(table, &ten, 4, 8);
    Device<float> out(32), in(std::vector<float>(32, 2.0f));
    simt::launch(use_symbols, 1, 32, 0, out.data, in.data);
    CHECK(error() == "");
    for (std::size_t t = 0; t < 32; ++t)
        CHECK(out.host()[t] == std::vector<float>{2, 4, 20, 8}[t % 4]);
    int count = 0;
    simt::copy_from_symbol(&count, counter, sizeof count);
    CHECK(count == 6);
    simt::copy_to_symbol(table, numbers, 12, 8);
    CHECK(error() == "copy_to_symbol: 12 bytes at offset 8, but the symbol has 16");
    simt::copy_from_symbol(&count, counter, 1, 5);
    CHECK(error() == "copy_from_symbol: 1 bytes at offset 5, but the symbol has 4");
    CHECK(table[0] == 1.0f);
}
