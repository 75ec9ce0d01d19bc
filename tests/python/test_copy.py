"""copy.copy, copy.deepcopy and pickle of tensors, parameters, modules and optimisers."""

import copy
import pickle

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


class Named(nn.Parameter):
    """A subclass whose objects have attributes."""


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(3, 3, bias=False)
        self.decode = nn.Linear(3, 3, bias=False)
        self.decode.weight = self.encode.weight
        self.again = self.encode
        self.register_buffer("mean", tg.ones(3))
        self.note = {"list": [1, 2]}

    def forward(self, x):
        return self.decode(self.encode(x - self.mean))


BOTH = pytest.mark.parametrize("how", [copy.deepcopy, pickled])


# ---- tensors ------------------------------------------------------------------------------------


@BOTH
def test_the_values_of_every_dtype_and_layout_are_copied(how):
    for dtype in (tg.float32, tg.float64, tg.int64, tg.int32, tg.int8, tg.uint8, tg.bool):
        for shape in ((), (0,), (2, 0), (2, 3)):
            x = tg.ones(*shape, dtype=dtype) if shape else tg.tensor(1, dtype=dtype)
            y = how(x)
            assert (y.dtype, y.shape, y.tolist()) == (x.dtype, x.shape, x.tolist())
    for view in (tg.arange(6).reshape(2, 3).t(), tg.ones(1).expand(4), tg.arange(5)[1:3]):
        got = how(view)
        assert got.tolist() == view.tolist() and got.data_ptr() != view.data_ptr()
    special = tg.tensor([float("nan"), -0.0, float("inf")])
    assert how(special).numpy().tobytes() == special.numpy().tobytes()
    assert how(tg.ones(2, device="cuda")).is_cuda


@BOTH
def test_a_copy_is_a_leaf_of_its_own(how):
    x = tg.ones(2, requires_grad=True)
    y = how(x)
    assert type(y) is tg.Tensor and y.requires_grad and y.is_leaf
    (y * 2).sum().backward()
    assert x.grad is None and y.grad.tolist() == [2, 2]
    with tg.no_grad():
        y.add_(1)
    assert x.tolist() == [1, 1]
    assert not how(tg.ones(2)).requires_grad
    p = how(nn.Parameter(tg.ones(2), requires_grad=False))
    assert type(p) is nn.Parameter and not p.requires_grad


def test_deepcopy_copies_the_gradient_and_pickle_leaves_it_out():
    x = tg.ones(2, requires_grad=True)
    x.grad = tg.tensor([3.0, 4.0])
    y = copy.deepcopy(x)
    assert y.grad.tolist() == [3, 4] and y.grad.data_ptr() != x.grad.data_ptr()
    assert pickled(x).grad is None and copy.copy(x).grad is None


def test_every_parameter_gets_its_own_gradient():
    many = [tg.ones(2, requires_grad=True) for _ in range(100)]
    for i, x in enumerate(many):
        x.grad = tg.full((2,), float(i))
    got = copy.deepcopy(many)
    assert [x.grad.tolist() for x in got] == [[i, i] for i in range(100)]
    assert len({x.grad.data_ptr() for x in got}) == 100


def test_a_shallow_copy_is_on_the_same_bytes():
    x = nn.Parameter(tg.ones(2))
    y = copy.copy(x)
    assert type(y) is nn.Parameter and y is not x and y.requires_grad and y.is_leaf
    with tg.no_grad():
        y.add_(1)
    assert x.tolist() == [2, 2] and x.data_ptr() == y.data_ptr()
    result = x * 2
    assert not copy.copy(result).requires_grad


@BOTH
def test_a_tensor_in_two_places_stays_one(how):
    x = tg.ones(2)
    a, b = how([x, x])
    assert a is b and a is not x


def test_views_of_one_storage_share_the_bytes_of_its_copy():
    base = tg.arange(6.0).reshape(2, 3)
    got = copy.deepcopy({"row": base[1], "base": base, "column": base[:, 2]})
    assert got["row"].tolist() == [3, 4, 5] and got["column"].tolist() == [2, 5]
    got["base"].mul_(2)
    assert got["row"].tolist() == [6, 8, 10] and got["column"].tolist() == [4, 10]
    assert base[1].tolist() == [3, 4, 5]
    assert got["column"].stride() == (3,) and got["column"].storage_offset() == 2
    other, twin = copy.deepcopy([tg.ones(2), tg.ones(2)])
    assert other.data_ptr() != twin.data_ptr()
    weight = nn.Parameter(tg.ones(2))
    p, v = copy.deepcopy((weight, weight.detach()))
    assert type(p) is nn.Parameter and p.requires_grad and not v.requires_grad
    with tg.no_grad():
        p.add_(1)
    assert v.tolist() == [2, 2] and weight.tolist() == [1, 1]
    one, two = pickled([base, base[:1]])  # a pickle is by value
    assert one.data_ptr() != two.data_ptr()


