"""What all tests need: Ctrl-C that works. A shell starts its background jobs with it ignored."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
