// A site is an instruction of a kernel that touches memory. Numbers of 31 bits take less room in the
// shadow than addresses.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "module.h"

namespace simt::check {

class Sites {
  public:
    std::uint32_t number(Address code) {
        Entry& entry = cache_[(code ^ code >> 9) % cached];
        if (entry.code != code) entry = {code, find(code)};
        return entry.number;
    }
    // "a.cu:12". `code` is where a call returns to, so the call itself lies just before.
    const std::string& place(std::uint32_t number) {
        Site& site = sites_[number];
        if (site.place.empty()) site.place = place_of(site.code - 1);
        return site.place;
    }
    // Notes that a thread comes by.
    void pass(std::uint32_t number, std::uint32_t epoch, unsigned thread) {
        sites_[number].epoch = epoch;
        sites_[number].thread = thread;
    }
    // Whether `thread`, the one that runs, has come by the line of `number` in this epoch.
    bool passed(std::uint32_t number, std::uint32_t epoch, unsigned thread) {
        const std::string line = place(number);
        for (std::uint32_t i = 0; i < sites_.size(); ++i)
            if (sites_[i].epoch == epoch && sites_[i].thread == thread && place(i) == line)
                return true;
        return false;
    }

  private:
    static constexpr std::size_t cached = 1024;
    struct Entry {
        Address code = 0;
        std::uint32_t number = 0;
    };
    struct Site {
        Address code;
        std::string place;
        std::uint32_t epoch = 0;  // of the last that came by
        unsigned thread = 0;
    };
    std::uint32_t find(Address code) {
        const auto [found, is_new] = numbers_.try_emplace(code, sites_.size());
        if (is_new) sites_.push_back({code, "", 0, 0});
        return found->second;
    }

    Entry cache_[cached];
    std::unordered_map<Address, std::uint32_t> numbers_;
    std::vector<Site> sites_;
};

}  // namespace simt::check
