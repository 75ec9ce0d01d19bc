"""LBFGS, Lion, Muon and averaged weights, which have no row in optim_recorded.json.

Values of LBFGS and of the averages were recorded from PyTorch 2.15; Lion's are by hand.
"""

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn
from tapegraph.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn


def near(got, want, tolerance=1e-9):
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


# ---- LBFGS ---------------------------------------------------------------------------------------


def valley(**options):
    """Two parameters, an optimiser of them, and a closure whose least loss is 0 at 1, 1, 1."""
    x = tg.tensor([-1.2, 1.0], dtype=tg.float64, requires_grad=True)
    y = tg.tensor([[0.5]], dtype=tg.float64, requires_grad=True)
    optimizer = tg.optim.LBFGS([x, y], **options)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2 + ((y - x[0]) ** 4).sum()
        loss.backward()
        return loss

    return x, y, optimizer, closure


RECORDED = [
    ({"max_iter": 4, "lr": 0.1},
     [[15.1281, -1.0809066291377079, 1.0091096083941344, 0.4216898714774757],
      [9.681420413156413, -1.0134237812216023, 0.9712104290952067, 0.3183132578531264],
      [7.230416818812708, -0.9502443494617901, 0.8969555904193424, 0.2070386186802634]]),
    ({"max_iter": 4, "line_search_fn": "strong_wolfe"},
     [[15.1281, -0.7904415061888734, 0.7191561655278017, 0.041963427211759045],
      [3.774823447463404, -0.21660529446259183, -0.08987782029128742, -0.40431488447641334],
      [1.668500503924867, 0.2697046185890645, -0.0009761059967395235, -0.2785576690751738]]),
    ({"max_iter": 6, "line_search_fn": "strong_wolfe", "history_size": 2, "lr": 0.5},
     [[15.1281, -0.4814679686342885, 0.2057649105670992, -0.18822706242067547],
      [2.2089258602152113, 0.38406306417477665, 0.08056293657318622, -0.19146413882327704],
      [0.533904301321598, 0.8955040377418354, 0.7798111923115574, 0.684885513852837]]),
    ({}, [[15.1281, 0.49838233771696594, 0.19703176630664215, 0.12603614299469176],
          [0.2972132963923396, 0.9999921565574501, 0.9999838228159645, 1.015334611546911]]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "want"), RECORDED)
def test_lbfgs_takes_pytorchs_steps(options, want):
    x, y, optimizer, closure = valley(**options)
    for row in want:
        loss = optimizer.step(closure)
        near([loss.item(), *x.tolist(), y.item()], row)


def test_lbfgs_goes_on_from_a_state_that_was_kept():
    x, y, optimizer, closure = valley(max_iter=3)
    optimizer.step(closure)
    kept = optimizer.state_dict()
    at = x.tolist(), y.item()
    optimizer.step(closure)
    want = x.tolist()
    again, other, fresh, closure = valley(max_iter=3)
    fresh.load_state_dict(kept)
    with tg.no_grad():
        again.copy_(tg.tensor(at[0], dtype=tg.float64))
        other.fill_(at[1])
    fresh.step(closure)
    assert again.tolist() == want


def test_lbfgs_says_why_it_is_not_compiled_and_its_closure_may_be():
    x, _, optimizer, closure = valley(max_iter=2)
    with pytest.raises(RuntimeError) as error:
        tg.compile(lambda: optimizer.step(closure))()
    assert said(error) == (
        "LBFGS: step() looks at the loss to decide how often to call the closure, and cannot be "
        "part of a compiled function; call it outside, and compile the closure"
    )
    x, _, optimizer, closure = valley(max_iter=4, line_search_fn="strong_wolfe")
    optimizer.step(tg.compile(closure))
    near(x.tolist(), RECORDED[1][1][0][1:3])


def test_lbfgs_refuses_what_it_cannot_do():
    w = tg.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="LBFGS: there is one group only"):
        tg.optim.LBFGS([{"params": [w]}, {"params": [tg.ones(1, requires_grad=True)]}])
    optimizer = tg.optim.LBFGS([w], line_search_fn="wolfe")
    w.grad = tg.ones(2)
    with pytest.raises(RuntimeError, match="line_search_fn is None or 'strong_wolfe', not 'wolfe'"):
        optimizer.step(lambda: (w * w).sum())


# ---- Lion ----------------------------------------------------------------------------------------


def test_lion_steps_by_the_sign_of_two_momenta():
    """c = 0.5 m + 0.5 g, m = 0.75 m + 0.25 g: by hand."""
    w = tg.tensor([1.0, -2.0, 3.0], dtype=tg.float64, requires_grad=True)
    optimizer = tg.optim.Lion([w], lr=0.125, betas=(0.5, 0.75), weight_decay=0.5)
    w.grad = tg.tensor([4.0, -8.0, 0.0], dtype=tg.float64)
    optimizer.step()
    # p (1 - 0.0625) - 0.125 sign(c)
    assert w.tolist() == [0.9375 - 0.125, -1.875 + 0.125, 2.8125]
    assert optimizer.state[w]["exp_avg"].tolist() == [1, -2, 0]
    w.grad = tg.tensor([-0.5, 2.0, 1.0], dtype=tg.float64)
    optimizer.step()  # c = 0.25, 0, 0.5
    assert w.tolist() == [0.8125 * 0.9375 - 0.125, -1.75 * 0.9375, 2.8125 * 0.9375 - 0.125]


