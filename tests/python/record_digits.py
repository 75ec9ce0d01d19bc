"""Writes digits_recorded.json: the losses of PyTorch's training of digits_network.py.

Run by hand, with PyTorch installed (2.15, on the CPU, one thread, wrote the file that is here):
python tests/python/record_digits.py. The tests only read the file.
"""

import json
import sys
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).parents[1]))
import digits_network as d  # noqa: E402


def losses(dtype):
    images, labels = d.digits()
    model = d.network(torch.nn).to(dtype)
    with torch.no_grad():
        for k, parameter in enumerate(model.parameters()):
            if parameter.ndim > 1:
                parameter.copy_(torch.tensor(d.start(tuple(parameter.shape), k)))
        model[-1].bias.zero_()
    adam = torch.optim.Adam(model.parameters(), **d.ADAM)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, **d.SCHEDULE)
    found = []
    for step in range(d.STEPS):
        adam.zero_grad()
        for x, y in zip(*d.recorded_batch(images, labels, step)):
            loss = cross_entropy(model(torch.tensor(x, dtype=dtype)), torch.tensor(y)) / d.PARTS
            loss.backward()
            found.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), d.LONGEST_GRADIENT)
        adam.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        logits = model(torch.tensor(images[d.TRAIN :], dtype=dtype))
    return {
        "losses": found,
        "mean": model[4].running_mean.tolist(),
        "test loss": cross_entropy(logits, torch.tensor(labels[d.TRAIN :])).item(),
        "correct": int((logits.argmax(1) == torch.tensor(labels[d.TRAIN :])).sum()),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = {name: losses(getattr(torch, name)) for name in ("float64", "float32")}
    text = json.dumps(found, indent=0)
    Path(__file__).with_name("digits_recorded.json").write_text(text + "\n")
