// What the checks remember of each word of memory that kernels touch: who wrote it last, who read it
// since, and which bytes hold a value at all. Memory is seen in pages of 512 bytes, the unit of the
// emulator's allocations, so a page belongs to one owner.
// Read next: races.h, for what an access is compared with.
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
    std::uint32_t site : 31 = 0;   // where in the code, see sites.h
    std::uint32_t atomic : 1 = 0;
    std::uint32_t thread : 10 = 0;
    std::uint32_t clock : 22 = 0;  // which of the thread's steps between two __syncwarp
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
    std::uint32_t shared_epoch = 0;     // in which block `written` began, if the memory is shared
    std::uint64_t written[8] = {};      // a bit for each byte
    Address valid_end = 0;              // of an allocation
    const Module* module = nullptr;     // of statics
    bool by_byte = false;               // cells of 1 byte instead of 4
    std::unique_ptr<Cell[]> cells;
    std::unique_ptr<const Symbol*[]> symbols;  // of statics, one for each 4 bytes

    bool is_written(Address at, unsigned size) const;
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