# ---- Muon ----------------------------------------------------------------------------------------


def bent(s, steps=5, a=3.4445, b=-4.7750, c=2.0315):
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return s


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
@pytest.mark.parametrize(("adjust", "ratio"), [
    (None, lambda a, b: max(1, a / b) ** 0.5),
    ("match_rms_adamw", lambda a, b: 0.2 * max(a, b) ** 0.5),
])  # fmt: skip
def test_muon_keeps_the_singular_vectors_and_bends_the_values_to_one(shape, adjust, ratio):
    rng = np.random.default_rng(0)
    start, g = rng.normal(size=shape), rng.normal(size=shape)
    w = tg.tensor(start, requires_grad=True)
    optimizer = tg.optim.Muon([w], lr=0.1, weight_decay=0.5, adjust_lr_fn=adjust)
    w.grad = tg.tensor(g)
    optimizer.step()
    d = g * (1 - 0.95 + 0.05 * 0.95)  # g + (b - g) momentum, b = 0.05 g
    u, s, vt = np.linalg.svd(d, full_matrices=False)
    o = u * bent(s / np.linalg.norm(d)) @ vt
    near(w.tolist(), start * 0.95 - 0.1 * ratio(*shape) * o)


def test_muon_is_pytorchs_but_for_its_bfloat16():
    """Recorded from PyTorch 2.15, which rounds to 8 bits in between."""
    w = tg.arange(6.0).reshape(2, 3).requires_grad_()
    optimizer = tg.optim.Muon([w], lr=0.1)
    for k in (1.0, -0.5):
        w.grad = tg.tensor([[1.0, 2.0, -1.0], [0.5, k, 3.0]])
        optimizer.step()
    near(w.detach().numpy(), [[-0.0622, 0.8549, 2.0263], [2.9073, 3.8891, 4.6945]], 2e-3)


def test_muon_takes_matrices_only():
    with pytest.raises(ValueError) as error:
        tg.optim.Muon([tg.ones(3, requires_grad=True)])
    assert said(error) == ("Muon: a parameter is a matrix, and this one is (3,); give it to AdamW")


@pytest.mark.parametrize("fused", [False, True])
def test_muon_steps_the_same_compiled(fused):
    def made(fused=None):
        tg.manual_seed(0)
        layer = nn.Linear(4, 3, bias=False)
        optimizer = tg.optim.Muon(layer.parameters(), fused=fused)

        def step(x):
            optimizer.zero_grad()
            layer(x).square().sum().backward()
            optimizer.step()

        return layer, step

    layer, step = made()
    other, again = made(fused)
    if not fused:
        again = tg.compile(again)
    for k in range(5):
        x = tg.arange(8.0).reshape(2, 4) - k
        step(x)
        again(x)
    assert layer.weight.detach().numpy().tobytes() == other.weight.detach().numpy().tobytes()


# ---- averaged weights ----------------------------------------------------------------------------


def averaged(**options):
    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    model[1].running_mean.fill_(7.0)
    average = AveragedModel(model, **options)
    for value in (1.0, 2.0, 6.0):
        with tg.no_grad():
            model[0].weight.fill_(value)
        average.update_parameters(model)
    return model, average


def test_an_averaged_model_holds_the_mean_or_what_a_rule_makes():
    """Recorded from PyTorch 2.15."""
    _, mean = averaged()
    assert mean.module[0].weight.item() == 3 and mean.n_averaged.item() == 3
    assert mean.module[1].running_mean.item() == 7
    _, ema = averaged(multi_avg_fn=get_ema_multi_avg_fn(0.75))
    assert ema.module[0].weight.item() == 2.4375
    rule = tg.optim.swa_utils.get_ema_avg_fn(0.75)
    assert averaged(avg_fn=rule)[1].module[0].weight.item() == 2.4375
    assert averaged(use_buffers=True)[1].module[1].running_mean.item() == 7
    assert list(mean.state_dict())[0] == "n_averaged"
    assert list(mean.state_dict())[1] == "module.0.weight"
    with pytest.raises(ValueError, match="avg_fn or multi_avg_fn, and not both"):
        AveragedModel(nn.Linear(1, 1), avg_fn=rule, multi_avg_fn=get_ema_multi_avg_fn())


def test_update_bn_takes_the_mean_over_all_batches():
    model = nn.Sequential(nn.BatchNorm1d(1))
    model[0].running_mean.fill_(9.0)
    model.eval()
    batches = [(tg.tensor([[0.0], [2.0]]), None), (tg.tensor([[4.0], [8.0]]), None)]
    update_bn(batches, model)
    assert model[0].running_mean.item() == 3.5  # of 1 and 6
    assert model[0].running_var.item() == 5  # of 2 and 8
    assert model[0].momentum == 0.1 and not model.training
