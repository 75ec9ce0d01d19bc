#include "graph/svg.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/optim/optim.h"
#include "graph/compile.h"
#include "graph/svg_layout.h"
#include "graph/svg_picture.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

int count(const std::string& text, const std::string& word) {
    int n = 0;
    for (std::size_t i = text.find(word); i != std::string::npos; i = text.find(word, i + 1)) ++n;
    return n;
}

bool has(const std::string& text, const std::string& word) { return count(text, word) > 0; }

// A small XML reader: what is wrong, or "". Every element is closed in order, every attribute
// quoted, every & begins one of the five entities.
std::string wrong_in_xml(const std::string& s) {
    std::vector<std::string> open;
    for (std::size_t i = 0; i < s.size();) {
        if (s[i] == '&') {
            const std::string entity = s.substr(i, s.find(';', i) + 1 - i);
            if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;")
                return "entity " + entity;
        }
        if (s[i] != '<') {
            if (s[i] == '>') return "a bare >";
            ++i;
            continue;
        }
        const std::size_t end = s.find('>', i);
        if (end == std::string::npos) return "a tag without end";
        const std::string tag = s.substr(i + 1, end - i - 1);
        const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
        if (count(tag, "\"") % 2 != 0) return "an attribute without end in " + tag;
        if (tag[0] == '/') {
            if (open.empty() || "/" + open.back() != tag) return "not open: " + tag;
            open.pop_back();
        } else if (tag.back() != '/') {
            open.push_back(name);
        }
        i = end + 1;
        if (name == "style") i = s.find("</style>", i);
    }
    return open.empty() ? "" : "left open: " + open.back();
}

int boxes(const std::string& svg) { return count(svg, "<g class=\"tg-box\">"); }
int wires(const std::string& svg) { return count(svg, "<g class=\"tg-wire\">"); }
int thick(const std::string& svg) { return count(svg, "<path class=\"tg-w tg-g\" d=\"M") - 1; }

Program parsed(const std::string& text) { return *parse_program(text); }

}  // namespace

TEST_CASE("a tape's picture has a box for each node and a thick wire for each gradient") {
    const Tensor w = leaf({2, 3});
    const Tensor x = tensor(Floats{1, 2});
    const Tensor y = (w * x + w).sum();
    const std::string s = tape_svg(y);
    CHECK(wrong_in_xml(s) == "");
    CHECK(boxes(s) == 5);  // leaf, x, mul, add, sum
    CHECK(wires(s) == 5);  // of which one carries x, through which no gradient flows
    CHECK(thick(s) == 4);
    for (const char* part : {"%0 leaf", "%1 mul", "%2 add", "%3 sum", "float32 (2,)", "= 13<",
                             "svg_test.cc:", "keeps b", "prefers-color-scheme:dark"})
        CHECK_MESSAGE(has(s, part), part);
    CHECK(!has(s, "<script"));
}

TEST_CASE("both inputs of x * x are drawn, and a number stands in its op's box") {
    const Tensor x = leaf({3});
    const std::string s = tape_svg((x * x * 0.5).sum());
    CHECK(wires(s) == 4);
    CHECK(count(s, "%0 \u2192 %1 float32 (1,)") == 2);
    CHECK(has(s, "%2 mul 0.5"));
}

TEST_CASE("a leaf alone is one box, and a tensor without a tape says so") {
    const std::string one = tape_svg(leaf({1, 2}));
    CHECK(wrong_in_xml(one) == "");
    CHECK(boxes(one) == 1);
    CHECK(wires(one) == 0);
    const std::string none = tape_svg(tensor(Floats{1, 2}));
    CHECK(wrong_in_xml(none) == "");
    CHECK(boxes(none) == 1);
    CHECK(has(none, "it does not require a gradient: there is no tape"));
    CHECK(error_of([] { (void)tape_svg(Tensor()); }) == "tape_svg: this tensor is undefined");
}

TEST_CASE("a symbolic tensor's picture is what it will be made of") {
    const Tensor w = leaf({2});
    Graph graph;
    std::string inside;
    Tensor y;
    {
        const GraphScope open(graph);
        const Tensor x = placeholder("x", {None});
        y = exp(x * w);
        inside = tape_svg(y);
    }
    CHECK(inside == tape_svg(y));
    CHECK(wrong_in_xml(inside) == "");
    CHECK(has(inside, "exp"));
    CHECK(has(inside, "float32 (?,)"));
}

TEST_CASE("after backward the tape shows what it has freed") {
    const Tensor x = leaf({1});
    const Tensor y = exp(x).sum();
    CHECK(has(tape_svg(y), "keeps its result"));
    y.backward();
    CHECK(has(tape_svg(y), "its kept values are freed"));
}

TEST_CASE("a program's picture has its inputs, lines, gradients and outputs") {
    const Program p = parsed(
        "program f\n"
        "  %0 = argument x   float32 (2, 3)\n"
        "  %1 = variable w   float32 (2, 3)   g\n"
        "  %2 = mul %0 %1    float32 (2, 3)   g\n"
        "  %3 = mul %2 2.0   float32 (2, 3)   g\n"
        "  %4 = neg %0       float32 (2, 3)\n"
        "  return %3 %4 %0\n");
    const std::string s = program_svg(p);
    CHECK(wrong_in_xml(s) == "");
    CHECK(boxes(s) == 5);
    CHECK(wires(s) == 4);
    CHECK(thick(s) == 2);
    for (const char* part : {"%0 argument x", "%1 variable w", "%3 mul 2.0", "returned: 0",
                             "returned: 1", "returned: 2", "leaf or variable", "<title>f</title>"})
        CHECK_MESSAGE(has(s, part), part);
}

