"""Module: paths, buffers that are not saved, hooks, moving, and what a compiled module notices."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("kept", tg.ones(2))
        self.register_buffer("scratch", tg.zeros(2), persistent=False)
        self.register_buffer("absent", None)

    def forward(self, x, *, scale=1.0):
        return self.layer(x) * scale + self.scratch


def test_only_persistent_buffers_are_saved():
    block = Block()
    assert list(block.state_dict()) == ["kept", "layer.weight", "layer.bias"]
    assert [n for n, _ in block.named_buffers()] == ["kept", "scratch"]
    block.register_buffer("scratch", tg.zeros(2))
    assert "scratch" in block.state_dict()
    del block.scratch
    assert [n for n, _ in block.named_buffers()] == ["kept"]
    assert block.load_state_dict(Block().state_dict()).missing_keys == []


def test_state_dicts_have_prefixes_and_take_what_numpy_reads():
    block = Block()
    assert list(block.state_dict(prefix="a.")) == ["a.kept", "a.layer.weight", "a.layer.bias"]
    assert block.state_dict(keep_vars=True)["layer.bias"] is block.layer.bias
    state = {k: v.numpy().astype(np.float64) * 2 for k, v in block.state_dict().items()}
    want = (block.layer.weight.detach() * 2).tolist()
    block.load_state_dict(state)
    assert block.layer.weight.tolist() == want and block.layer.weight.dtype == tg.float32
    with pytest.raises(TypeError) as error:
        block.load_state_dict([1])
    assert said(error) == "load_state_dict: a dict is loaded, not list"


def test_a_shared_module_has_all_of_its_names_in_a_state():
    layer = nn.Linear(1, 1, bias=False)
    net = nn.Sequential(layer, nn.Tanh(), layer)
    assert list(net.state_dict()) == ["0.weight", "2.weight"]
    assert [n for n, _ in net.named_parameters()] == ["0.weight"]
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == ["0.weight", "2.weight"]
    assert [n for n, _ in net.named_modules(remove_duplicate=False)] == ["", "0", "1", "2"]


def test_modules_parameters_and_buffers_are_found_by_path():
    net = nn.Sequential(Block(), nn.ReLU())
    assert net.get_submodule("") is net and net.get_submodule("0.layer") is net[0].layer
    assert net.get_parameter("0.layer.bias") is net[0].layer.bias
    assert net.get_buffer("0.kept").tolist() == [1, 1]
    with pytest.raises(AttributeError) as error:
        net.get_submodule("0.nothing.more")
    assert said(error) == "get_submodule: '0.nothing.more': Block has no module 'nothing'"
    with pytest.raises(AttributeError) as error:
        net.get_buffer("0.layer")
    assert said(error) == "get_buffer: '0.layer': Block has no buffer 'layer'"


def test_apply_goes_to_the_children_first():
    seen = []
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()), nn.Softmax(0))
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["ReLU", "Tanh", "Sequential", "Softmax", "Sequential"]


def test_moving_keeps_what_is_shared_and_the_gradients():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.weight = a.weight
    net = nn.Sequential(a, b)
    net(tg.ones(1, 2)).sum().backward()
    want = a.weight.grad.tolist()
    net.to(dtype=tg.float64)
    assert a.weight is b.weight and a.weight.dtype == tg.float64
    assert a.weight.grad.dtype == tg.float64 and a.weight.grad.tolist() == want
    with pytest.raises(TypeError) as error:
        net.to(tg.int64)
    assert said(error) == ("to: parameters are of a floating dtype, which tapegraph.int64 is not")
    net.register_buffer("count", tg.tensor(0))
    assert net.float().count.dtype == tg.int64 and a.weight.dtype == tg.float32


def test_what_is_registered_takes_no_name_that_is_used():
    layer = nn.Linear(2, 2)
    for register in (
        lambda: layer.register_buffer("weight", tg.ones(1)),
        lambda: layer.register_parameter("forward", nn.Parameter(tg.ones(1))),
        lambda: layer.add_module("bias", nn.ReLU()),
    ):
        with pytest.raises(KeyError, match="there is an attribute '.*' already"):
            register()
    layer.register_buffer("mean", tg.ones(1))
    layer.register_buffer("mean", tg.zeros(1), persistent=False)
    assert layer.mean.tolist() == [0] and "mean" not in layer.state_dict()
    layer.register_parameter("weight", nn.Parameter(tg.ones(2, 2)))
    assert layer.weight.sum() == 4


def test_a_loaded_state_says_whether_all_keys_matched():
    layer = nn.Linear(2, 2)
    found = layer.load_state_dict(layer.state_dict())
    assert repr(found) == "<All keys matched successfully>" and found == ([], [])
    found = layer.load_state_dict({"weight": tg.ones(2, 2)}, strict=False)
    assert repr(found) == "LoadResult(missing_keys=['bias'], unexpected_keys=[])"


def test_a_state_can_be_assigned_instead_of_copied():
    layer = nn.BatchNorm1d(2)
    layer.weight.requires_grad_(False)
    old = layer.weight
    given = {k: v.clone() for k, v in layer.state_dict().items()}
    given["weight"] = tg.tensor([3.0, 4.0], dtype=tg.float64)
    f = tg.compile(lambda: layer.weight * 1)
    f()
    layer.load_state_dict(given, assign=True)
    assert layer.weight is not old and layer.weight.dtype == tg.float64
    assert isinstance(layer.weight, nn.Parameter) and not layer.weight.requires_grad
    assert layer.bias.requires_grad and layer.running_mean is given["running_mean"]
    given["weight"].zero_()
    assert layer.weight.tolist() == f().tolist() == [0, 0]


def test_hooks_change_arguments_and_results_until_removed():
    block, x, order = Block(), tg.ones(1, 2), []
    plain = block(x).tolist()
    before = block.register_forward_pre_hook(lambda m, args: args[0] * 2)
    assert block(x).tolist() == block.forward(x * 2).tolist()
    before.remove()
    with block.register_forward_hook(lambda m, args, out: out + 1):
        assert block(x).tolist() == (block.forward(x) + 1).tolist()
    block.register_forward_hook(lambda m, args, out: order.append("second"))
    block.register_forward_hook(lambda m, args, out: order.append("first"), prepend=True)
    assert block(x).tolist() == plain and order == ["first", "second"]
    with pytest.raises(TypeError, match="a hook is a function, not int"):
        block.register_forward_hook(1)


def test_hooks_see_keyword_arguments_and_errors_if_asked():
    block, x, seen = Block(), tg.ones(1, 2), []
    pre = block.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"scale": 3.0}), with_kwargs=True
    )
    block.register_forward_hook(
        lambda m, args, kwargs, out: seen.append((kwargs, out is None)),
        with_kwargs=True,
        always_call=True,
    )
    assert block(x).tolist() == block.forward(x, scale=3.0).tolist()
    pre.remove()
    with pytest.raises(RuntimeError):
        block(tg.ones(1, 3))
    assert seen == [({"scale": 3.0}, False), ({}, True)]


def test_a_compiled_module_notices_hooks_and_what_they_read():
    global factor
    factor = 2.0
    block, x = Block(), tg.ones(1, 2)
    f = tg.compile(block)
    assert f(x).tolist() == block(x).tolist()
    handle = block.register_forward_hook(lambda m, args, out: out * factor)
    assert f(x).tolist() == block(x).tolist() == (block.forward(x) * 2).tolist()
    factor = 5.0
    assert f(x).tolist() == (block.forward(x) * 5).tolist()
    handle.remove()
    assert f(x).tolist() == block.forward(x).tolist() and f.traces == 3


def test_a_compiled_module_notices_another_constant():
    loss = nn.SmoothL1Loss(beta=1.0)
    f = tg.compile(loss)
    x, y = tg.tensor([0.5]), tg.zeros(1)
    assert f(x, y).item() == 0.125
    loss.beta = 0.25
    assert f(x, y).item() == 0.375 and f.traces == 2
    assert "SmoothL1Loss.beta was 1.0, is now 0.25" in f.explain()
    loss.unused = 1
    f(x, y)
    assert f.traces == 2


def test_a_losss_weight_is_a_buffer():
    loss = nn.CrossEntropyLoss(tg.ones(3)).double()
    assert list(loss.state_dict()) == ["weight"] and loss.weight.dtype == tg.float64
    assert list(nn.CrossEntropyLoss().state_dict()) == []
