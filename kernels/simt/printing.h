// printf and assert in kernels. Without this folder on the include path, include <cassert> before
// this file, never behind it: each inclusion of <cassert> defines assert anew.
#pragma once

#include <cassert>
#include <cstdio>

#include "assert.h"

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
