// Folding, and SVG. The styles are classes with two sets of colours, light and dark, so that a
// picture is readable on either page; their names begin with tg-, because a notebook puts many
// pictures on one page.
#include "graph/svg_picture.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "graph/svg_layout.h"

namespace tg {
namespace {

constexpr std::size_t folds_above = 60;
constexpr std::size_t cut_above = 80;       // boxes left after that
constexpr std::size_t longest_period = 24;  // of lines that repeat
constexpr std::size_t longest_row = 52;     // of text in a box; the rest is elided

constexpr double character_width = 6.7;  // monospace, 11 px
constexpr double title_height = 17, row_height = 14;
constexpr double padding = 9;
constexpr double margin = 20;
constexpr double head_height = 54;  // the picture's title and its legend

using Box = Picture::Box;
using Wire = Picture::Wire;

std::string number(std::size_t n) { return std::to_string(n); }

// ---- text --------------------------------------------------------------------------------------

// Bytes of the UTF-8 character that begins at i; 0 if none does that XML may hold.
std::size_t character(const std::string& s, std::size_t i) {
    const auto byte = [&s](std::size_t k) {
        return k < s.size() ? static_cast<unsigned>(static_cast<unsigned char>(s[k])) : 0U;
    };
    const unsigned first = byte(i);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned code = first & (0x7fU >> n);
    for (std::size_t k = 1; k < n; ++k) {
        if ((byte(i + k) & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte(i + k) & 0x3f);
    }
    constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return first < 0xc0 || code < least[n] || code > 0x10fffd || surrogate || code == 0xfffe ||
                   code == 0xffff
               ? 0
               : n;
}

std::size_t width_of(const std::string& s) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < s.size(); i += std::max<std::size_t>(1, character(s, i))) ++n;
    return n;
}

// As XML text. A byte that is no character becomes "?".
std::string escaped(const std::string& s) {
    std::string out;
    for (std::size_t i = 0; i < s.size();) {
        const std::size_t n = character(s, i);
        switch (s[i]) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += n > 0 ? s.substr(i, n) : s[i] == '\n' ? " " : "?";
        }
        i += std::max<std::size_t>(1, n);
    }
    return out;
}

std::string shortened(const std::string& s) {
    if (width_of(s) <= longest_row) return s;
    std::size_t i = 0;
    for (std::size_t k = 0; k + 1 < longest_row; ++k)
        i += std::max<std::size_t>(1, character(s, i));
    return s.substr(0, i) + "\u2026";
}

std::string joined(const std::string& a, const char* between, const std::string& b) {
    return a.empty() ? b : b.empty() ? a : a + between + b;
}

// ---- folding -----------------------------------------------------------------------------------

// A run of boxes that is drawn as one. Neighbours in the list become one box, so no wire can come
// back to it.
struct Run {
    std::size_t begin = 0, size = 1;
    std::size_t period = 1;  // size boxes, the first `period` of them over and over
};

// How many of the boxes from i on repeat what stands `period` before them, in whole rounds.
std::size_t rounds_at(const std::vector<Box>& boxes, std::size_t i, std::size_t period) {
    std::size_t end = i + period;
    while (end < boxes.size() && boxes[end].kind == boxes[end - period].kind) ++end;
    return (end - i) / period;
}

std::vector<Run> runs_of(const std::vector<Box>& boxes) {
    std::vector<Run> runs;
    for (std::size_t i = 0; i < boxes.size(); i += runs.back().size) {
        Run best{i, 1, 1};
        for (std::size_t period = 1; period <= longest_period; ++period) {
            const std::size_t rounds = rounds_at(boxes, i, period);
            const std::size_t size = rounds * period;
            if (rounds >= 3 && size >= (period > 1 ? 8U : 12U) && size > best.size)
                best = {i, size, period};
        }
        runs.push_back(best);
    }
    return runs;
}

