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

Here::Here(const Where& where, const char* call) {
    ThreadState& t = thread_state();
    outermost_ = !t.line;
    if (!outermost_) return;
    t.line = where;
    t.call = call;
}

Here::~Here() {
    if (!outermost_) return;
    thread_state().line = {};
    thread_state().call = nullptr;
}

Elsewhere::Elsewhere(const Where& where)
    : before_(thread_state().line), call_before_(thread_state().call) {
    if (!where) return;
    thread_state().line = where;
    thread_state().call = nullptr;
}

Elsewhere::~Elsewhere() {
    thread_state().line = before_;
    thread_state().call = call_before_;
}

OwnLines::OwnLines() : line_(thread_state().line), call_(thread_state().call) {
    thread_state().line = {};
    thread_state().call = nullptr;
}

OwnLines::~OwnLines() {
    thread_state().line = line_;
    thread_state().call = call_;
}

Where current_line() { return thread_state().line; }

}  // namespace tg
