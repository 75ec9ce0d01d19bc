"""The twins' cases in Python, in the order of the C++ program; see test_twins.py."""

import math

import tapegraph as tg
from tapegraph import nn, optim
from tapegraph.optim import lr_scheduler


def leaf(*shape):
    return tg.randn(*shape).requires_grad_()


def with_gradients(text, before, module, inputs, outputs):
    """As add_gradients in twins.cc, after what there is before."""
    floats = [y for y in outputs if y is not None and y.dtype.is_floating_point]
    loss = tg.tensor(0.0)
    for y in floats:
        loss = loss + (y * y).sum()
    loss.backward()
    return text, [*before, *outputs, *(t.grad for t in [*inputs, *module.parameters()])]


def layer(module, *shape):
    before = [t.clone() for t in module.state_dict().values()]
    x = leaf(*shape)
    text, tensors = with_gradients(repr(module), before, module, [x], [module(x * 1)])
    return text, [*tensors, *module.state_dict().values()]


def generator():
    g = tg.Generator().manual_seed(7)
    return "", [
        tg.rand(5, generator=g),
        tg.randn(3, generator=g),
        tg.randint(0, 9, (4,), generator=g),
        tg.randperm(6, generator=g),
        tg.bernoulli(tg.full((8,), 0.5), generator=g),
        tg.normal(tg.zeros(2), 2.0, generator=g),
        tg.multinomial(tg.ones(3), 2, generator=g),
        nn.init.trunc_normal_(tg.empty(3), generator=g),
        nn.init.kaiming_normal_(tg.empty(3, 5), generator=g),
        g.get_state(),
        g.clone_state().get_state(),
        tg.get_rng_state(),
    ]


def init():
    def made():
        return tg.empty(3, 5)

    return "", [
        nn.init.uniform_(made(), -1, 2),
        nn.init.normal_(made(), 1, 2),
        nn.init.trunc_normal_(made()),
        nn.init.xavier_uniform_(made(), 2),
        nn.init.xavier_normal_(made()),
        nn.init.kaiming_uniform_(made(), 0, "fan_out", "relu"),
        nn.init.kaiming_normal_(made(), 0.1),
        nn.init.eye_(made()),
    ]


BASIC = {
    "Linear": lambda: layer(nn.Linear(3, 4), 5, 3),
    "Linear without bias": lambda: layer(nn.Linear(3, 4, False), 5, 3),
    "Sequential": lambda: layer(
        nn.Sequential(
            nn.Flatten(), nn.Linear(6, 4), nn.Identity(), nn.Tanh(), nn.Unflatten(1, (2, 2))
        ),
        *(5, 2, 3),
    ),
    "Sigmoid": lambda: layer(nn.Sigmoid(), 3, 4),
    "LogSigmoid": lambda: layer(nn.LogSigmoid(), 3, 4),
    "Softsign": lambda: layer(nn.Softsign(), 3, 4),
    "Tanhshrink": lambda: layer(nn.Tanhshrink(), 3, 4),
    "ReLU": lambda: layer(nn.ReLU(), 3, 4),
    "ReLU in place": lambda: layer(nn.ReLU(True), 3, 4),
    "ReLU6": lambda: layer(nn.ReLU6(), 3, 4),
    "SiLU in place": lambda: layer(nn.SiLU(True), 3, 4),
    "Mish": lambda: layer(nn.Mish(), 3, 4),
    "Hardsigmoid": lambda: layer(nn.Hardsigmoid(), 3, 4),
    "Hardswish": lambda: layer(nn.Hardswish(True), 3, 4),
    "LeakyReLU": lambda: layer(nn.LeakyReLU(1e-4, True), 3, 4),
    "ELU": lambda: layer(nn.ELU(0.5), 3, 4),
    "Hardtanh": lambda: layer(nn.Hardtanh(-0.5, 1.0), 3, 4),
    "GELU": lambda: layer(nn.GELU("tanh"), 3, 4),
    "Softplus": lambda: layer(nn.Softplus(2.0, 1.0), 3, 4),
    "Softmax": lambda: layer(nn.Softmax(1), 3, 4),
    "LogSoftmax": lambda: layer(nn.LogSoftmax(-1), 3, 4),
    "Softmin": lambda: layer(nn.Softmin(0), 3, 4),
    "GLU": lambda: layer(nn.GLU(), 3, 4),
    "PReLU": lambda: layer(nn.PReLU(4), 3, 4),
    "init": init,
    "Generator": generator,
}


# ---- images --------------------------------------------------------------------------------------

IMAGE = 2, 4, 7, 6


