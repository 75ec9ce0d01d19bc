"""Convolutions, pooling and padding: errors, sizes that are not known, threads, how they start.

Values, gradients and texts are compared with PyTorch's in test_nn_recorded.py.
"""

import math

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.nn.functional as F
from errors import said
from tapegraph import nn


def ones(*shape, **more):
    return tg.ones(*shape, **more)


def test_what_does_not_fit_a_convolution_says_so():
    x, w = ones(2, 1, 4, 4), ones(3, 1, 3, 3)
    for make, kind, text in [
        (lambda: F.conv2d(x, ones(3, 2, 3, 3)), RuntimeError,
         "conv2d: input (2, 1, 4, 4) has 1 channels, but weight (3, 2, 3, 3) with groups 1 takes "
         "2"),
        (lambda: F.conv2d(x, w, groups=2), RuntimeError,
         "conv2d: input (2, 1, 4, 4) has 1 channels, but weight (3, 1, 3, 3) with groups 2 takes "
         "2"),
        (lambda: F.conv2d(ones(2, 2, 4, 4), w, groups=2), RuntimeError,
         "conv2d: weight (3, 1, 3, 3) has 3 in dim 0, which is no positive multiple of groups 2"),
        (lambda: F.conv2d(x, w, groups=0), RuntimeError,
         "conv2d: groups is 0, and must be at least 1"),
        (lambda: F.conv2d(x, w, stride=0), RuntimeError,
         "conv2d: stride (0,) must be at least 1 and at most 2147483647"),
        (lambda: F.conv2d(x, w, stride=2**40), RuntimeError,
         "conv2d: stride (1099511627776,) must be at least 1 and at most 2147483647"),
        (lambda: F.conv2d(x, w, padding=(0, -1)), RuntimeError,
         "conv2d: padding (0, -1) must be at least 0 and at most 2147483647"),
        (lambda: F.conv2d(x, w, padding="full"), RuntimeError,
         "conv2d: padding is 'full'; the words are same and valid"),
        (lambda: F.conv2d(x, w, dilation=(1, 2, 3)), RuntimeError,
         "conv2d: dilation (1, 2, 3) is neither one number nor 2"),
        (lambda: F.conv2d(x, w, stride=()), TypeError,
         "conv2d: stride must be an int or a tuple of ints that is not empty, not tuple"),
        (lambda: F.conv2d(x, w, stride=1.5), TypeError, "conv2d: stride must be an int, not float"),
        (lambda: F.conv2d(x, ones(3, 1, 0, 3)), RuntimeError,
         "conv2d: weight (3, 1, 0, 3) must have at least 1 and at most 2147483647 taps in dim 2"),
        (lambda: F.conv2d(x, ones(3, 1, 3)), RuntimeError,
         "conv2d: weight (3, 1, 3) has 3 dims, not 4"),
        (lambda: F.conv2d(ones(()), w), RuntimeError,
         "conv2d: input () has 0 dims; it is (N, C, H, W) or without N"),
        (lambda: F.conv2d(x, w, ones(3, 1)), RuntimeError,
         "conv2d: bias (3, 1) needs one number for each of 3 channels of the result"),
        (lambda: F.conv2d(x, w, ones(3, dtype=tg.float64)), RuntimeError,
         "conv2d: bias is float64 and weight is float32; cast one of them"),
        (lambda: F.conv2d(x > 0, w > 0), NotImplementedError,
         "conv2d: is not defined for bool; cast the tensors first"),
        (lambda: F.conv2d(3, w), TypeError, "conv2d: input must be a tensor, not int"),
        (lambda: F.conv_transpose2d(x, ones(1, 3, 2, 2), padding="same"), TypeError,
         "conv_transpose2d: padding is a number or two, not 'same'"),
        (lambda: F.conv_transpose2d(x, ones(1, 3, 2, 2), stride=2**31 - 1, dilation=2**31 - 1)
         .sum(), RuntimeError, None),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            make()
        assert text is None or said(error) == text


def test_what_does_not_fit_pooling_and_padding_says_so():
    x = ones(2, 1, 4, 4)
    for make, kind, text in [
        (lambda: F.max_pool2d(x, 5), RuntimeError,
         "max_pool2d: a window spans 5 in dim 2, more than input (2, 1, 4, 4) with padding (0, 0) "
         "has"),
        (lambda: F.max_pool2d(x, 2, 0), RuntimeError,
         "max_pool2d: stride (0,) must be at least 1 and at most 2147483647"),
        (lambda: F.max_pool2d(x[:, :, :0], 2), RuntimeError,
         "max_pool2d: a window spans 2 in dim 2, more than input (2, 1, 0, 4) with padding (0, 0) "
         "has"),
        (lambda: F.max_pool2d(x > 0, 2), NotImplementedError,
         "max_pool2d: is not defined for bool; cast the tensor first"),
        (lambda: F.avg_pool2d(x.long(), 2), NotImplementedError,
         "avg_pool2d: needs a floating dtype, and this tensor is int64; cast it first"),
        (lambda: F.adaptive_avg_pool2d(x, -2), RuntimeError,
         "adaptive_avg_pool2d: output_size -2 is below 0"),
        (lambda: F.adaptive_avg_pool2d(x, (-1, 2)), RuntimeError,
         "adaptive_avg_pool2d: output_size -1 is below 0"),
        (lambda: F.pad(x, (1, 1, 1)), RuntimeError,
         "pad: 3 numbers for (2, 1, 4, 4); there are two for each dim, from the last dim on"),
        (lambda: F.pad(x, (2**62, 2**62)), RuntimeError,
         "pad: 4611686018427387904 is more than 2147483647"),
        (lambda: F.pad(x, 1), TypeError, "pad: pad must be a tuple of ints, not int"),
        (lambda: F.pad(x, (1, 1), "mirror"), NotImplementedError,
         "pad: mode is 'mirror'; there are constant, reflect, replicate and circular"),
        (lambda: F.pad(x, (1, 1), "reflect"), NotImplementedError,
         "pad: mode 'reflect' pads the last 1, 2 or 3 dims of (N, C, ...) or (C, ...), and not 1 "
         "of (2, 1, 4, 4)"),
        (lambda: F.pad(x, (5, 0, 0, 0), "circular"), RuntimeError,
         "pad: mode 'circular' cannot put 5 and 0 around the 4 places of dim 3 of (2, 1, 4, 4)"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            make()
        assert said(error) == text


def test_arguments_of_layers_that_do_not_go_together_are_refused():
    for make, text in [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: in_channels 3 is no multiple of groups 2"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), "Conv2d: out_channels 3 is no multiple of groups 2"),
        (lambda: nn.Conv2d(3, 3, 3, groups=0), "Conv2d: groups is 0, and must be at least 1"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"),
         "Conv2d: padding is 'full'; the words are same and valid"),
        (lambda: nn.Conv2d(1, 1, 3, 2, padding="same"),
         "Conv2d: padding 'same' needs stride 1, not (2, 2)"),
        (lambda: nn.Conv1d(1, 1, (3, 3)), "Conv1d: kernel_size (3, 3) is neither one number nor 1"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="zero"),
         "Conv2d: padding_mode is 'zero'; there are zeros, reflect, replicate, circular"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding_mode="reflect"),
         "ConvTranspose2d: padding_mode is 'reflect', and only zeros is"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, stride=2)(ones(1, 4, 4), output_size=(20, 9)),
         "ConvTranspose2d: output_size (20, 9) for input (1, 4, 4): 20 is outside of 9..10"),
        (lambda: nn.BatchNorm2d(3)(ones(2, 3)), "BatchNorm2d: input is (N, C, H, W), not (2, 3)"),
    ]:  # fmt: skip
        with pytest.raises(ValueError) as error:
            make()
        assert said(error) == text


