// nvcc's output against the emulator: each launch of a kernel runs twice, as the emulator compiles
// it and as PTX, from the same memory, and all memory of the device must then be the same, bit for
// bit. The tests of kernels/cuda, run so, need not know of it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/simt/ptx/ptx.h"

namespace simt_test {

// A kernel as nvcc and g++ both name it: "copy_tiles<unsigned char>".
std::string kernel_name(const char* mangled);

struct Entry {
    const simt::ptx::Function* function = nullptr;
    // Whether it stores floats of that type as such. If so, any NaN equals any other.
    bool stores_float = false, stores_double = false;
    // By how many units in the last place its floats may differ: not 0 for what calls nvcc's
    // library of functions, which rounds as it likes, as does the C library here.
    double units = 0;
    // Bytes between the members of a struct that it stores: `begin` to `end` of each `size`, in
    // whatever allocation.
    struct Gap {
        std::size_t size = 0, begin = 0, end = 0;
        bool holds(std::size_t byte) const {
            return size > 0 && byte % size >= begin && byte % size < end;
        }
    } gap;
    int launches = 0;  // that were compared
};

// The kernels of all PTX, by name. A module lives as long as the program.
class Kernels {
  public:
    // What is wrong with the text, or "".
    std::string add(std::string_view text, std::string file);
    Entry* named(const std::string& name);  // null if there is none
    std::map<std::string, Entry>& all() { return entries_; }

  private:
    std::map<std::string, Entry> entries_;
    std::vector<simt::ptx::Module> modules_;
};

// From now on. Before anything is allocated, so that all live memory is known.
void watch_memory();

// Runs the launch as it is, then as `entry` from the same memory, and leaves what the first made of
// it. "" if both are the same; else where they differ, and how much.
// A launch that fails as it is, as some tests want it to, is not compared.
std::string difference(const simt::Launch& launch, Entry& entry, const std::string& name);

// The name of what a launch runs.
std::string launched_kernel(const simt::Launch& launch);

}  // namespace simt_test
