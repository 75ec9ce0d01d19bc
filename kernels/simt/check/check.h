// The checks as a host program sees them. It need not see them at all: what they find fails the
// launch, and simt::last_error() says it. See README.md of the folder above.
#pragma once

#include <string>
#include <vector>

namespace simt::check {

struct Report {
    std::string text;   // one line: what, both places, threads and blocks, and what to do
    bool note = false;  // it does not fail the launch: a race whose writers agree
};

// What was found in the latest launch.
std::vector<Report> reports();

}  // namespace simt::check
