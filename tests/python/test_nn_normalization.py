"""Normalisations: running statistics, compiled ones, and errors."""

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.nn.functional as F
from errors import said
from tapegraph import nn


def test_running_statistics_are_written_in_place_in_training_only():
    layer = nn.BatchNorm1d(2)
    mean = layer.running_mean
    layer(tg.tensor([[0.0, 2.0], [2.0, 4.0]]))
    assert layer.running_mean is mean and layer.num_batches_tracked.item() == 1
    np.testing.assert_allclose(mean.tolist(), [0.1, 0.3], rtol=1e-6)
    np.testing.assert_allclose(layer.running_var.tolist(), [1.1, 1.1], rtol=1e-6)
    layer.eval()(tg.ones(1, 2))
    assert layer.num_batches_tracked.item() == 1
    layer.reset_running_stats()
    assert mean.tolist() == [0, 0] and layer.num_batches_tracked.item() == 0


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_compiled_batch_norm_moves_its_statistics_as_the_tape_does(momentum):
    rng = np.random.default_rng(0)
    layers = [nn.BatchNorm1d(3, momentum=momentum) for _ in range(2)]
    runs = [layers[0], tg.compile(layers[1])]
    for _ in range(5):
        x = tg.tensor(rng.normal(size=(4, 3)).astype(np.float32))
        results = [run(x) for run in runs]
        for result in results:
            (result * result * result).sum().backward()
        assert results[0].tolist() == results[1].tolist()
        for a, b in zip(layers[0].parameters(), layers[1].parameters()):
            assert a.grad.tolist() == b.grad.tolist()
        for a, b in zip(layers[0].buffers(), layers[1].buffers()):
            assert a.tolist() == b.tolist()
    assert runs[1].traces <= 2  # without and with gradients that are there already


def test_normalisations_say_what_does_not_fit():
    for make, kind, text in [
        (lambda: nn.LayerNorm((2, 3))(tg.ones(3, 3)), RuntimeError,
         "layer_norm: input (3, 3) does not end in normalized_shape (2, 3)"),
        (lambda: nn.GroupNorm(2, 3), ValueError,
         "GroupNorm: num_channels 3 is no multiple of num_groups 2"),
        (lambda: F.group_norm(tg.ones(2, 3), 2), RuntimeError,
         "group_norm: input (2, 3) is no (N, C, ...) with C a multiple of num_groups 2"),
        (lambda: nn.BatchNorm1d(3)(tg.ones(3)), ValueError,
         "BatchNorm1d: input is (N, C) or (N, C, L), not (3,)"),
        (lambda: nn.BatchNorm1d(3)(tg.ones(3, 2)), ValueError,
         "BatchNorm1d: input (3, 2) has 2 channels, and this is for 3"),
        (lambda: nn.BatchNorm1d(3)(tg.ones(1, 3)), ValueError,
         "batch_norm: expected more than 1 value per channel when training, got input size (1, 3)"),
        (lambda: F.batch_norm(tg.ones(2, 3), None, None), ValueError,
         "batch_norm: without training there must be a running mean and variance"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            make()
        assert said(error) == text
