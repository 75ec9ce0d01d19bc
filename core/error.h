// What a user's mistake throws. The text says what was given, where, and the fix; a broken
// invariant of our own is an assert instead.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace tg {

// Python sees these as RuntimeError, ValueError, TypeError, IndexError, MemoryError,
// NotImplementedError, KeyboardInterrupt and LinAlgError: the kinds that PyTorch raises.
// `range` is an element of an index tensor that is out of range: IndexError and RuntimeError in
// one, for PyTorch raises now the one and now the other. `memory` is RuntimeError too, and so is
// `linalg`: a matrix that has no inverse or no such factors.
enum class ErrorKind { runtime, value, type, index, range, memory, unsupported, interrupt, linalg };

struct Error : std::runtime_error {
    ErrorKind kind;
    bool placed;  // does the text name a line?
    Error(ErrorKind k, const std::string& what, bool has_line = true)
        : std::runtime_error(what), kind(k), placed(has_line) {}
};

// Adds the user's line, and the name of the call that the user wrote if the text begins with
// another's: "zeros (train.py:3): full: the size -1 is negative". error.cc
[[noreturn]] void fail_here(ErrorKind kind, const std::string& text);

// fail(ErrorKind::value, "reshape: ", a, " does not fit ", b)
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    fail_here(kind, out.str());
}

}  // namespace tg
