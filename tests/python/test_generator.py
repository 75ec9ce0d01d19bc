"""tg.Generator: streams of their own, on the tape and in programs; its state; its errors."""

import copy
import pickle
import threading
import weakref

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph.nn import init


def seeded(seed, device="cpu"):
    return tg.Generator(device).manual_seed(seed)


def listed(*tensors):
    return [t.tolist() for t in tensors]


def drawn_in_place(x, how, *args, **kwargs):
    return getattr(x.clone(), how)(*args, **kwargs)


DRAWS = {
    "rand": lambda g: tg.rand(3, 2, generator=g),
    "rand float64": lambda g: tg.rand((5,), dtype=tg.float64, generator=g),
    "randn": lambda g: tg.randn(7, generator=g),
    "randint": lambda g: tg.randint(9, (8,), generator=g),
    "randint of low": lambda g: tg.randint(-4, 4, (8,), dtype=tg.int32, generator=g),
    "randperm": lambda g: tg.randperm(9, generator=g),
    "rand_like": lambda g: tg.rand_like(tg.ones(4), generator=g),
    "randn_like": lambda g: tg.randn_like(tg.ones(4), generator=g),
    "randint_like": lambda g: tg.randint_like(tg.ones(4), 50, generator=g),
    "bernoulli": lambda g: tg.bernoulli(tg.full((20,), 0.5), generator=g),
    "bernoulli of p": lambda g: tg.ones(20).bernoulli(0.5, generator=g),
    "multinomial": lambda g: tg.multinomial(tg.ones(2, 9), 4, generator=g),
    "multinomial again": lambda g: tg.ones(9).multinomial(20, True, generator=g),
    "normal": lambda g: tg.normal(tg.zeros(3), 2.0, generator=g),
    "normal of numbers": lambda g: tg.normal(1.0, 2.0, (3,), generator=g),
    "uniform_": lambda g: drawn_in_place(tg.zeros(3), "uniform_", -1, 2, generator=g),
    "normal_": lambda g: drawn_in_place(tg.zeros(3), "normal_", 1, 2, generator=g),
    "bernoulli_": lambda g: drawn_in_place(tg.zeros(20), "bernoulli_", 0.3, generator=g),
    "init.uniform_": lambda g: init.uniform_(tg.empty(3), generator=g),
    "init.normal_": lambda g: init.normal_(tg.empty(3), generator=g),
    "init.trunc_normal_": lambda g: init.trunc_normal_(tg.empty(3), generator=g),
    "init.xavier_uniform_": lambda g: init.xavier_uniform_(tg.empty(3, 2), generator=g),
    "init.xavier_normal_": lambda g: init.xavier_normal_(tg.empty(3, 2), generator=g),
    "init.kaiming_uniform_": lambda g: init.kaiming_uniform_(tg.empty(3, 2), generator=g),
    "init.kaiming_normal_": lambda g: init.kaiming_normal_(tg.empty(3, 2), generator=g),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_generator_draws_what_the_default_one_does_and_leaves_it_alone(draw):
    tg.manual_seed(5)
    expected = listed(draw(None), draw(None))
    state = tg.get_rng_state().tolist()
    tg.manual_seed(6)
    g = seeded(5)
    assert listed(draw(g), draw(g)) == expected and expected[0] != expected[1]
    assert g.get_state().tolist() == state
    assert tg.get_rng_state().tolist() == [6, 0]


# ---- seeds and states ---------------------------------------------------------------------------


def test_seeds_as_in_pytorch():
    """Recorded from PyTorch 2.15: the first seed, and which ones there are."""
    g = tg.Generator()
    assert g.initial_seed() == 67280421310721 and g.device == tg.device("cpu")
    assert g.manual_seed(3) is g and g.initial_seed() == 3
    assert g.manual_seed(-1).initial_seed() == 2**64 - 1
    assert g.manual_seed(2**64 - 1).initial_seed() == 2**64 - 1
    assert g.manual_seed(-(2**63)).initial_seed() == 2**63
    assert g.manual_seed(np.int64(7)).initial_seed() == 7
    seed = g.seed()
    assert g.initial_seed() == seed and 0 <= seed < 2**64 and g.seed() != seed
    for wrong in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match=f"manual_seed.*: the seed {wrong} does not fit into"):
            g.manual_seed(wrong)


