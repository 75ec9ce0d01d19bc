// Bundled data for the programs; the notebooks have it from tapegraph.datasets.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "tapegraph.h"

namespace lesson {

inline std::ifstream opened(const std::string& path) {
    std::ifstream file(TAPEGRAPH_SOURCE_DIR "/" + path);
    if (!file) tg::fail(tg::ErrorKind::runtime, "cannot read ", path);
    return file;
}

struct Pictures {
    tg::Tensor images;  // float32 (400, 64): 8x8 pixels row by row, 0 (paper) to 1 (ink)
    tg::Tensor labels;  // int64 (400,), 0 to 9
};

// The first 400 of the bundled digits. A line of the file has 64 pixels, each one of 0..9 a..g for
// 0 to 16, and the label.
inline Pictures first_digits() {
    std::vector<float> ink;
    std::vector<std::int64_t> labels;
    std::ifstream file = opened("tutorials/data/digits.txt");
    const std::string scale = "0123456789abcdefg";
    std::string pixels;
    for (std::int64_t label = 0; file >> pixels >> label;) {
        for (const char c : pixels) ink.push_back(static_cast<float>(scale.find(c)) / 16);
        labels.push_back(label);
    }
    const auto count = static_cast<std::int64_t>(labels.size());
    return {tg::tensor(ink).reshape({count, 64}), tg::tensor(labels)};
}

// All first names, lower case, sorted.
inline std::vector<std::string> first_names() {
    std::vector<std::string> names;
    std::ifstream file = opened("python/tapegraph/data/names.txt");
    for (std::string name; file >> name;) names.push_back(name);
    return names;
}

}  // namespace lesson
