// Products by name, Einstein's sums, and attention.
#include "python/call.h"

namespace tg::python {
namespace {

// (M, K) (K, N) takes M K N steps, of which some 16 go at once.
std::int64_t product_work(const Arg& a, const Arg& b) {
    const bool vector = b.tensor.dims() < 2 || b.tensor.is_symbolic();
    return work_of(a) * (vector ? 1 : b.tensor.size(-1)) / 8;
}

template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* product(const Call& c) {
    const Arg a(c.tensor(0));
    const Arg b(c.tensor(1));
    return wrap(compute(product_work(a, b), [&] { return op(a, b); }));
}

PyObject* outer(const Call& c) {
    const Arg a(c.tensor(0));
    const Arg b(c.tensor(1));
    return wrap(compute(work_of(a) * work_of(b), [&] { return tg::outer(a, b); }));
}

PyObject* addmm(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg a(c.tensor(1));
    const Arg b(c.tensor(2));
    const Arg beta(c.given(3) ? c.number(3) : Scalar(1));
    const Arg alpha(c.given(4) ? c.number(4) : Scalar(1));
    return wrap(compute(product_work(a, b), [&] { return tg::addmm(x, a, b, beta, alpha); }));
}

// dims: how many, the last of a and the first of b; or two lists of them.
PyObject* tensordot(const Call& c) {
    const Arg a(c.tensor(0));
    const Arg b(c.tensor(1));
    Dims dims_a, dims_b;
    std::int64_t n = 2;
    if (c.given(2) && (PyList_Check(c[2]) || PyTuple_Check(c[2]))) {
        if (PySequence_Fast_GET_SIZE(c[2]) != 2) c.wrong(2, "an int or two lists of ints");
        Dims* both[] = {&dims_a, &dims_b};
        for (Py_ssize_t i = 0; i < 2; ++i) {
            PyObject* list = PySequence_Fast_GET_ITEM(c[2], i);
            std::int64_t one = 0;
            if (to_integer(list, one))
                both[i]->push_back(one);
            else
                *both[i] = to_dims(c.name(), list);
        }
    } else {
        n = c.integer(2, 2);
        if (n < 0 || n > a.tensor.dims() || n > b.tensor.dims())
            fail(ErrorKind::runtime, "tensordot: ", n, " dims of a ", text(a.tensor.shape()),
                 " and b ", text(b.tensor.shape()));
        for (std::int64_t d = 0; d < n; ++d) {
            dims_a.push_back(a.tensor.dims() - n + d);
            dims_b.push_back(d);
        }
    }
    return wrap(compute(product_work(a, b), [&] { return tg::tensordot(a, b, dims_a, dims_b); }));
}

// [0, 1] as "AB", [..., 0] as "...A": PyTorch's letters, which are in the numbers' order.
std::string letters_of(PyObject* list) {
    if (!PyList_Check(list) && !PyTuple_Check(list))
        fail(ErrorKind::type, "einsum: behind each tensor stands a list of its dims, not ",
             type_name(list));
    std::string letters;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); ++i) {
        PyObject* item = PySequence_Fast_GET_ITEM(list, i);
        std::int64_t n = 0;
        if (item == Py_Ellipsis) {
            letters += "...";
            continue;
        }
        if (!to_integer(item, n))
            fail(ErrorKind::type, "einsum: a dim is an int or ..., not ", type_name(item));
        if (n < 0 || n > 51)
            fail(ErrorKind::value, "einsum: dim ", n, " is outside 0..51, which have letters");
        letters += static_cast<char>(n < 26 ? 'A' + n : 'a' + (n - 26));
    }
    return letters;
}

// einsum(x, [0, 1], y, [1, 2], [0, 2]) is einsum("AB,BC->AC", x, y); the last list may be left out.
std::string equation_of_lists(const Call& c, std::vector<Tensor>& operands) {
    std::string equation;
    operands.push_back(c.tensor(0));
    for (Py_ssize_t i = 0; i < c.rest_count(); ++i) {
        const bool list = i % 2 == 0;
        if (list) {
            equation += letters_of(c.rest(i));
        } else if (is_tensor(c.rest(i))) {
            operands.push_back(tensor_in(c.rest(i)));
            equation += ",";
        } else if (i + 1 == c.rest_count()) {
            return equation + "->" + letters_of(c.rest(i));
        } else {
            fail(ErrorKind::type, "einsum: an operand must be a tensor, not ",
                 type_name(c.rest(i)));
        }
    }
    if (c.rest_count() % 2 == 0)
        fail(ErrorKind::value, "einsum: the last tensor has no list of its dims behind it");
    return equation;
}

PyObject* einsum(const Call& c) {
    std::vector<Tensor> operands;
    std::string equation;
    if (is_tensor(c.self())) {
        equation = equation_of_lists(c, operands);
    } else {
        equation = c.string(0);
        operands = c.star_tensors(1);
    }
    std::int64_t work = 0;
    for (const Tensor& t : operands) work = std::max(work, work_of(t));
    const Where line = python_line();
    return wrap(compute(work, [&] { return tg::einsum(equation, operands, line); }));
}

Attention attention(const Call& c, bool need_weights) {
    const Arg query(c.tensor(0)), key(c.tensor(1)), value(c.tensor(2));
    AttentionOptions options{.attn_mask = c.given(3) ? c.tensor(3) : Tensor(),
                             .dropout_p = c.real(4, 0),
                             .is_causal = c.flag(5),
                             .need_weights = need_weights};
    if (c.given(6)) options.scale = c.real(6, 1);
    return compute(product_work(query, key),
                   [&] { return tg::attend(query, key, value, options); });
}

PyObject* attention_output(const Call& c) { return wrap(attention(c, false).output); }

// (output, weights)
PyObject* attention_and_weights(const Call& c) {
    const Attention found = attention(c, true);
    return tuple_of({found.output, found.weights});
}

const Function functions[] = {
    {"mm(input, mat2)", product<tg::mm>, "(M, K) @ (K, N) -> (M, N), and no other shapes."},
    {"bmm(input, mat2)", product<tg::bmm>, "(B, M, K) @ (B, K, N) -> (B, M, N)."},
    {"mv(input, vec)", product<tg::mv>, "(M, K) @ (K,) -> (M,)."},
    {"dot(input, other)", product<tg::dot>, "(K,) @ (K,) -> ()."},
    {"addmm(input, mat1, mat2, *, beta=1, alpha=1)", addmm,
     "beta * input + alpha * (mat1 @ mat2); input broadcasts. With beta 0 it is not looked at."},
    {"outer(input, vec2)", outer, "(M,) and (N,) -> (M, N): the product of each with each."},
    {"tensordot(a, b, dims=2)", tensordot,
     "The product of a and b, summed over dims: how many, the last of a with the first of b; or\n"
     "two lists of dims, of a and of b. What is left of a's dims comes first.",
     Place::function},
    {"einsum(equation, *operands)", einsum,
     "Einstein's sum, as 'ij,jk->ik': a letter for each dim; letters that the output leaves out\n"
     "are summed over. A letter twice in one operand is a diagonal, ... stands for any dims, and\n"
     "without -> the output is the letters named once, in order.\n"
     "Raises RuntimeError where letters and shapes do not fit.",
     Place::function},
    {"_scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0, "
     "is_causal=False, scale=None)",
     attention_output, "scaled_dot_product_attention.", Place::function},
    {"_attention_and_weights(query, key, value, attn_mask=None, dropout_p=0, is_causal=False, "
     "scale=None)",
     attention_and_weights, "scaled_dot_product_attention and its weights, a tuple.",
     Place::function},
};

}  // namespace

void bind_products(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
