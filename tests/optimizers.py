"""Optimisers, schedules and a training step that several tests share."""

import tapegraph as tg
from tapegraph import nn
from tapegraph.optim import lr_scheduler

KINDS = [
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"weight_decay": 0.01}),
    ("Adam", {"amsgrad": True, "betas": (0.4, 0.9), "maximize": True}),
    ("AdamW", {"amsgrad": True}),
    ("RMSprop", {"weight_decay": 0.01}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr_decay": 0.01, "weight_decay": 0.01}),
    ("Adadelta", {"weight_decay": 0.01}),
    ("Adamax", {"weight_decay": 0.01}),
    ("NAdam", {"weight_decay": 0.01, "decoupled_weight_decay": True}),
    ("RAdam", {"betas": (0.9, 0.95), "weight_decay": 0.01}),
    ("Lion", {"weight_decay": 0.01}),
    ("Rprop", {"step_sizes": (1e-4, 0.1)}),
    ("ASGD", {"lambd": 0.01, "t0": 5, "weight_decay": 0.01}),
]
WITHOUT_MOMENTUM = (tg.optim.Adagrad, tg.optim.Adadelta, tg.optim.ASGD, tg.optim.Rprop)

SCHEDULES = {
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 25),
    "steps": lambda o: lr_scheduler.StepLR(o, 10, 0.5),
    "cycle": lambda o: lr_scheduler.OneCycleLR(
        o, 0.05, 60, cycle_momentum=not isinstance(o, WITHOUT_MOMENTUM)
    ),
    "warm up": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [6]
    ),
}


def make(name, options, schedule, clip=None):
    tg.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    head, rest = list(model[2].parameters()), list(model[0].parameters())
    kind = getattr(tg.optim, name)
    optimizer = kind([{"params": rest}, {"params": head, "lr": 0.02}], lr=0.01, **options)
    scheduler = SCHEDULES[schedule](optimizer)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), *clip)
            nn.utils.clip_grad_value_(model.parameters(), 0.1)
        optimizer.step()
        return loss

    return model, optimizer, scheduler, step


def everything(model, optimizer):
    tensors = [*model.parameters(), *(v for s in optimizer.state.values() for v in s.values())]
    return [t.detach().numpy().tobytes() for t in tensors]
