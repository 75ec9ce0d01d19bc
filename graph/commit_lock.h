// A call that changes variables reads, computes and commits as one: two threads' steps on the same
// variable follow each other, whichever compiled functions they are of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tg {

// Holds what is changed, a list of storages and gradients, for as long as it lives. Throws if this
// thread holds one of them already: it is called by a signal's handler, or by a user's backward, in
// the middle of a step.
class CommitLock {
  public:
    CommitLock(const std::vector<const void*>& changed, const std::string& name);
    ~CommitLock();
    CommitLock(const CommitLock&) = delete;
    CommitLock& operator=(const CommitLock&) = delete;

  private:
    void release();
    std::size_t before_;        // how many this thread held
    std::uint64_t locked_ = 0;  // by stripe: 1 if locked here
};

}  // namespace tg
