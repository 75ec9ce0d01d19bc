// A picture of what a warp did to memory, instruction by instruction. Global memory: a box for each
// sector of 32 bytes that was touched. Shared memory: 32 columns, its banks; words of one bank
// stand below each other, so that the rows are the passes.
#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "counters.h"

namespace simt::check {
namespace {

constexpr int margin = 16, bank_width = 25, cell_height = 16, line_height = 18;
constexpr int byte_width = 3, sector_pitch = 100, sectors_a_line = 8;
constexpr int width = 2 * margin + sectors_a_line * sector_pitch;

std::string number(std::int64_t n) { return std::to_string(n); }

std::string triple(dim3 d) {
    return "(" + number(d.x) + ", " + number(d.y) + ", " + number(d.z) + ")";
}

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    return result;
}

std::string text_at(int x, int y, const std::string& more, const std::string& text) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\"" + more + ">" + escaped(text) +
           "</text>\n";
}

std::string box(int x, int y, int wide, const std::string& inside) {
    return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(wide) +
           "\" height=\"" + number(cell_height) + "\" stroke=\"#888\" " + inside + "\n";
}

// The lanes that touch one place: its colour is the first one's.
using Lanes = std::vector<unsigned>;

std::string cell(int x, int y, int wide, const Lanes& lanes, std::int64_t first, unsigned size) {
    std::string all = lanes.size() == 1 ? "lane " : "lanes ";
    for (const unsigned lane : lanes) all += (lane == lanes[0] ? "" : ", ") + number(lane);
    const std::string bytes = size == 1
                                  ? ": byte " + number(first)
                                  : ": bytes " + number(first) + " to " + number(first + size - 1);
    const std::string name = lanes.size() == 1
                                 ? number(lanes[0])
                                 : "x" + number(static_cast<std::int64_t>(lanes.size()));
    std::string result = box(x, y, wide,
                             "fill=\"hsl(" + number(lanes[0] * 360 / 32) + ", 70%, 80%)\"><title>" +
                                 all + bytes + "</title></rect>");
    if (wide >= 12)
        result += text_at(x + wide / 2, y + 11, " font-size=\"8\" text-anchor=\"middle\"", name);
    return result;
}

template <class Body>
void for_lanes(unsigned lanes, const Body& body) {
    for (unsigned lane = 0; lane < 32; ++lane)
        if (lanes >> lane & 1) body(lane);
}

// The numbers of the banks, which <use> repeats.
std::string bank_numbers() {
    std::string all = "<defs><g id=\"simt-banks\" font-size=\"8\" fill=\"#666\">\n";
    for (int bank = 0; bank < 32; ++bank)
        all += text_at(margin + bank * bank_width, 8, "", number(bank));
    return all + "</g></defs>\n";
}

// What stands below a line's label, its height, and the words for the label.
struct Strip {
    std::string body, words;
    int height = 0;
};

// The unit of so many bytes that a byte lies in; a lane may touch what lies before the variable.
std::int64_t unit_of(std::int64_t byte, int bytes) {
    return byte >= 0 ? byte / bytes : -((bytes - 1 - byte) / bytes);
}

