// Kernels with one planted bug each, compiled with the checks, and the lines where they have it.
#pragma once

#include <string>

#include "kernels/simt/host.h"

namespace planted {

// The lines of planted.cu that reports name, as "planted.cu:12".
std::string line(const char* mark);

struct Box {
    int* numbers;  // a pointer that launch() does not see
};

// Each launches its kernel. `a` has 64 ints, unless the kernel says otherwise.
void no_barrier(int* a);
void no_barrier_in_a_loop(int* a);
void tree_without_syncwarp(int* a);
void tree_with_syncwarp(int* a);
void shuffle_is_no_barrier(int* a);
void global_race(int* a);
void same_value(int* a);
void same_value_but_one(int* a);
void blocks_write(int* a);
void block_reads_another(int* a);
void atomic_and_plain(int* a);
enum class Fence { none, of_block, of_device };
void last_block_adds_up(int* a, Fence fence);
void outside_its_tile(int* a, int index);
void clears(int* a, int bytes);
void past_the_end(int* a, int threads);
void before_the_start(int* a);
void past_dynamic_shared(int* a, std::size_t bytes);
void index_outside(int* a, int index);
void through_a_box(int* a);
void misaligned(int* a);
void misaligned_float4(int* a);
void misaligned_store(int* a);
void reads_never_written(int* a);
void reads_unwritten_shared(int* a, int writers);
void copies(int* to, const int* from);
void adds_bytes(unsigned char* to, const unsigned char* from);
void divided_barrier(int* a);
void declares_all_shared(std::size_t dynamic);  // 48 KiB, and so many bytes
void declares_too_much_shared();                // one int more
void allows_shared(std::size_t dynamic);        // to the first
void wrong_mask(int* a);
void deadlock(int* a);
void many_races(int* a);

}  // namespace planted
