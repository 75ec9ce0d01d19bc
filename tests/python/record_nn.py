"""Writes nn_recorded.json: what PyTorch's layers give, forwards and backwards, in float64.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
PYTHONPATH=tests python tests/python/record_nn.py. The tests only read the file.
"""

import json
from pathlib import Path

import torch
from nn_cases import make, played

CAUSAL = [[False, True, True], [False, False, True], [False, False, False]]
PADDING = [[False, False, True], [False, False, False]]

# Each: the name in nn (or, in small letters, nn.functional), the arguments of the constructor, what
# forward is called with, and more. A list of numbers is the shape of a tensor.
CASES = [
    ("Linear", [3, 2], [[4, 3]]),
    ("Linear", [3, 2, False], [[3]]),
    ("Identity", [1, {"a": 2}], [[2, 2]]),
    ("Flatten", [], [[2, 2, 3]]),
    ("Flatten", [0, 1], [[2, 2, 3]]),
    ("Unflatten", [1, {"pair": [2, -1]}], [[2, 6, 1]]),
    ("Unflatten", [-1, {"pair": [2, 3]}], [[2, 6]]),
    ("ReLU", [], [[7]]),
    ("ReLU", [True], [[7]], {"leaf": False}),
    ("Tanh", [], [[7]]),
    ("Sigmoid", [], [[7]]),
    ("SiLU", [], [[7]]),
    ("SiLU", [True], [[7]], {"leaf": False}),
    ("GELU", [], [[7]]),
    ("GELU", ["tanh"], [[7]]),
    ("Softplus", [], [[7]]),
    ("Softplus", [2, 0.5], [[7]]),
    ("LeakyReLU", [], [[7]]),
    ("LeakyReLU", [0.2, True], [[7]], {"leaf": False}),
    ("ELU", [], [[7]]),
    ("ELU", [0.5, True], [[7]], {"leaf": False}),
    ("Softmax", [1], [[2, 3]]),
    ("LogSoftmax", [0], [[2, 3]]),
    ("LogSigmoid", [], [[7]]),
    ("Softmin", [1], [[2, 3]]),
    ("Softsign", [], [[7]]),
    ("Tanhshrink", [], [[7]]),
    ("Hardtanh", [], [[7]]),
    ("Hardtanh", [-0.25, 0.5, True], [[7]], {"leaf": False}),
    ("ReLU6", [], [[7]]),
    ("ReLU6", [True], [[7]], {"leaf": False}),
    ("Hardswish", [True], [[7]], {"leaf": False}),
    ("Mish", [], [[7]]),
    ("Mish", [True], [[7]], {"leaf": False}),
    ("GLU", [], [[3, 4]]),
    ("GLU", [0], [[2, 3]]),
    ("PReLU", [], [[7]]),
    ("PReLU", [3, 0.5], [[2, 3, 2]]),
    ("Sequential", [{"module": ["Linear", 2, 3]}, {"module": ["ReLU"]},
                    {"module": ["Sequential", {"module": ["Linear", 3, 1]}]}], [[2, 2]]),
    ("ModuleList", [[{"module": ["Linear", 2, 2]}, {"module": ["Linear", 2, 2]},
                     {"module": ["Tanh"]}]], None),
    ("ModuleDict", [{"a": {"module": ["Linear", 1, 2]}, "b": {"module": ["ReLU"]}}], None),
    ("Dropout", [], [[5]], {"train": False}),
    ("Dropout", [0.25], [[5]], {"train": False}),
    ("Embedding", [5, 3], [{"ints": [[0, 4, 1], [4, 4, 2]]}]),
    ("Embedding", [5, 2, -1], [{"ints": [4, 0, 0, 4, 3]}]),
    ("LayerNorm", [4], [[3, 4]]),
    ("LayerNorm", [[2, 3], 1e-3], [[2, 2, 3]]),
    ("LayerNorm", [4, 1e-5, False], [[2, 4]]),
    ("LayerNorm", [4, 1e-5, True, False], [[2, 4]]),
    ("GroupNorm", [2, 4], [[2, 4, 3]]),
    ("GroupNorm", [1, 4, 1e-3, False], [[3, 4]]),
    ("BatchNorm1d", [3], [[4, 3]]),
    ("BatchNorm1d", [3], [[4, 3, 2]], {"calls": 3}),
    ("BatchNorm1d", [3], [[4, 3, 2]], {"calls": 3, "train": False}),
    ("BatchNorm1d", [2, 1e-3, None], [[4, 2]], {"calls": 4}),
    ("BatchNorm1d", [2, 1e-5, 0.3, False], [[1, 2, 3]], {"calls": 2}),
    ("BatchNorm1d", [2, 1e-5, 0.1, True, False], [[4, 2]], {"train": False}),
    ("BatchNorm1d", [2], [[4, 2]], {"options": {"bias": False}}),
    ("GroupNorm", [2, 4], [[1, 4, 2]], {"options": {"bias": False}}),
    ("BatchNorm2d", [2], [[2, 2, 2, 3]], {"calls": 2}),
    ("BatchNorm2d", [2, 1e-3, None], [[2, 2, 2, 1]], {"calls": 3, "train": False}),
    ("Conv2d", [1, 2, 3], [[2, 1, 4, 5]]),
    ("Conv2d", [2, 4, {"pair": [2, 3]}, {"pair": [2, 1]}, {"pair": [1, 2]}, {"pair": [1, 2]}, 2],
     [[1, 2, 4, 4]]),
    ("Conv2d", [1, 1, 2, 1, "same", 2, 1, False], [[1, 3, 3]]),
    ("Conv2d", [1, 1, 3, 1, "valid"], [[1, 1, 3, 4]]),
    ("Conv2d", [1, 1, 3], [[1, 1, 3, 3]],
     {"options": {"padding": 1, "padding_mode": "reflect", "stride": 2}}),
    ("Conv2d", [1, 1, 2], [[1, 1, 2, 3]], {"options": {"padding": "same",
                                                       "padding_mode": "circular"}}),
    ("Conv2d", [1, 1, 2, 1, {"pair": [0, 2]}, 1, 1, True, "replicate"], [[1, 1, 2, 3]]),
    ("Conv1d", [2, 2, 3, 2, 1], [[2, 2, 5]]),
    ("Conv1d", [2, 4, 2, 1, 2, 2, 2, False, "replicate"], [[2, 3]]),
    ("ConvTranspose2d", [2, 1, 3], [[2, 2, 2, 3]]),
    ("ConvTranspose2d", [2, 4, {"pair": [3, 2]}, 2, 1, {"pair": [1, 0]}, 2, False, 2],
     [[1, 2, 2, 3]]),
    ("ConvTranspose2d", [1, 1, 2, 2], [[1, 2, 2]], {"call": {"output_size": {"plain": [5, 4]}}}),
    ("MaxPool2d", [2], [[1, 2, 4, 5]]),
    ("MaxPool2d", [{"pair": [3, 2]}, {"pair": [1, 2]}, {"pair": [1, 1]}, {"pair": [1, 2]}, False,
                   True], [[1, 1, 5, 5]]),
    ("AvgPool2d", [2], [[1, 2, 4, 5]]),
    ("AvgPool2d", [3, 2, 1, True, False], [[1, 1, 4, 4]]),
    ("AvgPool2d", [{"pair": [2, 3]}, 1, {"pair": [1, 0]}], [[1, 1, 3, 3]],
     {"options": {"divisor_override": 5}}),
    ("AdaptiveAvgPool2d", [{"pair": [2, 3]}], [[1, 2, 3, 5]]),
    ("AdaptiveAvgPool2d", [{"pair": [None, 1]}], [[2, 3, 2]]),
    ("AdaptiveMaxPool2d", [2], [[1, 2, 3, 3]]),
    ("ZeroPad2d", [1], [[1, 1, 2, 2]]),
    ("ZeroPad2d", [{"pair": [1, 0, -1, 2]}], [[1, 2, 3]]),
    ("max_pool2d", None, [[1, 1, 3, 3], {"plain": 2}],
     {"call": {"stride": {"plain": 1}, "return_indices": {"plain": False}}}),
    ("pad", None, [[1, 2, 3], {"plain": [1, 2]}],
     {"call": {"mode": {"plain": "constant"}, "value": {"plain": 0.5}}}),
    ("RNN", [3, 2], [[4, 2, 3]]),
    ("RNN", [3, 2, 2, "relu", True, True], [[2, 3, 3], [2, 2, 2]]),
    ("RNN", [3, 2, 1, "tanh", False], [[3, 3], [1, 2]]),
    ("LSTM", [3, 2], [[4, 2, 3]]),
    ("LSTM", [3, 2, 2, True, True], [[2, 3, 3], {"pair": [[2, 2, 2], [2, 2, 2]]}]),
    ("LSTM", [3, 2, 2, True, False, 0.0, True], [[3, 2, 3]]),
    ("LSTM", [3, 2, 1, False], [[3, 3]]),
    ("GRU", [3, 2], [[4, 2, 3]]),
    ("GRU", [3, 2, 2, False, True, 0.0, True], [[2, 3, 3], [4, 2, 2]]),
    ("GRU", [2, 2, 3, True, False, 0.5], [[3, 1, 2]], {"train": False}),
    ("RNNCell", [3, 2], [[2, 3]]),
    ("RNNCell", [3, 2, False, "relu"], [[3], [2]]),
    ("LSTMCell", [3, 2], [[2, 3], {"pair": [[2, 2], [2, 2]]}]),
    ("LSTMCell", [3, 2, False], [[2, 3]]),
    ("GRUCell", [3, 2], [[2, 3], [2, 2]]),
    ("GRUCell", [3, 2], [[3]]),
    ("MultiheadAttention", [4, 2], [[3, 2, 4], [3, 2, 4], [3, 2, 4]]),
    ("MultiheadAttention", [4, 2], [[3, 4], [2, 4], [2, 4]]),
    ("MultiheadAttention", [4, 2, 0.0, False], [[2, 3, 4], [2, 3, 4], [2, 3, 4]],
     {"options": {"batch_first": True},
      "call": {"attn_mask": {"bools": CAUSAL}, "is_causal": {"plain": True},
               "average_attn_weights": {"plain": False}}}),
    ("MultiheadAttention", [4, 2], [[2, 3, 4], [2, 3, 4], [2, 3, 4]],
     {"options": {"batch_first": True},
      "call": {"attn_mask": {"bools": CAUSAL}, "key_padding_mask": {"bools": PADDING}}}),
    ("MultiheadAttention", [4, 2], [[2, 3, 4], [2, 3, 2], [2, 3, 5]],
     {"options": {"batch_first": True, "kdim": 2, "vdim": 5},
      "call": {"attn_mask": [4, 3, 3], "need_weights": {"plain": False}}}),
    ("TransformerEncoderLayer", [4, 2, 3, 0.0], [[3, 2, 4]]),
    ("TransformerEncoderLayer", [4, 2, 3, 0.0, "gelu", 1e-3, True, True], [[2, 3, 4]],
     {"call": {"src_mask": {"bools": CAUSAL}, "is_causal": {"plain": True},
               "src_key_padding_mask": {"bools": PADDING}}}),
    ("TransformerEncoderLayer", [4, 1, 3, 0.0, "relu", 1e-5, True, False, False], [[3, 4]]),
    ("TransformerEncoder", [{"module": ["TransformerEncoderLayer", 4, 2, 3, 0.0]}, 2,
                            {"module": ["LayerNorm", 4]}], [[3, 2, 4]],
     {"call": {"mask": {"bools": CAUSAL}, "src_key_padding_mask": {"bools": PADDING}}}),
    ("scaled_dot_product_attention", None, [[2, 3, 4], [2, 2, 4], [2, 2, 5]]),
    ("scaled_dot_product_attention", None, [[3, 4], [3, 4], [3, 2]],
     {"call": {"is_causal": {"plain": True}, "scale": {"plain": 0.3}}}),
    ("scaled_dot_product_attention", None, [[2, 2, 3, 4], [2, 2, 3, 4], [2, 2, 3, 4], [3, 3]]),
    ("scaled_dot_product_attention", None, [[3, 4], [3, 4], [3, 2]],
     {"call": {"attn_mask": {"bools": [[True, True, False], [False] * 3, [True] * 3]}}}),
]  # fmt: skip


def record(name, args, inputs, more=None):
    case = {"name": name, "args": args, "inputs": inputs, **(more or {})}
    if args is not None:
        module = make(torch, case)
        case["repr"] = repr(module)
        case["state"] = {key: list(value.shape) for key, value in module.state_dict().items()}
    return case if inputs is None else {**case, **played(torch, case)}


if __name__ == "__main__":
    lines = [json.dumps(record(*case)) for case in CASES]
    text = '{\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"
    Path(__file__).with_name("nn_recorded.json").write_text(text)
