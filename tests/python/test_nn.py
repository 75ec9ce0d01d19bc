"""Modules: parameters, state, printing; layers and losses by hand."""

import copy
import math
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.nn.functional as F
from errors import said
from tapegraph import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.out = nn.Linear(4, 2, bias=False)
        self.register_buffer("mean", tg.zeros(3))

    def forward(self, x):
        return self.out(F.relu(self.hidden(x - self.mean)))


def test_a_parameter_is_one_object():
    layer = nn.Linear(3, 2)
    assert layer.weight is layer.weight
    assert isinstance(layer.weight, nn.Parameter) and isinstance(layer.weight, tg.Tensor)
    assert layer.weight.is_leaf and layer.weight.requires_grad
    assert repr(nn.Parameter(tg.ones(1))).startswith("Parameter containing:\ntensor([1.]")
    assert not nn.Parameter(tg.ones(1), requires_grad=False).requires_grad
    with pytest.raises(TypeError, match="data must be a tensor, not list"):
        nn.Parameter([1.0])


def test_linear_is_x_times_weight_transposed_plus_bias():
    layer = nn.Linear(2, 3)
    with tg.no_grad():
        layer.weight.copy_(tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        layer.bias.copy_(tg.tensor([10.0, 20.0, 30.0]))
    assert layer(tg.tensor([[1.0, 1.0]])).tolist() == [[13, 27, 41]]
    assert layer(tg.ones(4, 5, 2)).shape == (4, 5, 3)


def test_linear_starts_uniform_within_one_over_the_root_of_in():
    tg.manual_seed(0)
    layer = nn.Linear(100, 50)
    w = layer.weight.detach().numpy()
    assert w.shape == (50, 100) and layer.bias.shape == (50,)
    assert np.abs(w).max() <= 0.1 and np.abs(w).max() > 0.099
    assert abs(w.std() - 0.1 / math.sqrt(3)) < 0.002
    tg.manual_seed(0)
    assert nn.Linear(100, 50).weight.tolist() == layer.weight.tolist()


def test_parameters_are_found_by_name_each_once():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "hidden.weight", "hidden.bias", "out.weight",
    ]  # fmt: skip
    net.again = net.hidden
    assert len(list(net.parameters())) == 3
    assert [n for n, _ in net.named_modules()] == ["", "hidden", "out"]
    assert [n for n, _ in net.named_buffers()] == ["mean"]
    assert list(net.children())[0] is net.hidden
    assert "hidden" in dir(net)


def test_attributes_can_be_replaced_and_deleted():
    net = Net()
    net.hidden = None
    assert net.hidden is None
    net.out.weight = nn.Parameter(tg.ones(2, 4))
    assert net.out.weight.tolist() == [[1] * 4] * 2
    with pytest.raises(TypeError) as error:
        net.out.weight = tg.ones(2, 4)
    assert said(error) == ("weight: is a parameter; assign nn.Parameter(...) or None, not Tensor")
    del net.out
    with pytest.raises(AttributeError, match="Net has no attribute 'out'"):
        net.out  # noqa: B018
    net.mean = tg.ones(3)
    assert dict(net.named_buffers())["mean"].tolist() == [1, 1, 1]


def test_a_module_without_its_constructor_says_so():
    class Forgot(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError) as error:
        Forgot()
    assert said(error) == "Forgot: call super().__init__() before assigning layer"
    with pytest.raises(NotImplementedError, match="write a forward function"):
        nn.Module()(1)


def test_printing_a_module():
    assert repr(nn.Linear(3, 2)) == "Linear(in_features=3, out_features=2, bias=True)"
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh()))) == (
        "Sequential(\n"
        "  (0): Linear(in_features=1, out_features=1, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): Tanh()\n"
        "  )\n"
        ")"
    )


