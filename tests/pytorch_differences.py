"""Where tapegraph is not PyTorch: tests/pytorch_page.py prints these, and its test runs them.

A line `print(...)  # text` prints that text here. `fails` has expressions that are errors here,
each with the exception's name. What PyTorch does was seen under 2.15 on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Difference:
    what: str
    here: str
    there: str
    why: str
    example: str
    fails: dict[str, str] = field(default_factory=dict)


DIFFERENCES = [
    Difference(
        "Dims",
        "at most 8",
        "more than anyone needs",
        "sizes and strides stand in the tensor itself, where a debugger shows them",
        "print(tg.zeros(*[1] * 8).ndim)  # 8",
        {"tg.zeros(*[1] * 9)": "RuntimeError"},
    ),
    Difference(
        "Complex numbers",
        "none; what would need them is an error or missing",
        "`complex64`, `complex128`, `fft`, `linalg.eig`",
        "every formula is written once, for real numbers; a symmetric matrix has real eigenvalues, "
        "and there is `linalg.eigh`",
        "print(tg.linalg.eigvalsh(tg.tensor([[2.0, 1.0], [1.0, 2.0]])))  # tensor([1., 3.])",
        {"tg.tensor([1 + 2j])": "RuntimeError"},
    ),
    Difference(
        "`out=`",
        "no such argument",
        "most functions write their result into it",
        "a call that makes a tensor and one that writes into one are two things to a tape; methods "
        "with `_` write",
        """\