@BOTH
def test_what_is_no_leaf_cannot_be_copied(how):
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    with pytest.raises(RuntimeError, match="of shape \\(2,\\) is the result of <mul .*only leaves"):
        how(y)
    assert how(y.detach()).tolist() == [2, 2]
    with tg.Graph("g"):
        symbol = tg.placeholder("x", [2])
    with pytest.raises(RuntimeError, match="is symbolic: it has no value until its graph runs"):
        how(symbol)


def test_a_gradient_on_the_tape_says_how_to_take_it_off():
    x = tg.ones(2, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    with pytest.raises(RuntimeError) as error:
        copy.deepcopy(x)
    assert said(error) == (
        "deepcopy: the .grad was made with create_graph and is on the tape, which is not copied; "
        "set x.grad = x.grad.detach() first"
    )
    x.grad = x.grad.detach()
    assert copy.deepcopy(x).grad.tolist() == [2, 2]


@pytest.mark.parametrize("how", [copy.deepcopy, pickled, copy.copy])
def test_attributes_of_a_subclass_come_along(how):
    x = Named(tg.ones(2))
    x.note, x.itself = [1], x
    y = how(x)
    assert type(y) is Named and y.note == [1]
    assert (y.note is x.note) == (how is copy.copy)
    assert y.itself is (x if how is copy.copy else y)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle(protocol):
    x = nn.Parameter(tg.tensor([1.0, 2.0]))
    y = pickle.loads(pickle.dumps(x, protocol))
    assert y.tolist() == [1, 2] and type(y) is nn.Parameter
    net = pickle.loads(pickle.dumps(Tied(), protocol))
    assert net.decode.weight is net.encode.weight


# ---- modules ------------------------------------------------------------------------------------


@BOTH
def test_a_module_is_copied_with_what_it_shares(how):
    net = Tied()
    x = tg.randn(4, 3)
    net(x).sum().backward()
    twin = how(net)
    assert twin.decode.weight is twin.encode.weight and twin.again is twin.encode
    assert twin.encode.weight is not net.encode.weight
    assert twin(x).tolist() == net(x).tolist()
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert twin.note == net.note and twin.note["list"] is not net.note["list"]
    if how is pickled:
        assert twin.encode.weight.grad is None
    else:
        assert twin.encode.weight.grad.tolist() == net.encode.weight.grad.tolist()
    with tg.no_grad():
        twin.encode.weight.zero_()
        twin.mean.zero_()
    assert net.encode.weight.tolist() != twin.encode.weight.tolist()
    assert net.mean.tolist() == [1, 1, 1]
    assert not how(net.eval()).training


def test_a_shallow_copy_of_a_module_shares_parameters_and_not_names():
    net = Tied()
    twin = copy.copy(net)
    assert twin.encode is net.encode and twin.mean is net.mean and twin.note is net.note
    twin.encode = nn.Linear(3, 5)
    twin.mean = None
    twin.extra = nn.Parameter(tg.ones(1))
    twin.eval()
    assert net.encode.weight.shape == (3, 3) and net.mean is not None and net.training
    assert "extra" not in dict(net.named_parameters())


@BOTH
def test_a_model_and_its_optimiser_are_copied_together(how):
    def train(model, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            (model(tg.ones(2, 3)) ** 2).sum().backward()
            optimizer.step()

    model = Tied()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    train(model, optimizer)
    twin, its = how((model, optimizer))
    assert its.param_groups[0]["params"][0] is twin.encode.weight
    before = model.encode.weight.tolist()
    train(twin, its)
    assert model.encode.weight.tolist() == before
    train(model, optimizer)
    assert (
        model.encode.weight.detach().numpy().tobytes()
        == twin.encode.weight.detach().numpy().tobytes()
    )
    its.param_groups[0]["lr"] = 0.5
    assert optimizer.param_groups[0].tensors["lr"].item() == np.float64(0.01)


def test_a_compiled_function_sees_the_copy_and_not_the_original():
    model = nn.Linear(2, 1, bias=False)
    twin = copy.deepcopy(model)
    with tg.no_grad():
        twin.weight.fill_(2)
        model.weight.fill_(1)
    f = tg.compile(lambda x: model(x))
    assert f(tg.ones(1, 2)).item() == 2
    g = tg.compile(lambda x: twin(x))
    assert g(tg.ones(1, 2)).item() == 4


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_pairs_of_max_and_min_are_pickled(protocol):
    x = tg.tensor([[1.0, 5.0], [7.0, 3.0]])
    for pair in (x.max(1), x.min(dim=0)):
        for again in (pickle.loads(pickle.dumps(pair, protocol)), copy.deepcopy(pair)):
            assert type(again) is type(pair)
            assert again.values.tolist() == pair.values.tolist()
            assert again.indices.tolist() == pair.indices.tolist()
    assert repr(x.min(0)).startswith("tapegraph.return_types.min(values=tensor([1., 3.])")


@BOTH
def test_a_copied_op_is_the_op(how):
    kind = type(tg.exp)
    ops = [op for owner in (tg._C, tg.Tensor) for op in vars(owner).values() if type(op) is kind]
    assert len(ops) > 300
    for op in ops:
        assert how(op) is op
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, activation="gelu"), 2)
    assert how(stack).layers[1].activation is nn.functional.gelu
