"""Sequential, ModuleList, ModuleDict and ParameterList; Unflatten's errors."""

import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn


def names(module):
    return [type(m).__name__ for m in module]


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *m: nn.ModuleList(m)])
def test_a_list_of_modules_is_edited_as_a_list(kind):
    s = kind(nn.ReLU(), nn.Tanh())
    s.insert(1, nn.Sigmoid()).extend([nn.ELU()])
    assert names(s) == ["ReLU", "Sigmoid", "Tanh", "ELU"] and len(s) == 4
    assert list(s._modules) == ["0", "1", "2", "3"]
    assert names([s.pop(), s[-1], *s[0:2]]) == ["ELU", "Tanh", "ReLU", "Sigmoid"]
    del s[0]
    s[-1] = nn.GELU()
    assert names(s) == ["Sigmoid", "GELU"] and list(s._modules) == ["0", "1"]
    assert names(s + s) == ["Sigmoid", "GELU"] * 2 and s[0] in s
    with pytest.raises(IndexError, match="5 is outside of its 2 modules"):
        s[5]


def test_modules_of_a_list_and_a_dict_are_parts_of_the_model():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(2))
            self.heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 3)})

        def forward(self, x, head):
            for layer in self.layers:
                x = layer(x)
            return self.heads[head](x)

    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "layers.0.weight", "layers.1.weight",
        "heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias",
    ]  # fmt: skip
    f, x = tg.compile(net), tg.ones(1, 2)
    for head in "ab":
        assert f(x, head).tolist() == net(x, head).tolist()
    with pytest.raises(NotImplementedError):
        net.layers(x)


def test_a_module_dict_is_a_dict():
    d = nn.ModuleDict([["a", nn.ReLU()]])
    d["b"] = nn.Tanh()
    d.update({"c": nn.ELU()})
    assert list(d) == list(d.keys()) == ["a", "b", "c"] and "b" in d and len(d) == 3
    assert names(d.values()) == ["ReLU", "Tanh", "ELU"] and [k for k, _ in d.items()] == list("abc")
    assert names([d.pop("b")]) == ["Tanh"]
    del d["a"]
    assert list(d) == ["c"]
    d.clear()
    assert not d and repr(d) == "ModuleDict()"


def test_a_parameter_list_makes_tensors_into_parameters():
    p = nn.ParameterList([tg.ones(2)])
    p.append(nn.Parameter(tg.zeros(1, 3))).extend([tg.ones(1)])
    assert [n for n, _ in p.named_parameters()] == ["0", "1", "2"] and len(p[1:]) == 2
    assert p[-1] is p[2] and all(isinstance(x, nn.Parameter) for x in p)
    p[0] = tg.full((1,), 5.0)
    assert p[0].tolist() == [5] and p[0].requires_grad
    assert repr(p[1:2]) == (
        "ParameterList(\n  (0): Parameter containing: [tapegraph.float32 of size 1x3]\n)"
    )
    with pytest.raises(TypeError):
        p.append(1)


def test_unflatten_says_what_does_not_fit():
    assert nn.Unflatten(1, (-1, 2))(tg.ones(1, 6)).shape == (1, 3, 2)
    with pytest.raises(RuntimeError) as error:
        nn.Unflatten(1, (4, -1))(tg.ones(1, 6))
    assert said(error) == "Unflatten: dim 1 of input (1, 6) is 6, which is no (4, -1)"
    with pytest.raises(IndexError) as error:
        nn.Unflatten(2, (3, 2))(tg.ones(1, 6))
    assert said(error) == "Unflatten: input (1, 6) has no dim 2"
