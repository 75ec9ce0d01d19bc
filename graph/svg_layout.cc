// The four steps of a layered drawing: every box gets a layer, below all that lead to it; every
// layer an order with few crossings; every box an x, near its neighbours'; every layer a y.
//
// A wire over several layers passes a *bend* in each between, a place without a box. All wires of
// one box share their bends, so they run as one line that branches off late.
#include "graph/svg_layout.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

namespace tg {
namespace {

constexpr double box_gap = 18;
constexpr double bend_gap = 9;
constexpr double layer_gap = 30;
constexpr int sweeps = 24;   // that look for a better order
constexpr int rounds = 400;  // that move places sideways

// A box or a bend.
struct Place {
    int box = -1;
    int layer = 0;
    double width = 0;
    double x = 0;
    double rank = 0;                      // its number within its layer
    std::vector<int> up = {}, down = {};  // its neighbours one layer above and below
};

struct Layers {
    std::vector<Place> places;
    std::vector<std::vector<int>> rows;          // by layer, the places from left to right
    std::map<std::pair<int, int>, int> bend_of;  // by box and layer
};

std::vector<int> layers_of(const Drawing& d) {
    const std::size_t n = d.boxes.size();
    std::vector<int> layer(n, 0);
    std::vector<std::vector<int>> from(n), to(n);
    for (const Drawing::Wire& w : d.wires) {
        from[static_cast<std::size_t>(w.to)].push_back(w.from);
        to[static_cast<std::size_t>(w.from)].push_back(w.to);
    }
    for (std::size_t i = 0; i < n; ++i)
        for (int f : from[i]) layer[i] = std::max(layer[i], layer[static_cast<std::size_t>(f)] + 1);
    // A box moves down to its first user where that makes no more wires longer than shorter: a
    // weight stands right above the line that reads it. An input with no other user as high as this
    // one will follow, so its wire does not count.
    const auto first_user = [&](int box, std::size_t but) {
        int first = std::numeric_limits<int>::max();
        for (int t : to[static_cast<std::size_t>(box)])
            if (static_cast<std::size_t>(t) != but)
                first = std::min(first, layer[static_cast<std::size_t>(t)]);
        return first;
    };
    for (std::size_t i = n; i-- > 0;) {
        if (to[i].empty()) continue;
        std::size_t longer = 0;
        for (int f : from[i]) longer += first_user(f, i) <= layer[i];
        if (to[i].size() >= longer) layer[i] = first_user(static_cast<int>(i), n) - 1;
    }
    return layer;
}

Layers placed(const Drawing& d) {
    Layers l;
    const std::vector<int> layer = layers_of(d);
    l.rows.resize(layer.empty()
                      ? 0
                      : static_cast<std::size_t>(*std::max_element(layer.begin(), layer.end())) +
                            1);
    const auto add = [&l](Place p) {
        const int number = static_cast<int>(l.places.size());
        std::vector<int>& row = l.rows[static_cast<std::size_t>(p.layer)];
        p.rank = static_cast<double>(row.size());
        row.push_back(number);
        l.places.push_back(std::move(p));
        return number;
    };
    for (std::size_t i = 0; i < d.boxes.size(); ++i)
        add({.box = static_cast<int>(i), .layer = layer[i], .width = d.boxes[i].width});
    for (const Drawing::Wire& w : d.wires) {
        int above = w.from;
        for (int k = layer[static_cast<std::size_t>(w.from)] + 1;
             k <= layer[static_cast<std::size_t>(w.to)]; ++k) {
            int below = w.to;
            if (k < layer[static_cast<std::size_t>(w.to)]) {
                const auto [bend, is_new] = l.bend_of.emplace(std::pair(w.from, k), 0);
                if (is_new) bend->second = add({.layer = k});
                below = bend->second;
            }
            std::vector<int>& down = l.places[static_cast<std::size_t>(above)].down;
            if (std::find(down.begin(), down.end(), below) == down.end()) {
                down.push_back(below);
                l.places[static_cast<std::size_t>(below)].up.push_back(above);
            }
            above = below;
        }
    }
    return l;
}

void number_row(Layers& l, std::size_t row) {
    for (std::size_t i = 0; i < l.rows[row].size(); ++i)
        l.places[static_cast<std::size_t>(l.rows[row][i])].rank = static_cast<double>(i);
}

std::int64_t crossings(const Layers& l) {
    std::int64_t count = 0;
    for (std::size_t r = 0; r + 1 < l.rows.size(); ++r) {
        std::vector<std::pair<double, double>> lines;
        for (int p : l.rows[r])
            for (int q : l.places[static_cast<std::size_t>(p)].down)
                lines.emplace_back(l.places[static_cast<std::size_t>(p)].rank,
                                   l.places[static_cast<std::size_t>(q)].rank);
        for (std::size_t i = 0; i < lines.size(); ++i)
            for (std::size_t j = i + 1; j < lines.size(); ++j)
                count +=
                    (lines[i].first - lines[j].first) * (lines[i].second - lines[j].second) < 0;
    }
    return count;
}

// Sorts each layer by the mean rank of its neighbours, going down, then up, and so on; keeps the
// best order met.
void order(Layers& l) {
    std::vector<std::vector<int>> best = l.rows;
    std::int64_t fewest = crossings(l);
    for (int sweep = 0; sweep < sweeps && fewest > 0; ++sweep) {
        for (std::size_t k = 0; k < l.rows.size(); ++k) {
            const bool down = sweep % 2 == 0;
            const std::size_t r = down ? k : l.rows.size() - 1 - k;
            std::vector<std::pair<double, int>> keys;
            for (int p : l.rows[r]) {
                const Place& place = l.places[static_cast<std::size_t>(p)];
                const std::vector<int>& near = down ? place.up : place.down;
                double sum = 0;
                for (int q : near) sum += l.places[static_cast<std::size_t>(q)].rank;
                keys.emplace_back(
                    near.empty() ? place.rank : sum / static_cast<double>(near.size()), p);
            }
            std::stable_sort(keys.begin(), keys.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; });
            for (std::size_t i = 0; i < keys.size(); ++i) l.rows[r][i] = keys[i].second;
            number_row(l, r);
        }
        const std::int64_t now = crossings(l);
        if (now < fewest) {
            fewest = now;
            best = l.rows;
        }
    }
    l.rows = std::move(best);
    for (std::size_t r = 0; r < l.rows.size(); ++r) number_row(l, r);
}

double distance(const Place& left, const Place& right) {
    const double gap = left.box >= 0 || right.box >= 0 ? box_gap : bend_gap;
    return (left.width + right.width) / 2 + gap;
}

// The x nearest to what each place of a row wishes, in their order and with room between: with the
// room taken off, the least squares over non-decreasing numbers, found by pooling neighbours that
// stand the wrong way round.
void spread(Layers& l, const std::vector<int>& row, const std::vector<double>& wish,
            const std::vector<double>& weight) {
    struct Pool {
        double sum, weight;
        std::size_t size;
        double mean() const { return sum / weight; }
    };
    std::vector<Pool> pools;
    std::vector<double> room(row.size(), 0);
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0)
            room[i] = room[i - 1] + distance(l.places[static_cast<std::size_t>(row[i - 1])],
                                             l.places[static_cast<std::size_t>(row[i])]);
        pools.push_back({weight[i] * (wish[i] - room[i]), weight[i], 1});
        while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
            const Pool last = pools.back();
            pools.pop_back();
            pools.back().sum += last.sum;
            pools.back().weight += last.weight;
            pools.back().size += last.size;
        }
    }
    std::size_t i = 0;
    for (const Pool& pool : pools)
        for (std::size_t k = 0; k < pool.size; ++k, ++i)
            l.places[static_cast<std::size_t>(row[i])].x = pool.mean() + room[i];
}