Box folded_box(const std::vector<Box>& boxes, const Run& run) {
    Box box;
    box.role = Picture::folded;
    box.place = boxes[run.begin].place;
    const std::size_t rounds = run.size / run.period;
    if (rounds > 1) {
        box.title = number(rounds) + " times:";
        for (std::size_t k = 0; k < run.period; ++k) {
            const Box& first = boxes[run.begin + k];
            box.rows.push_back(shortened(joined(first.title, " \u00b7 ", first.detail)));
        }
        return box;
    }
    box.title = number(run.size) + " lines:";
    std::map<std::string, std::size_t> kinds;
    for (std::size_t k = 0; k < run.size; ++k) ++kinds[boxes[run.begin + k].kind];
    std::vector<std::pair<std::size_t, std::string>> often;
    for (const auto& [kind, count] : kinds) often.emplace_back(count, kind);
    std::stable_sort(often.begin(), often.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [count, kind] : often) {
        if (box.rows.size() == longest_period) {
            box.rows.push_back("\u2026");
            break;
        }
        box.rows.push_back(number(count) + " " + kind);
    }
    return box;
}

// ---- drawing -----------------------------------------------------------------------------------

struct Style {
    const char* name;  // of its class
    const char* legend;
    const char* light[2];  // fill and line
    const char* dark[2];
};
constexpr Style styles[Picture::roles] = {
    {"data", "a value", {"#f6f7f9", "#aab2bd"}, {"#262b33", "#6b7480"}},
    {"argument", "argument", {"#e3f1fd", "#3b82c4"}, {"#12314a", "#5aa9e6"}},
    {"variable", "leaf or variable", {"#e2f5e6", "#3a9a55"}, {"#163a22", "#5ccb7b"}},
    {"slot", "gradient slot", {"#f3e8fb", "#9a5cc6"}, {"#34204a", "#bb86e0"}},
    {"plain", "op", {"#ffffff", "#8a94a1"}, {"#1c2128", "#7d8793"}},
    {"gradient", "op, with a gradient", {"#fff1dd", "#dd8a1c"}, {"#41290c", "#e8a44a"}},
    {"group", "fused: one pass over memory", {"#fde7ec", "#cf4a6c"}, {"#451826", "#ea7a96"}},
    {"folded", "folded", {"#eceef1", "#8a94a1"}, {"#2d333c", "#8a94a1"}},
};

std::string colours(bool dark) {
    std::string s = dark ? ".tg-page{fill:#14181d}.tg-t{fill:#e8ebef}.tg-m{fill:#a3adb8}"
                           ".tg-w{stroke:#7d8793}.tg-a{fill:#7d8793}"
                           ".tg-g{stroke:#e8a44a}.tg-ga{fill:#e8a44a}"
                         : ".tg-page{fill:#ffffff}.tg-t{fill:#1b2129}.tg-m{fill:#5b6570}"
                           ".tg-w{stroke:#8a94a1}.tg-a{fill:#8a94a1}"
                           ".tg-g{stroke:#dd8a1c}.tg-ga{fill:#dd8a1c}";
    for (const Style& style : styles) {
        const auto& pair = dark ? style.dark : style.light;
        s += std::string(".tg-") + style.name + "{fill:" + pair[0] + ";stroke:" + pair[1] + "}";
    }
    return s;
}

std::string px(double x) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.1f", x);
    return buffer;
}

std::string text_at(double x, double y, const char* style, const std::string& s) {
    return "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" class=\"" + style + "\">" + escaped(s) +
           "</text>";
}

std::string rectangle(double x, double y, double width, double height, const std::string& style) {
    return "<rect x=\"" + px(x) + "\" y=\"" + px(y) + "\" width=\"" + px(width) + "\" height=\"" +
           px(height) + "\" rx=\"5\" class=\"" + style + "\"/>";
}

// What stands below the title, shortened.
std::vector<std::string> rows_of(const Box& box) {
    std::vector<std::string> rows;
    if (!box.detail.empty()) rows.push_back(shortened(box.detail));
    for (const std::string& row : box.rows) rows.push_back(shortened(row));
    return rows;
}

