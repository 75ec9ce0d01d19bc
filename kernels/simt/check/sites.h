// A site is an instruction of a kernel that touches memory. Numbers of 31 bits take less room in
// the shadow than addresses.
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
    // Notes that a thread comes by, if it is the first in this epoch.
    void pass(std::uint32_t number, std::uint32_t epoch, unsigned thread) {
        Site& site = sites_[number];
        if (site.epoch != epoch) {
            site.epoch_before = site.epoch;
            site.epoch = epoch;
            site.thread = thread;
            site.turn = ++turns_;
        }
    }
    // Which of two sites comes first in the program, as the first thread of this epoch ran it:
    // negative for a, positive for b, 0 if no thread was the first at both.
    int order(std::uint32_t a, std::uint32_t b) const {
        const Site &first = sites_[a], &second = sites_[b];
        if (first.epoch != second.epoch || first.thread != second.thread) return 0;
        return first.turn < second.turn ? -1 : 1;
    }
    // Does a's instruction lie behind b's? Mostly so do their lines, and where two calls of one
    // function were inlined they tell those apart.
    bool behind(std::uint32_t a, std::uint32_t b) const { return sites_[a].code > sites_[b].code; }

    bool passed(std::uint32_t number, std::uint32_t epoch) const {
        const Site& site = sites_[number];
        return site.epoch == epoch || site.epoch_before == epoch;
    }

  private:
    static constexpr std::size_t cached = 1024;
    struct Entry {
        Address code = 0;
        std::uint32_t number = 0;
    };
    struct Site {
        Address code = 0;
        std::string place = {};
        std::uint32_t epoch_before = 0, epoch = 0;  // the last two in which a thread came by,
        unsigned thread = 0;                        // the first that did,
        std::uint64_t turn = 0;                     // and when
    };
    std::uint32_t find(Address code) {
        const auto [found, is_new] = numbers_.try_emplace(code, sites_.size());
        if (is_new) sites_.push_back({.code = code});
        return found->second;
    }

    Entry cache_[cached];
    std::unordered_map<Address, std::uint32_t> numbers_;
    std::vector<Site> sites_;
    std::uint64_t turns_ = 0;
};

}  // namespace simt::check
