"""Sequences of several lengths, padded and cut again. The values are PyTorch's."""

import pytest
import tapegraph as tg
from tapegraph.nn.utils.rnn import pad_sequence, unpad_sequence

A, B, C = tg.tensor([1, 2]), tg.tensor([3]), tg.tensor([4, 5, 6])


def test_the_short_ones_are_filled_up():
    assert pad_sequence([A, B, C]).tolist() == [[1, 3, 4], [2, 0, 5], [0, 0, 6]]
    first = pad_sequence([A, B, C], batch_first=True, padding_value=-100)
    assert first.tolist() == [[1, 2, -100], [3, -100, -100], [4, 5, 6]]
    assert first.dtype == tg.int64
    left = pad_sequence((x for x in (A, B, C)), True, padding_side="left")
    assert left.tolist() == [[0, 1, 2], [0, 0, 3], [4, 5, 6]]
    empty = pad_sequence([tg.ones(0, 2), tg.ones(1, 2)], True, 0.5)
    assert empty.tolist() == [[[0.5, 0.5]], [[1, 1]]]
    assert pad_sequence([tg.ones(2, 3, 4), tg.ones(5, 3, 4)]).shape == (5, 2, 3, 4)


@pytest.mark.parametrize("batch_first", [True, False])
def test_cut_again_they_are_what_they_were(batch_first):
    padded = pad_sequence([A, B, C], batch_first)
    for lengths in ([2, 1, 3], tg.tensor([2, 1, 3])):
        again = unpad_sequence(padded, lengths, batch_first)
        assert [x.tolist() for x in again] == [[1, 2], [3], [4, 5, 6]]
    again[0].zero_()
    assert padded.sum().item() == 18  # a view


def test_gradients_leave_the_padding_out_on_the_tape_and_compiled():
    a, b = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor([3.0], requires_grad=True)
    weights = tg.tensor([[1.0, 10.0], [100.0, 1000.0]])

    def step():
        loss = (pad_sequence([a, b], True, 7.0) * weights).sum()
        loss.backward()
        return loss.detach()

    for run in (step, tg.compile(step)):
        a.grad = b.grad = None
        assert run().item() == 1 + 20 + 300 + 7000
        assert (a.grad.tolist(), b.grad.tolist()) == ([1, 10], [100])


def test_what_does_not_fit():
    with pytest.raises(RuntimeError, match="pad_sequence: there are no sequences"):
        pad_sequence([])
    with pytest.raises(RuntimeError, match="padding_side is 'left' or 'right', not 'up'"):
        pad_sequence([A], padding_side="up")
    with pytest.raises(TypeError, match="sequence 1 is no tensor, but list"):
        pad_sequence([A, [1, 2]])
    wrong = r"sequence 1 is \(1, 2\), and sequence 0 \(2, 3\); only the first dim may differ"
    with pytest.raises(RuntimeError, match=wrong):
        pad_sequence([tg.ones(2, 3), tg.ones(1, 2)])
    with pytest.raises(RuntimeError, match=r"sequence 0 is \(\)"):
        pad_sequence([tg.tensor(1.0)])
    wrong = r"2 sequences of up to 3 need as many lengths, each 0 to 3, and not \[4, 1\]"
    with pytest.raises(ValueError, match=wrong):
        unpad_sequence(tg.zeros(3, 2), [4, 1])
    with pytest.raises(ValueError, match=r"not \[1\]"):
        unpad_sequence(tg.zeros(3, 2), tg.tensor([1]))
