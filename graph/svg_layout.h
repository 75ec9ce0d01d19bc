// Where the boxes of a picture go, and how the wires between them run: a layered drawing
// [Sugiyama, Tagawa, Toda 1981]. It knows nothing of tapes or programs. Read next: svg.cc.
#pragma once

#include <vector>

namespace tg {

struct Drawing {
    struct Point {
        double x = 0, y = 0;
    };
    struct Box {
        double width = 0, height = 0;
        double x = 0, y = 0;  // its middle, and its top
    };
    struct Wire {
        int from = 0, to = 0;       // boxes; from < to
        std::vector<Point> points;  // from the bottom of one to the top of the other
    };
    std::vector<Box> boxes;  // with their sizes; a box comes before those it leads to
    std::vector<Wire> wires;
    double width = 0, height = 0;  // of the whole
};

// Fills in x, y, points, width and height.
void lay_out(Drawing& drawing);

}  // namespace tg
