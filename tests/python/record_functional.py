"""Writes functional_recorded.json: what functions of PyTorch's nn.functional give, in float64.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
PYTHONPATH=tests python tests/python/record_functional.py. The tests only read the file.
"""

import json
from pathlib import Path

from record_ops import record

# As in record_ops.py.
CASES = [
    # activations
    ("F.selu(x * 3), F.celu(x * 3), F.celu(x, 0.5), F.selu(odd), F.celu(odd)", [[2, 5]]),
    ("F.hardshrink(x), F.softshrink(x), F.hardshrink(x, 0.25), F.softshrink(x, 0.0)", [[2, 5]]),
    ("F.hardshrink(odd), F.softshrink(odd[2:]), F.threshold(odd, 0.5, 7.0)", []),
    ("F.threshold(x, 0.1, 20), F.threshold(i, 2, -1), F.rrelu(x, 0.25, 0.75)", [[2, 5]]),
    # pooling of rows
    ("F.max_pool1d(x, 2), F.max_pool1d(x, 3, 2, 1, 2, True)", [[2, 2, 7]]),
    ("F.max_pool1d(x, 2, return_indices=True)", [[2, 5]]),
    ("F.avg_pool1d(x, 3, 2, 1), F.avg_pool1d(x, 3, 2, 1, True, False)", [[2, 2, 6]]),
    ("F.adaptive_avg_pool1d(x, 3), F.adaptive_max_pool1d(x, 2)", [[2, 2, 5]]),
    ("F.lp_pool1d(x * x, 2, 2), F.lp_pool2d(t.exp(x).unsqueeze(1), 3, (1, 2), 1)", [[1, 2, 5]]),
    ("F.conv_transpose1d(x, y, z, 2, 1, 1)", [[2, 2, 3], [2, 3, 3], [3]]),
    ("F.conv_transpose1d(x, y, None, 1, 0, 0, 2, 2)", [[2, 3], [2, 1, 2]]),
    # sizes
    ("F.interpolate(x, 7), F.interpolate(x, scale_factor=1.7), F.interpolate(x, 2)", [[1, 2, 5]]),
    ("F.interpolate(x, (5, 2), mode='nearest-exact'), F.interpolate(x, (2, 5))", [[1, 2, 3, 4]]),
    ("F.interpolate(x, 8, mode='linear'), F.interpolate(x, 8, mode='linear', align_corners=True)",
     [[2, 1, 5]]),
    ("F.interpolate(x, (5, 3), mode='bilinear'), "
     "F.interpolate(x, (5, 1), mode='bilinear', align_corners=True)", [[1, 2, 3, 4]]),
    ("F.interpolate(x, scale_factor=(1.5, 0.8), mode='bilinear'), "
     "F.interpolate(x, scale_factor=1.3, mode='bilinear', recompute_scale_factor=True)",
     [[1, 1, 4, 5]]),
    ("F.interpolate(x, (5, 7), mode='bicubic'), "
     "F.interpolate(x, (2, 9), mode='bicubic', align_corners=True)", [[1, 2, 4, 3]]),
    ("F.interpolate(x, (3, 2, 4), mode='trilinear'), F.interpolate(x, scale_factor=2)",
     [[1, 1, 2, 3, 2]]),
    ("F.interpolate(x, (2, 3), mode='area'), F.interpolate(y, 2, mode='area')",
     [[1, 1, 4, 5], [1, 2, 5]]),
    ("F.pixel_shuffle(x, 2), F.pixel_unshuffle(y, 2)", [[2, 8, 2, 3], [1, 4, 6]]),
    ("F.unfold(x, 2), F.unfold(x, (2, 3), (1, 2), (1, 2), (2, 1))", [[2, 2, 3, 4]]),
    ("F.unfold(x, 3, padding=1)", [[2, 2, 2]]),
    ("F.fold(x, (3, 4), 2), F.fold(y, (3, 4), (2, 3), (1, 2), (1, 2), (2, 1))",
     [[2, 8, 6], [1, 12, 8]]),
    ("F.fold(x, 3, 2)", [[8, 4]]),
    # norms and distances
    ("F.rms_norm(x, (3,)), F.rms_norm(x, (2, 3), y, 1e-2)", [[2, 2, 3], [2, 3]]),
    ("F.instance_norm(x), F.instance_norm(x, weight=y, bias=z, eps=1e-3)", [[2, 2, 3], [2], [2]]),
    ("F.local_response_norm(x, 2), F.local_response_norm(x, 3, 0.1, 0.5, 2.0)", [[2, 4, 3]]),
    ("F.normalize(x), F.normalize(x, 1, (0, 2)), F.normalize(x * 0, 2, -1)", [[2, 3, 2]]),
    ("F.cosine_similarity(x, y), F.cosine_similarity(x, y, -1, 5.0)", [[2, 3, 2], [3, 1]]),
    ("F.pairwise_distance(x, y), F.pairwise_distance(x, y, 1.0, 0.1, True)", [[2, 3], [3]]),
    ("F.bilinear(x, y, z), F.bilinear(x, y, z, x[0, 0])", [[2, 2, 3], [2, 2, 2], [3, 3, 2]]),
    # losses
    ("F.huber_loss(x, y), F.huber_loss(x, y, reduction='none', delta=0.3)", [[2, 3], [2, 3]]),
    ("F.huber_loss(x, y, weight=z), F.huber_loss(x, y, 'none', 0.3, z), "
     "F.mse_loss(x, y, weight=z), F.mse_loss(x, y, reduction='sum', weight=z), "
     "F.l1_loss(x, y, weight=z), F.l1_loss(x, y, reduction='none', weight=z)",
     [[2, 3], [2, 3], [2, 3]]),
    ("F.binary_cross_entropy(t.sigmoid(x), t.sigmoid(y)), "
     "F.binary_cross_entropy(t.sigmoid(x), b.double(), z.detach(), reduction='none')",
     [[2, 3], [2, 3], [3]]),
    ("F.binary_cross_entropy(t.sigmoid(x * 200).clamp(0, 1), (x > 0).double(), reduction='sum')",
     [[2, 3]]),
    ("F.poisson_nll_loss(x, i.double()), F.poisson_nll_loss(x * x, i.double(), False, True)",
     [[2, 3]]),
    ("F.poisson_nll_loss(x, y * y * 9, full=True, reduction='none')", [[2, 3], [2, 3]]),
    ("F.gaussian_nll_loss(x, y, z * z), F.gaussian_nll_loss(x, y, z * z * 0, reduction='none')",
     [[2, 3], [2, 3], [2, 3]]),
    ("F.gaussian_nll_loss(x, y, z * z + 1, full=True, reduction='sum')", [[2, 3], [2, 3], [2]]),
    ("F.soft_margin_loss(x * 90, b.double() * 2 - 1)", [[2, 3]]),
    ("F.hinge_embedding_loss(x, b.double() * 2 - 1, 0.5, reduction='none')", [[2, 3]]),
    ("F.margin_ranking_loss(x, y, b.double() * 2 - 1, 0.25)", [[2, 3], [2, 3]]),
    ("F.cosine_embedding_loss(x, y, j.double() * 0 + t.tensor([1, -1, 1]), 0.1)", [[3, 4], [3, 4]]),
    ("F.cosine_embedding_loss(x, y, t.tensor(-1), reduction='sum')", [[4], [4]]),
    ("F.triplet_margin_loss(x, y, z), F.triplet_margin_loss(x, y, z, 0.5, 1.0, swap=True)",
     [[3, 4], [3, 4], [3, 4]]),
    ("F.multi_margin_loss(x, j), "
     "F.multi_margin_loss(x, j, 2, 0.5, (y * y).detach(), reduction='none')",
     [[3, 4], [4]]),
    ("F.multi_margin_loss(x, t.tensor(1), reduction='sum')", [[4]]),
    ("F.multilabel_soft_margin_loss(x, b.double()), "
     "F.multilabel_soft_margin_loss(x, b.double(), y.detach(), reduction='none')", [[2, 3], [3]]),
    # images at points; x (N, C, H, W), the points y a little out of the image on each side
    ("F.grid_sample(x, y * 1.5, 'bilinear', 'zeros', False), "
     "F.grid_sample(x, y * 1.5, 'bilinear', 'zeros', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y * 1.5, 'bilinear', 'border', False), "
     "F.grid_sample(x, y * 1.5, 'bilinear', 'border', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y * 1.5, 'bilinear', 'reflection', False), "
     "F.grid_sample(x, y * 1.5, 'bilinear', 'reflection', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y.detach() * 1.5, 'nearest', 'zeros', False), "
     "F.grid_sample(x, y.detach() * 1.5, 'nearest', 'zeros', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y.detach() * 1.5, 'nearest', 'border', False), "
     "F.grid_sample(x, y.detach() * 1.5, 'nearest', 'border', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y.detach() * 1.5, 'nearest', 'reflection', False), "
     "F.grid_sample(x, y.detach() * 1.5, 'nearest', 'reflection', True)",
     [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y * 1.5, 'bicubic', 'zeros', False), "
     "F.grid_sample(x, y * 1.5, 'bicubic', 'zeros', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y * 1.5, 'bicubic', 'border', False), "
     "F.grid_sample(x, y * 1.5, 'bicubic', 'border', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y * 1.5, 'bicubic', 'reflection', False), "
     "F.grid_sample(x, y * 1.5, 'bicubic', 'reflection', True)", [[2, 2, 3, 4], [2, 2, 3, 2]]),
    ("F.grid_sample(x, y * 1.4, align_corners=False), "
     "F.grid_sample(x, y * 3, 'bilinear', 'reflection', True), "
     "F.grid_sample(x, y.detach(), 'nearest', 'border', True)", [[1, 2, 2, 3, 2], [1, 2, 2, 2, 3]]),
    ("F.grid_sample(x, y, align_corners=True, padding_mode='reflection')",
     [[1, 1, 1, 2], [1, 2, 2, 2]]),
    ("F.grid_sample(x[:, :0], y, align_corners=False), "
     "F.grid_sample(x, y[:, :0], align_corners=False)", [[1, 1, 3, 2], [1, 2, 2, 2]]),
    ("F.affine_grid(x, (2, 1, 3, 4), False), F.affine_grid(x, [2, 5, 1, 2], True)", [[2, 2, 3]]),
    ("F.affine_grid(x, (1, 1, 2, 4, 2), False) + 0.0, "
     "F.affine_grid(x, (1, 1, 2, 1, 3), True) + 0.0",
     [[1, 3, 4]]),
    ("F.grid_sample(x, F.affine_grid(y, (1, 1, 4, 4), False), align_corners=False)",
     [[1, 1, 3, 3], [1, 2, 3]]),
    # alignments: T 5, N 2, C 4
    ("F.ctc_loss(F.log_softmax(x, -1), t.tensor([[1, 2], [3, 3]]), (5, 4), (2, 2))", [[5, 2, 4]]),
    ("F.ctc_loss(F.log_softmax(x, -1), t.tensor([1, 2, 2, 3]), (5, 3), "
     "(3, 1), reduction='none')", [[5, 2, 4]]),
    ("F.ctc_loss(F.log_softmax(x, -1), t.tensor([[0, 1], [2, 9]]), "
     "t.tensor([4, 5]), t.tensor([2, 1]), 3, 'sum')",
     [[5, 2, 4]]),
    ("F.ctc_loss(F.log_softmax(x, -1), t.tensor([[1, 1], [2, 9]]), (2, 5), (2, 0), 0, 'mean', "
     "True)", [[5, 2, 4]]),
    ("F.ctc_loss(F.log_softmax(x, -1), t.tensor([1, 3]), (5,), (2,))", [[5, 4]]),
]  # fmt: skip

if __name__ == "__main__":
    lines = [json.dumps(record(*case)) for case in CASES]
    text = '{\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"
    Path(__file__).with_name("functional_recorded.json").write_text(text)
