// What a kernel does that the system ends a process for (a bad address, an integer divided by zero,
// abort(), a stack that is full) ends its launch instead.
#pragma once

#include <string>

namespace simt {

void catch_faults();       // before each launch, on its thread
std::string fault_text();  // what the thread that ended the launch did; empty if none did

}  // namespace simt
