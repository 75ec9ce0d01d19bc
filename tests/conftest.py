"""What all tests need: Ctrl-C that works, and a program's three executors."""

import signal

import pytest

# A shell starts its background jobs with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["lines", "planned", "fused"])
def executor(request):
    return request.param
