#include "printing.h"

#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

#include "machine.h"
#include "observer.h"

#undef printf

namespace {

bool names_threads() {
    const char* wish = std::getenv("SIMT_PRINTF");
    return wish != nullptr && std::strcmp(wish, "threads") == 0;
}

bool at_start_of_line = true;

void print_who() {
    if (at_start_of_line) std::fprintf(stdout, "%s: ", simt::who(simt::current_thread()).c_str());
}

}  // namespace

int simt_printf(const char* format, ...) {
    if (simt::in_kernel() && names_threads()) print_who();
    va_list values;
    va_start(values, format);
    const int printed = std::vfprintf(stdout, format, values);
    va_end(values);
    const std::size_t length = std::strlen(format);
    at_start_of_line = length > 0 && format[length - 1] == '\n';
    return printed;
}

void simt_assertion_failed(const char* condition, const char* file, int line,
                           const char* function) {
    const simt::Wait at = {"assert", file, line, 0};
    const std::string what = std::string("assert(") + condition + ") at " + simt::place(at) +
                             " in " + function + " does not hold";
    if (simt::in_kernel()) simt::end_launch(what + " in " + simt::who(simt::current_thread()));
    std::fprintf(stderr, "%s\n", what.c_str());
    std::abort();
}
