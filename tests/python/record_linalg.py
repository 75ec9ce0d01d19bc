"""Writes linalg_recorded.json: what PyTorch's linear algebra gives, forwards and backwards, in
float64.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
PYTHONPATH=tests python tests/python/record_linalg.py. The tests only read the file.
"""

import json
from pathlib import Path

from record_ops import record

# P(x) is symmetric and positive-definite. Of factors that are unique up to signs, what does not
# depend on these.
P = "(x @ x.mT + t.eye({0}, dtype=t.float64))"
P2, P3 = P.format(2), P.format(3)

CASES = [
    ("t.linalg.det(x)", [[3, 3]]),
    ("x.det(), t.det(x)", [[2, 3, 3]]),
    ("t.linalg.slogdet(x)", [[2, 3, 3]]),
    ("t.slogdet(x)[1]", [[1, 1]]),
    (f"{P3}.logdet()", [[2, 3, 3]]),
    ("t.linalg.inv(x), x.inverse()", [[2, 3, 3]]),
    ("t.linalg.solve(x, y)", [[3, 3], [3, 2]]),
    ("t.linalg.solve(x, y)", [[3, 3], [3]]),
    ("t.linalg.solve(x, y)", [[2, 3, 3], [2, 3]]),
    ("t.linalg.solve(x, y)", [[2, 1, 3, 3], [4, 3, 2]]),
    ("t.linalg.solve(x, y, left=False)", [[3, 3], [2, 3]]),
    ("t.linalg.solve_triangular(x, y, upper=True)", [[3, 3], [3, 2]]),
    ("t.linalg.solve_triangular(x, y, upper=False, left=False)", [[3, 3], [2, 2, 3]]),
    ("t.linalg.solve_triangular(x, y, upper=False, unitriangular=True)", [[2, 3, 3], [3, 2]]),
    (f"t.linalg.cholesky({P3})", [[2, 3, 3]]),
    (f"t.linalg.cholesky({P3}, upper=True)", [[3, 3]]),
    (f"t.linalg.cholesky_ex({P2})", [[2, 2]]),
    (f"t.cholesky_solve(y, t.linalg.cholesky({P3}))", [[3, 3], [3, 2]]),
    (f"t.cholesky_inverse(t.linalg.cholesky({P3}, upper=True), upper=True)", [[3, 3]]),
    ("t.linalg.lu_factor(x)", [[3, 3]]),
    ("t.linalg.lu_factor(x)", [[2, 4, 2]]),
    ("t.linalg.lu_factor(x)", [[2, 2, 4]]),
    ("t.linalg.lu(x)", [[2, 3, 3]]),
    ("t.linalg.lu(x)", [[4, 2]]),
    ("[*t.linalg.lu(x), t.linalg.lu(x[:, :0])[1]]", [[2, 3]]),
    ("t.linalg.lu_solve(*t.linalg.lu_factor(x), y)", [[2, 3, 3], [3, 2]]),
    (
        "t.linalg.lu_solve(*t.linalg.lu_factor(x), y, left=False), "
        "t.linalg.lu_solve(*t.linalg.lu_factor(x), z, adjoint=True)",
        [[3, 3], [2, 3], [3, 1]],
    ),
    ("t.linalg.lu_solve(*t.linalg.lu_factor(x), y, left=False, adjoint=True)", [[3, 3], [2, 2, 3]]),
    ("t.linalg.qr(x)", [[3, 3]]),
    ("t.linalg.qr(x)", [[2, 4, 2]]),
    ("t.linalg.qr(x)", [[2, 4]]),
    ("t.linalg.qr(x, 'complete')", [[2, 4]]),
    ("t.linalg.qr(x.detach(), 'complete')[1]", [[4, 2]]),
    ("t.linalg.qr(x.detach(), 'r')", [[4, 2]]),
    ("t.linalg.svdvals(x)", [[2, 3, 2]]),
    ("t.linalg.svd(x)[1]", [[3, 4]]),
    ("[u * u for u in t.linalg.svd(x, full_matrices=False)]", [[3, 3]]),
    ("[u * u for u in t.linalg.svd(x, full_matrices=False)]", [[2, 4, 2]]),
    ("[u * u for u in t.linalg.svd(x, full_matrices=False)]", [[2, 4]]),
    (f"t.linalg.eigvalsh({P3})", [[2, 3, 3]]),
    (f"[u * u for u in t.linalg.eigh({P3})]", [[3, 3]]),
    ("t.linalg.eigvalsh(x.detach()), t.linalg.eigvalsh(x.detach(), UPLO='U')", [[3, 3]]),
    ("t.linalg.pinv(x), x.pinverse()", [[3, 2]]),
    ("t.linalg.pinv(x)", [[2, 2, 4]]),
    ("t.linalg.pinv(t.outer(x, y))", [[3], [2]]),
    ("t.linalg.pinv(x, rtol=0.5).detach(), t.linalg.pinv(x, atol=1.0).detach()", [[3, 3]]),
    ("t.linalg.lstsq(x, y)[:3]", [[4, 2], [4, 3]]),
    ("t.linalg.lstsq(x.detach(), y.detach(), driver='gels')[1:3]", [[4, 2], [4, 3]]),
    ("t.linalg.lstsq(x, y)[0]", [[2, 4], [2, 3]]),
    ("t.linalg.lstsq(x.detach(), y.detach(), driver='gelsd')", [[2, 4, 2], [2, 4, 3]]),
    (
        "t.norm(x, 'nuc'), x.norm(p='nuc', keepdim=True), t.norm(x, 'nuc', dtype=t.float64)",
        [[3, 2]],
    ),
    ("t.norm(x, 'nuc', dim=(0, 2)), t.norm(x, p='nuc', dim=(-1, 1), keepdim=True)", [[2, 3, 2]]),
    ("[t.linalg.norm(x, o) for o in (None, 'fro', 'nuc', 1, -1, 2, -2)]", [[3, 2]]),
    ("[t.linalg.norm(x, o) for o in (None, 1, -1, 2, 3, 0.5, 0)]", [[5]]),
    ("t.linalg.norm(x), t.linalg.norm(x, dim=1), t.linalg.norm(x, 1, (0, 2))", [[2, 3, 2]]),
    ("[t.linalg.matrix_norm(x, o, (0, -1), True) for o in ('nuc', 1, -2)]", [[2, 3, 2]]),
    ("t.linalg.matrix_norm(x, float('inf')), t.linalg.matrix_norm(x, -float('inf'))", [[3, 2]]),
    ("t.linalg.vector_norm(x, 3, dim=(0, 1)), t.linalg.vector_norm(x)", [[2, 3]]),
    ("[t.linalg.cond(x, p) for p in (None, 2, -2)]", [[3, 3]]),
    ("[t.linalg.cond(x.detach(), p) for p in ('fro', 'nuc', 1, -1)]", [[3, 3]]),
    ("t.linalg.cond(x)", [[2, 3, 2]]),
    ("t.linalg.matrix_rank(t.outer(x, y)), t.linalg.matrix_rank(z)", [[3], [3], [2, 3, 4]]),
    ("t.linalg.matrix_rank(z, atol=1.0), t.linalg.matrix_rank(z, rtol=0.5)", [[1], [1], [4, 4]]),
    ("[t.linalg.matrix_power(x, n) for n in (0, 1, 2, 5, -2)]", [[3, 3]]),
    ("x.matrix_power(3)", [[2, 2, 2]]),
    ("t.linalg.multi_dot([x, y, z])", [[2, 3], [3, 4], [4, 2]]),
    ("t.linalg.multi_dot([x, y, z])", [[3], [3, 4], [4]]),
    ("t.linalg.cross(x, y)", [[2, 3], [1, 3]]),
    ("t.linalg.cross(x, y, dim=0), t.cross(x, y), x.cross(y, 0)", [[3, 2], [3, 2]]),
    ("t.linalg.vecdot(x, y), t.linalg.vecdot(x, y, dim=0)", [[2, 3], [2, 3]]),
    ("t.linalg.vander(x), t.linalg.vander(x, N=5)", [[2, 3]]),
    ("t.linalg.diagonal(x), t.linalg.diagonal(x, offset=1)", [[2, 3, 3]]),
    ("t.trace(x), x.t().trace()", [[3, 2]]),
    ("t.trace(i), t.linalg.vander(j)", []),
    ("t.linalg.det(x), t.linalg.inv(x), t.linalg.slogdet(x)[1]", [[2, 0, 0]]),
    ("t.linalg.solve(x, y)", [[0, 3, 3], [0, 3, 2]]),
    ("t.linalg.cholesky(x), t.linalg.svdvals(x), t.linalg.eigvalsh(x)", [[0, 2, 2]]),
    ("t.linalg.qr(x)[1], t.linalg.pinv(x)", [[3, 0]]),
]

if __name__ == "__main__":
    lines = [json.dumps(record(*case)) for case in CASES]
    text = '{\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"
    Path(__file__).with_name("linalg_recorded.json").write_text(text)
