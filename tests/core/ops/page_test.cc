// tutorials/OPS.md is written from the text of the sources (tests/ops_page.py). Here its rows are
// held against the records as the compiler has seen them.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "core/op.h"

using namespace tg;

namespace {

std::string promoted(const Op& op) {
    switch (op.promotes) {
        case Promotes::nothing:
            return "kept";
        case Promotes::floating:
            return "floats";
        default:
            return "promoted";
    }
}

std::string runs(const Op& op) {
    std::string where = op.cpu ? "cpu" : "";
    if (op.cuda) where += ", cuda";
    if (op.alias) where = op.view ? "view" : "alias";
    return op.random ? where + ", random" : where;
}

// How the op's row begins: all that its record says in names and numbers.
std::string row_of(const Op& op) {
    std::string attributes;
    for (int i = 0; i < attribute_count(op); ++i)
        attributes += (i > 0 ? ", " : "") + std::string(op.attributes[i].name);
    const std::string inputs = op.inputs < 0 ? "n" : std::to_string(op.inputs);
    return "| `" + std::string(op.name) + "` | " + inputs + " | " + attributes + " | " +
           promoted(op);
}

}  // namespace

TEST_CASE("the page of all ops says what the records say") {
    std::ifstream file(TAPEGRAPH_SOURCE_DIR "/tutorials/OPS.md");
    REQUIRE(file);
    std::size_t rows = 0;
    std::string page;
    for (std::string line; std::getline(file, line) && line != "## What users call";) {
        if (line.rfind("| `", 0) == 0) ++rows;
        page += line + "\n";
    }
    CHECK(rows == all_ops().size());
    for (const Op* op : all_ops()) {
        const std::size_t at = page.find(row_of(*op));
        INFO(row_of(*op));
        REQUIRE(at != std::string::npos);
        const std::string row = page.substr(at, page.find('\n', at) - at);
        INFO(row);
        CHECK(row.find(" | " + runs(*op) + " | ") != std::string::npos);
        CHECK((row.find("=>") == std::string::npos) == (op->gradient == nullptr));
    }
}
