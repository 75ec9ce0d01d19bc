// What a user's mistake throws. The text says what was given, where, and the fix; a broken
// invariant of our own is an assert instead.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace tg {

// Python sees these as RuntimeError, ValueError, TypeError, IndexError, MemoryError,
// NotImplementedError and KeyboardInterrupt: the kinds that PyTorch raises.
enum class ErrorKind { runtime, value, type, index, memory, unsupported, interrupt };

struct Error : std::runtime_error {
    ErrorKind kind;
    Error(ErrorKind k, const std::string& what) : std::runtime_error(what), kind(k) {}
};

// fail(ErrorKind::value, "reshape: ", a, " does not fit ", b)
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    throw Error(kind, out.str());
}

}  // namespace tg