TEST_CASE("a program without lines, or without anything, has a picture") {
    const std::string some =
        program_svg(parsed("program f\n  %0 = argument x   float32 (2,)\n  return %0\n"));
    CHECK(wrong_in_xml(some) == "");
    CHECK(boxes(some) == 1);
    const std::string none = program_svg(parsed("program f\n  return\n"));
    CHECK(wrong_in_xml(none) == "");
    CHECK(boxes(none) == 0);
}

TEST_CASE("a fused group lists its lines") {
    Compiled f("f", [](const std::vector<Tensor>& x) {
        return std::vector<Tensor>{tanh(exp(x[0]) * 3 + 1)};
    });
    f({tensor(Floats{1, 2})});
    const std::string s = program_svg(*f.traces()[0].improved);
    CHECK(wrong_in_xml(s) == "");
    CHECK(boxes(s) == 2);
    CHECK(wires(s) == 1);
    for (const char* part : {"fused", "exp a", "mul %", "tanh %", "fused: one pass over memory"})
        CHECK_MESSAGE(has(s, part), part);
}

TEST_CASE("a launch of groups lists them, each by its ops") {
    Compiled f("f", [](const std::vector<Tensor>& x) {
        return std::vector<Tensor>{exp(x[0]) * 3 + 1, sin(x[1])};
    });
    f({tensor(Floats{1, 2}), tensor(Floats{1, 2, 3})});
    const std::string s = program_svg(*f.traces()[0].improved);
    CHECK(wrong_in_xml(s) == "");
    CHECK(boxes(s) == 3);
    CHECK(wires(s) == 2);
    for (const char* part : {"together", "= exp mul add of x0", "= sin x1"})
        CHECK_MESSAGE(has(s, part), part);
}

TEST_CASE("a long chain is folded, with a count") {
    Tensor x = leaf({1});
    for (int i = 0; i < 1000; ++i) x = x * 1.0001 + 0.1;
    const std::string s = tape_svg(x);
    CHECK(wrong_in_xml(s) == "");
    CHECK(boxes(s) == 4);  // the leaf, 999 times mul and add, the last mul, the root
    CHECK(wires(s) == 3);
    CHECK(has(s, "999 times:"));
    CHECK(has(s, "2001 boxes in 4"));
}

TEST_CASE("a long tape in which nothing repeats shows both ends and counts the middle") {
    Tensor x = leaf({1});
    Tensor (*const ops[])(const Arg&) = {exp, tanh, relu, neg, sqrt};
    unsigned random = 1;
    for (int i = 0; i < 500; ++i) {
        random = random * 1103515245U + 12345U;
        x = ops[(random >> 16) % 5](x);
    }
    const std::string s = tape_svg(x);
    CHECK(wrong_in_xml(s) == "");
    CHECK(boxes(s) <= 80);
    CHECK(wires(s) == boxes(s) - 1);
    CHECK(has(s, " lines:"));
    CHECK(has(s, "%0 leaf"));
    CHECK(has(s, "%500 "));
}

TEST_CASE("60 boxes are not folded") {
    Tensor x = leaf({1});
    for (int i = 0; i < 59; ++i) x = exp(x);
    CHECK(boxes(tape_svg(x)) == 60);
    CHECK(boxes(tape_svg(exp(x))) < 60);
}

TEST_CASE("every text is escaped, and what is no character is replaced") {
    Program p = parsed("program f\n  %0 = argument x   float32 (2,)\n  return %0\n");
    p.name = "<f & \"g\">";
    p.inputs[0].name = std::string("caf\u00e9 </text> \x01\xff\xc3 ") + std::string(80, 'x');
    const std::string s = program_svg(p);
    CHECK(wrong_in_xml(s) == "");
    CHECK(has(s, "&lt;f &amp; &quot;g&quot;&gt;"));
    CHECK(has(s, "caf\u00e9 &lt;/text&gt; ???"));
    CHECK(has(s, "\u2026"));
}

TEST_CASE("boxes of a layer do not overlap, and wires end at their boxes") {
    Drawing d;
    for (int i = 0; i < 40; ++i) d.boxes.push_back({40.0 + i % 7 * 20, 20.0 + i % 3 * 10, 0, 0});
    for (int i = 1; i < 40; ++i)
        for (int k : {1, 5, 13})
            if (i - k >= 0) d.wires.push_back({i - k, i, {}});
    lay_out(d);
    for (std::size_t i = 0; i < d.boxes.size(); ++i) {
        const Drawing::Box& a = d.boxes[i];
        CHECK(a.x - a.width / 2 >= -0.01);
        CHECK(a.x + a.width / 2 <= d.width + 0.01);
        CHECK(a.y + a.height <= d.height + 0.01);
        for (std::size_t j = 0; j < i; ++j) {
            const Drawing::Box& b = d.boxes[j];
            const bool beside = std::abs(a.x - b.x) >= (a.width + b.width) / 2;
            const bool below = a.y >= b.y + b.height || b.y >= a.y + a.height;
            CHECK((beside || below));
        }
    }
    for (const Drawing::Wire& w : d.wires) {
        const Drawing::Box& from = d.boxes[static_cast<std::size_t>(w.from)];
        const Drawing::Box& to = d.boxes[static_cast<std::size_t>(w.to)];
        CHECK(w.points.front().x == doctest::Approx(from.x));
        CHECK(w.points.front().y == doctest::Approx(from.y + from.height));
        CHECK(std::abs(w.points.back().x - to.x) <= to.width / 2);
        CHECK(w.points.back().y == doctest::Approx(to.y));
        for (std::size_t i = 1; i < w.points.size(); ++i) CHECK(w.points[i].y >= w.points[i - 1].y);
    }
}