def of_a_size():
    module = nn.ConvTranspose2d(4, 2, 3, stride=2)
    x = leaf(*IMAGE)
    return with_gradients("", [], module, [x], [module(x, (16, 14))])


IMAGES = {
    "Conv1d": lambda: layer(nn.Conv1d(4, 6, 3, padding=1), 2, 4, 7),
    "Conv2d": lambda: layer(nn.Conv2d(4, 6, 3), *IMAGE),
    "Conv2d with all options": lambda: layer(
        nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), 2, 2, False, "reflect"), *IMAGE
    ),
    "Conv2d, same": lambda: layer(
        nn.Conv2d(4, 2, (3, 4), padding="same", padding_mode="circular"), *IMAGE
    ),
    "ConvTranspose2d": lambda: layer(nn.ConvTranspose2d(4, 6, 3, 2, 1, (1, 0), 2), *IMAGE),
    "ConvTranspose2d of a size": of_a_size,
    "MaxPool2d": lambda: layer(nn.MaxPool2d(2), *IMAGE),
    "MaxPool2d with all options": lambda: layer(nn.MaxPool2d((3, 2), 2, 1, ceil_mode=True), *IMAGE),
    "MaxPool2d with indices": lambda: (
        "",
        list(nn.MaxPool2d(3, return_indices=True)(tg.randn(*IMAGE))),
    ),
    "AvgPool2d": lambda: layer(nn.AvgPool2d(3, (2, 1), 1, count_include_pad=False), *IMAGE),
    "AdaptiveAvgPool2d": lambda: layer(nn.AdaptiveAvgPool2d((3, 2)), *IMAGE),
    "AdaptiveMaxPool2d": lambda: layer(nn.AdaptiveMaxPool2d(2), *IMAGE),
    "ZeroPad2d": lambda: layer(nn.ZeroPad2d((1, 0, 2, 1)), *IMAGE),
}

# ---- rows ----------------------------------------------------------------------------------------


def in_both_modes(module, *shape):
    """Two calls in training, one in eval: the running statistics move, and are used."""
    text = repr(module)
    x, y = leaf(*shape), leaf(*shape)
    outputs = [module(x), module(y * 3), module.eval()(x)]
    _, tensors = with_gradients("", [], module, [x, y], outputs)
    return text, [*tensors, *module.state_dict().values()]


def embedding(module):
    before = [module.weight.detach().clone()]
    return with_gradients(repr(module), before, module, [], [module(tg.tensor([0, 2, 1, 2, 4]))])


CLASSES = tg.tensor([0, 2, 1, 2, 3])
WEIGHT = tg.tensor([0.5, 1, 2, 0.25])
TARGET = tg.arange(20).reshape(5, 4) / 20


def loss(module, target):
    x = leaf(5, 4)
    text, tensors = with_gradients(repr(module), [], module, [x], [module(x, target)])
    return text, [*tensors, *module.state_dict().values()]


def with_gradient():
    module = nn.Linear(4, 3)
    module(tg.randn(5, 4)).sum().backward()
    return module


def clipped(norm_type):
    module = with_gradient()
    norm = nn.utils.clip_grad_norm_(module.parameters(), 1.5, norm_type)
    return "", [norm, *(p.grad for p in module.parameters())]


def clipped_by_value():
    module = with_gradient()
    nn.utils.clip_grad_value_(module.parameters(), 1.5)
    vector = nn.utils.parameters_to_vector(nn.Linear(4, 3).parameters())
    nn.utils.vector_to_parameters(vector * 2, module.parameters())
    return "", [vector, module.weight, module.bias, module.weight.grad]


