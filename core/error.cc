#include "core/error.h"

#include "core/state.h"

namespace tg {

std::string placed_text(const std::string& text, const Where& line, const char* call) {
    const std::size_t colon = text.find(": ");
    const std::string who = colon == std::string::npos ? "" : text.substr(0, colon);
    if (who.ends_with(')')) return text;  // names a line of its own
    const std::string place = at(line);
    if (call && who != call) return call + place + ": " + text;
    return who.empty() ? text + place : who + place + text.substr(colon);
}

void fail_here(ErrorKind kind, const std::string& text) {
    const ThreadState& t = thread_state();
    throw Error(kind, placed_text(text, t.line, t.call), static_cast<bool>(t.line));
}

}  // namespace tg
