// The table of ops: each has rows that say what it gives, by hand, and that are then put through
// every check there is. Rows live in the test file of the op's family; table_test.cc joins them,
// and fails for an op that has none.
//
//     values      f(inputs) is `expected`; also on strided inputs, and the same in a program
//     gradient    against central differences in float64, and once more: the gradient's gradient
//     program     tape == compiled program bit for bit, by all executors, values and gradients
//     cuda        cpu == cuda to a tolerance (without a GPU: the emulator, or the CPU in its place)
//     error       what a misuse says, word for word
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/ops.h"

namespace tg::test {

using Tensors = std::vector<Tensor>;

struct Numbers {  // a tensor by hand
    Dims shape;
    std::vector<double> values;
    DType dtype = DType::float32;
};

struct Row {
    const char* op = nullptr;  // a name of all_ops(), or of a composition
    Tensor (*f)(const Tensors& x) = nullptr;
    std::vector<Numbers> inputs;
    Numbers expected;
    int order = 2;                      // derivatives to check: 0 for one that has none
    double tolerance = 0;               // of the values, relative; 0: the very numbers
    std::function<void()> misuse = {};  // null: another row of the op has it
    std::string error = {};             // what misuse throws
};

std::vector<Row> elementwise_rows();  // elementwise_test.cc
std::vector<Row> comparison_rows();   // comparison_test.cc
std::vector<Row> reduce_rows();       // reduce_test.cc
std::vector<Row> matmul_rows();       // matmul_test.cc
std::vector<Row> linalg_rows();       // linalg_test.cc
std::vector<Row> layout_rows();       // layout_test.cc
std::vector<Row> indexing_rows();     // indexing_test.cc
std::vector<Row> row_rows();          // rows_test.cc
std::vector<Row> sort_rows();         // sort_test.cc
std::vector<Row> line_rows();         // lines_test.cc
std::vector<Row> attention_rows();    // attention_test.cc
std::vector<Row> convolution_rows();  // convolution_test.cc
std::vector<Row> pooling_rows();      // pooling_test.cc
std::vector<Row> creation_rows();     // creation_test.cc
std::vector<Row> division_rows();     // division_test.cc
std::vector<Row> arrange_rows();      // arrange_test.cc
std::vector<Row> product_rows();      // products_test.cc
std::vector<Row> random_rows();       // random_test.cc
std::vector<Row> composite_rows();    // composite_test.cc
std::vector<Row> optimizer_rows();    // optimizers_test.cc
std::vector<Row> function_rows();     // function_test.cc
std::vector<Row> angle_rows();        // trigonometry_test.cc

Tensor made(const Numbers& n);
void check(const Row& row);  // all checks, as doctest assertions

}  // namespace tg::test
