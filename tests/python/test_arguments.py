"""Arguments and corners that PyTorch has beside the common ones; the values are PyTorch 2.15's."""

import math

import numpy as np
import pytest
import tapegraph as tg
from tapegraph import nn
from tapegraph.nn import functional as F


def test_numbers_by_name():
    assert (tg.pi, tg.e, tg.inf) == (math.pi, math.e, math.inf) and math.isnan(tg.nan)


def test_round_keeps_decimals():
    x = tg.tensor([1.25, -2.35, 125.5])
    assert x.round(decimals=1).tolist() == tg.tensor([1.2, -2.4, 125.5]).tolist()
    assert tg.round(x, decimals=-1).tolist() == [0, 0, 130]
    with pytest.raises(NotImplementedError, match="decimals is 1, for a tensor of int64"):
        tg.tensor([1]).round(decimals=1)


def test_div_rounds_the_quotient_down_or_to_zero():
    n, x = tg.tensor([7, -7]), tg.tensor([7.0, -7.0], requires_grad=True)
    assert tg.div(n, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert n.div(2, rounding_mode="floor").tolist() == [3, -4]
    assert n.div(2, rounding_mode=None).tolist() == [3.5, -3.5]
    y = x.div(2, rounding_mode="trunc")
    y.sum().backward()
    assert y.tolist() == [3, -3] and x.grad.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="rounding_mode is None, 'trunc' or 'floor', not 'up'"):
        tg.div(n, 2, rounding_mode="up")
    with pytest.raises(RuntimeError, match="divi"):
        tg.div(n, 0, rounding_mode="trunc")


def test_sizes_and_ranges_by_either_way_of_writing():
    v = tg.ones(3)
    assert v.broadcast_to(2, 3).shape == v.broadcast_to((2, 3)).shape == (2, 3)
    assert tg.broadcast_to(v, size=(2, 3)).shape == (2, 3)
    assert tg.arange(end=3).tolist() == [0, 1, 2]
    assert tg.arange(start=1, end=3).tolist() == [1, 2]
    with pytest.raises(TypeError):
        tg.arange()


def test_numbers_of_numpy_keep_their_dtype():
    assert tg.tensor(np.float64(2)).dtype == tg.float64
    assert tg.tensor(np.float32(2)).dtype == tg.float32
    assert tg.tensor(np.int32(2)).dtype == tg.int32
    assert tg.tensor(2.5).dtype == tg.float32
    assert tg.Tensor([1, 2]).dtype == tg.float32


def test_one_hot_takes_the_classes_from_the_largest_index():
    assert F.one_hot(tg.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(RuntimeError, match="give num_classes"):
        F.one_hot(tg.tensor([], dtype=tg.int64))


def test_answers_about_uint8_are_uint8():
    u = tg.tensor([0, 3], dtype=tg.uint8)
    assert (u.any().dtype, u.any().item()) == (tg.uint8, 1)
    assert (u.all().dtype, u.all().item()) == (tg.uint8, 0)
    assert (u > 0).any().dtype == tg.bool
    assert tg.square(u > 0).dtype == tg.int64


def test_the_product_of_nothing_is_on_the_tape():
    x = tg.zeros(0, 2, requires_grad=True)
    for y in (x.prod(), x.prod(0).sum()):
        x.grad = None
        y.backward()
        assert x.grad.shape == (0, 2)
    assert x.prod(0).tolist() == [1, 1]


def test_linear_takes_a_vector_of_weights():
    x, w = tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([10.0, 1.0])
    assert F.linear(x, w).tolist() == [12, 34]
    assert F.linear(x[0], w, tg.tensor(1.0)).item() == 13
    with pytest.raises(RuntimeError, match="linear .*does not fit weight"):
        F.linear(x, tg.ones(3))


def test_a_running_sum_does_not_lose_digits_with_its_length():
    n = 2**24 + 8  # ones beyond 2^24 would not count in float32
    assert tg.ones(n).cumsum(0)[-1].item() == n
    assert tg.ones(n).flip(0).cumsum(0)[-1].item() == n
    x = tg.full((10**6,), 0.1)
    assert abs(x.cumsum(0)[-1].item() - 1e5) < 0.01


def test_both_get_the_gradient_where_an_extremum_is_nan():
    a, b = (tg.tensor([1.0, math.nan, 3.0], requires_grad=True) for _ in range(2))
    c = tg.tensor([math.nan, 2.0, 5.0], requires_grad=True)
    tg.minimum(a, c).sum().backward()
    assert (a.grad.tolist(), c.grad.tolist()) == ([1, 1, 1], [1, 1, 0])
    c.grad = None
    tg.maximum(b, c).sum().backward()
    assert (b.grad.tolist(), c.grad.tolist()) == ([1, 1, 0], [1, 1, 1])


def test_embedding_shortens_the_rows_that_it_looks_up():
    weight = tg.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], requires_grad=True)
    y = F.embedding(tg.tensor([0, 1, 0]), weight, max_norm=1.0)
    assert y[0].tolist() == pytest.approx([0.6, 0.8]) and y[1].tolist() == weight[1].tolist()
    assert weight[2].tolist() == [6, 8] and weight[0].tolist() == y[0].tolist()
    y.sum().backward()
    assert weight.grad.tolist() == [[2, 2], [1, 1], [0, 0]]
    table = nn.Embedding(3, 2, max_norm=0.5, norm_type=1.0)
    assert repr(table) == "Embedding(3, 2, max_norm=0.5, norm_type=1.0)"
    assert all(n <= 0.5001 for n in table(tg.arange(3)).abs().sum(1).tolist())
    with pytest.raises(RuntimeError, match=r"weight is \(rows, columns\), not of shape \(2,\)"):
        F.embedding(tg.tensor([0]), tg.ones(2))