def test_the_default_generator_is_what_the_functions_draw_from():
    assert tg.manual_seed(3) is tg.default_generator
    assert tg.initial_seed() == tg.default_generator.initial_seed() == 3
    expected = tg.rand(4).tolist()
    assert tg.rand(4, generator=tg.default_generator.manual_seed(3)).tolist() == expected
    assert tg.get_rng_state().tolist() == tg.default_generator.get_state().tolist() == [3, 4]
    assert tg.rand(2, device="cuda", generator=tg.default_generator).is_cuda
    assert tg.seed() == tg.initial_seed() == tg.default_generator.initial_seed()
    tg.manual_seed(2**64 - 1)
    assert tg.initial_seed() == 2**64 - 1


def test_a_state_is_a_copy_that_another_generator_goes_on_from():
    g = seeded(3)
    tg.randn(5, generator=g)
    kept = g.get_state()
    assert (kept.dtype, kept.tolist()) == (tg.int64, [3, 5])
    expected = tg.rand(7, generator=g).tolist()
    assert kept.tolist() == [3, 5]
    other = tg.Generator()
    other.set_state(kept)
    assert tg.rand(7, generator=other).tolist() == expected
    g.set_state(tg.stack([kept, kept], 1)[:, 1])  # its strides do not matter
    assert tg.rand(7, generator=g).tolist() == expected
    assert g.get_state().tolist() == other.get_state().tolist() == [3, 12]


@pytest.mark.parametrize(
    "how",
    [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), lambda g: g.clone_state()],
    ids=["copy", "deepcopy", "pickle", "clone_state"],
)
def test_a_copy_goes_on_alike_and_on_its_own(how):
    g = seeded(3)
    tg.rand(5, generator=g)
    other = how(g)
    assert other is not g and type(other) is tg.Generator
    expected = tg.rand(4, generator=g).tolist()
    assert other.get_state().tolist() == [3, 5]
    assert tg.rand(4, generator=other).tolist() == expected
    assert how(tg.Generator("cuda")).device == tg.device("cuda")


def test_a_generator_on_cuda_draws_the_same_numbers():
    expected = tg.rand(5, generator=seeded(3)).tolist()
    g = seeded(3, "cuda")
    drawn = tg.rand(5, device="cuda", generator=g)
    assert drawn.is_cuda and drawn.tolist() == expected
    for draw in (
        lambda: tg.randint(5, (2,), device="cuda", generator=g),
        lambda: tg.randperm(5, device="cuda", generator=g),
        lambda: tg.ones(3, device="cuda").bernoulli(0.5, generator=g),
        lambda: tg.ones(3, dtype=tg.int64, device="cuda").bernoulli_(0.5, generator=g),
        lambda: tg.multinomial(tg.ones(3, device="cuda"), 2, generator=g),
        lambda: tg.normal(0.0, 1.0, (2,), device="cuda", generator=g),
        lambda: tg.zeros(3, device="cuda").normal_(generator=g),
    ):
        assert draw().is_cuda
    assert not g.get_state().is_cuda


# ---- programs -----------------------------------------------------------------------------------


class Noisy:
    """A step that draws from two generators and the default one, and changes a weight."""

    def __init__(self):
        self.a, self.b = seeded(1), seeded(2, "cpu")
        self.w = tg.zeros(4)
        tg.manual_seed(3)

    def step(self, x):
        y = x * tg.rand(4, generator=self.a) + tg.randn(4, generator=self.b)
        keep = tg.bernoulli(tg.full((4,), 0.5), generator=self.a)
        with tg.no_grad():
            self.w += y * keep
        return y, tg.randperm(5, generator=self.b), tg.rand(2), self.a.get_state()

    def states(self):
        return listed(self.a.get_state(), self.b.get_state(), tg.get_rng_state(), self.w)


def test_tape_and_program_draw_the_same_call_after_call(executor):
    x = tg.arange(4.0)
    results = []
    for way in ("tape", "program"):
        noisy = Noisy()
        step = noisy.step if way == "tape" else tg.compile(noisy.step, executor=executor)
        results.append([(listed(*step(x)), noisy.states()) for _ in range(4)])
        if way == "program":
            assert step.traces == 1
    assert results[0] == results[1]
    noisy = Noisy()
    assert tg.lockstep(noisy.step, x).equal


def test_a_state_that_is_put_back_between_calls_gives_the_same_again(executor):
    g = seeded(4)
    draw = tg.compile(lambda: tg.randn(3, generator=g), executor=executor)
    draw()
    kept = g.get_state()
    expected = listed(draw(), draw())
    g.set_state(kept)
    assert [draw().tolist(), tg.randn(3, generator=g).tolist()] == expected
    g.manual_seed(4)
    assert draw().tolist() == tg.randn(3, generator=seeded(4)).tolist()


