// What each line of a kernel did to memory in the latest launch. A program that includes this is
// linked with the checks of kernels/simt/check: CMakeLists.txt. device.py has the same for Python.
#pragma once

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "kernels/simt/check/check.h"
#include "tutorials/device.h"

namespace lesson {

inline void count_memory() { simt::check::count(true); }

// The line of "lesson.cu:12", without its indent and its comment; `source` is the file's whole
// path.
inline std::string source_line(const std::string& place, const std::string& source) {
    std::ifstream file(source);
    std::string line;
    for (int left = std::stoi(place.substr(place.rfind(':') + 1)); left > 0; --left)
        std::getline(file, line);
    line = line.substr(0, line.find("//"));
    const std::size_t begin = line.find_first_not_of(' '), end = line.find_last_not_of(' ');
    return begin == std::string::npos ? "" : line.substr(begin, end + 1 - begin);
}

inline std::string ratio(std::uint64_t given, std::uint64_t ideal) {
    return given == 0 ? "-" : std::to_string(given) + " for " + std::to_string(ideal);
}

// A table of the source's lines that touched memory of the device.
inline void show_counts(const std::string& source) {
    const simt::check::LaunchCounts counts = simt::check::counts();
    std::size_t width = 4;
    for (const auto& line : counts.lines)
        width = std::max(width, source_line(line.place, source).size());
    char row[300];
    const auto print = [&](const std::string& code, const std::string& read,
                           const std::string& written, const std::string& sectors,
                           const std::string& passes) {
        std::snprintf(row, sizeof row, "%-*s %8s %8s  %18s  %13s\n", static_cast<int>(width),
                      code.c_str(), read.c_str(), written.c_str(), sectors.c_str(), passes.c_str());
        block(row);
    };
    print("line", "read", "written", "sectors", "bank passes");
    for (const auto& line : counts.lines)
        print(source_line(line.place, source), std::to_string(line.bytes_read),
              std::to_string(line.bytes_written), ratio(line.sectors, line.ideal_sectors),
              ratio(line.passes, line.ideal_passes));
}

// Of all lines together.
struct Totals {
    std::uint64_t sectors = 0, passes = 0, most_passes = 0;
};
inline Totals totals() {
    Totals all;
    for (const auto& line : simt::check::counts().lines) {
        all.sectors += line.sectors;
        all.passes += line.passes;
        all.most_passes = std::max(all.most_passes, line.most_passes);
    }
    return all;
}

}  // namespace lesson
