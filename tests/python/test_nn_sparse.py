"""Embedding: how it starts, tables that are there, and errors."""

import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn


def test_an_embedding_starts_normal_with_a_row_of_zeros():
    tg.manual_seed(0)
    table = nn.Embedding(50, 40, padding_idx=-1)
    w = table.weight.detach().numpy()
    assert table.padding_idx == 49 and not w[49].any()
    assert abs(w[:49].std() - 1) < 0.03 and abs(w[:49].mean()) < 0.03
    assert repr(table) == "Embedding(50, 40, padding_idx=49)"
    assert table(tg.tensor([[1, 2]])).shape == (1, 2, 40) and table(tg.tensor(3)).shape == (40,)
    assert table(tg.tensor([1], dtype=tg.int32)).tolist() == table(tg.tensor([1])).tolist()
    with pytest.raises(RuntimeError) as error:
        table(tg.ones(1))
    assert said(error) == (
        "embedding: input is tapegraph.float32, not int64 or int32; cast it: input.long()"
    )
    with pytest.raises(TypeError) as error:
        table([1, 2])
    assert said(error) == "embedding: input must be a tensor, not list; make one by tg.tensor"
    with pytest.raises(IndexError, match="index 50 is outside 0..49"):
        table(tg.tensor([50]))
    with pytest.raises(AssertionError) as error:
        nn.Embedding(3, 2, padding_idx=3)
    assert said(error) == "Embedding: padding_idx 3 is outside of the 3 rows"


def test_a_table_that_is_there_is_shared_and_frozen():
    rows = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    table = nn.Embedding.from_pretrained(rows)
    assert table(tg.tensor([1])).tolist() == [[3, 4]] and not table.weight.requires_grad
    assert table.weight.data_ptr() == rows.data_ptr()
    assert nn.Embedding.from_pretrained(rows, freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match=r"embeddings are \(rows, columns\), not \(2,\)"):
        nn.Embedding.from_pretrained(tg.ones(2))


def test_what_bags_refuse():
    table, ids = tg.ones(4, 2), tg.tensor([0, 2, 1])
    bag = nn.functional.embedding_bag
    for call, kind, text in [
        (lambda: bag(ids, table), ValueError,
         "embedding_bag: input (3,) needs offsets (B,), not none"),
        (lambda: bag(ids[None], table, tg.tensor([0])), ValueError,
         "embedding_bag: input (1, 3) has a bag in each row; leave offsets out"),
        (lambda: bag(ids[0], table), ValueError,
         "embedding_bag: input has 1 or 2 dims, and this one is ()"),
        (lambda: bag(ids, table, tg.tensor([1])), RuntimeError,
         "embedding_bag: offsets[0] is 1, and must be 0"),
        (lambda: bag(ids, table, tg.tensor([0, 4])), RuntimeError,
         "embedding_bag: offsets[-1] is 4, and input has 3 elements"),
        (lambda: bag(ids[None], table, mode="min"), ValueError,
         "embedding_bag: mode is 'sum', 'mean' or 'max', not 'min'"),
        (lambda: bag(ids[None], table, mode="sum", per_sample_weights=tg.ones(3)), ValueError,
         "embedding_bag: per_sample_weights (3,) must have the shape of input, (1, 3)"),
        (lambda: bag(ids[None], table, per_sample_weights=tg.ones(1, 3)), NotImplementedError,
         "embedding_bag: per_sample_weights are for mode 'sum', not 'mean'"),
        (lambda: bag(ids[None], table, mode="max", scale_grad_by_freq=True), ValueError,
         "embedding_bag: scale_grad_by_freq does not go with mode 'max'"),
        (lambda: bag(ids[None], table, sparse=True), NotImplementedError,
         "embedding: gradients are not sparse here; leave sparse=False"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert said(error) == text
    with pytest.raises(IndexError, match="index 4 is outside 0..3"):
        bag(tg.tensor([[4]]), table)


def test_a_table_of_bags_that_is_there_is_shared_and_frozen():
    rows = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    bags = nn.EmbeddingBag.from_pretrained(rows, mode="sum")
    assert bags(tg.tensor([[1, 0]])).tolist() == [[4, 6]] and not bags.weight.requires_grad
    assert bags.weight.data_ptr() == rows.data_ptr()
    assert bags(tg.zeros(0, dtype=tg.int64), tg.tensor([0, 0])).tolist() == [[0, 0], [0, 0]]


def test_bags_in_a_compiled_function_may_be_captured():
    table, ids, begins = tg.ones(4, 2), tg.tensor([0, 2, 1]), tg.tensor([0, 1])
    bag = tg.compile(lambda t: nn.functional.embedding_bag(ids, t, begins, mode="sum"))
    assert bag(table).tolist() == [[1, 1], [2, 2]]
