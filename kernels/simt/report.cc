// The texts of errors that have to do with threads.
#include <cstdio>
#include <cstring>

#include "machine.h"

namespace simt {
namespace {

bool same_wait(const Wait& a, const Wait& b) {
    return same_place(a, b) && a.mask == b.mask && std::strcmp(a.operation, b.operation) == 0;
}

// Somebody waits at a barrier of the block where not all are.
std::string divided_barrier() {
    const Worker* first = nullptr;
    for (unsigned t = 0; first == nullptr; ++t)
        if (machine.parked[t]) first = machine.parked[t];
    const std::string here = std::string(first->wait.operation) + ": in block " + text(blockIdx) +
                             " thread " + text(first->index) + " waits at " + place(first->wait) +
                             ", but thread ";
    const std::string fix = "; all threads of a block must reach the same __syncthreads";
    for (unsigned t = 0; t < machine.threads; ++t) {
        const Worker* other = machine.parked[t];
        if (other == nullptr) return here + text(index_of(t)) + " has returned" + fix;
        if (!same_place(other->wait, first->wait))
            return here + text(other->index) + " waits at " + place(other->wait) + fix;
    }
    return here + "another calls a different barrier on this line" + fix;
}

// "threads (0, 0, 0) to (15, 0, 0) wait in __shfl_sync at a.cc:12 with mask 0xffffffff"
std::string waiting_text(unsigned first, unsigned last) {
    const Wait& wait = machine.parked[first]->wait;
    std::string result = first == last ? "thread " + text(index_of(first)) + " waits"
                                       : "threads " + text(index_of(first)) + " to " +
                                             text(index_of(last)) + " wait";
    result += std::string(" in ") + wait.operation + " at " + place(wait);
    if (wait.mask != 0) result += " with mask " + mask_text(wait.mask);
    return result;
}

// Neighbouring threads that wait for the same thing are one entry.
std::string deadlock() {
    constexpr int most_entries = 16;
    std::string result = "deadlock: in block " + text(blockIdx) + " no thread can go on";
    int entries = 0;
    unsigned waiting = 0;
    for (unsigned t = 0; t < machine.threads; ++t) {
        const Worker* first = machine.parked[t];
        if (first == nullptr) continue;
        unsigned last = t;
        while (last + 1 < machine.threads && machine.parked[last + 1] &&
               same_wait(machine.parked[last + 1]->wait, first->wait))
            ++last;
        waiting += last - t + 1;
        if (++entries <= most_entries) result += "; " + waiting_text(t, last);
        t = last;
    }
    if (entries > most_entries)
        result += "; and " + std::to_string(entries - most_entries) + " more such groups";
    const unsigned returned = machine.threads - waiting;
    if (returned > 0) result += "; " + std::to_string(returned) + " have returned";
    return result;
}

}  // namespace

std::string text(uint3 i) {
    return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) +
           ")";
}
std::string text(dim3 d) { return text(uint3{d.x, d.y, d.z}); }

std::string place(const Wait& wait) {
    const char* slash = std::strrchr(wait.file, '/');
    return (slash ? slash + 1 : wait.file) + (":" + std::to_string(wait.line));
}

std::string who(unsigned thread) {
    return "thread " + text(index_of(thread)) + " of block " + text(blockIdx);
}

std::string mask_text(unsigned mask) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "0x%08x", mask);
    return digits;
}

std::string stuck() {
    return machine.at_barrier == machine.unfinished ? divided_barrier() : deadlock();
}

}  // namespace simt