Strip sectors(const WarpAccess& a, int top) {
    std::map<std::int64_t, Lanes> at;   // by first byte
    std::map<std::int64_t, int> place;  // of each sector in the picture
    std::set<std::int64_t> bytes;
    for_lanes(a.lanes, [&](unsigned lane) {
        at[a.offset[lane]].push_back(lane);
        for (std::int64_t i = a.offset[lane]; i < a.offset[lane] + a.size; ++i) {
            place[unit_of(i, 32)] = 0;
            bytes.insert(i);
        }
    });
    Strip strip;
    int count = 0;
    const auto x_of = [](int i) { return margin + i % sectors_a_line * sector_pitch; };
    const auto y_of = [&](int i) { return top + i / sectors_a_line * (cell_height + line_height); };
    for (auto& [sector, i] : place) {
        i = count++;
        strip.body += box(x_of(i), y_of(i), 32 * byte_width, "fill=\"white\"/>");
        strip.body += text_at(x_of(i), y_of(i) + cell_height + 10, " font-size=\"8\" fill=\"#666\"",
                              "byte " + number(sector * 32));
    }
    for (const auto& [first, lanes] : at) {
        for (std::int64_t part = first; part < first + a.size;) {
            const std::int64_t sector = unit_of(part, 32);
            const std::int64_t stop = std::min((sector + 1) * 32, first + a.size);
            const int i = place[sector];
            strip.body += cell(x_of(i) + static_cast<int>(part - sector * 32) * byte_width, y_of(i),
                               static_cast<int>(stop - part) * byte_width, lanes, first, a.size);
            part = stop;
        }
    }
    strip.height = (count + sectors_a_line - 1) / sectors_a_line * (cell_height + line_height);
    strip.words = number(count) + (count == 1 ? " sector for " : " sectors for ") +
                  number((static_cast<std::int64_t>(bytes.size()) + 31) / 32);
    return strip;
}

// Banks are counted from the start of the variable.
Strip bank_passes(const WarpAccess& a, int top) {
    Strip strip;
    const auto x_of = [](std::int64_t bank) {
        return margin + static_cast<int>(bank) * bank_width;
    };
    strip.body += "<use href=\"#simt-banks\" y=\"" + number(top) + "\"/>\n";
    top += 12;
    int row = 0, parts = 0;
    const unsigned at_once = lanes_at_once(a.size);
    for (unsigned first = 0; first < 32; first += at_once) {
        std::map<std::int64_t, Lanes> words;
        const unsigned part = (at_once == 32 ? ~0u : (1u << at_once) - 1) << first & a.lanes;
        for_lanes(part, [&](unsigned lane) {
            const std::int64_t last = unit_of(a.offset[lane] + a.size - 1, 4);
            for (std::int64_t word = unit_of(a.offset[lane], 4); word <= last; ++word)
                words[word].push_back(lane);
        });
        if (words.empty()) continue;
        ++parts;
        int below[32] = {}, most = 0;
        for (const auto& [word, lanes] : words) {
            const auto bank = word - unit_of(word, 32) * 32;
            const int y = top + (row + below[bank]++) * cell_height;
            most = std::max(most, below[bank]);
            strip.body += cell(x_of(bank), y, bank_width, lanes, word * 4, 4);
        }
        row += most;
    }
    strip.height = 12 + row * cell_height + 4;
    strip.words =
        number(row) + (row == 1 ? " bank pass for " : " bank passes for ") + number(parts);
    return strip;
}

}  // namespace

std::string svg(const LaunchCounts& counts) {
    std::string body;
    int y = 60;
    for (const WarpAccess& a : counts.accesses) {
        const Strip strip = a.shared ? bank_passes(a, y + 6) : sectors(a, y + 6);
        const int lanes = std::popcount(a.lanes);
        std::string label = a.place + " " + a.verb + " " + a.variable;
        if (a.round > 1) label += ", round " + number(a.round);
        label += ": " + number(lanes) + (lanes == 1 ? " lane, " : " lanes, ") + strip.words;
        body += text_at(margin, y, "", label) + strip.body;
        y += strip.height + line_height + 6;
    }
    const std::string size = "width=\"" + number(width) + "\" height=\"" + number(y) + "\"";
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" " + size +
           " font-family=\"monospace\" font-size=\"12\">\n<rect " + size + " fill=\"white\"/>\n" +
           text_at(margin, 20, "",
                   "warp 0 of block (0, 0, 0); grid " + triple(counts.grid) + ", block " +
                       triple(counts.block)) +
           text_at(
               margin, 36, " fill=\"#666\"",
               "a number: the lane that touches these bytes; x3: three lanes; a box: a sector of "
               "32 bytes; a column: a bank") +
           bank_numbers() + body + "</svg>\n";
}

}  // namespace simt::check
