// Every kind of report, with its exact text.
#include "tests/kernels/simt/check/planted.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/simt/check/check.h"
#include "kernels/simt/host.h"
#include "tests/kernels/simt/device.h"

namespace {

using planted::line;
using simt_test::Device;
using simt_test::error;

// Texts are those of the forward schedule, whatever schedule the run is for.
struct Forward {
    Forward() { simt::set_schedule(simt::Schedule::forward); }
    ~Forward() { simt::set_schedule(simt::Schedule::forward); }
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool launches_still_work() {
    Device<int> a(64);
    planted::tree_with_syncwarp(a.data);
    return error().empty();
}

}  // namespace

TEST_CASE_FIXTURE(Forward, "a missing barrier is a race that names both lines, threads, variable") {
    Device<int> a(64);
    planted::no_barrier(a.data);
    const std::string found = error();
    CHECK(first_line(found) ==
          "race in shared memory: in block (0, 0, 0) thread (31, 0, 0) reads copy (bytes 128 to "
          "131 of 256) at " +
              line("take") + " and thread (32, 0, 0) writes it at " + line("fill") +
              ", with no barrier between; put __syncthreads() between " + line("fill") + " and " +
              line("take"));
    CHECK(simt::check::reports().size() == 2);  // one a pair of lines, for 64 threads
}

TEST_CASE_FIXTURE(Forward, "a barrier missing at the end of a loop is put there") {
    Device<int> a(64);
    planted::no_barrier_in_a_loop(a.data);
    CHECK(error() ==
          "race in shared memory: in block (0, 0, 0) thread (0, 0, 0) reads ring (bytes 4 to 7 of "
          "256) at " +
              line("read ring") + " and thread (1, 0, 0) writes it at " + line("write ring") +
              ", with no barrier between; put __syncthreads(), or within a warp __syncwarp(), "
              "between " +
              line("write ring") + " and " + line("read ring") + " of the next round");
}

TEST_CASE_FIXTURE(Forward, "within a warp __syncwarp orders, a shuffle or luck does not") {
    Device<int> a(64);
    planted::tree_with_syncwarp(a.data);
    CHECK(error() == "");
    planted::tree_without_syncwarp(a.data);
    CHECK(error() ==
          "race in shared memory: in block (0, 0, 0) thread (0, 0, 0) reads partial (bytes 4 to 7 "
          "of 128) at " +
              line("add half") + " and thread (1, 0, 0) writes it at " + line("add half") +
              ", with no barrier between; give each thread its own place, use an atomic "
              "operation, or put __syncthreads(), or within a warp __syncwarp(), between one run "
              "of this line and the next");
    planted::shuffle_is_no_barrier(a.data);
    CHECK(error() ==
          "race in shared memory: in block (0, 0, 0) thread (30, 0, 0) writes copy (bytes 120 to "
          "123 of 128) at " +
              line("before shuffle") + " and thread (31, 0, 0) reads it at " +
              line("after shuffle") +
              ", with no barrier between; put __syncthreads(), or within a warp __syncwarp(), "
              "between " +
              line("before shuffle") + " and " + line("after shuffle"));
}

TEST_CASE_FIXTURE(Forward, "a race in global memory names the argument") {
    Device<int> a(64);
    planted::global_race(a.data);
    CHECK(first_line(error()) ==
          "race in global memory: in block (0, 0, 0) thread (0, 0, 0) reads argument 0 (bytes 4 to "
          "7 of 256) at " +
              line("neighbours") + " and thread (1, 0, 0) writes it at " + line("neighbours") +
              ", with no barrier between; give each thread its own place, use an atomic "
              "operation, or put __syncthreads(), or within a warp __syncwarp(), between one run "
              "of this line and the next");
}

TEST_CASE_FIXTURE(Forward, "threads that write the same value are a note, until one differs") {
    Device<int> a(64);
    planted::same_value(a.data);
    CHECK(error() == "");
    const auto notes = simt::check::reports();
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].note);
    CHECK(notes[0].text ==
          "same-value race in global memory: in block (0, 0, 0) thread (0, 0, 0) writes argument 0 "
          "(bytes 0 to 3 of 256) at " +
              line("all write") + " and thread (1, 0, 0) writes it at " + line("all write") +
              ", with no barrier between; both write the same value, so the result does not "
              "depend on their order; one thread would do");
    planted::same_value_but_one(a.data);
    CHECK(error().find("thread (4, 0, 0) writes argument 0 (bytes 0 to 3 of 256)") !=
          std::string::npos);
}