Drawing::Box sized(const Box& box) {
    const double place = box.place.empty() ? 0 : static_cast<double>(width_of(box.place)) + 3;
    double widest = (static_cast<double>(width_of(shortened(box.title))) + place) * 1.05;
    const std::vector<std::string> rows = rows_of(box);
    for (const std::string& row : rows)
        widest = std::max(widest, static_cast<double>(width_of(row)));
    return {widest * character_width + 2 * padding,
            title_height + row_height * static_cast<double>(rows.size()) + padding, 0, 0};
}

std::string drawn(const Box& box, const Drawing::Box& at) {
    const double left = at.x - at.width / 2 + padding;
    std::string tip = joined(box.title, "\n", box.detail);
    for (const std::string& row : box.rows) tip += "\n" + row;
    std::string s =
        "<g class=\"tg-box\"><title>" + escaped(joined(tip, "\n", box.place)) + "</title>" +
        rectangle(at.x - at.width / 2, at.y, at.width, at.height,
                  std::string("tg-") + styles[box.role].name + (box.output ? " tg-out" : ""));
    s += text_at(left, at.y + title_height, "tg-t tg-b", shortened(box.title));
    if (!box.place.empty())
        s += text_at(at.x + at.width / 2 - padding, at.y + title_height, "tg-m tg-e", box.place);
    double y = at.y + title_height;
    for (const std::string& row : rows_of(box))
        s += text_at(left, y += row_height, box.role == Picture::group ? "tg-t" : "tg-m", row);
    return s + "</g>\n";
}

std::string drawn(const Wire& wire, const std::vector<Drawing::Point>& points) {
    std::string path = "M" + px(points[0].x) + " " + px(points[0].y);
    for (std::size_t i = 1; i < points.size(); ++i) {
        const Drawing::Point &a = points[i - 1], &b = points[i];
        const bool last = i + 1 == points.size();
        const double y = last ? b.y - 5 : b.y;  // the arrow's head ends it
        if (a.x == b.x) {
            path += "V" + px(y);
        } else {
            const double bend = std::max(10.0, (y - a.y) * 0.5);
            path += "C" + px(a.x) + " " + px(a.y + bend) + " " + px(b.x) + " " + px(y - bend) +
                    " " + px(b.x) + " " + px(y);
        }
    }
    const Drawing::Point& end = points.back();
    return "<g class=\"tg-wire\"><title>" + escaped(wire.tip) + "</title><path class=\"" +
           (wire.gradient ? "tg-w tg-g" : "tg-w") + "\" d=\"" + path + "\"/><path class=\"" +
           (wire.gradient ? "tg-a tg-ga" : "tg-a") + "\" d=\"M" + px(end.x - 3.5) + " " +
           px(end.y - 7) + "h7l-3.5 7z\"/></g>\n";
}

// One swatch for each role that occurs, and the two kinds of lines; adds what it takes to x.
std::string legend_of(const Picture& p, double& x) {
    const double y = margin + 34;
    std::string s;
    const auto name = [&](const char* words) {
        s += text_at(x + 20, y + 4, "tg-m", words);
        x += 20 + character_width * static_cast<double>(width_of(words)) + 22;
    };
    for (std::size_t role = 0; role < Picture::roles; ++role) {
        const auto has = [role](const Box& box) { return box.role == static_cast<int>(role); };
        if (std::none_of(p.boxes.begin(), p.boxes.end(), has)) continue;
        s += rectangle(x, y - 5, 14, 10, std::string("tg-") + styles[role].name);
        name(styles[role].legend);
    }
    for (const bool gradient : {false, true}) {
        const auto has = [gradient](const Wire& wire) { return wire.gradient == gradient; };
        if (std::none_of(p.wires.begin(), p.wires.end(), has)) continue;
        s += "<path class=\"" + std::string(gradient ? "tg-w tg-g" : "tg-w") + "\" d=\"M" + px(x) +
             " " + px(y) + "h14\"/>";
        name(gradient ? "a value down, its gradient back up" : "a value");
    }
    return s + "\n";
}

}  // namespace

