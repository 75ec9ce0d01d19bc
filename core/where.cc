#include "core/where.h"

#include <atomic>
#include <cstring>

#include "core/state.h"

namespace tg {

std::string text(const Where& where) {
    if (!where) return "";
    if (where.python) {
        const auto resolve = state().python_lines.load();
        return resolve ? resolve(where) : "";
    }
    const char* file = static_cast<const char*>(where.source);
    const char* slash = std::strrchr(file, '/');
    return std::string(slash ? slash + 1 : file) + ":" + std::to_string(where.at);
}

std::string at(const Where& where) {
    const std::string place = text(where);
    return place.empty() ? "" : " (" + place + ")";
}

void set_python_lines(std::string (*resolve)(const Where&)) { state().python_lines = resolve; }

Here::Here(const Where& where) : outermost_(!thread_state().line) {
    if (outermost_) thread_state().line = where;
}

Here::~Here() {
    if (outermost_) thread_state().line = {};
}

Elsewhere::Elsewhere(const Where& where) : before_(thread_state().line) {
    if (where) thread_state().line = where;
}

Elsewhere::~Elsewhere() { thread_state().line = before_; }

Where current_line() { return thread_state().line; }

}  // namespace tg
