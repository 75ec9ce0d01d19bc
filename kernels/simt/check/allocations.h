// Which allocation of device memory an address belongs to, or lies next to, for the checks and for
// the words of their reports.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "module.h"

namespace simt::check {

struct Allocation {
    Address begin = 0;
    std::size_t bytes = 0;
    Address end() const { return begin + bytes; }
};

class Allocations {
  public:
    void add(Address begin, std::size_t bytes);
    void remove(Address begin);

    const Allocation* holding(Address at) const;
    // The allocation that an address most likely was meant for: the one that holds it, else the
    // nearest within 64 KiB. Null if there is none.
    const Allocation* near(Address at) const;
    // The latest of those released whose memory nobody has since. Null if there is none.
    const Allocation* released_at(Address at) const;

  private:
    std::map<Address, Allocation> live_, released_;
};

}  // namespace simt::check
