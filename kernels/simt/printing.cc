#include "printing.h"

#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

#include "machine.h"
#include "observer.h"

#undef printf

namespace simt {
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
}  // namespace simt

int simt_printf(const char* format, ...) {
    if (simt::in_kernel() && simt::names_threads()) simt::print_who();
    va_list values;
    va_start(values, format);
    const int printed = std::vfprintf(stdout, format, values);
    va_end(values);
    const std::size_t length = std::strlen(format);
    simt::at_start_of_line = length > 0 && format[length - 1] == '\n';
    return printed;
}

static std::string assertion_text(const char* condition, const char* file, int line,
                                  const char* function) {
    const simt::Wait at = {"assert", file, line, 0};
    return std::string("assert(") + condition + ") at " + simt::place(at) + " in " + function +
           " does not hold";
}

void simt_assertion_failed(const char* condition, const char* file, int line,
                           const char* function) {
    if (!simt::in_kernel()) {
        std::fprintf(stderr, "%s\n", assertion_text(condition, file, line, function).c_str());
        std::abort();
    }
    simt::machine.failed = true;
    simt::machine.error = assertion_text(condition, file, line, function) + " in " +
                          simt::who(simt::current_thread());
    simt::leave();
}