TEST_CASE_FIXTURE(Forward, "a race between blocks says that no barrier can help") {
    const std::string advice =
        "; blocks run in any order, and __syncthreads() does not order them: use an atomic "
        "operation, give each block its own place, or use two launches";
    Device<int> a(64);
    planted::blocks_write(a.data);
    CHECK(error() ==
          "race between blocks: thread (0, 0, 0) of block (0, 0, 0) writes argument 0 (bytes 0 to "
          "3 of 256) at " +
              line("write block") + " and thread (0, 0, 0) of block (1, 0, 0) writes it at " +
              line("write block") + advice);
    planted::block_reads_another(a.data);
    CHECK(error() ==
          "race between blocks: thread (0, 0, 0) of block (0, 0, 0) reads argument 0 (bytes 32 to "
          "35 of 256) at " +
              line("receive") + " and thread (0, 0, 0) of block (1, 0, 0) writes it at " +
              line("pass on") + advice);
}

TEST_CASE_FIXTURE(Forward, "a plain read races with an atomic operation; atomic ones do not race") {
    Device<int> a(64);
    planted::atomic_and_plain(a.data);
    CHECK(error() ==
          "race in global memory: in block (0, 0, 0) thread (0, 0, 0) changes argument 0 (bytes 0 "
          "to 3 of 256) at " +
              line("atomic") + " and thread (40, 0, 0) reads it at " + line("plain") +
              ", with no barrier between; make both atomic operations (atomicAdd(p, 0) reads), or "
              "put "
              "__syncthreads() between " +
              line("atomic") + " and " + line("plain"));
}

TEST_CASE_FIXTURE(Forward, "a fence and an atomic ticket pass a block's results on") {
    Device<int> a(64), b(64);
    planted::last_block_adds_up(a.data, planted::Fence::of_device);
    CHECK(error() == "");
    CHECK(a.host()[0] == 4);
    for (const auto fence : {planted::Fence::none, planted::Fence::of_block}) {
        planted::last_block_adds_up(b.data, fence);
        const std::string found = error();
        CHECK(found.find("writes argument 0 (bytes 0 to 3 of 256) at " + line("part") +
                         " and thread (0, 0, 0) of block (3, 0, 0) reads it at " + line("total")) !=
              std::string::npos);
        CHECK(found.find("needs __threadfence() before that operation") != std::string::npos);
    }
}

TEST_CASE_FIXTURE(Forward,
                  "a pointer into an array of the kernel's own ends where the array does") {
    Device<int> a(64);
    for (const int index : {0, 127}) {
        planted::outside_its_tile(a.data, index);
        CHECK(error() == "");
    }
    const std::string before =
        "out of bounds: thread (0, 0, 0) of block (0, 0, 0) writes 4 bytes at " + line("put");
    const std::string of = ", which is 512 bytes long; compare the index with the size";
    const std::pair<int, std::string> tiles[] = {
        {128, ", just behind the end of tile"},
        {-1, ", 4 bytes before the start of tile"},
        {160, ", 128 bytes behind the end of tile"},
    };
    for (const auto& [index, where] : tiles) {
        planted::outside_its_tile(a.data, index);
        CHECK(error() == before + where + of);
    }
    CHECK(launches_still_work());
}

TEST_CASE_FIXTURE(Forward, "memset is a write of all its bytes") {
    Device<int> a(64);
    planted::clears(a.data, 128);
    CHECK(error() == "");
    planted::clears(a.data, 64);
    CHECK(error().find("reads copy (bytes 64 to 67 of 128) at " + line("take cleared")) !=
          std::string::npos);
    planted::clears(a.data, 132);
    const std::string found = error();
    CHECK(found.find(" at " + line("cleared")) != std::string::npos);
    CHECK(found.find("the end of copy, which is 128 bytes long") != std::string::npos);
}

