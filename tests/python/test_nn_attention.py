"""Attention and the transformer's layer: a compiled training step, masks, and errors."""

import numpy as np
import pytest
import tapegraph as tg
import tapegraph.nn.functional as F
from errors import said
from tapegraph import nn
from training import losses_both_ways


def make_training(norm_first):
    tg.manual_seed(5)
    layer = nn.TransformerEncoderLayer(
        8, 2, 16, dropout=0.3, activation="gelu", batch_first=True, norm_first=norm_first
    )
    model = nn.Sequential(layer, nn.Linear(8, 3))
    optimizer = tg.optim.AdamW(model.parameters(), lr=0.01)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x).mean(1), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_training_step_with_dropout_is_the_tapes_to_the_last_bit(executor, norm_first):
    def batch(rng):
        y = tg.tensor(rng.integers(0, 3, 4))
        return tg.tensor(rng.normal(size=(4, 5, 8)).astype(np.float32)) + y.reshape(4, 1, 1), y

    losses_both_ways(lambda: make_training(norm_first), batch, executor)


def test_a_query_that_may_look_nowhere_gets_zeros_and_gives_no_nan():
    q = tg.ones(2, 4, requires_grad=True)
    mask = tg.tensor([[True, False], [False, False]])
    out = F.scaled_dot_product_attention(q, q, q, mask)
    assert out.tolist() == [[1] * 4, [0] * 4]
    out.sum().backward()
    assert np.isfinite(q.grad.numpy()).all()


def test_masks_of_bools_and_of_numbers_say_the_same():
    tg.manual_seed(0)
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    x = tg.randn(2, 3, 4)
    hidden = tg.tensor([[False, True, True], [False, False, True], [False, False, False]])
    padding = tg.tensor([[False, False, True], [False, False, False]])
    numbers = tg.zeros(3, 3).masked_fill(hidden, float("-inf"))
    want, weights = attention(x, x, x, attn_mask=hidden, key_padding_mask=padding)
    got, _ = attention(x, x, x, attn_mask=numbers, key_padding_mask=padding)
    np.testing.assert_allclose(got.detach(), want.detach(), rtol=1e-6, atol=1e-7)
    assert weights[0].detach().numpy()[:, 2].max() == 0
    np.testing.assert_allclose(weights.sum(-1).detach(), np.ones((2, 3)), rtol=1e-6)


def test_projections_start_by_xavier_and_biases_at_zero():
    tg.manual_seed(0)
    attention = nn.MultiheadAttention(30, 3)
    w = attention.in_proj_weight.detach().numpy()
    bound = np.sqrt(6 / 120)
    assert np.abs(w).max() <= bound and abs(w.std() - bound / np.sqrt(3)) < 0.005
    assert not attention.in_proj_bias.detach().numpy().any()
    assert not attention.out_proj.bias.detach().numpy().any()


def test_the_layers_of_an_encoder_are_copies():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)
    encoder = nn.TransformerEncoder(layer, 2)
    a, b = encoder.layers
    assert a.linear1.weight.tolist() == b.linear1.weight.tolist()
    assert a.linear1.weight is not b.linear1.weight is not layer.linear1.weight
    assert tg.compile(encoder)(tg.ones(3, 4)).tolist() == encoder(tg.ones(3, 4)).tolist()


def test_a_compiled_layer_notices_another_activation():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation=lambda x: x * x)
    f, x = tg.compile(layer), tg.ones(2, 4)
    assert f(x).tolist() == layer(x).tolist()
    layer.activation = F.relu
    assert f(x).tolist() == layer(x).tolist() and f.traces == 2


def test_attention_says_what_does_not_fit():
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    x, mask = tg.ones(2, 3, 4), tg.zeros(2, 2)
    for make, kind, text in [
        (lambda: nn.MultiheadAttention(5, 2), ValueError,
         "MultiheadAttention: embed_dim 5 is no multiple of num_heads 2"),
        (lambda: attention(x, x, x, is_causal=True), RuntimeError,
         "MultiheadAttention: is_causal needs the attn_mask that is causal"),
        (lambda: attention(x, x, tg.ones(2, 2, 4)), RuntimeError,
         "MultiheadAttention: as (N, L, E) query is (2, 3, 4), key (2, 3, 4) and value (2, 2, 4); "
         "the last dims must be (4, 4, 4), the first alike, and key and value of one length"),
        (lambda: attention(x, x, x, attn_mask=mask), RuntimeError,
         "MultiheadAttention: attn_mask is (2, 2), and must be (3, 3) or (4, 3, 3)"),
        (lambda: attention(x, x, x, key_padding_mask=mask), RuntimeError,
         "MultiheadAttention: key_padding_mask is (2, 2), and must be (2, 3)"),
        (lambda: F.scaled_dot_product_attention(x, x, x, tg.zeros(3, 3), is_causal=True),
         RuntimeError, "scaled_dot_product_attention: give attn_mask or is_causal, not both"),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="sin"), RuntimeError,
         "TransformerEncoderLayer: activation is 'relu', 'gelu' or a function, not 'sin'"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            make()
        assert said(error) == text