// A place wishes to stand at its neighbours' mean. Bends pull hard at each other, so that long
// wires run straight; an input of one line hardly pulls, so that a chain of lines does.
void align(Layers& l) {
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t k = 0; k < l.rows.size(); ++k) {
            const std::size_t r = round % 2 == 0 ? k : l.rows.size() - 1 - k;
            std::vector<double> wish, weight;
            for (int p : l.rows[r]) {
                const Place& place = l.places[static_cast<std::size_t>(p)];
                double sum = 0, total = 0;
                for (const std::vector<int>* side : {&place.up, &place.down})
                    for (int q : *side) {
                        const Place& near = l.places[static_cast<std::size_t>(q)];
                        double pull = (place.box < 0 ? 3 : 1) * (near.box < 0 ? 3 : 1);
                        if (near.up.empty() && near.down.size() == 1) pull = 0.1;
                        sum += pull * near.x;
                        total += pull;
                    }
                wish.push_back(total > 0 ? sum / total : place.x);
                const bool light = place.up.empty() && place.down.size() == 1;
                weight.push_back(light || total == 0 ? 0.02 : total);
            }
            spread(l, l.rows[r], wish, weight);
        }
    }
}

// Gives the bends of each wire one x for as many layers as there is room for it.
void straighten(Layers& l) {
    const auto place = [&l](int number) -> Place& {
        return l.places[static_cast<std::size_t>(number)];
    };
    std::vector<int> run;
    double low = 0, high = 0;
    const auto end_run = [&] {
        double mean = 0;
        for (int p : run) mean += place(p).x / static_cast<double>(run.size());
        for (int p : run) place(p).x = std::clamp(mean, low, high);
        run.clear();
    };
    std::pair<int, int> before{-1, -1};
    for (const auto& [of, bend] : l.bend_of) {  // by box, then by layer
        const std::vector<int>& row = l.rows[static_cast<std::size_t>(of.second)];
        const auto rank = static_cast<std::size_t>(place(bend).rank);
        double from = -1e9, to = 1e9;
        if (rank > 0) from = place(row[rank - 1]).x + distance(place(row[rank - 1]), place(bend));
        if (rank + 1 < row.size())
            to = place(row[rank + 1]).x - distance(place(bend), place(row[rank + 1]));
        const bool goes_on = before == std::pair(of.first, of.second - 1);
        if (!run.empty() && (!goes_on || std::max(low, from) > std::min(high, to))) end_run();
        low = run.empty() ? from : std::max(low, from);
        high = run.empty() ? to : std::min(high, to);
        run.push_back(bend);
        before = of;
    }
    if (!run.empty()) end_run();
}

