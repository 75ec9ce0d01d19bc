// What the checks found in a launch. Each pair of lines is reported once.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "check.h"
#include "sites.h"

namespace simt::check {

enum class Kind { race, block_race, same_value, uninitialised };

// The most reports that the error of one launch quotes; the others are counted.
constexpr std::size_t most_quoted = 8;

class Reports {
  public:
    void launch_begins();
    // False if this launch has such a report of these two lines.
    bool is_new(Kind kind, std::uint32_t site, std::uint32_t other, Sites& sites);
    void add(std::string text, bool note = false) { found_.push_back({std::move(text), note}); }
    // The errors so far, a line each; empty if there are none but notes.
    std::string errors() const;
    const std::vector<Report>& found() const { return found_; }

  private:
    std::set<std::tuple<Kind, std::uint32_t, std::uint32_t>> sites_;
    std::set<std::tuple<Kind, std::string, std::string>> lines_;
    std::vector<Report> found_;
};

}  // namespace simt::check