ROWS = {
    "LayerNorm": lambda: layer(nn.LayerNorm(4), 3, 4),
    "LayerNorm of two dims": lambda: layer(nn.LayerNorm((3, 4), 1e-3, bias=False), 2, 3, 4),
    "GroupNorm": lambda: layer(nn.GroupNorm(2, 4), 3, 4, 5),
    "BatchNorm1d": lambda: in_both_modes(nn.BatchNorm1d(4), 5, 4),
    "BatchNorm1d, mean of all": lambda: in_both_modes(
        nn.BatchNorm1d(4, momentum=None, affine=False), 5, 4, 2
    ),
    "BatchNorm2d": lambda: in_both_modes(nn.BatchNorm2d(4, 1e-4, 0.5), 5, 4, 2, 3),
    "BatchNorm2d, untracked": lambda: in_both_modes(
        nn.BatchNorm2d(4, track_running_stats=False), 5, 4, 2, 3
    ),
    "Dropout": lambda: in_both_modes(nn.Dropout(), 5, 4),
    "Dropout in place": lambda: layer(nn.Dropout(0.2, True), 5, 4),
    "Embedding": lambda: embedding(nn.Embedding(5, 3)),
    "Embedding with padding": lambda: embedding(nn.Embedding(5, 3, -3)),
    "CrossEntropyLoss": lambda: loss(nn.CrossEntropyLoss(), CLASSES),
    "CrossEntropyLoss with all options": lambda: loss(
        nn.CrossEntropyLoss(WEIGHT, 2, "sum", 0.1), CLASSES
    ),
    "NLLLoss": lambda: loss(nn.NLLLoss(WEIGHT), CLASSES),
    "MSELoss": lambda: loss(nn.MSELoss("none"), TARGET),
    "L1Loss": lambda: loss(nn.L1Loss("sum"), TARGET),
    "SmoothL1Loss": lambda: loss(nn.SmoothL1Loss("mean", 0.5), TARGET),
    "BCEWithLogitsLoss": lambda: loss(nn.BCEWithLogitsLoss(pos_weight=WEIGHT), TARGET),
    "KLDivLoss": lambda: loss(nn.KLDivLoss("batchmean", True), TARGET),
    "clip_grad_norm_ 2.0": lambda: clipped(2.0),
    "clip_grad_norm_ 3.0": lambda: clipped(3.0),
    "clip_grad_norm_ inf": lambda: clipped(math.inf),
    "clip_grad_value_": clipped_by_value,
}

# ---- sequences -----------------------------------------------------------------------------------


def flat(value):
    if isinstance(value, tuple):
        return [t for part in value for t in flat(part)]
    return [value]


def called(module, shapes, call):
    before = [t.clone() for t in module.state_dict().values()]
    inputs = [leaf(*shape) for shape in shapes]
    return with_gradients(repr(module), before, module, inputs, flat(call(module, *inputs)))


def two_states(module, x, h, c):
    return module(x, (h, c))


def alone(module, x):
    return module(x)


CAUSAL = tg.triu(tg.ones(3, 3), 1) == 1
PADDING = tg.tensor([[0, 0, 1], [0, 0, 0]]) == 1

SEQUENCES = {
    "RNN": lambda: called(nn.RNN(3, 4), [(5, 2, 3)], alone),
    "RNN with all options": lambda: called(
        nn.RNN(3, 4, 2, "relu", False, True, 0.25, True),
        [(2, 5, 3), (4, 2, 4)],
        lambda m, x, h: m(x, h),
    ),
    "LSTM": lambda: called(nn.LSTM(3, 4), [(5, 2, 3), (1, 2, 4), (1, 2, 4)], two_states),
    "LSTM of two layers": lambda: called(
        nn.LSTM(3, 4, 2, dropout=0.5, bidirectional=True), [(5, 3), (4, 4), (4, 4)], two_states
    ),
    "GRU": lambda: called(
        nn.GRU(3, 4, batch_first=True), [(2, 5, 3), (1, 2, 4)], lambda m, x, h: m(x, h)
    ),
    "RNNCell": lambda: called(nn.RNNCell(3, 4, True, "relu"), [(2, 3)], alone),
    "LSTMCell": lambda: called(nn.LSTMCell(3, 4), [(2, 3), (2, 4), (2, 4)], two_states),
    "GRUCell": lambda: called(nn.GRUCell(3, 4, False), [(3,)], alone),
    "MultiheadAttention": lambda: called(
        nn.MultiheadAttention(6, 2), [(3, 2, 6)], lambda m, x: m(x, x, x)
    ),
    "MultiheadAttention with masks": lambda: called(
        nn.MultiheadAttention(6, 2, 0.1, batch_first=True),
        [(2, 3, 6)],
        lambda m, x: m(x, x, x, PADDING, attn_mask=CAUSAL, average_attn_weights=False),
    ),
    "MultiheadAttention of other sizes": lambda: called(
        nn.MultiheadAttention(6, 3, bias=False, kdim=5, vdim=4),
        [(2, 6), (3, 4), (3, 5)],
        lambda m, q, v, k: m(q, k, v, attn_mask=tg.arange(6).reshape(2, 3) / 6),
    ),
    "TransformerEncoderLayer": lambda: called(
        nn.TransformerEncoderLayer(6, 2, 8), [(3, 2, 6)], alone
    ),
    "TransformerEncoderLayer, norm first": lambda: called(
        nn.TransformerEncoderLayer(6, 2, 8, 0.0, "gelu", batch_first=True, norm_first=True),
        [(2, 3, 6)],
        lambda m, x: m(x, CAUSAL, PADDING, True),
    ),
    "TransformerEncoder": lambda: called(
        nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8), 2, nn.LayerNorm(6)),
        [(3, 2, 6)],
        alone,
    ),
}

