#include "core/profiler.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.h"

namespace tg {
namespace {

struct Log {
    std::atomic<bool> on{false};
    std::mutex mutex;
    std::int64_t began = 0;
    std::vector<KernelEvent> events;
    std::map<std::thread::id, std::uint64_t> threads;
};

Log& log() {
    static Log& l = *new Log;
    return l;
}

}  // namespace

bool profiling() { return log().on.load(std::memory_order_relaxed); }

std::int64_t Timed::now() {
    const auto t = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(t).count();
}

void Timed::add() const {
    const std::int64_t end = now();
    const Where where = current_line();
    Log& l = log();
    const std::lock_guard lock(l.mutex);
    if (!l.on) return;
    const auto thread = l.threads.emplace(std::this_thread::get_id(), l.threads.size()).first;
    l.events.push_back({name_, where, start_ - l.began, end - start_, thread->second});
}

void start_profiling() {
    Log& l = log();
    const std::lock_guard lock(l.mutex);
    if (l.on)
        fail(ErrorKind::runtime, "profile: a profile is being taken already; end that one first");
    l.began = Timed::now();
    l.events.clear();
    l.threads.clear();
    l.on = true;
}

std::vector<KernelEvent> stop_profiling() {
    Log& l = log();
    const std::lock_guard lock(l.mutex);
    l.on = false;
    return std::exchange(l.events, {});
}

}  // namespace tg
