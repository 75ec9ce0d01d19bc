"""Sequences of several lengths, padded and cut again. The values are PyTorch's."""

import pytest
import tapegraph as tg
from tapegraph.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

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


# ---- packed -------------------------------------------------------------------------------------


def test_packed_is_time_after_time():
    packed = pack_sequence([A, B, C], enforce_sorted=False)
    assert packed.data.tolist() == [4, 1, 3, 5, 2, 6]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [2, 0, 1]
    assert packed.unsorted_indices.tolist() == [1, 2, 0]
    assert packed._fields == ("data", "batch_sizes", "sorted_indices", "unsorted_indices")
    padded, lengths = pad_packed_sequence(packed, True, -100, total_length=4)
    assert padded.tolist() == [[1, 2, -100, -100], [3, -100, -100, -100], [4, 5, 6, -100]]
    assert lengths.tolist() == [2, 1, 3] and lengths.dtype == tg.int64
    assert [x.tolist() for x in unpack_sequence(packed)] == [[1, 2], [3], [4, 5, 6]]
    in_order = pack_padded_sequence(tg.tensor([[1, 4], [2, 0]]), tg.tensor([2, 1]))
    assert in_order.data.tolist() == [1, 4, 2] and in_order.sorted_indices is None
    assert pad_packed_sequence(in_order)[0].tolist() == [[1, 4], [2, 0]]
    by_hand = PackedSequence(in_order.data, in_order.batch_sizes)
    assert pad_packed_sequence(by_hand)[0].tolist() == [[1, 4], [2, 0]]
    assert packed.double().data.dtype == tg.float64 and packed.to(tg.int64) is packed
    assert invert_permutation(tg.tensor([2, 0, 1])).tolist() == [1, 2, 0]


def test_gradients_of_packed_leave_the_padding_out_on_the_tape_and_compiled():
    x = tg.arange(12.0).reshape(3, 2, 2).requires_grad_()

    def step():
        packed = pack_padded_sequence(x, [1, 3], enforce_sorted=False)
        y, _ = pad_packed_sequence(packed, padding_value=5.0)
        loss = (y * y).sum()
        loss.backward()
        return loss.detach()

    losses = []
    for run in (step, tg.compile(step)):
        x.grad = None
        losses.append(run().item())
        assert x.grad[:, 0].tolist() == [[0, 2], [0, 0], [0, 0]]
        assert tg.equal(x.grad[:, 1], 2 * x[:, 1])
    assert losses[0] == losses[1]


def test_each_sequence_goes_through_a_layer_as_if_alone():
    tg.manual_seed(0)
    lstm = tg.nn.LSTM(2, 3, 2, bidirectional=True, dtype=tg.float64)
    alone = [tg.randn(n, 2, dtype=tg.float64) for n in (2, 4, 1)]
    output, (h, c) = lstm(pack_sequence(alone, enforce_sorted=False))
    for k, (x, y) in enumerate(zip(alone, unpack_sequence(output))):
        want, (h_n, c_n) = lstm(x)
        for got, value in ((y, want), (h[:, k], h_n), (c[:, k], c_n)):
            assert tg.allclose(got, value, rtol=1e-12, atol=1e-12)


def test_what_cannot_be_packed():
    x = tg.zeros(4, 2, 3)
    for lengths, text in (
        ([2, 4], r"the lengths \[2, 4\] do not fall; say enforce_sorted=False, or sort them"),
        ([5, 2], r"the lengths \[5, 2\] must be 1 to 4, for input \(4, 2, 3\)"),
        ([4, 0], r"the lengths \[4, 0\] must be 1 to 4"),
        ([4], "there are 2 sequences and 1 lengths"),
    ):
        with pytest.raises(RuntimeError, match="pack_padded_sequence: " + text):
            pack_padded_sequence(x, lengths)
    with pytest.raises(RuntimeError, match=r"input \(4, 0, 3\) holds no sequence"):
        pack_padded_sequence(x[:, :0], [])
    with pytest.raises(IndexError, match=r"input \(4,\) needs two dims or more"):
        pack_padded_sequence(x[:, 0, 0], [4])
    packed = pack_padded_sequence(x, [4, 2])
    with pytest.raises(ValueError, match="total_length is 3, and the longest sequence has 4"):
        pad_packed_sequence(packed, total_length=3)
    with pytest.raises(RuntimeError, match="GRU: the last dim of input .* is 3, and input_size"):
        tg.nn.GRU(2, 2)(packed)
    with pytest.raises(RuntimeError, match="no lengths before the function runs; pack inside"):
        tg.compile(lambda p: pad_packed_sequence(p)[0])(packed)
    with pytest.raises(RuntimeError, match="not known while it is written; give a list of numbers"):
        tg.compile(lambda x: pack_padded_sequence(x, tg.tensor([4, 2])).data)(x)
    with pytest.raises(AssertionError, match="data is a pair, or batch_sizes is missing"):
        PackedSequence(x)
