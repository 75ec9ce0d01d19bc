// The profiler: which kernels ran, when, for how long, and for which line.
#pragma once

#include <cstdint>
#include <vector>

#include "core/where.h"

namespace tg {

struct KernelEvent {
    const char* name = "";      // the op's, or "fused" for a group of ops that run as one loop
    Where where;                // the line that wrote the op
    std::int64_t start = 0;     // nanoseconds since profiling began
    std::int64_t duration = 0;  // nanoseconds
    std::uint64_t thread = 0;   // counted from 0, in the order in which threads ran their first
};

bool profiling();
void start_profiling();                     // throws if it is on already
std::vector<KernelEvent> stop_profiling();  // what ran since; in order of their ends

// Times the scope that it stands in, if profiling is on.
class Timed {
  public:
    explicit Timed(const char* name) : name_(profiling() ? name : nullptr) {
        if (name_) start_ = now();
    }
    ~Timed() {
        if (name_) add();
    }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;
    static std::int64_t now();  // nanoseconds, of a clock that never goes back

  private:
    void add() const;
    const char* name_;
    std::int64_t start_ = 0;
};

}  // namespace tg
