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