TEST_CASE_FIXTURE(Forward, "an access outside all allocations ends the launch before it happens") {
    const std::string advice = "; compare the index with the size before using it";
    Device<int> pad(64), a(64);
    planted::past_the_end(a.data, 64);
    CHECK(error() == "");
    planted::past_the_end(a.data, 65);
    CHECK(error() == "out of bounds: thread (64, 0, 0) of block (0, 0, 0) writes 4 bytes at " +
                         line("fill a") +
                         ", just behind the end of argument 0, which is 256 bytes long" + advice);
    planted::before_the_start(a.data);
    CHECK(error() ==
          "out of bounds: thread (0, 0, 0) of block (0, 0, 0) writes 4 bytes at " + line("fill a") +
              ", 4 bytes before the start of argument 0, which is 256 bytes long" + advice);
    CHECK(launches_still_work());
}

TEST_CASE_FIXTURE(Forward, "shared memory ends where the launch or the declaration says") {
    Device<int> a(64);
    planted::past_dynamic_shared(a.data, 128);
    CHECK(error() == "");
    planted::past_dynamic_shared(a.data, 100);
    CHECK(error() == "out of bounds: thread (25, 0, 0) of block (0, 0, 0) writes 4 bytes at " +
                         line("dynamic") +
                         ", bytes 100 to 103 of dynamic shared memory, but the launch gave 100 "
                         "bytes; pass more, or compare the index with the size");
    planted::index_outside(a.data, 8);
    CHECK(error() ==
          "out of bounds: thread (0, 0, 0) of block (0, 0, 0) uses index 8 of an array "
          "'int [8]' at " +
              line("indexed") + "; compare the index with the size");
    planted::index_outside(a.data, -1);
    CHECK(error().find("uses index -1 of an array 'int [8]'") != std::string::npos);
}

TEST_CASE_FIXTURE(Forward, "host memory, a null pointer and released memory are told apart") {
    const std::string here =
        "thread (0, 0, 0) of block (0, 0, 0) writes 4 bytes at " + line("boxed");
    int on_host[32] = {};
    planted::through_a_box(on_host);
    CHECK(error() == "host memory: " + here +
                         " of the host's memory, which a GPU cannot reach; allocate device memory "
                         "and copy there, or if the pointer is right, look at the index");
    CHECK(on_host[0] == 0);
    planted::through_a_box(nullptr);
    CHECK(error() == "null pointer: " + here + " through a null pointer");
    int* gone = static_cast<int*>(simt::allocate(128));
    simt::release(gone);
    planted::through_a_box(gone);
    CHECK(error() == "use after release: " + here +
                         " in an allocation of 128 bytes that was released; release memory after "
                         "the last launch that uses it");
    CHECK(launches_still_work());
}

TEST_CASE_FIXTURE(Forward, "an address that its type does not allow is an error") {
    Device<int> a(64);
    planted::misaligned(a.data);
    CHECK(
        error() ==
        "misaligned: thread (0, 0, 0) of block (0, 0, 0) uses argument 0 (bytes 2 to 5 of 256) as "
        "a value of type int at " +
            line("odd") + "; the address of one must be a multiple of 4");
    planted::misaligned_float4(a.data);
    const std::string float4_text =
        "misaligned: thread (0, 0, 0) of block (0, 0, 0) uses argument 0 (bytes 4 to 19 of 256) as "
        "a value of type float4 at ";
    CHECK(error() ==
          float4_text + line("odd float4") + "; the address of one must be a multiple of 16");
    planted::misaligned_store(a.data);
    CHECK(error() ==
          float4_text + line("built there") + "; the address of one must be a multiple of 16");
}

TEST_CASE_FIXTURE(Forward, "what a kernel declares __shared__ counts, too") {
    planted::declares_all_shared(0);
    CHECK(error() == "");
    planted::declares_too_much_shared();
    CHECK(error() ==
          "launch: 49156 bytes of __shared__ arrays, but a kernel declares at most 49152; more of "
          "it is dynamic: extern __shared__, and allow_shared_bytes()");
    planted::declares_all_shared(1);
    CHECK(error() ==
          "launch: 1 bytes of dynamic shared memory, but a block has at most 0 beside 49152 bytes "
          "of __shared__ arrays; allow_shared_bytes() raises it up to 183296");
    planted::allows_shared(227 * 1024);
    planted::declares_all_shared(183296);
    CHECK(error() == "");
    planted::declares_all_shared(183297);
    CHECK(error().find("has at most 183296 beside 49152 bytes of __shared__ arrays") !=
          std::string::npos);
    planted::declares_all_shared(~std::size_t{0});
    CHECK(error().find("launch: 18446744073709551615 bytes of dynamic") == 0);
}

