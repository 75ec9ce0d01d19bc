"""fused=True: one program for the update of all parameters, and the numbers of fused=False."""

import copy
import pickle

import numpy as np
import pytest
import tapegraph as tg
from optimizers import KINDS, SCHEDULES, everything, make

SHAPES = [(5, 3), (3,), (), (0, 2), (3, 7, 2), (1,)]


def parameters():
    rng = np.random.default_rng(0)
    return [
        tg.tensor(rng.normal(size=shape).astype(np.float32), requires_grad=True) for shape in SHAPES
    ]


def optimizers(name, **options):
    """The same optimiser of the same parameters twice: op by op, and fused."""
    made = []
    for fused in (None, True):
        params = parameters()
        groups = [{"params": params[:4]}, {"params": params[4:], "lr": 0.02}]
        made.append((params, getattr(tg.optim, name)(groups, lr=0.01, fused=fused, **options)))
    return made


def give_gradients(params, seed, without=()):
    rng = np.random.default_rng(seed)
    for i, param in enumerate(params):
        g = rng.normal(size=param.shape).astype(np.float32)
        param.grad = None if i in without else tg.tensor(g)


def bits(params, optimizer):
    state = [v for p in params for v in optimizer.state.get(p, {}).values()]
    return [t.detach().numpy().tobytes() for t in (*params, *state)]


def step_both(made, seed, without=()):
    for params, optimizer in made:
        give_gradients(params, seed, without)
        optimizer.step()
    assert bits(*made[0]) == bits(*made[1])


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_fused_gives_the_same_bits_in_one_launch(name, options):
    made = optimizers(name, **options)
    schedulers = [SCHEDULES["cosine"](optimizer) for _, optimizer in made]
    for seed in range(20):
        step_both(made, seed)
        for scheduler in schedulers:  # the rate is a tensor: no new trace
            scheduler.step()
    step = made[1][1]._fused
    assert step.traces == 1
    assert ", 20 calls, " in step.explain()
    assert ", 1 launches\n" in step.explain()
    assert made[0][1]._fused is None


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_a_parameter_without_a_gradient_stays(name, options):
    made = optimizers(name, **options)
    for seed in range(6):
        without = [(), (0, 4), (1,)][seed % 3]
        before = [bits([p], o) for p, o in [(made[1][0][k], made[1][1]) for k in without]]
        step_both(made, seed, without)
        assert before == [bits([made[1][0][k]], made[1][1]) for k in without]
    assert made[1][1]._fused.traces == 3
    step_both(made, 9, range(len(SHAPES)))


def test_fused_is_asked_for_by_group():
    params = parameters()
    groups = [{"params": params[:2], "fused": True}, {"params": params[2:]}]
    optimizer = tg.optim.Adam(groups)
    assert [g["fused"] for g in optimizer.param_groups] == [True, None]
    other = parameters()
    made = [(other, tg.optim.Adam(other)), (params, optimizer)]
    for seed in range(3):
        step_both(made, seed)
    text = optimizer._fused.explain()
    assert "(5, 3)" in text and "(3, 7, 2)" not in text
    for group in optimizer.param_groups:
        group["fused"] = not group["fused"]
    step_both(made, 3)
    assert optimizer._fused.traces == 2
    assert "why: parameters, state or numbers are others" in optimizer._fused.explain()


def test_a_number_that_changes_is_seen():
    made = optimizers("Adam")
    for seed in range(8):
        for _, optimizer in made:
            if seed == 2:
                optimizer.param_groups[0]["lr"] = 0.5  # a tensor
            if seed == 4:
                optimizer.param_groups[1]["weight_decay"] = 0.1  # a number
            if seed == 6:
                optimizer.param_groups[1]["weight_decay"] = 0.0
        step_both(made, seed)
    assert made[1][1]._fused.traces == 2


def test_parameters_and_state_that_come_later_are_seen():
    made = optimizers("SGD", momentum=0.9)
    for params, optimizer in made:
        give_gradients(params, 0)
        optimizer.step()
        params.append(tg.ones(2, 2, requires_grad=True))
        optimizer.add_param_group({"params": params[-1:]})
    step_both(made, 1)
    for params, optimizer in made:
        optimizer.state[params[0]]["momentum_buffer"] = tg.ones(5, 3)
    step_both(made, 2)
    for _, optimizer in made:
        optimizer.param_groups[0]["params"].pop()
    step_both(made, 3)
    assert made[1][1]._fused.traces == 4


