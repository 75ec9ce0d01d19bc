"""One number, for the whole process."""


class Changes:
    """Counts every change to any module's attributes, so that a compiled function that captured
    modules looks them over only after one."""

    count = 0