def test_weights_start_as_pytorchs_do():
    for layer, window in [(nn.Conv2d(8, 64, 3, groups=2), 36), (nn.Conv1d(8, 64, 5), 40),
                          (nn.ConvTranspose2d(64, 8, 3), 72)]:  # fmt: skip
        bound = 1 / math.sqrt(window)
        for parameter in (layer.weight, layer.bias):
            values = parameter.detach().numpy()
            assert abs(values).max() <= bound
        assert np.std(layer.weight.detach().numpy()) == pytest.approx(
            bound / math.sqrt(3), rel=0.05
        )


def test_places_of_the_largest_come_along():
    x = tg.tensor([[[[1.0, 5.0, 5.0], [4.0, 3.0, float("nan")]]]])
    values, indices = F.max_pool2d(x, 2, 1, return_indices=True)
    assert values[0, 0, 0, 0].item() == 5 and math.isnan(values[0, 0, 0, 1].item())
    assert indices.tolist() == [[[[1, 5]]]] and indices.dtype == tg.int64
    values, indices = nn.AdaptiveMaxPool2d((1, None), return_indices=True)(x[0, :, :, :2])
    assert values.tolist() == [[[4, 5]]] and indices.tolist() == [[[2, 1]]]
    assert F.max_pool2d(x[:0], 2).shape == (0, 1, 1, 1)
    integers = F.max_pool2d(tg.arange(4).reshape(1, 2, 2), 2)
    assert integers.tolist() == [[[3]]] and integers.dtype == tg.int64