void put_boxes(Drawing& d, const Layers& l, std::vector<double>& top, std::vector<double>& bottom) {
    double left = std::numeric_limits<double>::max(), right = 0, y = 0;
    for (const Place& p : l.places) left = std::min(left, p.x - p.width / 2);
    for (const std::vector<int>& row : l.rows) {
        double height = 0;
        for (int p : row) {
            const Place& place = l.places[static_cast<std::size_t>(p)];
            right = std::max(right, place.x - left + place.width / 2);
            if (place.box < 0) continue;
            Drawing::Box& box = d.boxes[static_cast<std::size_t>(place.box)];
            box.x = place.x - left;
            box.y = y;
            height = std::max(height, box.height);
        }
        for (int p : row) {
            const int box = l.places[static_cast<std::size_t>(p)].box;
            if (box >= 0)
                d.boxes[static_cast<std::size_t>(box)].y +=
                    (height - d.boxes[static_cast<std::size_t>(box)].height) / 2;
        }
        top.push_back(y);
        bottom.push_back(y + height);
        y += height + layer_gap;
    }
    d.width = right;
    d.height = std::max(0.0, y - layer_gap);
}

// A wire leaves at the middle of its box's bottom, goes straight down beside the boxes of the
// layers between, and comes in at a port of its own: ports are in the order of where wires come
// from.
void run_wires(Drawing& d, const Layers& l, const std::vector<double>& top,
               const std::vector<double>& bottom) {
    double left = std::numeric_limits<double>::max();
    for (const Place& p : l.places) left = std::min(left, p.x - p.width / 2);
    std::vector<std::vector<std::size_t>> into(d.boxes.size());
    for (std::size_t w = 0; w < d.wires.size(); ++w) {
        Drawing::Wire& wire = d.wires[w];
        const Drawing::Box& from = d.boxes[static_cast<std::size_t>(wire.from)];
        wire.points = {{from.x, from.y + from.height}};
        const int last = l.places[static_cast<std::size_t>(wire.to)].layer;
        for (int k = l.places[static_cast<std::size_t>(wire.from)].layer + 1; k < last; ++k) {
            const int bend = l.bend_of.at({wire.from, k});
            const double x = l.places[static_cast<std::size_t>(bend)].x - left;
            wire.points.push_back({x, top[static_cast<std::size_t>(k)]});
            wire.points.push_back({x, bottom[static_cast<std::size_t>(k)]});
        }
        into[static_cast<std::size_t>(wire.to)].push_back(w);
    }
    for (std::size_t b = 0; b < d.boxes.size(); ++b) {
        std::stable_sort(into[b].begin(), into[b].end(), [&d](std::size_t i, std::size_t j) {
            return d.wires[i].points.back().x < d.wires[j].points.back().x;
        });
        const Drawing::Box& box = d.boxes[b];
        const auto n = static_cast<double>(into[b].size());
        const double step = std::min(22.0, box.width / (n + 1));
        for (std::size_t i = 0; i < into[b].size(); ++i)
            d.wires[into[b][i]].points.push_back(
                {box.x + step * (static_cast<double>(i) - (n - 1) / 2), box.y});
    }
}

}  // namespace

void lay_out(Drawing& d) {
    if (d.boxes.empty()) return;
    Layers l = placed(d);
    order(l);
    align(l);
    straighten(l);
    std::vector<double> top, bottom;
    put_boxes(d, l, top, bottom);
    run_wires(d, l, top, bottom);
}

}  // namespace tg
