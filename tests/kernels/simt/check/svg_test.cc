// The picture of what four lanes do to memory, stated in full, and what it leaves out.
#include <doctest/doctest.h>

#include <string>

#include "kernels/simt/check/check.h"
#include "tests/kernels/simt/check/counted.h"
#include "tests/kernels/simt/device.h"

namespace {

using counted::line;
using simt::check::LaunchCounts;
using simt_test::Device;
using simt_test::error;

struct Drawing {
    Drawing() { simt::check::count(true); }
    ~Drawing() { simt::check::count(false); }
    Device<int> out{4}, in{64};
};

void put(std::string& text, const std::string& mark, const std::string& words) {
    text.replace(text.find(mark), mark.size(), words);
}

const std::string before_numbers =
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" width="832" height="304" font-family="monospace" font-size="12">
<rect width="832" height="304" fill="white"/>
<text x="16" y="20">warp 0 of block (0, 0, 0); grid (1, 1, 1), block (4, 1, 1)</text>
<text x="16" y="36" fill="#666">a number: the lane that touches these bytes; x3: three lanes; a box: a sector of 32 bytes; a column: a bank</text>
<defs><g id="simt-banks" font-size="8" fill="#666">
)svg";
const std::string behind_numbers = R"svg(</g></defs>
<text x="16" y="60">@read@ reads argument 1: 4 lanes, 4 sectors for 1</text>
<rect x="16" y="66" width="96" height="16" stroke="#888" fill="white"/>
<text x="16" y="92" font-size="8" fill="#666">byte 0</text>
<rect x="116" y="66" width="96" height="16" stroke="#888" fill="white"/>
<text x="116" y="92" font-size="8" fill="#666">byte 32</text>
<rect x="216" y="66" width="96" height="16" stroke="#888" fill="white"/>
<text x="216" y="92" font-size="8" fill="#666">byte 96</text>
<rect x="316" y="66" width="96" height="16" stroke="#888" fill="white"/>
<text x="316" y="92" font-size="8" fill="#666">byte 128</text>
<rect x="16" y="66" width="12" height="16" stroke="#888" fill="hsl(0, 70%, 80%)"><title>lane 0: bytes 0 to 3</title></rect>
<text x="22" y="77" font-size="8" text-anchor="middle">0</text>
<rect x="164" y="66" width="12" height="16" stroke="#888" fill="hsl(11, 70%, 80%)"><title>lane 1: bytes 48 to 51</title></rect>
<text x="170" y="77" font-size="8" text-anchor="middle">1</text>
<rect x="216" y="66" width="12" height="16" stroke="#888" fill="hsl(22, 70%, 80%)"><title>lane 2: bytes 96 to 99</title></rect>
<text x="222" y="77" font-size="8" text-anchor="middle">2</text>
<rect x="364" y="66" width="12" height="16" stroke="#888" fill="hsl(33, 70%, 80%)"><title>lane 3: bytes 144 to 147</title></rect>
<text x="370" y="77" font-size="8" text-anchor="middle">3</text>
<text x="16" y="118">@write@ writes tile: 4 lanes, 2 bank passes for 1</text>
<use href="#simt-banks" y="124"/>
<rect x="16" y="136" width="25" height="16" stroke="#888" fill="hsl(0, 70%, 80%)"><title>lane 0: bytes 0 to 3</title></rect>
<text x="28" y="147" font-size="8" text-anchor="middle">0</text>
<rect x="416" y="136" width="25" height="16" stroke="#888" fill="hsl(11, 70%, 80%)"><title>lane 1: bytes 64 to 67</title></rect>
<text x="428" y="147" font-size="8" text-anchor="middle">1</text>
<rect x="16" y="152" width="25" height="16" stroke="#888" fill="hsl(22, 70%, 80%)"><title>lane 2: bytes 128 to 131</title></rect>
<text x="28" y="163" font-size="8" text-anchor="middle">2</text>
<rect x="416" y="152" width="25" height="16" stroke="#888" fill="hsl(33, 70%, 80%)"><title>lane 3: bytes 192 to 195</title></rect>
<text x="428" y="163" font-size="8" text-anchor="middle">3</text>
<text x="16" y="190">@last@ reads tile: 4 lanes, 1 bank pass for 1</text>
<use href="#simt-banks" y="196"/>
<rect x="16" y="208" width="25" height="16" stroke="#888" fill="hsl(0, 70%, 80%)"><title>lanes 0, 1, 2, 3: bytes 0 to 3</title></rect>
<text x="28" y="219" font-size="8" text-anchor="middle">x4</text>
<text x="16" y="246">@last@ writes argument 0: 4 lanes, 1 sector for 1</text>
<rect x="16" y="252" width="96" height="16" stroke="#888" fill="white"/>
<text x="16" y="278" font-size="8" fill="#666">byte 0</text>
<rect x="16" y="252" width="12" height="16" stroke="#888" fill="hsl(0, 70%, 80%)"><title>lane 0: bytes 0 to 3</title></rect>
<text x="22" y="263" font-size="8" text-anchor="middle">0</text>
<rect x="28" y="252" width="12" height="16" stroke="#888" fill="hsl(11, 70%, 80%)"><title>lane 1: bytes 4 to 7</title></rect>
<text x="34" y="263" font-size="8" text-anchor="middle">1</text>
<rect x="40" y="252" width="12" height="16" stroke="#888" fill="hsl(22, 70%, 80%)"><title>lane 2: bytes 8 to 11</title></rect>
<text x="46" y="263" font-size="8" text-anchor="middle">2</text>
<rect x="52" y="252" width="12" height="16" stroke="#888" fill="hsl(33, 70%, 80%)"><title>lane 3: bytes 12 to 15</title></rect>
<text x="58" y="263" font-size="8" text-anchor="middle">3</text>
</svg>
)svg";

}  // namespace