# ---- optimisers ----------------------------------------------------------------------------------


def trained(make):
    """Twelve clipped steps; then the weights and the state."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    rest, head = list(model[0].parameters()), list(model[2].parameters())
    optimizer = make([{"params": rest}, {"params": head, "lr": 0.02}])
    schedule = lr_scheduler.OneCycleLR(
        optimizer, [0.1, 0.2], 12, cycle_momentum=not isinstance(optimizer, optim.Adagrad)
    )
    for _ in range(12):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(tg.randn(5, 4)), CLASSES % 3)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        schedule.step()
    states = [state[n] for p in model.parameters() for state in [optimizer.state[p]]
              for n in sorted(state)]  # fmt: skip
    return "", [*model.parameters(), *states]


def scheduled(make):
    """The rates of two groups, and the first one's momentum, at each of thirty steps."""
    optimizer = optim.SGD(
        [{"params": [leaf(2)]}, {"params": [leaf(2)], "lr": 0.02}], lr=0.1, momentum=0.9
    )
    schedule = make(optimizer)
    seen = []
    for k in range(30):
        seen += [group["lr"] for group in optimizer.param_groups]
        seen.append(optimizer.param_groups[0]["momentum"])
        if isinstance(schedule, lr_scheduler.ReduceLROnPlateau):
            schedule.step(1 / (1 + min(k, 4)))
        else:
            schedule.step()
    return "", [tg.tensor(number, dtype=tg.float64) for number in seen]


OPTIMISERS = {
    "SGD": lambda: trained(lambda g: optim.SGD(g, 0.1)),
    "SGD with momentum": lambda: trained(lambda g: optim.SGD(g, 0.1, 0.9, 0.5, 0.01)),
    "SGD with nesterov": lambda: trained(
        lambda g: optim.SGD(g, 0.1, 0.9, nesterov=True, maximize=True)
    ),
    "Adam": lambda: trained(lambda g: optim.Adam(g, weight_decay=0.01)),
    "Adam with amsgrad": lambda: trained(
        lambda g: optim.Adam(g, 0.01, (0.4, 0.9), 1e-6, amsgrad=True, maximize=True)
    ),
    "AdamW": lambda: trained(lambda g: optim.AdamW(g)),
    "RMSprop": lambda: trained(lambda g: optim.RMSprop(g, weight_decay=0.01)),
    "RMSprop, centered": lambda: trained(
        lambda g: optim.RMSprop(g, alpha=0.4, momentum=0.9, centered=True)
    ),
    "Adagrad": lambda: trained(
        lambda g: optim.Adagrad(g, lr_decay=0.01, weight_decay=0.01, initial_accumulator_value=0.1)
    ),
    "LambdaLR": lambda: scheduled(lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t))),
    "StepLR": lambda: scheduled(lambda o: lr_scheduler.StepLR(o, 7, 0.3)),
    "MultiStepLR": lambda: scheduled(lambda o: lr_scheduler.MultiStepLR(o, [3, 5, 5, 20], 0.3)),
    "ExponentialLR": lambda: scheduled(lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "LinearLR": lambda: scheduled(lambda o: lr_scheduler.LinearLR(o, 0.2, 0.9, 12)),
    "CosineAnnealingLR": lambda: scheduled(lambda o: lr_scheduler.CosineAnnealingLR(o, 9, 0.001)),
    "OneCycleLR": lambda: scheduled(lambda o: lr_scheduler.OneCycleLR(o, 0.3, 30)),
    "OneCycleLR in three phases": lambda: scheduled(
        lambda o: lr_scheduler.OneCycleLR(
            o,
            [0.3, 0.5],
            epochs=3,
            steps_per_epoch=10,
            pct_start=0.4,
            anneal_strategy="linear",
            base_momentum=0.8,
            three_phase=True,
        )  # fmt: skip
    ),
    "ReduceLROnPlateau": lambda: scheduled(
        lambda o: lr_scheduler.ReduceLROnPlateau(
            o, factor=0.5, patience=2, cooldown=1, min_lr=[0.005, 0.0]
        )
    ),
    "SequentialLR": lambda: scheduled(
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [6]
        )
    ),
}

CASES = {**BASIC, **IMAGES, **ROWS, **SEQUENCES, **OPTIMISERS}
