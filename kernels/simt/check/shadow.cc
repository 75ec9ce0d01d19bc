#include "shadow.h"

#include <algorithm>

#include "state.h"

namespace simt::check {
namespace {

constexpr Address word = 4;

// Bits [from, to) of a row of 64.
std::uint64_t bits(Address from, Address to) {
    const std::uint64_t below = to == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << to) - 1;
    return below & ~((std::uint64_t{1} << from) - 1);
}

// Calls body(row, mask) for each row of 64 bits that bits [at, at + size) of a page touch.
template <class Body>
void for_rows(Address at, std::size_t size, const Body& body) {
    for (const Address end = at + size; at < end;) {
        const Address stop = std::min(end, at / 64 * 64 + 64);
        body(at / 64, bits(at % 64, stop - at / 64 * 64));
        at = stop;
    }
}

}  // namespace

bool Page::are_written(Address at, unsigned size) const {
    bool all = true;
    for_rows(at - begin, size,
             [&](Address row, std::uint64_t mask) { all &= (written[row] & mask) == mask; });
    return all;
}

bool Page::is_written_in_part(Address at, unsigned size) const {
    for (Address from = at - begin; from < at - begin + size; from = (from | 7) + 1) {
        const Address byte = from & ~Address{7};
        if ((written[byte / 64] >> byte % 64 & 255) == 0) return false;
    }
    return true;
}

void Page::write(Address at, std::size_t size) {
    for_rows(at - begin, size, [&](Address row, std::uint64_t mask) { written[row] |= mask; });
}

Cell* Page::cells_of(Address at, unsigned size, unsigned& count) {
    const Address offset = at - begin;
    if (!cells) cells = std::make_unique<Cell[]>(bytes / word);
    if (!by_byte && (offset % word != 0 || size % word != 0)) {
        auto fine = std::make_unique<Cell[]>(bytes);
        for (Address i = 0; i < bytes; ++i) fine[i] = cells[i / word];
        cells = std::move(fine);
        by_byte = true;
    }
    count = static_cast<unsigned>(by_byte ? size : size / word);
    return &cells[by_byte ? offset : offset / word];
}

Page& Shadow::find(Address at) {
    std::unique_ptr<Page>& page = pages_[at / Page::bytes];
    if (page) return *page;
    page = std::make_unique<Page>();
    page->begin = at / Page::bytes * Page::bytes;
    if (in_device_memory(at)) {
        const Allocation* allocation = state.allocations.near(at);
        const bool inside =
            allocation && at >= allocation->begin &&
            page->begin < allocation->begin + std::max<Address>(allocation->bytes, 1);
        page->owner = inside ? Owner::device : Owner::nobody;
        page->valid_end = inside ? allocation->end() : page->begin;
    } else if (state.near_dynamic(at)) {
        page->owner = Owner::dynamic;
    } else if (const Module* module = module_of(at)) {
        page->module = module;
        page->owner = module->segment(at)->writable ? Owner::statics : Owner::constant;
        page->symbols = std::make_unique<const Symbol*[]>(Page::bytes / word);
        for (Address i = 0; i < Page::bytes / word; ++i) {
            const Address first = page->begin + i * word;
            const auto kernels = [&](Address byte) {
                const Symbol* symbol = module->symbol(byte);
                return symbol && is_kernels(symbol->name) ? symbol : nullptr;
            };
            page->symbols[i] = kernels(first);
            // Small variables may share a word.
            for (Address byte = first; byte < first + word; ++byte) {
                const Symbol* symbol = kernels(byte);
                if (symbol != page->symbols[i]) page->symbols[i] = nullptr;
                if (symbol && is_local_static(symbol->name))
                    page->shared[i / 64] |= std::uint64_t{1} << (i % 64);
            }
        }
    }
    return *page;
}

void Shadow::forget(Address begin, Address end) {
    for (Address number = begin / Page::bytes; number * Page::bytes < end; ++number) {
        Entry& entry = cache_[number % cached];
        if (entry.number == number) entry = {};
        pages_.erase(number);
    }
}

void Shadow::allocated(Address begin, std::size_t size) { forget(begin, begin + size + 1); }

void Shadow::released(Address begin, std::size_t size) { forget(begin, begin + size + 1); }

void Shadow::written(Address begin, std::size_t size) {
    for (const Address end = begin + size; begin < end;) {
        Page& page = this->page(begin);
        const Address stop = std::min(end, page.begin + Page::bytes);
        page.write(begin, stop - begin);
        begin = stop;
    }
}

void Shadow::forget_accesses() {
    for (auto& [number, page] : pages_) {
        page->cells.reset();
        page->by_byte = false;
    }
}

}  // namespace simt::check