def model(x, w):
    x = x * w.mean()
    y = F.conv2d(x, w, stride=2, padding=1)
    pooled = F.avg_pool2d(y, 2) + F.max_pool2d(y.relu(), 2)
    same = F.conv2d(x, w, padding="same")
    larger = F.conv_transpose2d(y, w.sum(1, keepdim=True))
    return (
        (pooled * pooled).sum() + (same * same).mean() + larger.sum()
        + F.adaptive_avg_pool2d(x, 2).sum() + F.adaptive_max_pool2d(x, (1, None)).mean()
    )  # fmt: skip


def test_sizes_that_a_graph_learns_when_it_is_fed():
    rng = np.random.default_rng(0)
    w = tg.tensor(rng.normal(size=(3, 2, 3, 3)).astype(np.float32), requires_grad=True)
    with tg.Graph() as graph:
        x = tg.placeholder("x", [None, 2, None, None])
        loss = model(x, w)
        gradients = tg.gradients(loss, [w])
    session = tg.Session(graph)
    for shape in ((2, 2, 8, 9), (1, 2, 5, 5)):
        image = rng.normal(size=shape).astype(np.float32)
        found, gradient = session.run([loss, *gradients], {x: image})
        expected = model(tg.tensor(image), w)
        assert float(found) == expected.item()
        assert np.array_equal(gradient, tg.autograd.grad(expected, w)[0].numpy())
    with pytest.raises(RuntimeError) as error:
        session.run(loss, {x: np.zeros((1, 2, 1, 5), np.float32)})
    text = "pool_mean: no window of (2, 2) fits into (1, 3, 1, 3) with padding (0, 0)"
    assert said(error) == text
    with graph, pytest.raises(RuntimeError, match="ceil_mode needs to know the size of dim 2"):
        F.max_pool2d(x, 2, ceil_mode=True)
    with graph, pytest.raises(RuntimeError, match="output_padding .* needs to know the size"):
        F.conv_transpose2d(x, ones(2, 1, 2, 2), stride=2, output_padding=1)


def test_neither_threads_nor_executors_change_a_bit():
    rng = np.random.default_rng(1)
    x = tg.tensor(rng.normal(size=(40, 2, 9, 8)).astype(np.float32), requires_grad=True)
    w = tg.tensor(rng.normal(size=(3, 2, 3, 3)).astype(np.float32), requires_grad=True)
    before, found = tg.get_num_threads(), []
    for threads in (1, 2):
        tg.set_num_threads(threads)
        for executor in (None, "lines", "planned", "fused"):
            run = tg.compile(model, executor=executor) if executor else model
            loss = run(x, w)
            gradients = tg.autograd.grad(loss, [x, w])
            found.append([loss.item(), *(g.numpy().tobytes() for g in gradients)])
    tg.set_num_threads(before)
    assert all(other == found[0] for other in found)


def test_the_third_derivative_of_a_convolution_times_itself():
    # y = (w x)^3 in one number: d3y/dw3 = 6 x^3
    w = tg.tensor([[[[2.0]]]], dtype=tg.float64, requires_grad=True)
    y = F.conv2d(tg.full((1, 1, 1, 1), 3.0, dtype=tg.float64), w) ** 3
    for _ in range(3):
        (y,) = tg.autograd.grad(y.sum(), w, create_graph=True)
    assert y.item() == pytest.approx(6 * 27)


def test_a_program_that_was_changed_by_hand_is_checked():
    x, w = ones(1, 2, 4, 4), ones(2, 2, 3, 3)
    for f, was, now in [
        (lambda x: F.conv2d(x, w), "stride=(1, 1)", "stride=(0, 1)"),
        (lambda x: F.conv2d(x, w), "stride=(1, 1)", "stride=(1,)"),
        (lambda x: F.conv2d(x, w), "dilation=(1, 1)", "dilation=(1, -1)"),
        (lambda x: F.conv2d(x, w), "groups=1", "groups=0"),
        (lambda x: F.conv2d(x, w), "groups=1", "groups=2"),
        (lambda x: F.conv2d(x, w), "size=(2, 2)", "size=(2,)"),
        (lambda x: F.max_pool2d(x, 2), "kernel=(2, 2)", "kernel=(2, 0)"),
        (lambda x: F.avg_pool2d(x, 2), "stride=(2, 2)", "stride=(0, 0)"),
        (lambda x: F.adaptive_avg_pool2d(x, 2), "size=(2, 2)", "size=()"),
    ]:
        run = tg.compile(f, executor="lines")
        run(x)
        text = str(run.program())
        assert was in text
        tg.parse_program(text)
        with pytest.raises(ValueError):
            tg.parse_program(text.replace(was, now))
