"""The profiler and the memory limit."""

import json
import threading

import pytest
import tapegraph as tg
from errors import said


def step(x, w):
    loss = ((x @ w).tanh() * 2).sum()
    loss.backward()
    return loss


def test_a_table_names_the_kernels_and_their_lines():
    x, w = tg.ones(4, 3), tg.ones(3, 2, requires_grad=True)
    with tg.profiler.profile() as prof:
        step(x, w)
    names = [e.name for e in prof.events]
    assert names.count("tanh") == 1 and "matmul" in names and "sum" in names
    assert all(e.duration >= 0 and e.start >= 0 for e in prof.events)
    assert {e.line.split(":")[0] for e in prof.events} == {"test_profiler.py"}
    rows = {row.name: row for row in prof.key_averages()}
    assert rows["matmul"].calls == names.count("matmul") >= 2
    assert sum(row.total for row in rows.values()) == sum(e.duration for e in prof.events)
    assert [row.total for row in prof.key_averages("line")] == sorted(
        (row.total for row in prof.key_averages("line")), reverse=True
    )
    table = prof.table(row_limit=2).splitlines()
    assert table[0].split() == ["op", "calls", "total", "us", "mean", "us", "share"]
    assert len(table) == 4 and table[3] == f"and {len(rows) - 2} more"
    with pytest.raises(ValueError, match="group_by is 'op' or 'line', not 'module'"):
        prof.table("module")


def test_rows_have_a_table_that_is_sorted_as_asked():
    x = tg.ones(50, 50)
    with tg.profiler.profile() as prof:
        (x @ x).sum()
        x.exp().log().exp()
    rows = prof.key_averages()
    assert rows.table() == prof.table()

    def names(sort_by):
        return [line.split()[0] for line in rows.table(sort_by=sort_by).splitlines()[1:]]

    assert names("count") == names("calls") and names("calls")[0] == "exp"
    assert names("cpu_time_total") == names(None) == [row.name for row in rows]
    assert names("name") == sorted(row.name for row in rows)
    assert len(rows.table(sort_by="cpu_time", row_limit=1).splitlines()) == 3
    with pytest.raises(ValueError, match="sort_by is one of total, .*, not 'memory'"):
        rows.table(sort_by="memory")


def test_nothing_is_recorded_outside_and_nothing_twice():
    with tg.profiler.profile() as prof:
        tg.ones(20).exp()
        with pytest.raises(RuntimeError) as error, tg.profiler.profile():
            pass
        assert "a profile is being taken already" in said(error)
    tg.ones(20).log()
    assert [e.name for e in prof.events if e.name in ("exp", "log")] == ["exp"]
    with tg.profiler.profile() as empty:
        pass
    assert empty.events == [] and len(empty.table().splitlines()) == 1
    with pytest.raises(ZeroDivisionError), tg.profiler.profile() as broken:
        tg.ones(20).log()
        raise ZeroDivisionError
    assert "log" in [e.name for e in broken.events]


def test_compiled_functions_show_their_fused_groups():
    x = tg.ones(64, 64)
    for executor, expected in (("fused", "fused"), ("planned", "exp"), ("lines", "exp")):
        fast = tg.compile(lambda x: ((x * 2).exp() + 1).tanh(), executor=executor)
        fast(x)
        with tg.profiler.profile() as prof:
            fast(x)
        assert expected in [e.name for e in prof.events]


def test_threads_are_told_apart():
    def work():
        tg.ones(20).exp()

    with tg.profiler.profile() as prof:
        work()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert {e.thread for e in prof.events if e.name == "exp"} == {0, 1}


def test_the_timeline_is_what_perfetto_reads(tmp_path):
    with tg.profiler.profile() as prof:
        tg.ones(20).exp()
    prof.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == len(prof.events)
    exp = next(e for e in events if e["name"] == "exp")
    assert exp["ph"] == "X" and exp["args"]["line"].startswith("test_profiler.py:")
    assert repr(prof) == f"<profile of {len(events)} kernels>"


def test_a_limit_stops_what_goes_beyond_it_and_leaves_the_rest():
    keep = tg.ones(1000)
    now = tg.allocator.statistics()
    assert now["limit"] is None
    tg.allocator.set_limit(now["live"] + 100_000)
    try:
        small = tg.ones(1000) + keep
        with pytest.raises(tg.OutOfMemoryError) as error:
            tg.ones(1000, 1000)
        text = said(error)
        assert "4000000 bytes were asked for" in text and "allocator.set_limit" in text
        with pytest.raises(MemoryError):
            keep.expand(100, 1000).contiguous()
        assert (small + 1).sum() == 3000
        assert tg.allocator.statistics()["limit"] == now["live"] + 100_000
    finally:
        tg.allocator.set_limit(None)
    assert tg.ones(1000, 1000).sum() == 1e6
    with pytest.raises(ValueError, match="0 or more"):
        tg.allocator.set_limit(-1)
    with pytest.raises(TypeError):
        tg.allocator.set_limit("1 GB")
