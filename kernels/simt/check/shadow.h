// What the checks remember of each word of memory that kernels touch: who wrote it last, who read
// it since, and which bytes hold a value at all. Memory is seen in pages of 512 bytes, the unit of
// the emulator's allocations, so a page belongs to one owner. Read next: races.h, for what an
// access is compared with.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "module.h"

namespace simt::check {

// One access by one thread. Epochs count all barriers and blocks that ever were: accesses of
// different epochs within a block are ordered. 0: none.
struct Access {
    std::uint32_t epoch = 0;
    std::uint32_t code = 0;  // the number of the site (sites.h); the top bit: atomic
    std::uint32_t who = 0;   // the thread in 10 bits, above it its clock (clocks.h)

    static constexpr std::uint32_t atomic_bit = 1u << 31;
    bool atomic() const { return (code & atomic_bit) != 0; }
    std::uint32_t site() const { return code & ~atomic_bit; }
    unsigned thread() const { return who & 1023u; }
    unsigned warp() const { return thread() / 32; }
    std::uint32_t clock() const { return who >> 10; }
};

// `others` are reads and atomic operations since the last plain write. Two are enough to know
// whether someone other than a writer was there.
struct Cell {
    Access write, others[2];
};

enum class Owner : std::uint8_t {
    nobody,    // a gap, or released
    device,    // an allocation
    dynamic,   // the launch's dynamic shared memory
    statics,   // variables with static storage: __shared__ arrays, __device__ variables
    constant,  // a program's read-only data
    host,
};

struct Page {
    static constexpr Address bytes = 512;

    Address begin = 0;
    Owner owner = Owner::host;
    std::uint32_t shared_epoch = 0;  // in which block `written` began, if the memory is shared
    std::uint64_t written[8] = {};   // a bit for each byte
    Address valid_end = 0;           // of an allocation
    const Module* module = nullptr;  // of statics
    bool by_byte = false;            // cells of 1 byte instead of 4
    std::unique_ptr<Cell[]> cells;
    std::uint64_t shared[2] = {};              // of statics, a bit for each 4 bytes
    std::unique_ptr<const Symbol*[]> symbols;  // of statics, a kernel's for each 4 bytes, or null

    bool is_shared(Address at) const {
        if (owner == Owner::dynamic) return true;
        return owner == Owner::statics && (shared[(at - begin) / 256] >> (at / 4 % 64) & 1) != 0;
    }
    bool is_written(Address at, unsigned size) const {
        const Address first = at - begin, rest = first % 64;
        if (rest + size > 64) return are_written(at, size);
        const std::uint64_t mask = (size < 64 ? (std::uint64_t{1} << size) - 1 : ~std::uint64_t{0})
                                   << rest;
        return (written[first / 64] & mask) == mask;
    }
    bool are_written(Address at, unsigned size) const;
    bool is_written_in_part(Address at, unsigned size) const;  // something of each eight bytes
    void write(Address at, std::size_t size);
    // The cells of an access within this page; their number goes to `count`.
    Cell* cells_of(Address at, unsigned size, unsigned& count);
};

// All pages, made when first touched.
class Shadow {
  public:
    Page& page(Address at) {
        Entry& entry = cache_[at / Page::bytes % cached];
        if (entry.number != at / Page::bytes) entry = {at / Page::bytes, &find(at)};
        return *entry.page;
    }
    void allocated(Address begin, std::size_t size);
    void released(Address begin, std::size_t size);
    void written(Address begin, std::size_t size);
    void forget_accesses();

  private:
    static constexpr std::size_t cached = 1024;
    struct Entry {
        Address number = ~Address{0};
        Page* page = nullptr;
    };
    Page& find(Address at);
    void forget(Address begin, Address end);

    Entry cache_[cached];
    std::unordered_map<Address, std::unique_ptr<Page>> pages_;
};

}  // namespace simt::check
