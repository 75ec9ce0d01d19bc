// printf and assert in kernels. Include <cassert> before this file, never behind it: each inclusion
// of <cassert> defines assert anew.
#pragma once

#include <cassert>
#include <cstdio>

#if defined(__GNUC__)
#define SIMT_FORMAT __attribute__((format(printf, 1, 2)))
#else
#define SIMT_FORMAT
#endif

// In a kernel as printf, and with SIMT_PRINTF=threads in the environment each line begins with who
// prints it. A macro, because the name is taken; elsewhere it is printf itself.
int simt_printf(const char* format, ...) SIMT_FORMAT;
namespace std {
using ::simt_printf;
}
#define printf(...) simt_printf(__VA_ARGS__)

// A condition that does not hold fails the launch, and in a host function ends the process.
[[noreturn]] void simt_assertion_failed(const char* condition, const char* file, int line,
                                        const char* function);
#ifndef NDEBUG
#undef assert
#define assert(condition) \
    ((condition) ? void(0) : simt_assertion_failed(#condition, __FILE__, __LINE__, __func__))
#endif
