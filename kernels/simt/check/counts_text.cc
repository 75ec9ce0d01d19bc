// Counters as a table for readers and as JSON for programs.
#include <cstdio>

#include "check.h"

namespace simt::check {
namespace {

std::string size(dim3 d) {
    return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) +
           ")";
}

// "64 for 32": what was needed, and how little could do.
std::string share(std::uint64_t needed, std::uint64_t ideal) {
    if (ideal == 0) return "-";
    return std::to_string(needed) + " for " + std::to_string(ideal);
}

std::string row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string space(widths[i] - cells[i].size(), ' ');
        line += i == 0 ? cells[i] + space : "  " + space + cells[i];
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string rounded(const char* format, double number) {
    char digits[32];
    std::snprintf(digits, sizeof digits, format, number);
    return digits;
}

// A line that only computes touches no memory.
std::vector<std::string> cells(const LineCounts& line) {
    const double lanes = static_cast<double>(line.lanes) / static_cast<double>(line.instructions);
    return {line.place,
            std::to_string(line.instructions),
            line.instructions == 0 ? "-" : rounded("%.1f", lanes),
            std::to_string(line.bytes_read),
            std::to_string(line.bytes_written),
            share(line.sectors, line.ideal_sectors),
            share(line.passes, line.ideal_passes),
            share(line.atomic_passes, line.atomics),
            std::to_string(line.operations)};
}

}  // namespace

std::string text(const LaunchCounts& counts) {
    std::vector<std::vector<std::string>> rows = {
        {"line", "warps", "lanes", "read", "written", "sectors", "bank passes", "atomic passes"}};
    rows[0].push_back("operations");
    for (const LineCounts& line : counts.lines) rows.push_back(cells(line));
    if (counts.operations == 0)
        for (auto& cells : rows) cells.pop_back();
    std::vector<std::size_t> widths(rows[0].size());
    for (const auto& cells : rows)
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = cells[i].size() > widths[i] ? cells[i].size() : widths[i];
    std::string all = "launch: grid " + size(counts.grid) + ", block " + size(counts.block) + ", " +
                      std::to_string(counts.bytes_read) + " bytes read, " +
                      std::to_string(counts.bytes_written) + " written\n";
    if (counts.operations > 0)
        all += std::to_string(counts.operations) + " operations, " +
               rounded("%.3g", counts.intensity()) + " for each byte of the " +
               std::to_string(counts.sectors) + " sectors\n";
    for (const auto& cells : rows) all += row(cells, widths);
    if (counts.cut) all += "only the first rounds of long loops without barriers are counted\n";
    return all;
}

std::string json(const LaunchCounts& counts) {
    const auto list = [](dim3 d) {
        return "[" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) +
               "]";
    };
    std::string all = "{\"grid\": " + list(counts.grid) + ", \"block\": " + list(counts.block);
    const auto field = [&](const char* name, std::uint64_t value) {
        all += std::string(", \"") + name + "\": " + std::to_string(value);
    };
    field("bytes_read", counts.bytes_read);
    field("bytes_written", counts.bytes_written);
    field("sectors", counts.sectors);
    field("operations", counts.operations);
    all += std::string(", \"cut\": ") + (counts.cut ? "true" : "false") + ", \"lines\": [";
    for (const LineCounts& line : counts.lines) {
        all += (&line == &counts.lines[0] ? "" : ", ");
        all += "{\"place\": \"" + line.place + "\"";
        field("instructions", line.instructions);
        field("lanes", line.lanes);
        field("bytes_read", line.bytes_read);
        field("bytes_written", line.bytes_written);
        field("sectors", line.sectors);
        field("ideal_sectors", line.ideal_sectors);
        field("passes", line.passes);
        field("ideal_passes", line.ideal_passes);
        field("most_passes", line.most_passes);
        field("atomics", line.atomics);
        field("atomic_passes", line.atomic_passes);
        field("operations", line.operations);
        all += "}";
    }
    return all + "]}";
}

}  // namespace simt::check
