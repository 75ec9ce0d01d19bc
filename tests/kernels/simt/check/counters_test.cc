// What six kernels do to memory, counted by hand: a warp's 32 floats are 128 bytes, 4 sectors.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kernels/simt/check/check.h"
#include "tests/kernels/simt/check/counted.h"
#include "tests/kernels/simt/device.h"

namespace {

using counted::line;
using simt::check::LineCounts;
using simt_test::Device;
using simt_test::error;

struct Counting {
    Counting() { simt::check::count(true); }
    ~Counting() { simt::check::count(false); }
    Device<float> out{1024}, in{1024};
};

LineCounts at(const std::string& place) {
    CHECK(error() == "");
    for (const LineCounts& counts : simt::check::counts().lines)
        if (counts.place == place) return counts;
    FAIL("no counts of " << place);
    return {};
}

}  // namespace

TEST_CASE_FIXTURE(Counting, "a column of float[32][32] lies in one bank: 32 passes a warp") {
    counted::transpose_32(out.data, in.data);
    const LineCounts turned = at(line("turned = tile"));
    CHECK(turned.instructions == 32);
    CHECK(turned.lanes == 32 * 32);
    CHECK(turned.passes == 32 * 32);
    CHECK(turned.ideal_passes == 32);
    CHECK(turned.most_passes == 32);
    CHECK(turned.sectors == 0);
    const LineCounts filled = at(line("tile[y][x] ="));
    CHECK(filled.passes == 32);  // a row has each bank once
    CHECK(filled.most_passes == 1);
    CHECK(filled.sectors == 32 * 4);
    CHECK(filled.ideal_sectors == 32 * 4);
}

TEST_CASE_FIXTURE(Counting, "a column of float[32][33] lies in 32 banks: no conflict") {
    counted::transpose_33(out.data, in.data);
    const LineCounts turned = at(line("turned = tile"));
    CHECK(turned.passes == 32);
    CHECK(turned.most_passes == 1);
    CHECK(simt::check::counts().bytes_read == 2 * 4096);
    CHECK(simt::check::counts().bytes_written == 2 * 4096);
}

TEST_CASE_FIXTURE(Counting, "reading every second float touches twice the sectors") {
    counted::copy_stride_2(out.data, in.data);
    const LineCounts read = at(line("in[2 * threadIdx.x]"));
    CHECK(read.sectors == 8);
    CHECK(read.ideal_sectors == 4);
    CHECK(read.bytes_read == 128);
}

TEST_CASE_FIXTURE(Counting, "a copy that begins one float late touches one sector more") {
    counted::copy_misaligned(out.data, in.data);
    const LineCounts read = at(line("in[threadIdx.x + 1]"));
    CHECK(read.sectors == 5);
    CHECK(read.ideal_sectors == 4);
}

TEST_CASE_FIXTURE(Counting, "a warp that reads one place touches one sector") {
    counted::broadcast(out.data, in.data);
    const LineCounts read = at(line("value = in[0]"));
    CHECK(read.instructions == 1);
    CHECK(read.lanes == 32);
    CHECK(read.sectors == 1);
    CHECK(read.ideal_sectors == 1);
}

TEST_CASE_FIXTURE(Counting, "32 lanes that add to 4 bins queue 8 deep") {
    Device<int> bins(4);
    counted::histogram(bins.data);
    const LineCounts add = at(line("atomicAdd"));
    CHECK(bins.host()[3] == 16);
    CHECK(add.atomics == 2);
    CHECK(add.atomic_passes == 2 * 8);
    CHECK(add.sectors == 2);
    CHECK(add.bytes_read == 64 * 4);
    CHECK(add.bytes_written == 64 * 4);
}

TEST_CASE_FIXTURE(Counting, "a float4 is one access of 16 bytes, served a quarter warp at a time") {
    counted::copy_float4(out.data, in.data);
    const LineCounts read = at(line("copy[threadIdx.x] = in"));
    CHECK(read.instructions == 2);  // the read and the write to shared memory
    CHECK(read.bytes_read == 512);
    CHECK(read.sectors == 16);
    CHECK(read.ideal_sectors == 16);
    CHECK(read.passes == 4);
    CHECK(read.ideal_passes == 4);
}

TEST_CASE_FIXTURE(Counting, "lanes that skip a line are counted as inactive") {
    counted::every_second(out.data);
    const LineCounts write = at(line("% 2 == 0"));
    CHECK(write.instructions == 1);
    CHECK(write.lanes == 16);
    CHECK(write.sectors == 4);
    CHECK(write.ideal_sectors == 2);
}

TEST_CASE_FIXTURE(Counting, "to read blockDim and its kin is no access to memory") {
    counted::by_block(out.data);
    REQUIRE(error() == "");
    CHECK(simt::check::counts().lines.size() == 1);
    CHECK(simt::check::counts().bytes_read == 0);
    CHECK(at(line("gridDim.x * blockDim.x) out")).bytes_written == 128);
}

