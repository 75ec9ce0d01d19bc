"""What the tests of compiled training steps share."""

import numpy as np
import tapegraph as tg


def losses_both_ways(make, batch, executor, steps=10):
    """The losses of make()'s (model, step) on the tape, which the compiled step's are to the bit.

    batch(rng) gives a step's arguments. The step must be traced once, and leave the same state.
    """
    found = []
    for compiled in (False, True):
        model, step = make()
        run = tg.compile(step, executor=executor) if compiled else step
        rng = np.random.default_rng(0)
        losses = [run(*batch(rng)).item() for _ in range(steps)]
        found.append((losses, {k: v.tolist() for k, v in model.state_dict().items()}))
    assert found[0] == found[1]
    assert run.traces == 1
    return found[0][0]
