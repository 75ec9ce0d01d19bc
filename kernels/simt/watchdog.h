// Ends launches that take too long. A thread of its own counts time while a launch runs, and goes
// away when none has run for a while. It first raises a flag, which the emulator looks at whenever
// a thread begins, waits or meets others. A kernel that does nothing of the kind is then
// interrupted by a signal (SIGURG) whose handler leaves the kernel for good. Not caught: a kernel
// that loops inside malloc or another function that holds a lock may keep it.
#pragma once

#include <atomic>
#include <string>

namespace simt {

void watch_launch();      // a launch begins on this OS thread
void watch_launch_end();  // and ends; no signal comes any more

extern std::atomic<bool> overdue;
inline bool launch_is_overdue() { return overdue.load(std::memory_order_relaxed); }
std::string overdue_text();  // of the block that was running
std::string running_text(unsigned thread, const std::string& place);  // of one that had its turn

}  // namespace simt