TEST_CASE_FIXTURE(Counting, "counts are shown as a table and as JSON") {
    counted::copy_stride_2(out.data, in.data);
    REQUIRE(error() == "");
    const std::string read = line("in[2 * threadIdx.x]"), write = line("out[threadIdx.x] = value");
    CHECK(simt::check::text(simt::check::counts()) ==
          "launch: grid (1, 1, 1), block (32, 1, 1), 128 bytes read, 128 written\n"
          "line           warps  lanes  read  written  sectors  bank passes  atomic passes\n" +
              read + "      1   32.0   128        0  8 for 4            -              -\n" +
              write + "      1   32.0     0      128  4 for 4            -              -\n");
    CHECK(simt::check::json(simt::check::counts()) ==
          "{\"grid\": [1, 1, 1], \"block\": [32, 1, 1], \"bytes_read\": 128, \"bytes_written\": "
          "128, \"sectors\": 12, \"operations\": 0, \"cut\": false, \"lines\": [{\"place\": \"" +
              read +
              "\", \"instructions\": 1, \"lanes\": 32, \"bytes_read\": 128, \"bytes_written\": 0, "
              "\"sectors\": 8, \"ideal_sectors\": 4, \"passes\": 0, \"ideal_passes\": 0, "
              "\"most_passes\": 0, \"atomics\": 0, \"atomic_passes\": 0, \"operations\": 0}, "
              "{\"place\": \"" +
              write +
              "\", \"instructions\": 1, \"lanes\": 32, \"bytes_read\": 0, \"bytes_written\": 128, "
              "\"sectors\": 4, \"ideal_sectors\": 4, \"passes\": 0, \"ideal_passes\": 0, "
              "\"most_passes\": 0, \"atomics\": 0, \"atomic_passes\": 0, \"operations\": 0}]}");
}

TEST_CASE_FIXTURE(Counting, "numbers of counted.h count each line's operations") {
    std::vector<float> a(256), b(256);
    for (std::size_t i = 0; i < 256; ++i) {
        a[i] = static_cast<float>(i % 7);
        b[i] = static_cast<float>(i % 5) - 2;
    }
    const Device<float> on_a(a), on_b(b);
    Device<float> plain(256), counted(256);
    counted::product(plain.data, on_a.data, on_b.data);
    CHECK(simt::check::counts().operations == 0);
    const std::uint64_t bytes = simt::check::counts().bytes_read;
    counted::counted_product(counted.data, on_a.data, on_b.data);
    CHECK(counted.host() == plain.host());
    const simt::check::LaunchCounts counts = simt::check::counts();
    const LineCounts sum = at(line("total += tile_a"));
    CHECK(sum.operations == 2 * 16 * 16 * 16);
    CHECK(sum.bytes_read == 2 * 4 * 16 * 16 * 16);
    CHECK(at(line("] = 2 * total")).operations == 256);
    CHECK(counts.bytes_read == bytes);
    CHECK(counts.operations == 2 * 16 * 16 * 16 + 256);
    CHECK(counts.sectors == 3 * 16 * 16 * 4 / 32);
    CHECK(counts.intensity() == 8448.0 / 3072);
    const std::string text = simt::check::text(counts);
    CHECK(text.find("\n8448 operations, 2.75 for each byte of the 96 sectors\n") !=
          std::string::npos);
    CHECK(text.find("atomic passes  operations\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Counting, "functions, atomics and shuffles of counted numbers") {
    counted::functions(out.data, in.data);
    CHECK(at(line("fmaf(")).operations == 2 * 32);
    CHECK(at(line("expf(")).operations == 32 * 2);
    CHECK(at(line("__shfl_down_sync(")).operations == 32);
    CHECK(at(line("atomicAdd(out")).operations == 32);
    CHECK(at(line("atomicAdd(out")).atomics == 1);
    CHECK(simt::check::counts().operations == 32 * 8 + 1);
    CHECK(at(line("+ two - 1")).operations == 32 * 2);
    CHECK(at(line("out[1] += ")).operations == 1);
    CHECK(at(line("out[1] += ")).bytes_read == 4);
    CHECK(at(line("out[1] += ")).bytes_written == 4);
    CHECK(out.host()[0] == 32 * 4);  // two is exp(0) * 2, and so is what the shuffle adds
    CHECK(out.host()[1] == 7);
}

TEST_CASE("nothing is counted unless asked for") {
    simt::check::count(true);
    Device<float> out(32);
    counted::every_second(out.data);
    simt::check::count(false);
    Device<int> bins(4);
    counted::histogram(bins.data);
    CHECK(simt::check::counts().bytes_written == 64);
}
