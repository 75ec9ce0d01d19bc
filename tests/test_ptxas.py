"""kernels/cuda/REGISTERS.md is what ptxas says, where nvcc has compiled the kernels."""

import re

import pytest
from ptxas import BUILD, PAGE, Kernel, kernels, page, version


def test_the_page_is_what_ptxas_says() -> None:
    sources = {source.stem for source in PAGE.parent.glob("*.cu")}
    compiled = {log.name[len("nvcc_") : -len(".o.log")] for log in BUILD.glob("nvcc_*.o.log")}
    if not PAGE.exists() or not sources <= compiled:
        pytest.skip("nvcc has not compiled every kernel here")
    written = re.search(r"ptxas of nvcc ([\d.]+)", PAGE.read_text())
    assert written is not None
    if written[1] != version():
        pytest.skip(f"the page is of nvcc {written[1]}, here is {version()}")
    assert PAGE.read_text() == page(), "run  ./dev python tests/ptxas.py"


# Of the gradient of the input, for integers of one and two bytes, where it is not the chosen rung.
SPILLING = {"product_double_buffered"}


def test_no_other_kernel_spills() -> None:
    assert {name for name, k in kernels().items() if k.spills > 0} <= SPILLING


def test_occupancy_is_what_registers_and_shared_memory_allow() -> None:
    kernel = Kernel("a.cu")
    kernel.add(90, 32, 0, 0)  # 65536 / (32 * 256) is 8 blocks, 64 warps
    assert kernel.occupancy(90) == 1.0
    kernel.add(90, 40, 0, 0)  # 6 blocks of 8 warps
    assert kernel.occupancy(90) == 48 / 64
    kernel.add(90, 40, 0, 47 * 1024)  # 228 / 48 KiB: 4 blocks
    assert kernel.occupancy(90) == 32 / 64