TEST_CASE_FIXTURE(Drawing,
                  "a picture shows each instruction's sectors, or banks, and their lanes") {
    counted::four_lanes(out.data, in.data);
    CHECK(error() == "");
    std::string numbers;
    for (int bank = 0; bank < 32; ++bank)
        numbers += "<text x=\"" + std::to_string(16 + 25 * bank) + "\" y=\"8\">" +
                   std::to_string(bank) + "</text>\n";
    std::string expected = before_numbers + numbers + behind_numbers;
    put(expected, "@read@", line("value = in[12"));
    put(expected, "@write@", line("tile[16 * threadIdx.x]"));
    put(expected, "@last@", line("= tile[0]"));
    put(expected, "@last@", line("= tile[0]"));
    CHECK(simt::check::svg(simt::check::counts()) == expected);
}

TEST_CASE_FIXTURE(Drawing, "what is drawn is warp 0 of block 0, eight rounds of an instruction") {
    counted::many_rounds(out.data, in.data);
    CHECK(error() == "");
    const LaunchCounts counts = simt::check::counts();
    REQUIRE(counts.accesses.size() == 8 + 1);
    for (unsigned i = 0; i < 8; ++i) {
        CHECK(counts.accesses[i].place == line("total += in"));
        CHECK(counts.accesses[i].variable == "argument 1");
        CHECK(counts.accesses[i].round == i + 1);
        CHECK(counts.accesses[i].lanes == 3);
        CHECK(counts.accesses[i].offset[1] == 4 * (i + 1));
    }
    CHECK(counts.accesses[8].verb == "writes");
    CHECK(counts.accesses[8].offset[0] == 0);  // block 1 wrote to 8
    const std::string picture = simt::check::svg(counts);
    CHECK(picture.find(" reads argument 1, round 8: 2 lanes, 2 sectors for 1</text>") !=
          std::string::npos);
}

TEST_CASE("an access before the variable lies in the banks and the sector before it") {
    LaunchCounts counts;
    counts.accesses = {{"a.cu:1", "reads", "tile", true, 4, 3, {0, -4}, 1},
                       {"a.cu:2", "reads", "x", false, 4, 3, {0, -4}, 1}};
    const std::string picture = simt::check::svg(counts);
    CHECK(picture.find("tile: 2 lanes, 1 bank pass for 1<") != std::string::npos);
    CHECK(picture.find("<rect x=\"791\" y=\"78\"") != std::string::npos);  // bank 31
    CHECK(picture.find("x: 2 lanes, 2 sectors for 1<") != std::string::npos);
    CHECK(picture.find(">byte -32<") != std::string::npos);
}

TEST_CASE("names of templates are escaped") {
    LaunchCounts counts;
    counts.accesses = {{"a.cu:1", "reads", "of<int&>", false, 4, 1, {}, 1}};
    CHECK(simt::check::svg(counts).find(">a.cu:1 reads of&lt;int&amp;>: 1 lane, 1 sector for 1<") !=
          std::string::npos);
}