def test_state_dicts_go_from_one_module_to_another():
    a, b = Net(), Net()
    state = a.state_dict()
    assert list(state) == ["mean", "hidden.weight", "hidden.bias", "out.weight"]
    assert state["out.weight"].data_ptr() == a.out.weight.data_ptr()
    result = b.load_state_dict(state)
    assert result.missing_keys == [] and result.unexpected_keys == []
    x = tg.randn(5, 3)
    assert a(x).tolist() == b(x).tolist()
    assert b.hidden.weight.data_ptr() != a.hidden.weight.data_ptr()


def test_a_state_that_does_not_fit_lists_everything_and_writes_nothing():
    net = Net()
    before = net.hidden.weight.tolist()
    state = {
        "hidden.weight": tg.ones(4, 3),
        "out.weight": tg.ones(3, 4),
        "extra": tg.ones(1),
        "mean": tg.zeros(3),
    }
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    assert said(error) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "hidden.bias".\n'
        '\tUnexpected key(s) in state_dict: "extra".\n'
        "\tsize mismatch for out.weight: copying a param with shape (3, 4) from checkpoint, the "
        "shape in current model is (2, 4)."
    )
    assert net.hidden.weight.tolist() == before
    state["out.weight"] = tg.ones(2, 4)
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["hidden.bias"] and result.unexpected_keys == ["extra"]
    assert net.hidden.weight.tolist() == [[1] * 3] * 4


def test_train_and_eval_reach_all_below():
    net = Net()
    assert net.training and net.eval() is net
    assert not net.hidden.training
    assert net.train().out.training
    with pytest.raises(ValueError):
        net.train(1)


def test_zero_grad_to_apply_and_requires_grad():
    net = Net()
    net(tg.ones(1, 3)).sum().backward()
    assert net.out.weight.grad is not None
    net.zero_grad(set_to_none=False)
    assert net.out.weight.grad.sum().item() == 0
    net.zero_grad()
    assert net.out.weight.grad is None
    assert net.double().hidden.weight.dtype == tg.float64 and net.mean.dtype == tg.float64
    assert net.float().hidden.weight.dtype == tg.float32
    weight = net.hidden.weight
    assert net.to("cpu").hidden.weight is weight
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "Linear", "Net"]
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_sequential_is_a_list_of_modules():
    s = nn.Sequential(OrderedDict(a=nn.Linear(2, 3), b=nn.ReLU()))
    assert len(s) == 2 and s[0] is s.a and isinstance(s[0:1], nn.Sequential)
    assert [type(m).__name__ for m in s.append(nn.Tanh())] == ["Linear", "ReLU", "Tanh"]
    assert s(tg.ones(1, 2)).shape == (1, 3)


def test_losses_by_hand():
    logits = tg.tensor([[0.0, 0.0], [math.log(3.0), 0.0]], requires_grad=True)
    target = tg.tensor([0, 1])
    want = (math.log(2) + math.log(4)) / 2
    loss = nn.CrossEntropyLoss()(logits, target)
    assert abs(loss.item() - want) < 1e-6
    loss.backward()
    np.testing.assert_allclose(logits.grad, [[-0.25, 0.25], [0.375, -0.375]], atol=1e-6)
    assert F.cross_entropy(logits, target, reduction="none").shape == (2,)
    assert abs(F.cross_entropy(logits, target, reduction="sum").item() - 2 * want) < 1e-6
    assert nn.MSELoss()(tg.tensor([1.0, 3.0]), tg.tensor([1.0, 1.0])).item() == 2
    assert F.mse_loss(tg.tensor([3.0]), tg.tensor([1.0]), reduction="sum").item() == 4
    assert F.one_hot(tg.tensor([1]), 2).tolist() == [[0, 1]]
    with pytest.raises(ValueError):
        F.cross_entropy(logits, target, reduction="median")


def test_modules_can_be_copied_and_pickled():
    net = Net()
    twin = copy.deepcopy(net)
    assert twin.hidden.weight.tolist() == net.hidden.weight.tolist()
    assert twin.hidden.weight is not net.hidden.weight
    assert isinstance(twin.hidden.weight, nn.Parameter) and twin.hidden.weight.requires_grad
    layer = pickle.loads(pickle.dumps(nn.Linear(2, 2)))
    assert isinstance(layer.weight, nn.Parameter)
