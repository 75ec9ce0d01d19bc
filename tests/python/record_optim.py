"""Writes optim_recorded.json: what PyTorch's optimisers, schedules and clipping do, in float64.

Run by hand, with PyTorch installed (2.15, on the CPU, wrote the file that is here):
PYTHONPATH=tests python tests/python/record_optim.py. The tests only read the file.
"""

import json
from pathlib import Path

import torch
from optim_cases import gradient, make_schedule, two_groups

STEPS = 10


OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "betas": [0.3, 0.5]}),
    ("Adam", {"lr": 0.1, "maximize": True, "betas": [0.0, 0.9]}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "maximize": True, "weight_decay": 0.2}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.9, "eps": 1e-5, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.5, "centered": True, "alpha": 0.4}),
    ("RMSprop", {"lr": 0.1, "centered": True, "weight_decay": 0.01}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.3, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": [0.8, 0.95], "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": [0.8, 0.95], "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": [0.8, 0.95], "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": [0.3, 1.7], "step_sizes": [0.05, 0.2], "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 4, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.1, "t0": 1, "maximize": True}),
]

SCHEDULES = [
    ("LambdaLR", {"lr_lambda": "1 / (1 + t)"}),
    ("StepLR", {"step_size": 4}),
    ("StepLR", {"step_size": 1, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 8}),
    ("CosineAnnealingLR", {"T_max": 6}),
    ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.02}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 16}),
    ("OneCycleLR", {"max_lr": 2.0, "epochs": 4, "steps_per_epoch": 5, "pct_start": 0.4,
                    "anneal_strategy": "linear", "div_factor": 10.0, "base_momentum": 0.5,
                    "max_momentum": 0.9, "final_div_factor": 100.0}),
    ("OneCycleLR", {"max_lr": [1.0, 0.5], "total_steps": 16, "three_phase": True,
                    "pct_start": 0.25}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 16, "cycle_momentum": False}),
    ("SequentialLR", {"schedulers": [["LinearLR", {"total_iters": 4}],
                                     ["ExponentialLR", {"gamma": 0.8}],
                                     ["CosineAnnealingLR", {"T_max": 5}]],
                      "milestones": [4, 9]}),
    ("SequentialLR", {"schedulers": [["StepLR", {"step_size": 2}],
                                     ["MultiStepLR", {"milestones": [1, 3]}],
                                     ["LambdaLR", {"lr_lambda": "1 / (1 + t)"}]],
                      "milestones": [3, 8]}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}),
    ("MultiplicativeLR", {"lr_lambda": "1 / (1 + t)"}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("ChainedScheduler", {"schedulers": [["ConstantLR", {"total_iters": 4}],
                                         ["ExponentialLR", {"gamma": 0.8}]]}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": 1.0, "step_size_up": 4, "step_size_down": 2,
                  "mode": "triangular2", "base_momentum": 0.7, "max_momentum": 0.95}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "mode": "exp_range",
                  "gamma": 0.9, "cycle_momentum": False}),
    ("SWALR", {"swa_lr": 0.01, "anneal_epochs": 5}),
    ("SWALR", {"swa_lr": [0.5, 0.05], "anneal_epochs": 3, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]  # fmt: skip

METRICS = [5.0, 4.0, 3.9, 3.9, 3.95, 3.8999, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0]
PLATEAUS = [
    {"patience": 1},
    {"patience": 0, "factor": 0.5, "cooldown": 2, "min_lr": 0.02},
    {"patience": 1, "threshold": 0.2, "threshold_mode": "abs", "min_lr": [0.01, 0.001]},
    {"patience": 2, "mode": "max", "threshold": 0.1},
    {"patience": 2, "mode": "max", "threshold_mode": "abs", "eps": 0.05},
]

CLIPS = [[1.0, 2.0], [100.0, 2.0], [1.0, "inf"], [1.0, 1.0], [2.0, 3.0]]


def record_optimizer(name, options):
    a = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([[0.25], [3.0]], dtype=torch.float64, requires_grad=True)
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    optimizer = getattr(torch.optim, name)([a, b], **given)
    values = []
    for t in range(STEPS):
        a.grad = torch.tensor(gradient(t, 3), dtype=torch.float64)
        if t >= 3:  # so that the steps of a and b are not the same
            b.grad = torch.tensor(gradient(t, 2), dtype=torch.float64).reshape(2, 1)
        optimizer.step()
        values.append(a.tolist() + b.flatten().tolist())
    return {"name": name, "options": options, "values": values}


def numbers(optimizer):
    """Of each group: the rate, and the momentum."""
    return [
        [g["lr"], g["momentum"] if "momentum" in g else g["betas"][0]]
        for g in optimizer.param_groups
    ]


def record_schedule(name, options, kind):
    optimizer = two_groups(torch, kind)
    schedule = make_schedule(torch, optimizer, name, options)
    values = [numbers(optimizer)]
    for _ in range(16):
        optimizer.step()
        schedule.step()
        values.append(numbers(optimizer))
    return {"name": name, "options": options, "optimizer": kind, "values": values}


def record_plateau(options):
    optimizer = two_groups(torch, "SGD")
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    values = []
    for metric in METRICS:
        schedule.step(metric)
        values.append(schedule.get_last_lr())
    return {"options": options, "values": values}


def record_clip(max_norm, norm_type):
    a = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    a.grad = torch.tensor(gradient(1, 3), dtype=torch.float64)
    b.grad = torch.tensor(gradient(2, 4), dtype=torch.float64).reshape(2, 2)
    norm = torch.nn.utils.clip_grad_norm_([a, b], max_norm, float(norm_type))
    return {"max_norm": max_norm, "norm_type": norm_type, "norm": norm.item(),
            "values": a.grad.tolist() + b.grad.flatten().tolist()}  # fmt: skip


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)  # in which it keeps NAdam's product of momenta
    recorded = {
        "optimizers": [record_optimizer(*case) for case in OPTIMIZERS],
        "schedules": [record_schedule(*case, kind) for case in SCHEDULES for kind in ("SGD", "Adam")
                      if kind == "SGD" or case[0] in ("OneCycleLR", "CyclicLR")],
        "metrics": METRICS,
        "plateaus": [record_plateau(options) for options in PLATEAUS],
        "clips": [record_clip(*case) for case in CLIPS],
    }  # fmt: skip
    lines = [
        f'"{part}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]"
        for part, cases in recorded.items()
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(__file__).with_name("optim_recorded.json").write_text(text)
