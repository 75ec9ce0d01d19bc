// What the files about linear algebra share.
#pragma once

#include <optional>

#include "core/ops/family.h"
#include "core/ops/linalg.h"
#include "kernels/cpu/linalg.h"

namespace tg {

namespace ops {
extern const Op solve;             // A, B -> X; may_be_singular
extern const Op solve_triangular;  // A, B -> X; upper, unitriangular
extern const Op lu_factor;         // A -> L and U in one, pivots; check
extern const Op lu_rows;           // pivots (..., K) -> rows (..., M); rows is M
}  // namespace ops

inline Tensor turned(const Arg& x) { return transpose(x, -2, -1); }
// A number of each matrix of a batch, as a matrix of one element.
inline Tensor as_matrix(const Tensor& x) { return unsqueeze(unsqueeze(x, -1), -1); }
Tensor eye_like(const Tensor& a, std::int64_t n);

// Throw RuntimeError unless it is float32 or float64 of two dims or more; and square.
void check_matrix(const char* op, const Desc& a);
void check_square(const char* op, const Desc& a);
void check_tensor(const char* op, const char* what, const Arg& a);
Desc desc_of(const Tensor& x);
// The smaller of a matrix's sizes. Throws where it cannot be told while a graph is built.
std::int64_t smaller(const char* op, const Desc& a);
// The batch dims.
Dims batch_of(const Dims& shape, int inner = 2);
// Both numbers, PyTorch's defaults filled in.
linalg::Tolerance tolerance_of(const char* op, const Tensor& a, const linalg::Tolerance& t);
// Throws LinAlgError: "solve: matrix 3 of (5, 2, 2) is singular".
void check_found(const Launch& l, const kernels::cpu::Failed& failed, const char* what);

}  // namespace tg