Picture fold(Picture p) {
    if (p.boxes.size() <= folds_above) return p;
    std::vector<Run> runs = runs_of(p.boxes);
    if (runs.size() > cut_above) {
        const auto from = static_cast<std::ptrdiff_t>(folds_above / 2);
        const auto to = static_cast<std::ptrdiff_t>(runs.size() - folds_above / 2 + 1);
        Run middle = runs[static_cast<std::size_t>(from)];
        middle.size = runs[static_cast<std::size_t>(to)].begin - middle.begin;
        middle.period = middle.size;
        runs.erase(runs.begin() + from + 1, runs.begin() + to);
        runs[static_cast<std::size_t>(from)] = middle;
    }
    Picture q;
    q.title = p.title + ", folded: " + number(p.boxes.size()) + " boxes in " + number(runs.size());
    std::vector<int> now(p.boxes.size());
    for (const Run& run : runs) {
        for (std::size_t k = 0; k < run.size; ++k)
            now[run.begin + k] = static_cast<int>(q.boxes.size());
        q.boxes.push_back(run.size == 1 ? p.boxes[run.begin] : folded_box(p.boxes, run));
        for (std::size_t k = 0; k < run.size; ++k)
            if (p.boxes[run.begin + k].output) q.boxes.back().output = true;
    }
    std::map<std::pair<int, int>, std::size_t> known;
    for (Wire& wire : p.wires) {
        wire.from = now[static_cast<std::size_t>(wire.from)];
        wire.to = now[static_cast<std::size_t>(wire.to)];
        if (wire.from == wire.to) continue;
        const auto [old, is_new] = known.emplace(std::pair(wire.from, wire.to), q.wires.size());
        if (is_new)
            q.wires.push_back(std::move(wire));
        else
            q.wires[old->second].gradient |= wire.gradient;
    }
    return q;
}

std::string svg(const Picture& p) {
    Drawing d;
    for (const Box& box : p.boxes) d.boxes.push_back(sized(box));
    for (const Wire& wire : p.wires) d.wires.push_back({wire.from, wire.to, {}});
    lay_out(d);
    double legend_end = margin;
    const std::string legend = legend_of(p, legend_end);
    const double width = std::max(d.width + margin, legend_end) + margin;
    const double aside = (width - d.width) / 2;
    std::string s =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + px(width) + "\" height=\"" +
        px(d.height + 2 * margin + head_height) + "\" viewBox=\"0 0 " + px(width) + " " +
        px(d.height + 2 * margin + head_height) + "\" role=\"img\">\n<title>" + escaped(p.title) +
        "</title>\n<style>" +
        ".tg-t,.tg-m{font:11px ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\","
        "monospace;stroke:none;white-space:pre}.tg-b{font-weight:bold}.tg-h{font-size:15px}"
        ".tg-e{text-anchor:end}.tg-w{fill:none;stroke-width:1.1}"
        ".tg-g{stroke-width:3}.tg-out{stroke-width:2.6}.tg-page{stroke:none}" +
        colours(false) + "@media(prefers-color-scheme:dark){" + colours(true) + "}</style>\n" +
        "<rect class=\"tg-page\" width=\"100%\" height=\"100%\"/>\n" +
        text_at(margin, margin + 12, "tg-t tg-b tg-h", p.title) + legend +
        "<g transform=\"translate(" + px(aside) + " " + px(margin + head_height) + ")\">\n";
    for (const bool gradient : {false, true})
        for (std::size_t i = 0; i < p.wires.size(); ++i)
            if (p.wires[i].gradient == gradient) s += drawn(p.wires[i], d.wires[i].points);
    for (std::size_t i = 0; i < p.boxes.size(); ++i) s += drawn(p.boxes[i], d.boxes[i]);
    return s + "</g>\n</svg>\n";
}

}  // namespace tg
