// Two programs' texts side by side, as `diff -u` shows them. Values keep their numbers through a
// pass, so what is marked is what the pass has done.
#include <algorithm>
#include <string_view>

#include "graph/passes/pass.h"

namespace tg {
namespace {

using Texts = std::vector<std::string_view>;

constexpr std::size_t around = 3;                         // lines shown beside a change
constexpr std::size_t most_cells = std::size_t{1} << 24;  // of the table; past it, all is changed

Texts lines_of(std::string_view text) {
    Texts lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

struct Change {
    char mark = ' ';  // ' ' in both, '-' only before, '+' only after
    std::string_view line;
};

// The longest common subsequence by its textbook table: common[i][j] is its length for what is
// left of a from i and of b from j.
void compare(std::span<const std::string_view> a, std::span<const std::string_view> b,
             std::vector<Change>& changes) {
    const std::size_t width = b.size() + 1;
    const bool small = (a.size() + 1) <= most_cells / width;
    std::vector<std::uint32_t> common(small ? (a.size() + 1) * width : 0);
    for (std::size_t i = a.size(); small && i-- > 0;)
        for (std::size_t j = b.size(); j-- > 0;)
            common[i * width + j] =
                a[i] == b[j] ? common[(i + 1) * width + j + 1] + 1
                             : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    std::size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        if (small && i < a.size() && j < b.size() && a[i] == b[j]) {
            changes.push_back({' ', a[i]});
            ++i, ++j;
        } else if (i < a.size() && (j == b.size() || !small ||
                                    common[(i + 1) * width + j] >= common[i * width + j + 1])) {
            changes.push_back({'-', a[i++]});
        } else {
            changes.push_back({'+', b[j++]});
        }
    }
}

std::vector<Change> changes_between(const Texts& a, const Texts& b) {
    std::size_t head = 0, tail = 0;
    const std::size_t shorter = std::min(a.size(), b.size());
    while (head < shorter && a[head] == b[head]) ++head;
    while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    std::vector<Change> changes;
    for (std::size_t i = 0; i < head; ++i) changes.push_back({' ', a[i]});
    compare(std::span(a).subspan(head, a.size() - head - tail),
            std::span(b).subspan(head, b.size() - head - tail), changes);
    for (std::size_t i = tail; i > 0; --i) changes.push_back({' ', a[a.size() - i]});
    return changes;
}

}  // namespace

std::string difference(const Program& before, const Program& after) {
    const std::string a = before.text(), b = after.text();
    const std::vector<Change> changes = changes_between(lines_of(a), lines_of(b));
    std::vector<char> shown(changes.size(), 0);
    for (std::size_t i = 0; i < changes.size(); ++i)
        if (changes[i].mark != ' ')
            for (std::size_t k = i - std::min(i, around);
                 k < std::min(changes.size(), i + around + 1); ++k)
                shown[k] = 1;
    std::string out;
    std::size_t at_a = 1, at_b = 1;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const Change& change = changes[i];
        if (shown[i] && (i == 0 || !shown[i - 1]))
            out += "@@ -" + std::to_string(at_a) + " +" + std::to_string(at_b) + " @@\n";
        if (shown[i]) out += change.mark + std::string(change.line) + "\n";
        at_a += change.mark != '+';
        at_b += change.mark != '-';
    }
    return out;
}

}  // namespace tg
