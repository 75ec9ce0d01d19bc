// One access of a kernel to memory: every check of it, in the order in which they matter.
#pragma once

#include <string>

#include "module.h"

namespace simt::check {

enum class Way { read, write, atomic };

// `code` is where the kernel goes on. Does not return if the access would be a fault: the launch
// ends before it happens.
void access(Address at, unsigned size, Way way, bool aligned, Address code);

// -fsanitize=bounds found `index` outside an array of type `type`.
[[noreturn]] void outside_array(const char* type, long long index, const char* file, unsigned line);

// -fsanitize=alignment found an address that is no multiple of what its type needs. Returns if it
// is the host's, which access() refuses.
void misaligned(Address at, std::string type, unsigned alignment, Address code);

// Same-value writes are told apart from others at the first event after them.
void settle_pending();

}  // namespace simt::check