def test_a_closure_is_called_first():
    made = optimizers("RMSprop")

    def closure(params, optimizer):
        def loss():
            optimizer.zero_grad()
            value = sum(((p - 1) ** 2).sum() for p in params)
            value.backward()
            return value

        return loss

    for _ in range(4):
        losses = [optimizer.step(closure(params, optimizer)).item() for params, optimizer in made]
        assert losses[0] == losses[1]
    assert bits(*made[0]) == bits(*made[1])


def test_a_state_goes_from_one_to_the_other():
    made = optimizers("AdamW", amsgrad=True)
    for seed in range(3):
        step_both(made, seed)
    state = copy.deepcopy(made[0][1].state_dict())
    for group in state["param_groups"]:
        del group["fused"]
    weights = [p.detach().clone() for p in made[0][0]]
    step_both(made, 3)
    with tg.no_grad():
        for param, weight in zip(made[1][0], weights):
            param.copy_(weight)
    made[1][1].load_state_dict(state)
    assert made[1][1].param_groups[0]["fused"] is True
    give_gradients(made[1][0], 3)
    made[1][1].step()
    assert bits(*made[0]) == bits(*made[1])
    assert made[1][1]._fused.traces == 1
    assert made[1][1].state_dict()["param_groups"][0]["fused"] is True


@pytest.mark.parametrize("how", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_fused_optimiser_is_copied(how):
    params = parameters()
    optimizer = tg.optim.Adam(params, fused=True)
    give_gradients(params, 0)
    optimizer.step()
    made = [(params, optimizer), how((params, optimizer))]
    for seed in range(3):
        step_both(made, seed)
    assert made[1][1]._fused is not optimizer._fused


def test_parameters_that_share_memory_are_updated_as_op_by_op():
    made = []
    for fused in (False, True):
        whole = tg.ones(4, 3)
        params = [whole[0].detach().requires_grad_(), whole.t().detach().requires_grad_()]
        made.append((params, tg.optim.SGD(params, lr=0.1, momentum=0.9, fused=fused)))
    for seed in range(3):
        step_both(made, seed)


def test_inside_of_a_compiled_function_it_changes_nothing():
    x, y = tg.ones(4, 4), tg.tensor([0, 1, 2, 0])
    made = [make("Adam", {"fused": fused}, "steps") for fused in (False, True)]
    fast = [tg.compile(step) for _, _, _, step in made]
    for _ in range(3):
        assert fast[0](x, y).item() == fast[1](x, y).item()
    assert everything(*made[0][:2]) == everything(*made[1][:2])
    assert fast[0].program().text() == fast[1].program().text()
    assert made[1][1]._fused is None
    assert made[0][3](x, y).item() == made[1][3](x, y).item()
    assert everything(*made[0][:2]) == everything(*made[1][:2])
    assert made[1][1]._fused.traces == 1


def test_an_optimiser_of_ones_own_is_fused_by_its_groups():
    class Signs(tg.optim.Optimizer):
        def __init__(self, params, fused):
            super().__init__(params, {"lr": 0.1, "fused": fused})

        def update(self, param, g, group):
            param.sub_(tg.sign(g) * group["lr"])

    made = []
    for fused in (False, True):
        params = parameters()
        made.append((params, Signs(params, fused)))
    step_both(made, 0)
    assert made[1][1]._fused.traces == 1


def test_a_rule_that_asks_for_a_value_cannot_be_fused():
    class Careful(tg.optim.Optimizer):
        def update(self, param, g, group):
            if g.abs().max().item() < 1:
                param.sub_(g)

    w = tg.ones(2, requires_grad=True)
    optimizer = Careful([w], {"fused": True})
    w.grad = tg.ones(2)
    with pytest.raises(RuntimeError, match="item .*: this tensor of shape .* is a symbol of"):
        optimizer.step()
    assert w.tolist() == [1, 1]


def test_the_optimiser_is_forgotten_with_its_step():
    import gc
    import weakref

    params = parameters()
    optimizer = tg.optim.Adam(params, fused=True)
    give_gradients(params, 0)
    optimizer.step()
    gone = weakref.ref(optimizer)
    del optimizer
    gc.collect()
    assert gone() is None
