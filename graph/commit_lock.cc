#include "graph/commit_lock.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "core/error.h"

namespace tg {
namespace {

// A mutex for each variable would have to be kept somewhere; so many share these. A thread locks
// its own in their order, so that no two wait for each other.
constexpr int stripes = 64;

std::array<std::mutex, stripes>& mutexes() {
    static auto& all = *new std::array<std::mutex, stripes>;
    return all;
}

int stripe_of(const void* changed) {
    return static_cast<int>(
        (reinterpret_cast<std::uintptr_t>(changed) >> 4) * 0x9e3779b97f4a7c15u >> 58);
}

struct Held {
    std::vector<const void*> changed;
    std::uint64_t stripes = 0;
};
thread_local Held held;

}  // namespace

CommitLock::CommitLock(const std::vector<const void*>& changed, const std::string& name)
    : before_(held.changed.size()) {
    std::uint64_t wanted = 0;
    for (const void* c : changed) {
        if (std::find(held.changed.begin(), held.changed.end(), c) != held.changed.end())
            fail(ErrorKind::runtime, name,
                 ": is called again, by a signal's handler or a backward, in the middle of a step "
                 "that changes the same variable");
        wanted |= std::uint64_t{1} << stripe_of(c);
    }
    wanted &= ~held.stripes;
    held.changed.reserve(before_ + changed.size());  // once all is locked, nothing may throw
    const bool inside_another = held.stripes != 0;   // whose order the other threads do not know
    for (int i = 0; i < stripes; ++i) {
        if (!(wanted >> i & 1)) continue;
        std::mutex& mutex = mutexes()[static_cast<std::size_t>(i)];
        if (!inside_another) {
            mutex.lock();
        } else if (!mutex.try_lock()) {
            release();
            fail(ErrorKind::runtime, name,
                 ": is called in the middle of another step, and changes a variable that another "
                 "thread is changing; call it outside");
        }
        locked_ |= std::uint64_t{1} << i;
    }
    held.stripes |= locked_;
    held.changed.insert(held.changed.end(), changed.begin(), changed.end());
}

void CommitLock::release() {
    for (int i = 0; i < stripes; ++i)
        if (locked_ >> i & 1) mutexes()[static_cast<std::size_t>(i)].unlock();
}

CommitLock::~CommitLock() {
    held.stripes &= ~locked_;
    held.changed.resize(before_);
    release();
}

}  // namespace tg
