#include "graph/program.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/graph/programs.h"

using namespace tg;
using namespace tg::test;

static std::string parse_error(const std::string& text) {
    return error_of([&] { parse_program(text); });
}

TEST_CASE("a program's text reads back to an equal program, and prints as it was") {
    const Ref<Program> p = parse_program(network);
    CHECK(p->text() == network);
    CHECK(parse_program(p->text())->equals(*p));
    CHECK(p->inputs[2].kind == ProgramInput::variable);
    CHECK(p->inputs[2].requires_grad);
    CHECK(p->lines[0].requires_grad);
    CHECK(text(p->lines[0].where) == "net.cpp:10");
    CHECK(p->lines[7].attrs.dims(0) == Dims{0, 1});
}

TEST_CASE("places do not make programs differ, numbers do") {
    const Ref<Program> p = parse_program(network);
    Program moved = *p;
    moved.lines[0].where = {};
    CHECK(p->equals(moved));
    moved.lines[8].in[1].scalar = 17.0;
    CHECK(!p->equals(moved));
}

TEST_CASE("numbers keep their bits in a text") {
    const double values[] = {0.1,
                             -0.0,
                             1e300,
                             5e-324,
                             2.0,
                             1.0 / 3.0,
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()};
    for (double value : values) {
        Program p = *parse_program(
            "program p\n %0 = argument x float64 (2,)\n %1 = add %0 1.0 float64 (2,)\n return "
            "%1\n");
        p.lines[0].in[1].scalar = value;
        const Scalar read = parse_program(p.text())->lines[0].in[1].scalar;
        CHECK(read.dtype == DType::float64);
        CHECK(read.integer == Scalar(value).integer);
    }
    const Ref<Program> p = parse_program(
        "program p\n %0 = argument x bool (2,)\n %1 = add %0 True bool (2,)\n"
        " %2 = eq %0 nan bool (2,)\n return %1\n");
    CHECK(p->lines[0].in[1].scalar == Scalar(true));
    CHECK(std::isnan(p->lines[1].in[1].scalar.real));
}

TEST_CASE("names that are not plain words are quoted") {
    Program p = *parse_program(network);
    p.name = "a \"step\"\\\n\x01";
    p.inputs[0].name = "";
    p.inputs[1].name = "Größe (1)";
    const Ref<Program> read = parse_program(p.text());
    CHECK(read->name == p.name);
    CHECK(read->inputs[0].name == "");
    CHECK(read->inputs[1].name == "Größe (1)");
}

TEST_CASE("dims that are not known are named in order, and equal names are equal dims") {
    const Ref<Program> p = parse_program(
        "program p\n"
        "  %0 = argument x float32 (?7, 4)\n"
        "  %1 = argument y float32 (?9, 4)\n"
        "  %2 = add %0 %0 float32 (?7, 4)\n"
        "  return %2\n");
    CHECK(p->values[0].shape[0] == p->values[2].shape[0]);
    CHECK(p->values[0].shape[0] != p->values[1].shape[0]);
    CHECK(p->text().find("float32 (?1, 4)") != std::string::npos);
    CHECK(p->text().find("float32 (?2, 4)") != std::string::npos);
    CHECK(parse_program(p->text())->equals(*p));
}

TEST_CASE("a constant's bytes are a string that any text file holds") {
    Program p;
    p.name = "c";
    Line line;
    line.op = find_line_op("constant");
    const float pi = 3.14159f;
    line.attrs = Attrs{Attr{Dims{}}, Attr{DType::float32},
                       Attr{std::string(reinterpret_cast<const char*>(&pi), 4)}};
    line.out.push_back(0);
    p.values.push_back({{}, DType::float32, Device::cpu});
    p.lines.push_back(line);
    p.outputs.push_back(0);
    const Ref<Program> read = parse_program(p.text());
    CHECK(read->lines[0].attrs == line.attrs);
    for (char c : p.text()) CHECK(static_cast<unsigned char>(c) < 0x80);
}

TEST_CASE("an error in a text names its line and what is wrong") {
    CHECK(parse_error("") == "program text, line 1: the text ends before its `return`");
    CHECK(parse_error("program p\n") == "program text, line 2: the text ends before its `return`");
    const std::string head = "program p\n  %0 = argument x float32 (2, 3)\n";
    CHECK(parse_error(head + "  %1 = foo %0 float32 (2, 3)\n  return %1\n") ==
          "program text, line 3: there is no op 'foo'");
    CHECK(parse_error(head + "  %1 = exp %4 float32 (2, 3)\n  return %1\n") ==
          "program text, line 3: %4 is used before it is made");
    CHECK(parse_error(head + "  %1 = exp %0 float8 (2, 3)\n  return %1\n") ==
          "program text, line 3: there is no dtype 'float8'");
    CHECK(parse_error(head + "  %1 = sum %0 keepdim=0 float32 ()\n  return %1\n") ==
          "program text, line 3: expected attribute dim=");
    CHECK(parse_error(head + "  %0 = exp %0 float32 (2, 3)\n  return %0\n") ==
          "program text, line 3: makes %0 again");
    CHECK(parse_error(head + "  %1 = exp %0 float32 (2, 4)\n  return %1\n") ==
          "program text, line 3: %1 = exp: %1 is float32 (2, 4) on cpu, but its op makes "
          "float32 (2, 3) on cpu");
    CHECK(parse_error(head + "  return %0\nmore\n") ==
          "program text, line 4: the program ended before this line");
}

