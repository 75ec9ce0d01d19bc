// The words of reports: threads, blocks, memory and lines as a learner knows them.
#include <string>

#include "state.h"

namespace simt::check {
namespace {

std::string triple(std::uint64_t i, dim3 dims) {
    return "(" + std::to_string(i % dims.x) + ", " + std::to_string(i / dims.x % dims.y) + ", " +
           std::to_string(i / dims.x / dims.y) + ")";
}

// " (bytes 4 to 7 of 256)"
std::string range(Address offset, unsigned size, std::size_t of) {
    const std::string first = std::to_string(offset);
    const std::string bytes =
        size == 1 ? "byte " + first : "bytes " + first + " to " + std::to_string(offset + size - 1);
    return " (" + bytes + " of " + std::to_string(of) + ")";
}

}  // namespace

std::string thread_text(unsigned thread) { return "thread " + triple(thread, state.launch->block); }

std::string block_text(std::uint64_t block) { return "block " + triple(block, state.launch->grid); }

std::string bytes_text(std::size_t bytes) {
    return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

std::string allocation_text(const Allocation& a) {
    for (std::size_t i = 0; i < state.launch->arguments.size(); ++i) {
        const auto pointer = reinterpret_cast<Address>(state.launch->arguments[i].pointer());
        if (pointer >= a.begin && (pointer < a.end() || pointer == a.begin))
            return "argument " + std::to_string(i);
    }
    return "an allocation";
}

const char* verb(Way way) {
    return way == Way::read ? "reads" : way == Way::write ? "writes" : "changes";
}

Variable variable_at(Address at) {
    if (const Allocation* a = state.allocations.holding(at))
        return {allocation_text(*a), a->begin, a->bytes};
    if (state.near_dynamic(at))
        return {"dynamic shared memory", state.dynamic_begin,
                state.dynamic_end - state.dynamic_begin};
    const Module* module = module_of(at);
    if (const Symbol* symbol = module ? module->symbol(at) : nullptr)
        return {short_name(symbol->name), symbol->begin, symbol->end - symbol->begin};
    return {"memory", 0, 0};
}

std::string variable_text(Address at, unsigned size) {
    const Variable v = variable_at(at);
    return v.bytes == 0 ? v.name : v.name + range(at - v.begin, size, v.bytes);
}

std::string place_text(const Access& access) { return state.sites.place(access.site()); }

}  // namespace simt::check
