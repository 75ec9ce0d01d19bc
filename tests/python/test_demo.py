"""`./dev demo`: its data, its comparison, what it says of failure."""

import re
import subprocess
import sys

import numpy as np
import pytest
import tapegraph as tg
from tapegraph import demo
from tapegraph.datasets import digits, split_digits


def test_the_digits_are_1797_images_of_8x8_pixels_with_a_label():
    images, labels = digits()
    assert images.shape == (1797, 64) and images.dtype == np.float32
    assert labels.shape == (1797,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    assert set(labels) == set(range(10))


def test_the_split_is_the_same_for_a_seed_and_leaves_nothing_out():
    (images, labels), (test_images, test_labels) = split_digits(3)
    assert len(labels) == len(images) == 1437 and len(test_labels) == len(test_images) == 360
    assert np.array_equal(split_digits(3)[0][0], images)
    assert not np.array_equal(split_digits(4)[0][0], images)
    together = np.concatenate([labels, test_labels])
    assert np.array_equal(np.bincount(together), np.bincount(digits()[1]))


def test_the_demo_trains_five_ways_with_equal_losses(tmp_path, capsys):
    assert demo.main(["--quick", "--threads", "1", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr()
    rows = [re.split(r"\s{2,}", line) for line in out.out.splitlines()]
    losses = [row for row in rows if row[0].startswith("loss, epoch")]
    assert len(losses) == 5
    for row in losses:
        assert len(row) == 6 and len(set(row[1:5])) == 1
        assert float(row[5]) == pytest.approx(float(row[1]), rel=1e-3)  # on cuda
    by_label = {row[0]: row[1:] for row in rows}
    assert by_label["nodes built a step"][1:4] == ["0", "0", "0"]
    assert int(by_label["nodes built a step"][0]) > 0
    assert int(by_label["nodes built a step"][4]) < int(by_label["nodes built a step"][0])
    tape, lines, fused, _, _ = (int(n) for n in by_label["ops run a step"])
    assert fused < lines <= tape
    assert all(float(a.rstrip(" %")) >= 95 for a in by_label["test accuracy"])
    assert len(set(by_label["loss, last of 132 steps"])) == 1
    assert all(float(a.rstrip(" %")) >= 95 for a in by_label["accuracy, other writers"])
    for name in ("tape.svg", "graph.svg"):
        assert (tmp_path / name).read_text().startswith("<svg ")
        assert str(tmp_path / name) in out.out
    assert "training" not in out.err  # no bar where there is no terminal


def test_the_planted_error_is_found_at_its_line_in_every_way():
    with open(demo.__file__) as file:
        wrong = next(i for i, line in enumerate(file, 1) if "this line is wrong" in line)
    found = demo.planted_errors()
    assert found == [
        (f"demo.py:{wrong}", "when the line runs"),
        (f"demo.py:{wrong}", "at the first call"),
        (f"demo.py:{wrong}", "at the first call"),
        (f"demo.py:{wrong}", "when it is built"),
        (f"demo.py:{wrong}", "when the line runs"),
        (f"demo.py:{wrong}", "when it runs"),
    ]


def test_too_little_training_ends_with_a_failure(tmp_path, capsys):
    arguments = ["--epochs", "1", "--hidden", "2", "--out", str(tmp_path)]
    assert demo.main(arguments) == 1
    assert "FAILED: the test accuracy is below 95 %" in capsys.readouterr().err


def test_unequal_losses_end_with_a_failure(tmp_path, capsys, monkeypatch):
    exact = demo.Built.step
    monkeypatch.setattr(demo.Built, "step", lambda self, x, y: exact(self, x, y) + 1e-6)
    assert demo.main(["--quick", "--out", str(tmp_path)]) == 1
    assert "FAILED: the losses differ" in capsys.readouterr().err


def test_another_loss_on_cuda_ends_with_a_failure(tmp_path, capsys, monkeypatch):
    exact = demo.Traced.step
    away = {"cpu": 0, "cuda": 0.01}
    monkeypatch.setattr(
        demo.Traced, "step", lambda self, x, y: exact(self, x, y) + away[self.device]
    )
    assert demo.main(["--quick", "--out", str(tmp_path)]) == 1
    assert "FAILED: the losses on cuda differ by more than 0.001" in capsys.readouterr().err


def test_it_is_a_module_to_run(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "tapegraph.demo", "--quick", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert "test accuracy" in run.stdout


@pytest.mark.parametrize("option", ["--epochs", "--hidden"])
def test_options_that_make_no_sense_are_refused(option):
    with pytest.raises(SystemExit):
        demo.main([option, "0"])


def test_the_pictures_are_well_formed():
    from xml.etree import ElementTree

    w = tg.ones(3, requires_grad=True)
    root = ElementTree.fromstring(tg.tape_svg((w * w).sum()))
    groups = [g.get("class") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    assert groups.count("tg-box") == 3 and groups.count("tg-wire") == 3
