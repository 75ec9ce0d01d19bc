// Device memory: one large range of addresses, reserved once, of which pages take memory when they
// are first touched. Allocation is first fit. Holes and live allocations are kept in two ordered
// maps outside the range itself, so a kernel that writes out of bounds cannot harm them.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>

#include "host.h"
#include "observer.h"
#include "sanitizer.h"

namespace simt {
namespace {

using Address = std::uintptr_t;

constexpr std::size_t unit = 512;  // of alignment, and the least gap behind an allocation

struct Arena {
    std::mutex mutex;
    Address begin = 0, end = 0;
    std::map<Address, std::size_t> live;   // start -> bytes asked for
    std::map<Address, std::size_t> holes;  // start -> bytes; no two holes touch
};

std::size_t machine_bytes() {
    return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// As much as the machine has memory, or what its limits allow.
Arena* reserve() {
    auto* arena = new Arena;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    for (std::size_t bytes = machine_bytes() / unit * unit; bytes >= unit; bytes = bytes / 2) {
        bytes = bytes / unit * unit;
        void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (memory == MAP_FAILED) continue;
        arena->begin = reinterpret_cast<Address>(memory);
        arena->end = arena->begin + bytes;
        arena->holes[arena->begin] = bytes;
        break;
    }
    return arena;
}

// Reserved at first use, and never given back: tensors may outlive every static.
Arena& arena() {
    static Arena& only = *reserve();
    return only;
}

Address address_of(const void* pointer) { return reinterpret_cast<Address>(pointer); }

// What an allocation of `bytes` takes, its gap included.
std::size_t taken(std::size_t bytes) { return (bytes + unit - 1) / unit * unit + unit; }

bool in_arena(const void* pointer) {
    const Address address = address_of(pointer);
    return address >= arena().begin && address < arena().end;
}

void add_hole(Address start, std::size_t bytes) {
    auto& holes = arena().holes;
    auto next = holes.lower_bound(start);
    if (next != holes.end() && next->first == start + bytes) {
        bytes += next->second;
        next = holes.erase(next);
    }
    if (next != holes.begin()) {
        auto before = std::prev(next);
        if (before->first + before->second == start) {
            before->second += bytes;
            return;
        }
    }
    holes[start] = bytes;
}

}  // namespace

void* allocate(std::size_t bytes) {
    Arena& a = arena();
    const std::lock_guard lock(a.mutex);
    if (bytes > a.end - a.begin) return nullptr;
    for (auto hole = a.holes.begin(); hole != a.holes.end(); ++hole) {
        const auto [start, free_bytes] = *hole;
        if (free_bytes < taken(bytes)) continue;
        a.holes.erase(hole);
        if (free_bytes > taken(bytes)) a.holes[start + taken(bytes)] = free_bytes - taken(bytes);
        a.live[start] = bytes;
        void* memory = reinterpret_cast<void*>(start);
        poison(memory, taken(bytes));
        unpoison(memory, bytes);
        if (observer) observer->allocated(memory, bytes);
        return memory;
    }
    return nullptr;
}

std::size_t total_memory() { return arena().end - arena().begin; }

std::size_t free_memory() {
    Arena& a = arena();
    const std::lock_guard lock(a.mutex);
    std::size_t bytes = 0;
    for (const auto& [start, size] : a.holes) bytes += size;
    return bytes;
}

void release(void* pointer) {
    if (pointer == nullptr) return;
    Arena& a = arena();
    const std::lock_guard lock(a.mutex);
    const auto found = a.live.find(address_of(pointer));
    if (found == a.live.end()) {
        return set_error(in_arena(pointer) ? "release: this is not the start of a live allocation"
                                           : "release: this is host memory");
    }
    const std::size_t bytes = taken(found->second);
    poison(pointer, bytes);
    if (observer) observer->released(pointer, found->second);
    a.live.erase(found);
    add_hole(address_of(pointer), bytes);
}

std::string device_memory_fault(const void* pointer, std::size_t bytes) {
    if (!in_arena(pointer)) return "host memory";
    Arena& a = arena();
    const std::lock_guard lock(a.mutex);
    auto next = a.live.upper_bound(address_of(pointer));
    if (next == a.live.begin()) return "released memory";
    const auto [start, size] = *std::prev(next);
    const std::size_t offset = address_of(pointer) - start;
    if (offset >= taken(size)) return "released memory";
    if (offset <= size && bytes <= size - offset) return "";
    return std::to_string(offset + bytes - size) + " bytes past the end of an allocation of " +
           std::to_string(size);
}

std::span<std::byte> allocation_at(const void* pointer) {
    Arena& a = arena();
    const std::lock_guard lock(a.mutex);
    auto next = a.live.upper_bound(address_of(pointer));
    if (next == a.live.begin()) return {};
    const auto [start, size] = *std::prev(next);
    if (address_of(pointer) - start >= size) return {};
    return {reinterpret_cast<std::byte*>(start), size};
}

void copy_to_device(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    const std::string what = "copy_to_device: " + std::to_string(bytes) + " bytes, but ";
    if (std::string fault = device_memory_fault(to, bytes); !fault.empty())
        return set_error(what + "the destination is " + fault);
    if (in_arena(from)) return set_error(what + "the source is device memory");
    std::memcpy(to, from, bytes);
    if (observer) observer->copied_to_device(to, bytes);
}

void copy_to_host(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    const std::string what = "copy_to_host: " + std::to_string(bytes) + " bytes, but ";
    if (std::string fault = device_memory_fault(from, bytes); !fault.empty())
        return set_error(what + "the source is " + fault);
    if (in_arena(to)) return set_error(what + "the destination is device memory");
    std::memcpy(to, from, bytes);
}

// Whether `bytes` at `offset` of a symbol are its own.
static bool within(const char* operation, std::size_t symbol_bytes, std::size_t bytes,
                   std::size_t offset) {
    if (offset <= symbol_bytes && bytes <= symbol_bytes - offset) return true;
    set_error(std::string(operation) + ": " + std::to_string(bytes) + " bytes at offset " +
              std::to_string(offset) + ", but the symbol has " + std::to_string(symbol_bytes));
    return false;
}

void copy_to_symbol(void* symbol, std::size_t symbol_bytes, const void* from, std::size_t bytes,
                    std::size_t offset) {
    if (bytes == 0 || !within("copy_to_symbol", symbol_bytes, bytes, offset)) return;
    char* to = static_cast<char*>(symbol) + offset;
    std::memcpy(to, from, bytes);
    if (observer) observer->copied_to_device(to, bytes);
}

void copy_from_symbol(void* to, const void* symbol, std::size_t symbol_bytes, std::size_t bytes,
                      std::size_t offset) {
    if (bytes == 0 || !within("copy_from_symbol", symbol_bytes, bytes, offset)) return;
    std::memcpy(to, static_cast<const char*>(symbol) + offset, bytes);
}

}  // namespace simt
