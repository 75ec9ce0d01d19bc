"""How a case of nn_recorded.json is played: record_nn.py with PyTorch, the test with tapegraph.

m is either of the two, for tapegraph has PyTorch's names.
"""

import math


def fill(m, shape, k):
    """Exact in binary, of both signs, and another one for another k."""
    values = [((7 * i * i + 3 * i + 5 * k) % 31 - 15) / 16 for i in range(math.prod(shape))]
    return m.tensor(values, dtype=m.float64).reshape(list(shape))


def argument(m, spec):
    """Of a constructor: modules inside of lists and dicts are made."""
    if isinstance(spec, dict) and "module" in spec:
        name, *args = spec["module"]
        return getattr(m.nn, name)(*(argument(m, arg) for arg in args))
    if isinstance(spec, dict) and "pair" in spec:
        return tuple(spec["pair"])
    if isinstance(spec, dict):
        return {key: argument(m, value) for key, value in spec.items()}
    return [argument(m, part) for part in spec] if isinstance(spec, list) else spec


def make(m, case):
    args = (argument(m, arg) for arg in case["args"])
    return getattr(m.nn, case["name"])(*args, **case.get("options", {}))


def given(m, spec, leaves):
    """What forward is called with; tensors of floats go into leaves too."""
    if isinstance(spec, list):
        leaves.append(fill(m, spec, 3 + len(leaves)).requires_grad_())
        return leaves[-1]
    kind, value = next(iter(spec.items()))
    if kind == "pair":
        return tuple(given(m, part, leaves) for part in value)
    return value if kind == "plain" else m.tensor(value)


def on_packed(m, module, lengths, batch_first, enforce_sorted):
    """The module on padded input, which is packed before and padded behind it."""
    rnn = m.nn.utils.rnn

    def call(x, *states):
        x = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted)
        output, last = module(x, *states)
        return rnn.pad_packed_sequence(output, batch_first, 0.5)[0], last

    return call


def tensors(value):
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in tensors(part)]
    return [] if value is None else [value]


def flat(tensor):
    return None if tensor is None else tensor.detach().flatten().tolist()


def played(m, case, wrapped=lambda module: module):
    """The case's outputs and gradients: what is called is wrapped(the module or function)."""
    leaves, parameters, buffers = [], {}, {}
    if case["args"] is None:
        module = getattr(m.nn.functional, case["name"])
    else:
        module = make(m, case).double()
        parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
        with m.no_grad():
            for k, parameter in enumerate(parameters.values()):
                parameter.copy_(fill(m, parameter.shape, k))
    values = [given(m, spec, leaves) for spec in case["inputs"]]
    if not case.get("leaf", True):
        values = [value.clone() for value in values]
    call = {key: given(m, spec, leaves) for key, spec in case.get("call", {}).items()}
    packed = case.get("packed")
    run = wrapped(on_packed(m, module, *packed) if packed else module)
    for _ in range(1, case.get("calls", 1)):
        run(*values, **call)
    if not case.get("train", True):
        module.eval()
    outputs = tensors(run(*values, **call))
    sum((out * fill(m, out.shape, 11 + k)).sum() for k, out in enumerate(outputs)).backward()
    return {
        "outputs": [[list(out.shape), flat(out)] for out in outputs],
        "gradients": [flat(leaf.grad) for leaf in leaves],
        "parameters": {key: flat(p.grad) for key, p in parameters.items()},
        "buffers": {key: flat(buffer) for key, buffer in buffers.items()},
    }