def test_states_may_be_taken_set_and_seeded_inside_of_a_program(executor):
    g, h = seeded(1), seeded(2)

    def twins(x):
        before = g.get_state()
        first = tg.rand(3, generator=g)
        h.set_state(before)
        second = tg.rand(3, generator=h)
        g.manual_seed(9)
        return first, second, tg.rand(2, generator=g) + x

    first, second, third = tg.compile(twins, executor=executor)(tg.zeros(2))
    assert first.tolist() == second.tolist() == tg.rand(3, generator=seeded(1)).tolist()
    assert third.tolist() == tg.rand(2, generator=seeded(9)).tolist()
    assert listed(g.get_state(), h.get_state()) == [[9, 2], [1, 3]]


def test_a_generator_may_be_an_argument_and_another_one_is_another_trace():
    draw = tg.compile(lambda g, x: x + tg.rand(2, generator=g))
    a, b = seeded(1), seeded(2)
    expected = [tg.rand(2, generator=seeded(s)).tolist() for s in (1, 2)]
    assert listed(draw(a, tg.zeros(2)), draw(b, tg.zeros(2))) == expected
    more = tg.rand(4, generator=seeded(1))[2:].tolist()
    assert draw(a, tg.zeros(2)).tolist() == more and draw.traces == 2


def test_a_generator_that_is_replaced_is_traced_anew():
    where = {"g": seeded(1)}
    draw = tg.compile(lambda: tg.rand(2, generator=where["g"]))
    draw()
    where["g"] = seeded(5)
    assert draw().tolist() == tg.rand(2, generator=seeded(5)).tolist()
    assert where["g"].get_state().tolist() == [5, 2]


def test_a_run_of_a_graph_moves_its_generators_on(executor):
    g = seeded(6)
    tape = [(tg.rand(2, generator=g).tolist(), tg.randn(3, generator=g).tolist()) for _ in range(3)]
    with tg.Graph() as graph:
        x, y, other = tg.rand(2, generator=g), tg.randn(3, generator=g), tg.ones(1) * 2
        after = g.get_state()
    g.manual_seed(6)
    session = tg.Session(graph, executor=executor)
    assert [part.tolist() for part in session.run((x, y))] == list(tape[0])
    assert session.run(y).tolist() == tape[1][1]  # x, too, was passed over
    assert session.run(after).tolist() == [6, 15] == g.get_state().tolist()
    assert session.run(other).tolist() == [2] and g.get_state().tolist() == [6, 20]
    with graph:
        z = tg.rand(1, generator=g)
    g.manual_seed(6)
    session.run(x)
    assert g.get_state().tolist() == [6, 6]
    assert session.run(z).shape == (1,)


def test_a_graph_draws_from_the_default_generator():
    tg.manual_seed(2)
    expected = listed(tg.rand(3), tg.rand(3))
    with tg.Graph() as graph:
        x = tg.rand(3)
    tg.manual_seed(2)
    session = tg.Session(graph)
    assert [session.run(x).tolist(), session.run(x).tolist()] == expected


def test_a_checkpoint_draws_again_what_it_drew():
    g = seeded(1)
    w = tg.ones(6, requires_grad=True)

    def part(x):
        return tg.tanh(x * tg.rand(6, generator=g)) * w

    gradients = []
    for call in (part, lambda x: tg.utils.checkpoint.checkpoint(part, x)):
        g.manual_seed(1)
        (grad,) = tg.autograd.grad(call(call(w)).sum(), w)
        gradients.append((grad.tolist(), g.get_state().tolist()))
    assert gradients[0] == gradients[1]


def test_saved_states_resume_in_the_middle(tmp_path):
    g = seeded(3)
    draw = tg.compile(lambda: tg.randn(5, generator=g))
    draw()
    tg.save({"mine": g.get_state(), "default": tg.get_rng_state()}, tmp_path / "a")
    expected = listed(draw(), tg.rand(3))
    state = tg.load(tmp_path / "a")
    g.set_state(state["mine"])
    tg.set_rng_state(state["default"])
    assert listed(tg.randn(5, generator=g), tg.rand(3)) == expected


# ---- threads ------------------------------------------------------------------------------------


