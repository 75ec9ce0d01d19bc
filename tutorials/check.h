// What the lessons share: lines that are printed, results that are checked, and exercises of which
// a checker says whether they are solved, wrong, or not solved yet. check.py is its twin.
#pragma once

#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tapegraph.h"

namespace lesson {

inline int wrong = 0;   // how many results were not what the lesson says
inline int solved = 0;  // how many exercises are solved, and how many there are
inline int exercises = 0;

// say("a is ", 3, " and b is ", 4) prints a line.
template <class... Parts>
void say(const Parts&... parts) {
    (std::cout << ... << parts) << std::endl;
}

// Prints lines that end with their own line ends, such as a tape's.
inline void block(const std::string& lines) { std::cout << lines << std::flush; }

inline const char* yes_no(bool yes) { return yes ? "yes" : "no"; }

// All nine digits that tell one float32 from the next.
inline std::string digits(const tg::Tensor& x) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.9g", x.item<double>());
    return buffer;
}

// With four digits behind the point.
inline std::string rounded(const tg::Tensor& x) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.4f", x.item<double>());
    return buffer;
}

// A lesson's own claim: if it does not hold, the program says so and ends with a status of 1.
inline void check(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    if (holds) return;
    ++wrong;
    std::printf("%s:%d: this does not hold\n", file, line);
}

// The text of the error that f ends with.
template <class F>
std::string error_of(const F& f) {
    try {
        f();
    } catch (const tg::Error& error) {
        return error.what();
    }
    return "no error";
}

// ---- exercises ----------------------------------------------------------------------------------

struct NotSolved {};
struct Wrong {
    std::string what;
};
inline bool asked = false;  // by a kernel, whose exceptions end in its launch: see device.h
// To the checks of kernels, `asked` is memory of the host.
[[noreturn]] __attribute__((no_sanitize("thread"))) inline void not_solved() {
    asked = true;
    throw NotSolved{};
}

inline std::string text_of(const std::string& s) { return s; }
inline std::string text_of(bool b) { return yes_no(b); }
inline std::string text_of(const tg::Dims& d) { return tg::text(d); }
inline std::string text_of(const tg::Tensor& t) { return tg::text(t); }
template <class Number>
std::string text_of(Number x) {
    std::ostringstream out;
    out << x;
    return out.str();
}

// Two things are equal if they print alike.
template <class T, class U>
void expect(const T& got, const U& wanted, const std::string& hint) {
    if (text_of(got) == text_of(wanted)) return;
    throw Wrong{"got " + text_of(got) + ", but it is " + text_of(wanted) + ". Hint: " + hint};
}

inline void exercise(const std::string& title, const std::function<void()>& checks) {
    ++exercises;
    try {
        checks();
        ++solved;
        say(exercises, ". ", title, ": solved");
    } catch (const NotSolved&) {
        say(exercises, ". ", title, ": not solved yet");
    } catch (const Wrong& answer) {
        ++wrong;
        say(exercises, ". ", title, ": wrong: ", answer.what);
    } catch (const tg::Error& error) {
        ++wrong;
        say(exercises, ". ", title, ": wrong: it ended with an error: ", error.what());
    }
}

// The last line, and main's status: 1 if anything is wrong; what is not solved yet is not wrong.
inline int done() {
    if (exercises > 0) say(solved, " of ", exercises, " solved");
    return wrong > 0 ? 1 : 0;
}

}  // namespace lesson
