// All that is not in a tensor: this process's state and each thread's, in one place.
// kernels/ has two more, the thread pool (parallel.cc) and the CPU level (cpu/dispatch.cc).
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "core/dtype.h"
#include "core/where.h"

namespace tg {

enum class Device : std::uint8_t;
struct Recording;
struct Checkpoint;
struct Differentiating;
struct Op;
class Tensor;

// Sees every application, run or written down, with its outputs: what lockstep listens by.
struct Observer {
    virtual ~Observer() = default;
    virtual void applied(const Op& op, std::span<const Tensor> outputs) = 0;
};

struct ProcessState {
    std::atomic<DType> default_dtype{DType::float32};
    std::atomic<std::uint64_t> next_node{1};  // ids of nodes, in order of creation
    std::atomic<std::uint64_t> next_recording{1};
    std::atomic<std::uint64_t> next_walk{1};  // marks of tape()
    std::atomic<std::int64_t> nodes_alive{0};
    std::atomic<std::int64_t> ops_run{0};
    std::atomic<bool> detect_anomaly{false};  // does every kernel's result get looked over?
    std::atomic<std::string (*)(const Where&)> python_lines{nullptr};
};
// Also process-wide, each in the file that owns it: the allocator's free blocks (storage.cc), the
// names of closed recordings (recording.cc), the default generator (generator.cc), which ops
// have told that they run on the CPU (apply.cc).
ProcessState& state();

struct ThreadState {
    Recording* recording = nullptr;  // the innermost open one
    bool grad_enabled = true;
    Device default_device{};                           // the CPU, until set_default_device
    Where line;                                        // of the outermost public call
    const char* call = nullptr;                        // and its name, where errors should give it
    Observer* observer = nullptr;                      // told of every op that passes the door
    Checkpoint* checkpoint = nullptr;                  // the innermost that is being made
    const Differentiating* differentiating = nullptr;  // what a backward is at: anomaly.h
};
ThreadState& thread_state();

}  // namespace tg