def in_threads(count, work):
    found = [None] * count

    def run(i):
        found[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not any(t.is_alive() for t in threads)
    return found


def test_threads_with_generators_of_their_own_draw_as_they_would_alone():
    def work(seed):
        g = seeded(seed)
        return [tg.randn(3, generator=g).tolist() for _ in range(50)]

    assert in_threads(4, work) == [work(seed) for seed in range(4)]


def test_threads_share_the_stream_of_one_generator_out_among_them():
    g = seeded(8)
    expected = sorted(tg.rand(400, generator=g).tolist())
    g.manual_seed(8)
    found = in_threads(4, lambda _: [tg.rand(1, generator=g).item() for _ in range(100)])
    assert sorted(sum(found, [])) == expected


def test_long_and_short_draws_of_one_generator_do_not_wait_for_each_other_for_ever():
    """A long draw lets other threads in, which may then want the same generator."""
    g = seeded(8)
    done = threading.Event()

    def short():
        while not done.is_set():
            tg.rand(1, generator=g)

    threads = [threading.Thread(target=short, daemon=True) for _ in range(2)]
    for t in threads:
        t.start()
    for _ in range(3):
        assert tg.randperm(1_000_000, generator=g).shape == (1_000_000,)
    done.set()
    for t in threads:
        t.join(60)
    assert not any(t.is_alive() for t in threads)


# ---- objects and errors -------------------------------------------------------------------------


def test_a_generator_as_an_object():
    g = seeded(3)
    tg.rand(2, generator=g)
    assert repr(g) == "<tapegraph.Generator on cpu, seed 3, offset 2>"
    assert tg.rand(2, generator=None).shape == (2,)
    gone = weakref.ref(g)
    draw = tg.compile(lambda: tg.rand(2))
    draw()
    del g
    assert gone() is None
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Mine", (tg.Generator,), {})


def traced(body):
    @tg.compile
    def step(x):
        body()
        return x

    step(tg.ones(1))


G = tg.Generator()


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tg.rand(2, generator=3), TypeError,
         "rand: generator must be a Generator, not int"),
        (lambda: tg.ones(2).normal_(generator="a"), TypeError,
         "normal_: generator must be a Generator, not str"),
        (lambda: init.xavier_normal_(tg.ones(2, 2), generator=3), TypeError,
         "normal_: generator must be a Generator, not int"),
        (lambda: tg.bernoulli(tg.ones(2), G), TypeError,
         "bernoulli: p must be a number, not tapegraph._C.Generator"),
        (lambda: tg.Generator(5), TypeError,
         'Generator: device must be "cpu" or "cuda", not int'),
        (lambda: tg.Generator("tpu"), RuntimeError,
         "Generator: device: 'tpu' is not known; there are 'cpu' and 'cuda'"),
        (lambda: G.manual_seed(1.5), TypeError, "manual_seed: seed must be an int, not float"),
        (lambda: tg.manual_seed("a"), TypeError, "manual_seed: seed must be an int, not str"),
        (lambda: tg.manual_seed(2**64), ValueError,
         "manual_seed: the seed 18446744073709551616 does not fit into 64 bits"),
        (lambda: G.set_state([1, 2]), TypeError,
         "set_state: new_state must be a tensor, not list"),
        (lambda: G.set_state(tg.ones(2)), TypeError,
         "set_state: the state is float32 (2,) on cpu, not the int64 (2,) on cpu of a generator"),
        (lambda: tg.set_rng_state(tg.arange(3)), RuntimeError,
         "set_rng_state: the state is int64 (3,) on cpu, not the int64 (2,) on cpu of a generator"),
        (lambda: G.set_state(tg.arange(2).to("cuda")), TypeError,
         "set_state: the state is int64 (2,) on cuda, not the int64 (2,) on cpu of a generator"),
        (lambda: tg.rand(2, device="cuda", generator=G), RuntimeError,
         "rand: the generator is on cpu, and the tensor on cuda; make it with Generator(\"cuda\")"),
        (lambda: tg.randint(3, (2,), generator=tg.Generator("cuda")), RuntimeError,
         "randint: the generator is on cuda, and the tensor on cpu; make it with "
         'Generator("cpu")'),
        (lambda: traced(tg.Generator), RuntimeError,
         "Generator: step is being traced, and its program would not make it anew at each call; "
         "make it outside"),
        (lambda: traced(G.seed), RuntimeError,
         "seed: step is being traced, and its program would start from the same one at each call; "
         "call it outside"),
        (lambda: traced(tg.seed), RuntimeError,
         "seed: step is being traced, and its program would start from the same one at each call; "
         "call it outside"),
        (lambda: traced(G.initial_seed), RuntimeError,
         "initial_seed: step is being traced, and its program would keep the seed of now; "
         "get_state()[0] is a tensor"),
    ],
)  # fmt: skip
def test_errors(call, kind, text):
    state = G.get_state().tolist()
    with pytest.raises(kind) as error:
        call()
    assert said(error) == text
    assert G.get_state().tolist() == state