TEST_CASE("absurd numbers are errors, and take no memory") {
    const std::string head = "program p\n  %0 = argument x float32 (2, 3)\n";
    CHECK(parse_error(head + "  %999999999 = exp %0 float32 (2, 3)\n") ==
          "program text, line 3: a value's number is 999999999");
    CHECK(parse_error("program p\n %0 = argument x float32 (99999999999999999999,)\n") ==
          "program text, line 2: a dim is out of range: '99999999999999999999'");
    CHECK(parse_error("program p\n %0 = argument x float32 (1,1,1,1,1,1,1,1,1)\n") ==
          "program text, line 2: more than 8 dims");
    CHECK(
        parse_error("program p\n %0 = argument x float32 (9999999999, 9999999999)\n return %0\n") ==
        "%0 of shape (9999999999, 9999999999) is too large");
    CHECK(parse_error(head + "  %1 = add %0 1e999 float32 (2, 3)\n") ==
          "program text, line 3: a number is out of range: '1e999'");
}

TEST_CASE("a text cut short or changed anywhere is read or refused, never more") {
    for (std::size_t n = 0; n < network.size(); ++n)
        CHECK_THROWS_AS(parse_program(network.substr(0, n)), Error);
    std::mt19937 random(7);
    const std::string letters = "%=()., \n0123456789-?gabcdefx\"\\";
    for (int round = 0; round < 3000; ++round) {
        std::string text = network;
        for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes) {
            const std::size_t at = random() % text.size();
            const char letter = letters[random() % letters.size()];
            if (random() % 3 == 0)
                text.erase(at, 1 + random() % 20);
            else if (random() % 2 == 0)
                text.insert(at, 1, letter);
            else
                text[at] = letter;
        }
        try {
            const Ref<Program> p = parse_program(text);
            CHECK(parse_program(p->text())->equals(*p));
        } catch (const Error&) {
        }
    }
}

TEST_CASE("the verifier names each broken invariant") {
    const Ref<Program> good = parse_program(network);
    const auto broken = [&](auto change) {
        Program p = *good;
        change(p);
        return error_of([&] { verify(p); });
    };
    CHECK(broken([](Program&) {}) == "");
    CHECK(broken([](Program& p) { p.lines[0].in[0].value = 99; }) ==
          "%5 = matmul (net.cpp:10): uses %99, but there are 25 values");
    CHECK(broken([](Program& p) { p.lines[0].in[0].value = 8; }).find("%5 = matmul") == 0);
    CHECK(broken([](Program& p) { p.lines[3].in[0].value = 17; }) ==
          "%8 = relu (net.cpp:11): uses %17 before it is made");
    CHECK(broken([](Program& p) {
              p.lines[2].in.push_back(Operand{0, {}});
          }) == "%7 = add (net.cpp:10): has 3 inputs, but its op has 2");
    CHECK(broken([](Program& p) { p.lines[3].out[0] = 7; }) ==
          "%7 = relu (net.cpp:11): makes %7 again");
    CHECK(broken([](Program& p) { p.lines[3].out.push_back(8); }) ==
          "%8 %8 = relu (net.cpp:11): makes 2 values, but its op makes 1");
    CHECK(broken([](Program& p) { p.lines[7].attrs = Attrs{}; }) ==
          "%12 = sum (net.cpp:13): has 0 attributes, but its op has 2");
    CHECK(broken([](Program& p) {
              p.lines[7].attrs = {Attr{1.5}, Attr{std::int64_t{0}}};
          }) == "%12 = sum (net.cpp:13): attribute dim is not of its kind");
    CHECK(broken([](Program& p) {
              p.lines[7].attrs = {Attr{Dims{2}}, Attr{std::int64_t{0}}};
          }) == "%12 = sum (net.cpp:13): names dim 2, but its input has 2 dims");
    CHECK(broken([](Program& p) { p.values[1].dtype = DType::float64; }) ==
          "%10 = sub (net.cpp:13): mixes float32 (6, 3) on cpu and float64 (6, 3) on cpu; a cast "
          "is missing");
    CHECK(broken([](Program& p) { p.values[12].shape = Dims{1}; }) ==
          "%12 = sum (net.cpp:13): %12 is float32 (1,) on cpu, but its op makes float32 () on cpu");
    CHECK(broken([](Program& p) { p.values[0].shape[0] = -3; }) == "%0 has a dim of -3");
    CHECK(broken([](Program& p) { p.lines[0].op = nullptr; }) == "%5 = ? (net.cpp:10): has no op");
    CHECK(broken([](Program& p) { p.outputs[0] = 25; }) ==
          "program network returns %25, which nothing makes");
    CHECK(broken([](Program& p) { p.values.resize(3); }) ==
          "program network has 5 inputs, but 3 values");
}