y = tg.zeros(2)
y.copy_(tg.exp(tg.zeros(2)))
print(y)  # tensor([1., 1.])""",
        {"tg.exp(tg.zeros(2), out=tg.zeros(2))": "TypeError"},
    ),
    Difference(
        "An array before the operator",
        "`array + tensor` is a tensor, as `tensor + array` is",
        "TypeError for an array on the left",
        "which operand comes first should not matter",
        "print(np.array([1.0, 2.0]) + tg.ones(2))  # tensor([2., 3.], dtype=float64)",
    ),
    Difference(
        "Equal elements in `sort`",
        "always stay in their order",
        "only with `stable=True`",
        "an order that depends on the machine cannot be compared with another",
        "print(tg.sort(tg.tensor([1, 0, 1, 0])).indices)  # tensor([1, 3, 0, 2])",
    ),
    Difference(
        "`where` with a condition alone",
        "TypeError",
        "`nonzero(as_tuple=True)`",
        "of one name with two meanings the rarer one is left out",
        "print(tg.nonzero(tg.tensor([0, 5]), as_tuple=True))  # (tensor([1]),)",
        {"tg.where(tg.tensor([True, False]))": "TypeError"},
    ),
    Difference(
        "The gradient of `det` at a singular matrix",
        "the matrix of cofactors",
        "zeros at [[1, 2], [2, 4]]",
        "it is the derivative, and it is finite",
        """\
a = tg.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
tg.linalg.det(a).backward()
print(a.grad.round().tolist())  # [[4.0, -2.0], [-2.0, 1.0]]""",
    ),
    Difference(
        "The gradient of `ctc_loss`",
        "that by the `log_probs` that were given; 0 for a target that cannot be spelled",
        "that by the logits before a `log_softmax`, whether there is one or not; NaN there",
        "`gradcheck` holds for every function; through a `log_softmax` both are the same",
        """\
p = tg.full((2, 1, 2), 0.5).log().requires_grad_()
F.ctc_loss(p, tg.tensor([[1]]), [2], [1]).backward()
print((-3 * p.grad[:, 0]).round().tolist())  # [[1.0, 2.0], [1.0, 2.0]]""",
    ),
    Difference(
        "Random numbers",
        "Philox, on every device; one seed gives other numbers than PyTorch's",
        "Mersenne Twister on the CPU",
        "a number depends on the seed and its place alone, so tape and program draw the same",
        """\
tg.manual_seed(0)
first = tg.rand(3)
tg.manual_seed(0)
print(tg.equal(tg.compile(lambda: tg.rand(3))(), first))  # True""",
    ),
    Difference(
        '`"cuda"` without a GPU',
        "works: the kernels run on an emulator, slowly",
        "RuntimeError",
        "one can learn and check kernels on any machine",
        'print(tg.ones(2).to("cuda").sum().item())  # 2.0',
    ),
    Difference(
        "`inference_mode`",
        "`no_grad`, and what it makes is an ordinary tensor",
        "what it makes is marked and may not be used with gradients later",
        "the mark saves nothing here",
        """\
w = tg.ones(2, requires_grad=True)
with tg.inference_mode():
    x = tg.ones(2)
(w * x).sum().backward()
print(w.grad)  # tensor([1., 1.])""",
    ),
    Difference(
        "`save` and `load`",
        "safetensors: tensors, numbers, strings, and lists and dicts of them",
        "a pickle of anything",
        "loading runs nothing; save a `state_dict` and make the module by its class",
        """\
layer = nn.Linear(2, 1)
tg.save(layer.state_dict(), "layer.safetensors")
print(layer.load_state_dict(tg.load("layer.safetensors")))  # <All keys matched successfully>""",
        {'tg.save(nn.Linear(2, 1), "layer.safetensors")': "TypeError"},
    ),
    Difference(
        "`DataLoader(num_workers=2)`",
        "two threads",
        "two processes",
        "threads share memory, so nothing is copied or pickled; a Python-only `__getitem__` gains "
        "little from them",
        """\
loader = tg.utils.data.DataLoader([1.0, 2.0, 3.0], batch_size=2, num_workers=2)
print([batch.tolist() for batch in loader])  # [[1.0, 2.0], [3.0]]""",
    ),
    Difference(
        "`grad_fn`",
        "prints the op and your line; named `mul`",
        "`<MulBackward0 object at ...>`",
        "a node is an op's call, and one wants to find that call",
        "print((tg.ones(1, requires_grad=True) * 2).grad_fn.name())  # mul",
    ),
    Difference(
        "`grad_fn.next_functions`",
        "only the inputs that have a gradient; a leaf is a node of its own",
        "one pair for each input, `None` where there is no gradient, `AccumulateGrad` for a leaf",
        "the tape holds what `backward` walks",
        "print(len((tg.ones(1, requires_grad=True) * 2).grad_fn.next_functions))  # 1",
    ),
    Difference(
        "Errors",
        "the same kind of exception; another text, with both shapes, your line and the fix",
        "another text",
        "an error is read by who has to mend it",
        """\
try:
    tg.ones(2) + tg.ones(3)
except RuntimeError as error:
    print("shapes (2,) and (3,) do not broadcast" in str(error))  # True""",
    ),
    Difference(
        "`tg.Tensor(2, 3)`",
        "TypeError; `Tensor([2, 3])` holds these numbers",
        "an uninitialised tensor of that shape",
        "say `empty`, or `zeros`",
        "print(tg.Tensor([2, 3]))  # tensor([2., 3.])",
        {"tg.Tensor(2, 3)": "TypeError"},
    ),
    Difference(
        "A named tuple's text",
        "on one line",
        "a line for each field",
        "the fields are the same, and so is unpacking",
        "print(tg.ones(1).max(0))"
        "  # tapegraph.return_types.max(values=tensor(1.), indices=tensor(0))",
    ),
    Difference(
        "`compile`: an `if` on a value",
        "an error that names the line; write `where`",
        "the program is cut there, and Python goes on",
        "one program holds the whole function, or nothing does",
        """\
relu = tg.compile(lambda x: tg.where(x > 0, x, 0.0))
print(relu(tg.tensor([-1.0, 2.0])))  # tensor([0., 2.])""",
        {"tg.compile(lambda x: x if x.sum() > 0 else -x)(tg.ones(2))": "RuntimeError"},
    ),
    Difference(
        "`compile`: `print` and other effects",
        "once, while tracing",
        "at each call",
        "your lines run once and write the program; then the program runs",
        """\
calls = []
f = tg.compile(lambda x: (calls.append(1), x + 1)[1])
for _ in range(3):
    f(tg.ones(1))
print(len(calls))  # 1""",
    ),
    Difference(
        "`compile`: numbers",
        "the tape's, bit for bit",
        "may differ in the last digits",
        "a program runs the tape's loops; [where else a compiled call is not the tape]"
        "(04_two_graphs/README.md#where-a-compiled-call-is-not-the-tape)",
        """\
def f(x):
    return (x.sin() * 0.1 + x.exp()).sum()


x = tg.rand(1000)
print(f(x).item() == tg.compile(f)(x).item())  # True""",
    ),
    Difference(
        "`vmap`: an argument written in place",
        "an error that names the line; `clone()` it",
        "the argument is changed",
        "the function is written down once and its lines are applied again; they only read",
        """\
x = tg.ones(2, 3)
print(tg.vmap(lambda v: v.clone().add_(1))(x).sum().item())  # 12.0""",
        {"tg.vmap(lambda v: v.add_(1))(tg.ones(2, 3))": "RuntimeError"},
    ),
    Difference(
        "`vmap` of an `autograd.Function`",
        "the rules of the ops in its `forward`; its `vmap` and `generate_vmap_rule` are not asked",
        "its own `vmap`, or `generate_vmap_rule = True`, else RuntimeError",
        "its `forward` is lines like any others",
        """\
class Square(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x


print(tg.vmap(Square.apply)(tg.tensor([1.0, 2.0])))  # tensor([1., 4.])""",
    ),
    Difference(
        "`layer_norm` on `cuda`: its result written in place before `backward`",
        "an error that names both lines; `clone()` it",
        "the gradient, from the input",
        "one launch keeps the result and no input; as with `softmax` and `exp` in both",
        """\
x = tg.rand(2, 3, device="cuda", requires_grad=True)
y = F.layer_norm(x, (3,)).clone().mul_(2)
print(y.sum().backward())  # None""",
        {
            "F.layer_norm(tg.ones(2, requires_grad=True).cuda(), (2,))"
            ".mul_(2).sum().backward()": "RuntimeError"
        },
    ),
    Difference(
        "`MultiheadAttention`: a query that may look nowhere",
        "zeros, as from `scaled_dot_product_attention`",
        "NaN if `need_weights`, else zeros",
        "one mask gives one result; a batch with an empty sample trains on",
        """\
attention = nn.MultiheadAttention(2, 1)
x = tg.ones(1, 1, 2)
y, weights = attention(x, x, x, attn_mask=tg.tensor([[True]]))
print(y.tolist(), weights.item())  # [[[0.0, 0.0]]] 0.0""",
    ),
    Difference(
        "`optim.Muon`",
        "computes in the parameter's dtype",
        "orthogonalises in bfloat16",
        "the rounding is for the speed of GPUs; here the digits are kept",
        """\
w = nn.Parameter(tg.tensor([[3.0, 1.0], [1.0, 2.0]]))
optimizer = tg.optim.Muon([w], lr=0.1, weight_decay=0.0)
w.grad = tg.eye(2)
optimizer.step()
print(w.dtype, w[0, 1].item())  # tapegraph.float32 1.0""",
    ),
]
