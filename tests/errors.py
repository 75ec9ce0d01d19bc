"""What the tests of error texts share."""

import re


def said(error) -> str:
    """The text of what was raised, without the line that it names."""
    return re.sub(r" \(\w+\.py:\d+\)", "", str(error.value), count=1)
