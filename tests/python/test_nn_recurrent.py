"""RNN, LSTM and GRU: a compiled training step, how they start, and errors."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn
from training import losses_both_ways


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True, dropout=0.4)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        output, _ = self.lstm(x)
        return self.out(output[:, -1])


def make_training():
    tg.manual_seed(3)
    model = Reader()
    optimizer = tg.optim.Adam(model.parameters(), lr=0.05)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


def test_a_training_step_of_an_lstm_with_dropout_is_the_tapes_to_the_last_bit(executor):
    def batch(rng):
        y = tg.tensor(rng.integers(0, 2, 5))
        return tg.tensor(rng.normal(size=(5, 6, 3)).astype(np.float32)) + y.reshape(5, 1, 1), y

    losses = losses_both_ways(make_training, batch, executor)
    assert losses[-1] < losses[0]


def test_a_cell_along_time_is_the_layer():
    tg.manual_seed(0)
    layer, cell = nn.GRU(3, 2), nn.GRUCell(3, 2)
    cell.load_state_dict({k[: -len("_l0")]: v for k, v in layer.state_dict().items()})
    x = tg.randn(4, 2, 3)
    h, want = None, []
    for t in range(4):
        h = cell(x[t], h)
        want.append(h)
    output, last = layer(x)
    np.testing.assert_allclose(output.detach(), tg.stack(want).detach(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(last[0].detach(), h.detach(), rtol=1e-6, atol=1e-7)


def test_all_weights_start_uniform_within_one_over_the_root_of_hidden():
    tg.manual_seed(0)
    for layer in (nn.LSTM(30, 25), nn.GRUCell(30, 25)):
        for w in layer.parameters():
            assert np.abs(w.detach().numpy()).max() <= 0.2
            assert abs(w.detach().numpy().std() - 0.2 / np.sqrt(3)) < 0.015


def test_a_compiled_layer_notices_another_dropout():
    layer = nn.RNN(2, 2, num_layers=2, dropout=0.0)
    f, x = tg.compile(layer), tg.ones(1, 1, 2)
    f(x)
    layer.dropout = 1.0
    assert f(x)[0].tolist() == layer(x)[0].tolist() and f.traces == 2
    assert "RNN.dropout was 0.0, is now 1.0" in f.explain()


def test_recurrent_layers_say_what_does_not_fit():
    x = tg.ones(3, 2, 4)
    for make, kind, text in [
        (lambda: nn.RNN(4, 2)(tg.ones(4)), ValueError,
         "RNN: input is (L, N, I) or (L, I), not (4,)"),
        (lambda: nn.GRU(3, 2)(x), RuntimeError,
         "GRU: the last dim of input (3, 2, 4) is 4, and input_size is 3"),
        (lambda: nn.RNN(4, 2)(x, tg.ones(1, 3, 2)), RuntimeError,
         "RNN: hx is (1, 3, 2), and for input (3, 2, 4) it must be (1, 2, 2)"),
        (lambda: nn.LSTM(4, 2)(x, (tg.ones(1, 2, 2), tg.ones(2, 2))), RuntimeError,
         "LSTM: c_0 is (2, 2), and for input (3, 2, 4) it must be (1, 2, 2)"),
        (lambda: nn.LSTM(4, 2)(x, tg.ones(1, 2, 2)), RuntimeError,
         "LSTM: hx is a pair (h_0, c_0)"),
        (lambda: nn.LSTM(4, 2)(tg.ones(0, 2, 4)), RuntimeError,
         "LSTM: input (0, 2, 4) is of length 0"),
        (lambda: nn.LSTM(4, 0), ValueError,
         "LSTM: hidden_size must be 1 or more, not 0"),
        (lambda: nn.GRU(4, 2, proj_size=1), ValueError,
         "GRU: proj_size is for LSTM alone"),
        (lambda: nn.LSTM(4, 2, proj_size=2), ValueError,
         "LSTM: proj_size is 2, and must be 0 to 1, for hidden_size 2"),
        (lambda: nn.RNN(4, 2, nonlinearity="sin"), ValueError,
         "RNN: nonlinearity is 'tanh' or 'relu', not 'sin'"),
        (lambda: nn.LSTMCell(4, 2)(tg.ones(2, 3)), RuntimeError,
         "LSTMCell: the last dim of input (2, 3) is 3, and input_size is 4"),
        (lambda: nn.GRUCell(4, 2)(tg.ones(2, 4), tg.ones(2, 3)), RuntimeError,
         "GRUCell: hx is (2, 3), and for input (2, 4) it must be (2, 2)"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            make()
        assert said(error) == text
