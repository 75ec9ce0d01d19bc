"""Writes pytorch_names.json: the public names of PyTorch's modules, and nothing of them but names.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
python tests/record_pytorch_names.py. tests/pytorch_page.py and its test only read the file.

Public is what a module lists in __all__, or else all that it defines; without modules, and in torch
and Tensor, where the compiled part puts its own there too, only with a docstring of its own.
"""

import inspect
import json
import re
from pathlib import Path

import torch
import torch.nn.functional
import torch.nn.utils.rnn
import torch.optim.swa_utils
import torch.utils.checkpoint

SPACES = {
    "torch": torch,
    "torch.Tensor": torch.Tensor,
    "torch.nn.functional": torch.nn.functional,
    "torch.nn": torch.nn,
    "torch.nn.init": torch.nn.init,
    "torch.nn.utils": torch.nn.utils,
    "torch.nn.utils.rnn": torch.nn.utils.rnn,
    "torch.optim": torch.optim,
    "torch.optim.lr_scheduler": torch.optim.lr_scheduler,
    "torch.optim.swa_utils": torch.optim.swa_utils,
    "torch.autograd": torch.autograd,
    "torch.autograd.functional": torch.autograd.functional,
    "torch.func": torch.func,
    "torch.linalg": torch.linalg,
    "torch.fft": torch.fft,
    "torch.special": torch.special,
    "torch.utils.data": torch.utils.data,
    "torch.utils.checkpoint": torch.utils.checkpoint,
    "torch.amp": torch.amp,
}
PLAIN = (torch.dtype, torch.memory_format, torch.layout, float)  # these have no docstring
FOREIGN = re.compile("torch_function|^assert_|^boolean_dispatch$|^factory_kwargs$")  # not its own
CLASSES = {"Generator", "Size", "Tensor", "device", "dtype", "finfo", "iinfo"}  # nor have these


def defined(space: object) -> list[str]:
    """What stands in it without having been imported from typing or from elsewhere in torch."""
    if space in (torch, torch.Tensor):
        return dir(space)
    listed = getattr(space, "__all__", None)
    if listed is not None:
        return list(listed)
    here = space.__name__
    functions = here in ("torch.nn.functional", "torch.linalg", "torch.special", "torch.fft")
    return [
        name
        for name in dir(space)
        if callable(getattr(space, name))
        and isinstance(getattr(space, name), type) != functions
        and not FOREIGN.search(name)
    ]


def is_public(space: object, name: str) -> bool:
    thing = getattr(space, name)
    if name.startswith("_") or inspect.ismodule(thing) or name == "TYPE_CHECKING":
        return False
    if str(getattr(thing, "__module__", "")).startswith(("typing", "collections")):
        return False
    if space is torch.Tensor:
        return bool(getattr(thing, "__doc__", None)) or name in METHODS
    if space is torch:
        if isinstance(thing, type) and name not in CLASSES:
            return bool(thing.__doc__) and not issubclass(thing, Exception)
        known = hasattr(torch.nn.functional, name) or hasattr(torch.Tensor, name)
        return isinstance(thing, PLAIN) or bool(thing.__doc__) or known or name in CLASSES
    return thing is not torch.Tensor


METHODS = {"data", "dtype", "grad_fn", "is_nonzero", "layout", "log_softmax", "output_nr"}
METHODS |= {"prelu", "relu", "relu_", "clamp_max", "clamp_min", "new"}


def names() -> dict[str, list[str]]:
    modules = {
        name
        for name in dir(torch)
        if inspect.ismodule(thing := getattr(torch, name))
        and thing.__name__ == f"torch.{name}"
        and not name.startswith("_")
    }
    return {"modules": sorted(modules)} | {
        where: sorted({name for name in defined(space) if is_public(space, name)})
        for where, space in SPACES.items()
    }


if __name__ == "__main__":
    page = Path(__file__).with_name("pytorch_names.json")
    rows = [f'  "{where}": {json.dumps(" ".join(found))}' for where, found in names().items()]
    version = torch.__version__.split("+")[0]
    page.write_text(f'{{\n  "version": "{version}",\n' + ",\n".join(rows) + "\n}\n")