def test_norms_say_what_does_not_fit():
    x = tg.ones(2, 4)
    with pytest.raises(RuntimeError, match=r"weight \(2, 4\) is not of normalized_shape \(4,\)"):
        F.layer_norm(x, (4,), x)
    assert F.group_norm(tg.ones(0, 4, 3), 2).shape == (0, 4, 3)
    with pytest.raises(RuntimeError, match="a multiple of num_groups 0"):
        F.group_norm(x, 0)


def test_adaptive_pools_take_one_size_or_two():
    x = tg.ones(1, 4, 4)
    for size, text in [(-1, "output_size -1 is below 0"), ((3,), "one size or two, not 1")]:
        with pytest.raises(RuntimeError, match=text):
            F.adaptive_avg_pool2d(x, size)
    assert F.adaptive_avg_pool2d(x, (None, 2)).shape == (1, 4, 2)


def test_attention_with_several_heads_for_each_of_key_and_value():
    q = tg.arange(24.0).reshape(1, 4, 2, 3) / 10
    k = tg.arange(12.0).reshape(1, 2, 2, 3) / 10
    y = F.scaled_dot_product_attention(q, k, k, enable_gqa=True)
    each = [F.scaled_dot_product_attention(q[:, h], k[:, h // 2], k[:, h // 2]) for h in range(4)]
    assert y.tolist() == tg.stack(each, 1).tolist()
    with pytest.raises(RuntimeError, match="enable_gqa needs a multiple of the heads"):
        F.scaled_dot_product_attention(q[:, :3], k, k, enable_gqa=True)
    with pytest.raises(RuntimeError, match="attn_mask is .*int64, and must be bool"):
        F.scaled_dot_product_attention(q, k, k, tg.tensor([1, 2]))


@pytest.mark.parametrize("how", ["method", "function"])
def test_backward_into_some_inputs_only(how):
    a, b = (tg.tensor([v], requires_grad=True) for v in (2.0, 3.0))
    after = []
    a.register_post_accumulate_grad_hook(lambda p: after.append(p.grad.tolist()))
    middle = a * b

    def run():
        y = middle * a
        if how == "function":
            tg.autograd.backward(y, inputs=[a, middle], retain_graph=True)
        else:
            y.backward(inputs=[a, middle], retain_graph=True)

    run()
    assert (a.grad.tolist(), middle.grad.tolist(), b.grad) == ([12], [2], None)
    run()
    assert a.grad.tolist() == [24] and after == [[12], [24]]
    with pytest.raises(RuntimeError, match="inputs is empty"):
        (a * b).backward(inputs=[])


def test_backward_into_some_inputs_in_a_compiled_step():
    a, b = (tg.tensor([v], requires_grad=True) for v in (2.0, 3.0))

    @tg.compile
    def step():
        (a * a * b).sum().backward(inputs=a)

    step()
    step()
    assert a.grad.tolist() == [24] and b.grad is None