TEST_CASE_FIXTURE(Forward, "what nobody has written is not to be read") {
    Device<int> a(64);
    planted::reads_unwritten_shared(a.data, 32);
    CHECK(error() == "");
    planted::reads_unwritten_shared(a.data, 31);  // the last block's values do not count
    CHECK(error() ==
          "uninitialised: thread (0, 0, 0) of block (0, 0, 0) reads part (bytes 124 to 127 of 128) "
          "at " +
              line("sum shared") +
              ", which no thread of its block has written; write it first, with __syncthreads() "
              "between");
    planted::reads_never_written(a.data);
    CHECK(error().starts_with(
        "uninitialised: thread (0, 0, 0) of block (0, 0, 0) reads part (bytes 0 "
        "to 3 of 128) at " +
        line("never written")));
    int* fresh = static_cast<int*>(simt::allocate(128));
    planted::copies(a.data, fresh);
    CHECK(error() ==
          "uninitialised: thread (0, 0, 0) of block (0, 0, 0) reads argument 1 (bytes 0 to 3 of "
          "128) at " +
              line("copy") +
              ", which no copy and no kernel has written; copy to it or write it first");
    planted::copies(fresh, a.data);
    planted::copies(a.data, fresh);
    CHECK(error() == "");
    simt::release(fresh);
}

TEST_CASE("fresh memory may be written, whoever lies beside it") {
    int* fresh = static_cast<int*>(simt::allocate(4096));
    Device<int> beside(64);
    planted::past_the_end(fresh + 512, 512);
    CHECK(error() == "");
    simt::release(fresh);
}

TEST_CASE("neighbouring bytes of different threads are no race") {
    Device<unsigned char> to(64), from(64);
    planted::adds_bytes(to.data, from.data);
    CHECK(error() == "");
}

TEST_CASE_FIXTURE(Forward, "barriers and masks that do not fit are reported as without checks") {
    Device<int> a(64);
    planted::divided_barrier(a.data);
    CHECK(error() == "__syncthreads: in block (0, 0, 0) thread (0, 0, 0) waits at " +
                         line("divided") + ", but thread (16, 0, 0) waits at " +
                         line("other side") +
                         "; all threads of a block must reach the same __syncthreads");
    planted::wrong_mask(a.data);
    CHECK(error() ==
          "__shfl_sync: thread (16, 0, 0) of block (0, 0, 0) is lane 16, which is not "
          "in its own mask 0x0000ffff at " +
              line("mask"));
    planted::deadlock(a.data);
    CHECK(error() ==
          "deadlock: in block (0, 0, 0) no thread can go on; thread (0, 0, 0) waits in "
          "__syncwarp at " +
              line("never met") +
              " with mask 0xffffffff; threads (1, 0, 0) to (31, 0, "
              "0) wait in __syncthreads at " +
              line("waits"));
}

TEST_CASE_FIXTURE(Forward, "an error quotes eight reports and counts the others") {
    Device<int> a(64);
    planted::many_races(a.data);
    const std::string found = error();
    CHECK(std::count(found.begin(), found.end(), '\n') == 8);
    CHECK(found.substr(found.size() - 11) == "\nand 2 more");
}

TEST_CASE("every race is found in every schedule") {
    Device<int> a(64);
    for (const auto schedule :
         {simt::Schedule::forward, simt::Schedule::reverse, simt::Schedule::random}) {
        CAPTURE(static_cast<int>(schedule));
        simt::set_schedule(schedule, 7);
        planted::no_barrier(a.data);
        CHECK(error().find("between " + line("fill") + " and " + line("take")) !=
              std::string::npos);
        planted::no_barrier_in_a_loop(a.data);
        CHECK(error().find("between " + line("write ring") + " and " + line("read ring")) !=
              std::string::npos);
        planted::tree_without_syncwarp(a.data);
        CHECK(error().find("race in shared memory") == 0);
        planted::block_reads_another(a.data);
        CHECK(error().find("race between blocks") == 0);
        planted::atomic_and_plain(a.data);
        CHECK(error().find("race in global memory") == 0);
    }
    simt::set_schedule(simt::Schedule::forward);
}
