"""Writes letters_recorded.json: the losses of PyTorch's training of letter_networks.py.

Run by hand, with PyTorch installed (2.15, on the CPU, one thread, wrote the file that is here):
python tests/python/record_letters.py. The tests only read the file.
"""

import json
import sys
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).parents[1]))
import letter_networks as n  # noqa: E402


def losses(model, training, batch):
    with torch.no_grad():
        for k, (name, parameter) in enumerate(model.named_parameters()):
            parameter.copy_(torch.tensor(n.start(name, tuple(parameter.shape), k)))
    adam, schedule = training(torch, model, n.STEPS)
    found = []
    for step in range(n.STEPS):
        adam.zero_grad()
        x, y = (torch.tensor(a) for a in batch(step))
        for part in range(len(x)):
            loss = cross_entropy(model(x[part]).flatten(0, 1), y[part].flatten()) / len(x)
            loss.backward()
            found.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), n.LONGEST_GRADIENT)
        adam.step()
        schedule.step()
    return found


def main():
    torch.set_num_threads(1)
    known, (text, letters) = n.names(), n.plays()
    found = {"names": {}, "gpt": {}}
    for dtype in ("float64", "float32"):
        to = getattr(torch, dtype)
        found["names"][dtype] = losses(
            n.names_network(torch).to(to), n.names_training, lambda step: n.names_batch(known, step)
        )
        found["gpt"][dtype] = losses(
            n.gpt(torch, len(letters)).to(to),
            n.gpt_training,
            lambda step: n.plays_batch(text, step),
        )
    text = json.dumps(found, indent=0)
    Path(__file__).with_name("letters_recorded.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
