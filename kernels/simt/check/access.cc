// The checks of one access. Faults (nothing lives at the address) end the launch before they
// happen; races and uninitialised reads are written down, and the kernel goes on.
#include "access.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "../machine.h"
#include "../watchdog.h"
#include "state.h"

namespace simt::check {
namespace {

std::string who(unsigned thread) {
    return thread_text(thread) + " of " + block_text(current_block());
}

struct Call {
    Address at;
    unsigned size;
    Way way;
    Address code;

    std::string text() const {
        return who(state.thread) + " " + verb(way) + " " + bytes_text(size);
    }
    std::string place() const { return state.sites.place(state.sites.number(code)); }
};

[[noreturn]] void fault(std::string text) {
    state.reports.add(std::move(text));
    end_launch(state.reports.errors());
}

// ---- addresses --------------------------------------------------------------------------------
std::string before_or_behind(const Call& c, const Allocation& a, const std::string& name) {
    const std::string size = bytes_text(a.bytes) + " long";
    const std::string which = name + ", which is " + size;
    if (c.at < a.begin) return bytes_text(a.begin - c.at) + " before the start of " + which;
    if (c.at == a.end()) return "just behind the end of " + which;
    if (c.at > a.end()) return bytes_text(c.at - a.end()) + " behind the end of " + which;
    return "across the end of " + which;
}

[[noreturn]] void outside_allocations(const Call& c) {
    if (const Allocation* gone = state.allocations.released_at(c.at))
        fault("use after release: " + c.text() + " at " + c.place() + " in " +
              allocation_text(*gone) + " of " + bytes_text(gone->bytes) +
              " that was released; release memory after the last launch that uses it");
    const Allocation* meant = state.allocations.near(c.at);
    if (!meant)
        fault("out of bounds: " + c.text() + " at " + c.place() +
              " of device memory that belongs to no allocation");
    fault("out of bounds: " + c.text() + " at " + c.place() + ", " +
          before_or_behind(c, *meant, allocation_text(*meant)) +
          "; compare the index with the size before using it");
}

[[noreturn]] void outside_dynamic(const Call& c) {
    const Address bytes = state.dynamic_end - state.dynamic_begin;
    const Address from = c.at - state.dynamic_begin;
    fault("out of bounds: " + c.text() + " at " + c.place() + ", bytes " + std::to_string(from) +
          " to " + std::to_string(from + c.size - 1) +
          " of dynamic shared memory, but the launch "
          "gave " +
          bytes_text(bytes) + "; pass more, or compare the index with the size");
}

[[noreturn]] void host_memory(const Call& c) {
    if (c.at < 4096)
        fault("null pointer: " + c.text() + " at " + c.place() + " through a null pointer");
    fault("host memory: " + c.text() + " at " + c.place() +
          " of the host's memory, which a GPU cannot reach; allocate device memory and copy there, "
          "or "
          "if the pointer is right, look at the index");
}

// The emulator and the standard library keep to host memory. They are compiled without checks, but
// the linker may have given them the kernels' copy of an inline function.
bool is_library_code(const Call& c) {
    const Module* module = module_of(c.code - 1);
    const Symbol* symbol = module ? module->symbol(c.code - 1) : nullptr;
    if (symbol == nullptr) return false;
    for (const char* begin : {"_ZSt", "_ZNSt", "_ZNKSt", "_ZN9__gnu_cxx", "_ZNK9__gnu_cxx"})
        if (symbol->name.rfind(begin, 0) == 0) return true;
    return symbol->name.find("4simt") != std::string::npos;
}

[[noreturn]] void outside_statics(const Call& c, const Symbol* meant) {
    if (meant == nullptr) host_memory(c);
    const Allocation its = {meant->begin, meant->end - meant->begin};
    fault("out of bounds: " + c.text() + " at " + c.place() + ", " +
          before_or_behind(c, its, short_name(meant->name)) + "; compare the index with the size");
}

// A kernel may touch its own variables, each up to its end. What else lies there is the emulator's,
// the standard library's and gaps. False if these touch what is theirs.
bool check_statics(const Page& page, const Call& c) {
    const Symbol* symbol = page.symbols[(c.at - page.begin) / 4];
    if (symbol != nullptr && c.at + c.size <= symbol->end) return true;
    if (!page.module->has_symbols()) return true;
    if (symbol == nullptr) {
        symbol = page.module->symbol(c.at);
        if (symbol != nullptr && is_kernels(symbol->name) && c.at + c.size <= symbol->end)
            return true;
        const Module* module = module_of(c.code - 1);
        if (is_library_code(c) || (module && module->is_of_the_system(c.code - 1))) return false;
        outside_statics(c, page.module->variable_near(c.at));
    }
    outside_statics(c, symbol);
}

// threadIdx and its kin are registers of a GPU: to read them is no access to memory.
bool is_register(Address at) {
    for (const void* variable :
         {static_cast<const void*>(&threadIdx), static_cast<const void*>(&blockIdx),
          static_cast<const void*>(&blockDim), static_cast<const void*>(&gridDim)})
        if (at - reinterpret_cast<Address>(variable) < sizeof(uint3)) return true;
    return false;
}

// True if the checks of values follow.
bool lives(Page& page, const Call& c) {
    switch (page.owner) {
        case Owner::device:
            if (c.at < page.begin || c.at + c.size > page.valid_end) outside_allocations(c);
            return true;
        case Owner::nobody:
            outside_allocations(c);
        case Owner::dynamic:
            if (c.at + c.size > state.dynamic_end) outside_dynamic(c);
            return true;
        case Owner::statics:
            if (c.way == Way::read && is_register(c.at)) return false;
            return check_statics(page, c);
        case Owner::constant:
            if (c.way == Way::read) return false;
            outside_statics(c, page.module->variable_near(c.at));
        case Owner::host:
            if (is_library_code(c)) return false;
            if (const Allocation* next = state.allocations.near(c.at); next && next->begin > c.at)
                outside_allocations(c);
            host_memory(c);
    }
    return false;
}

// ---- values -----------------------------------------------------------------------------------
// Shared memory holds nothing at the start of a block; device variables hold their initial value.
void check_written(Page& page, const Call& c, bool shared, std::uint32_t site) {
    if (page.owner == Owner::statics && !shared) return;
    if (shared && page.shared_epoch != state.block_epoch) {
        std::fill(std::begin(page.written), std::end(page.written), 0);
        page.shared_epoch = state.block_epoch;
    }
    // Between the members of a struct, which is read whole, lie bytes that nobody writes.
    const bool may_have_gaps = c.size >= 8;
    if (c.way != Way::write && !page.is_written(c.at, c.size) &&
        !(may_have_gaps && page.is_written_in_part(c.at, c.size)) &&
        state.reports.is_new(Kind::uninitialised, site, site, state.sites))
        state.reports.add(
            "uninitialised: " + who(state.thread) + " " + verb(c.way) + " " +
            variable_text(c.at, c.size) + " at " + c.place() + ", " +
            (shared ? "which no thread of its block has written; write it first, with "
                      "__syncthreads() between"
                    : "which no copy and no kernel has written; copy to it or write it first"));
    if (c.way != Way::read) page.write(c.at, c.size);
}

void check_page(Page& page, const Call& c, bool shared, std::uint32_t site) {
    check_written(page, c, shared, site);
    const Access now = {state.epoch, site | (c.way == Way::atomic ? Access::atomic_bit : 0),
                        state.who};
    unsigned count = 0;
    Cell* cells = page.cells_of(c.at, c.size, count);
    for (unsigned i = 0; i < count; ++i)
        if (Met met; meet(cells[i], now, c.way, shared, met))
            report_race(met, now, c.way, {c.at, c.size, shared});
}

}  // namespace

void access(Address at, unsigned size, Way way, bool aligned, Address code) {
    const Inside inside;
    // Before the watchdog's signal comes, which must not leave this code halfway.
    if (launch_is_overdue())
        end_launch(
            overdue_text() + "; " +
            running_text(state.thread, " at " + state.sites.place(state.sites.number(code))));
    if (state.pending.place.size != 0) settle_pending();
    const Call whole = {at, size, way, code};
    Page* page = &state.shadow.page(at);
    if (aligned && (at & (size - 1)) != 0 && page->owner != Owner::host)
        fault("misaligned: " + whole.text() + " at " + whole.place() + ", " +
              variable_text(at, size) + "; the address of such an access must be a multiple of " +
              std::to_string(size));
    const std::uint32_t site = state.sites.number(code);
    state.sites.pass(site, state.epoch, state.thread);
    bool counted = false, shared = false;
    while (size > 0) {
        const auto here =
            static_cast<unsigned>(std::min<Address>(size, page->begin + Page::bytes - at));
        const Call c = {at, here, way, code};
        shared = page->is_shared(at);
        counted = lives(*page, c);
        if (counted) check_page(*page, c, shared, site);
        at += here;
        size -= here;
        if (size > 0) page = &state.shadow.page(at);
    }
    if (counted && state.counters.on)
        state.counters.touch(whole.at, whole.size, way, shared, site, state.thread);
}

void outside_array(const char* type, long long index, const char* file, unsigned line) {
    const Inside inside;
    const char* slash = std::strrchr(file, '/');
    fault("out of bounds: " + who(state.thread) + " uses index " + std::to_string(index) +
          " of an array " + type + " at " + (slash ? slash + 1 : file) + ":" +
          std::to_string(line) + "; compare the index with the size");
}

void misaligned(Address at, std::string type, unsigned alignment, Address code) {
    const Inside inside;
    if (state.shadow.page(at).owner == Owner::host) return;
    type = type.substr(1, type.size() - 2);  // without the compiler's quotes
    for (const char* word : {"const ", "volatile ", "struct ", "union "})
        if (type.rfind(word, 0) == 0) type.erase(0, std::strlen(word));
    fault("misaligned: " + who(state.thread) + " uses " + variable_text(at, alignment) +
          " as a value of type " + type + " at " + state.sites.place(state.sites.number(code)) +
          "; the address of one must be a multiple of " + std::to_string(alignment));
}

}  // namespace simt::check
