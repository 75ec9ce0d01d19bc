// A picture before it has places: boxes with text, and wires. svg.cc makes one of a tape or a
// program; here it is folded if it is too long, and written as SVG. Read next: svg_layout.h.
#pragma once

#include <string>
#include <vector>

namespace tg {

struct Picture {
    enum Role { data, argument, variable, slot, plain, gradient, group, folded, roles };
    struct Box {
        Role role = plain;
        std::string kind;    // neighbours whose kinds repeat may be folded
        std::string title;   // "%5 matmul"
        std::string detail;  // "float32 (32, 64)"
        std::string place;   // "train.cpp:12"
        std::vector<std::string> rows;
        bool output = false;
    };
    struct Wire {
        int from = 0, to = 0;   // boxes; from < to
        bool gradient = false;  // one flows back along it
        std::string tip;        // what it carries
    };
    std::string title;
    std::vector<Box> boxes;
    std::vector<Wire> wires;
};

// In a picture of more than 60 boxes, runs that repeat are drawn once. If more than 80 are left,
// those in the middle are counted up in one box.
Picture fold(Picture picture);

std::string svg(const Picture& picture);

}  // namespace tg
