#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/kernels/simt/nvcc/compare.h"

namespace simt_test {

// Reads all PTX of TAPEGRAPH_PTX_FOLDER; from then on each launch is compared, and a difference
// fails the test that made it. What is wrong with the text, or "".
std::string compare_every_launch();

Kernels& kernels();  // as they were read, with how often each was compared

// Differences go there, and fail no test; null, as at first: they do.
void keep_differences(std::vector<std::string>* them);

std::string text_of(const std::filesystem::path& file);

}  // namespace simt_test
