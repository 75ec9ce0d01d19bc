// Every op that a user calls, named as in PyTorch. Records and rules are in core/ops/, one file a
// family. `Arg` is a tensor or a number.
#pragma once

#include <concepts>
#include <limits>
#include <optional>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/apply.h"
#include "core/generator.h"

namespace tg {

// A dim, several, or (empty) all of them.
struct DimList {
    Dims dims;
    bool all = false;
    DimList() : all(true) {}
    DimList(int dim) { dims.push_back(dim); }
    DimList(std::int64_t dim) { dims.push_back(dim); }
    DimList(std::initializer_list<std::int64_t> list) : dims(list) {}
    DimList(const Dims& list) : dims(list) {}
};

// ---- elementwise: core/ops/elementwise.cc ------------------------------------------------------
// Inputs broadcast; dtypes promote. (Any shapes) -> the broadcast shape.
Tensor add(const Arg& a, const Arg& b);
Tensor add(const Arg& a, const Arg& b, const Arg& alpha);  // a + alpha b
Tensor sub(const Arg& a, const Arg& b);
Tensor sub(const Arg& a, const Arg& b, const Arg& alpha);
Tensor mul(const Arg& a, const Arg& b);
Tensor div(const Arg& a, const Arg& b);  // true division: integers become floating
Tensor pow(const Arg& a, const Arg& b);
Tensor maximum(const Arg& a, const Arg& b);
Tensor minimum(const Arg& a, const Arg& b);
Tensor neg(const Arg& x);
Tensor exp(const Arg& x);
Tensor log(const Arg& x);
Tensor tanh(const Arg& x);
Tensor sqrt(const Arg& x);
Tensor abs(const Arg& x);
Tensor sign(const Arg& x);
Tensor relu(const Arg& x);
Tensor rsqrt(const Arg& x);  // 1 / sqrt(x)
Tensor expm1(const Arg& x);  // e^x - 1, exact near 0
Tensor log1p(const Arg& x);  // ln(1 + x), exact near 0
Tensor sigmoid(const Arg& x);
Tensor sin(const Arg& x);
Tensor cos(const Arg& x);
Tensor erf(const Arg& x);
Tensor floor(const Arg& x);
Tensor ceil(const Arg& x);
Tensor round(const Arg& x);  // halves to the even integer
Tensor trunc(const Arg& x);
Tensor eq(const Arg& a, const Arg& b);  // comparisons give bool
Tensor ne(const Arg& a, const Arg& b);
Tensor lt(const Arg& a, const Arg& b);
Tensor le(const Arg& a, const Arg& b);
Tensor gt(const Arg& a, const Arg& b);
Tensor ge(const Arg& a, const Arg& b);
Tensor logical_not(const Arg& x);
Tensor where(const Arg& condition, const Arg& a, const Arg& b);  // condition bool
Tensor cast(const Arg& x, DType dtype);

// C++'s own operators. `==` compares elements, as in PyTorch.
inline Tensor operator+(const Arg& a, const Arg& b) { return add(a, b); }
inline Tensor operator-(const Arg& a, const Arg& b) { return sub(a, b); }
inline Tensor operator*(const Arg& a, const Arg& b) { return mul(a, b); }
inline Tensor operator/(const Arg& a, const Arg& b) { return div(a, b); }
inline Tensor operator-(const Arg& a) { return neg(a); }
inline Tensor operator==(const Arg& a, const Arg& b) { return eq(a, b); }
inline Tensor operator!=(const Arg& a, const Arg& b) { return ne(a, b); }
inline Tensor operator<(const Arg& a, const Arg& b) { return lt(a, b); }
inline Tensor operator<=(const Arg& a, const Arg& b) { return le(a, b); }
inline Tensor operator>(const Arg& a, const Arg& b) { return gt(a, b); }
inline Tensor operator>=(const Arg& a, const Arg& b) { return ge(a, b); }

// ---- division and bits: core/ops/division.cc ---------------------------------------------------
// Integers divided by 0 are an error; floats give NaN or infinity.
Tensor fmod(const Arg& a, const Arg& b);          // the rest, with the sign of a
Tensor remainder(const Arg& a, const Arg& b);     // the rest, with the sign of b: Python's %
Tensor floor_divide(const Arg& a, const Arg& b);  // floor(a / b): Python's //
Tensor bitwise_and(const Arg& a, const Arg& b);   // of bools and integers
Tensor bitwise_or(const Arg& a, const Arg& b);
Tensor bitwise_xor(const Arg& a, const Arg& b);
Tensor bitwise_not(const Arg& x);
Tensor log2(const Arg& x);
Tensor log10(const Arg& x);

// ---- reductions: core/ops/reduce.cc ------------------------------------------------------------
// x (..., n, ...) over dims -> those dims gone, or 1 with keepdim.
Tensor sum(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor sum_to(const Arg& x, const Dims& shape);  // sums what broadcasting to x's shape repeated
Tensor mean(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor amax(const Arg& x, const DimList& dims = {}, bool keepdim = false);  // ties share g
Tensor amin(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor argmax(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
Tensor argmin(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
struct ValuesIndices {
    Tensor values, indices;
};
Tensor max(const Arg& x);
ValuesIndices max(const Arg& x, std::int64_t dim, bool keepdim = false);
Tensor min(const Arg& x);
ValuesIndices min(const Arg& x, std::int64_t dim, bool keepdim = false);
Tensor any(const Arg& x, const DimList& dims = {}, bool keepdim = false);  // bool
Tensor all(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor var(const Arg& x, const DimList& dims = {}, double correction = 1, bool keepdim = false);
Tensor std(const Arg& x, const DimList& dims = {}, double correction = 1, bool keepdim = false);
Tensor logsumexp(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor prod(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
Tensor cumsum(const Arg& x, std::int64_t dim);  // (..., n, ...) -> the same

// ---- more reductions: core/ops/norms.cc --------------------------------------------------------
// (sum |x|^ord)^(1/ord); ord may be 0 (how many are not 0) and +-infinity
Tensor norm(const Arg& x, double ord = 2, const DimList& dims = {}, bool keepdim = false);
Tensor count_nonzero(const Arg& x, const DimList& dims = {});  // int64
Tensor cumprod(const Arg& x, std::int64_t dim);

// ---- products: core/ops/matmul.cc --------------------------------------------------------------
// a (..., M, K) @ b (..., K, N) -> (..., M, N); one-dimensional operands as in PyTorch.
Tensor matmul(const Arg& a, const Arg& b);

// ---- products: core/ops/products.cc, einsum.cc --------------------------------------------------
Tensor mm(const Arg& a, const Arg& b);   // (M, K) (K, N) -> (M, N)
Tensor bmm(const Arg& a, const Arg& b);  // (B, M, K) (B, K, N) -> (B, M, N)
Tensor mv(const Arg& a, const Arg& b);   // (M, K) (K,) -> (M,)
Tensor dot(const Arg& a, const Arg& b);  // (K,) (K,) -> ()
// beta x + alpha a @ b; x broadcasts to (M, N), and is not looked at where beta is 0
Tensor addmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta = 1, const Arg& alpha = 1);
Tensor outer(const Arg& a, const Arg& b);  // (M,) (N,) -> (M, N)
// sums over a's dims_a times b's dims_b; the rest of a's dims, then of b's
Tensor tensordot(const Arg& a, const Arg& b, const Dims& dims_a, const Dims& dims_b);
// "ij,jk->ik", as in PyTorch: repeated letters, "...", an output left out
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands,
              Where where = Where::here());

// ---- layout: core/ops/layout.cc -----------------------------------------------------------------

// All but contiguous, clone, cat and stack are views: they share x's bytes.
Tensor reshape(const Arg& x, const Dims& shape);  // a view where it can be, else a copy
Tensor view(const Arg& x, const Dims& shape);     // a view, or an error
Tensor flatten(const Arg& x, std::int64_t from = 0, std::int64_t to = -1);
Tensor permute(const Arg& x, const Dims& order);
Tensor transpose(const Arg& x, std::int64_t a, std::int64_t b);
Tensor squeeze(const Arg& x, const DimList& dims = {});
Tensor unsqueeze(const Arg& x, std::int64_t dim);
Tensor expand(const Arg& x, const Dims& shape);  // -1 keeps a size
Tensor select(const Arg& x, std::int64_t dim, std::int64_t index);
Tensor slice(const Arg& x, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step = 1);  // as Python's x[begin:end:step]
Tensor contiguous(const Arg& x);      // x itself if it is contiguous
Tensor clone(const Arg& x);
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0, Where where = Where::here());
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0, Where where = Where::here());

// ---- parts: core/ops/parts.cc ------------------------------------------------------------------
// All but the stacks are views.
Tensor narrow(const Arg& x, std::int64_t dim, std::int64_t start, std::int64_t length);
std::vector<Tensor> split(const Arg& x, std::int64_t size, std::int64_t dim = 0);
std::vector<Tensor> split(const Arg& x, const std::vector<std::int64_t>& sizes,
                          std::int64_t dim = 0);
std::vector<Tensor> chunk(const Arg& x, std::int64_t chunks, std::int64_t dim = 0);  // at most
std::vector<Tensor> unbind(const Arg& x, std::int64_t dim = 0);
Tensor hstack(const std::vector<Tensor>& tensors, Where where = Where::here());
Tensor vstack(const std::vector<Tensor>& tensors, Where where = Where::here());
// n vectors -> n tensors of n dims; indexing "ij", or "xy" with the first two dims swapped
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, const std::string& indexing = "ij",
                             Where where = Where::here());

// ---- arrangements: core/ops/arrange.cc ---------------------------------------------------------
// Views:
Tensor movedim(const Arg& x, const Dims& source, const Dims& destination);
Tensor unflatten(const Arg& x, std::int64_t dim, const Dims& sizes);
Tensor broadcast_to(const Arg& x, const Dims& shape);
// Copies:
Tensor repeat(const Arg& x, const Dims& times);  // by dim, from the front; times may have more dims
Tensor tile(const Arg& x, const Dims& times);    // the same; times may have fewer dims
Tensor repeat_interleave(const Arg& x, std::int64_t times, std::optional<std::int64_t> dim = {});
Tensor flip(const Arg& x, const Dims& dims);
Tensor roll(const Arg& x, const Dims& shifts, const DimList& dims = {});  // all: flattened

// ---- diagonals: core/ops/diagonal.cc -----------------------------------------------------------
// Diagonal k of a matrix is where column - row = k.
Tensor diagonal(const Arg& x, std::int64_t offset = 0, std::int64_t dim1 = 0,
                std::int64_t dim2 = 1);                // a view; the diagonal is its last dim
Tensor diag(const Arg& x, std::int64_t diagonal = 0);  // (N,) -> (M, M), (N, M) -> (K,); a copy
Tensor tril(const Arg& x, std::int64_t diagonal = 0);  // 0 above the diagonal
Tensor triu(const Arg& x, std::int64_t diagonal = 0);  // 0 below

// ---- indexing: core/ops/indexing.cc ------------------------------------------------------------
// An index is int64 or int32. gather's result has the index's shape; the others give x, with src
// added or stored at the index, which is nowhere larger than src, nor than x but in dim. Of several
// stored in one place the last stays. src of scatter may be a number.
Tensor gather(const Arg& x, std::int64_t dim, const Arg& index);
Tensor scatter_add(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src);
Tensor scatter(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src);
Tensor one_hot(const Arg& index, std::int64_t num_classes);  // (..., num_classes) int64

// ---- rows by index: core/ops/rows.cc ------------------------------------------------------------
// x (..., n, ...), index (k,) -> (..., k, ...): the slices of x with these numbers, 0..n-1
Tensor index_select(const Arg& x, std::int64_t dim, const Arg& index);
// x with the slices alpha source (..., k, ...) added, or replaced by source or one value
Tensor index_add(const Arg& x, std::int64_t dim, const Arg& index, const Arg& source,
                 const Arg& alpha = 1);
Tensor index_copy(const Arg& x, std::int64_t dim, const Arg& index, const Arg& source);
Tensor index_fill(const Arg& x, std::int64_t dim, const Arg& index, const Arg& value);
Tensor take(const Arg& x, const Arg& index);  // of x's elements in order -> index's shape
// index broadcasts against x but in dim; without dim, both are flattened
Tensor take_along_dim(const Arg& x, const Arg& index, std::optional<std::int64_t> dim = {});

// ---- keys: core/ops/keys.cc ---------------------------------------------------------------------
// One part of a key x[...]: an integer, a range, a tensor of indices (int64 or int32), a mask
// (bool or uint8), an ellipsis or a new dim; true and false are masks of no dims.
struct Slice {
    std::int64_t begin = 0;
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
    std::int64_t step = 1;
};
struct Ellipsis {};
struct NewAxis {};
inline constexpr Ellipsis ellipsis;
inline constexpr NewAxis newaxis;
struct Index {
    std::variant<std::int64_t, bool, Slice, Tensor, Ellipsis, NewAxis> part;
    template <std::integral Integer>
    Index(Integer i) : part(static_cast<std::int64_t>(i)) {}
    Index(bool b) : part(b) {}
    Index(const Slice& range) : part(range) {}
    Index(const Tensor& t) : part(t) {}
    Index(Ellipsis e) : part(e) {}
    Index(NewAxis n) : part(n) {}
};
using Key = std::vector<Index>;
// As NumPy and PyTorch: integers and ranges first; what the tensors broadcast to stands where the
// first of them was if they are side by side, else first of all. A view if there is no tensor.
Tensor index(const Arg& x, const Key& key);  // index(x, {0, Slice{1, 3}, ellipsis, rows})
// x with `value`, which broadcasts, stored or added at the key. Repeated indices: the last stays,
// or all are added, in order.
Tensor index_put(const Arg& x, const Key& key, const Arg& value, bool accumulate = false);
Tensor& index_put_(Tensor& x, const Key& key, const Arg& value, bool accumulate = false);

// ---- masks: core/ops/masks.cc -------------------------------------------------------------------
// What depends on the data in its shape has no place in a recording: an error there.
Tensor nonzero(const Arg& x);                         // (count, dims) int64
Tensor masked_select(const Arg& x, const Arg& mask);  // (count,)
// x, but the first elements of source where the mask is true
Tensor masked_scatter(const Arg& x, const Arg& mask, const Arg& source);

// How often each of 0, 1, 2, ... is in x (n,) of ints, or the sums of its weights; at least
// minlength
Tensor bincount(const Arg& x, const Tensor& weights = {}, std::int64_t minlength = 0);
// The different elements in ascending order; which of them each element of x is, in x's shape; how
// often each is in x
struct Unique {
    Tensor values, inverse, counts;
};
Unique unique(const Arg& x);

// ---- order: core/ops/sort.cc --------------------------------------------------------------------
// Always stable; NaN is larger than any number. Indices are int64.
ValuesIndices sort(const Arg& x, std::int64_t dim = -1, bool descending = false);
Tensor argsort(const Arg& x, std::int64_t dim = -1, bool descending = false);
ValuesIndices topk(const Arg& x, std::int64_t k, std::int64_t dim = -1, bool largest = true);

// ---- convolutions: core/ops/convolution.cc -----------------------------------------------------
// A dim's numbers, one for all dims or one each; a padding may be "same" or "valid" instead.
struct Padding {
    Dims dims;
    std::string word;
    Padding(std::int64_t all) : dims{all} {}
    Padding(int all) : dims{all} {}
    Padding(std::initializer_list<std::int64_t> each) : dims(each) {}
    Padding(const Dims& each) : dims(each) {}
    Padding(const char* name) : word(name) {}
    Padding(const std::string& name) : word(name) {}
};
struct Convolution {
    Dims stride = {1};
    Padding padding = 0;
    Dims dilation = {1};
    std::int64_t groups = 1;
    Dims output_padding = {0};  // of conv_transpose2d
};
// x (N, C, H, W) or (C, H, W), weight (O, C / groups, A, B), bias (O,) -> (N, O, I, J)
Tensor conv2d(const Arg& x, const Arg& weight, const Tensor& bias = {},
              const Convolution& options = {});
// x (N, C, L) or (C, L), weight (O, C / groups, A), bias (O,) -> (N, O, I)
Tensor conv1d(const Arg& x, const Arg& weight, const Tensor& bias = {},
              const Convolution& options = {});
// A conv2d's gradient by its input: x (N, C, H, W), weight (C, O / groups, A, B) -> (N, O, I, J)
Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Tensor& bias = {},
                        const Convolution& options = {});
// padding.cc: the last dims, from the last on, each with so many places before and after; mode is
// "constant", of `value`, "reflect", "replicate" or "circular". Negative ones are cut off.
Tensor pad(const Arg& x, const std::vector<std::int64_t>& by, const std::string& mode = "constant",
           const Scalar& value = 0);

// ---- pooling: core/ops/pooling.cc --------------------------------------------------------------
// x (N, C, H, W) or (C, H, W) -> (N, C, I, J)
struct Pooling {
    Dims kernel = {};
    Dims stride = {};  // empty: kernel
    Dims padding = {0};
    Dims dilation = {1};            // of max_pool2d
    bool ceil_mode = false;         // also a last window that reaches beyond the padding
    bool count_include_pad = true;  // of avg_pool2d
    std::optional<std::int64_t> divisor_override = {};  // of avg_pool2d
};
// indices int64: of each largest number in its image, row W + column
ValuesIndices max_pool2d_with_indices(const Arg& x, const Pooling& options);
Tensor max_pool2d(const Arg& x, const Pooling& options);
Tensor avg_pool2d(const Arg& x, const Pooling& options);
// size: one number or two; -1 keeps x's
Tensor adaptive_avg_pool2d(const Arg& x, const Dims& size);
Tensor adaptive_max_pool2d(const Arg& x, const Dims& size);
ValuesIndices adaptive_max_pool2d_with_indices(const Arg& x, const Dims& size);

// ---- elementwise compositions: core/ops/activations.cc -----------------------------------------
Tensor square(const Arg& x);
Tensor reciprocal(const Arg& x);
Tensor isnan(const Arg& x);
Tensor isinf(const Arg& x);
Tensor isfinite(const Arg& x);
Tensor logical_and(const Arg& a, const Arg& b);
Tensor logical_or(const Arg& a, const Arg& b);
Tensor logical_xor(const Arg& a, const Arg& b);
// x kept within [low, high]; the gradient passes inside, and not at the borders
Tensor clamp(const Arg& x, const std::optional<Arg>& low, const std::optional<Arg>& high);
Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value);  // in x's dtype
Tensor silu(const Arg& x);                                            // x sigmoid(x)
Tensor gelu(const Arg& x, const std::string& approximate = "none");   // or "tanh"
Tensor softplus(const Arg& x, double beta = 1, double threshold = 20);
Tensor leaky_relu(const Arg& x, double negative_slope = 0.01);
Tensor elu(const Arg& x, double alpha = 1);

// ---- more elementwise compositions: core/ops/blends.cc -----------------------------------------
Tensor lerp(const Arg& start, const Arg& end, const Arg& weight);
Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Arg& value = 1);  // x + value a b
Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Arg& value = 1);  // x + value a / b
// infinities become posinf and neginf, or else the largest numbers of the dtype
Tensor nan_to_num(const Arg& x, double nan = 0, std::optional<double> posinf = {},
                  std::optional<double> neginf = {});
struct Closeness {
    double rtol = 1e-5, atol = 1e-8;
    bool equal_nan = false;
};
Tensor isclose(const Arg& a, const Arg& b, const Closeness& c = {});  // |a - b| <= atol + rtol |b|
bool allclose(const Arg& a, const Arg& b, const Closeness& c = {});
bool equal(const Arg& a, const Arg& b);  // of one shape, and with equal elements

// ---- more activations: core/ops/gates.cc -------------------------------------------------------
Tensor logsigmoid(const Arg& x);
Tensor hardtanh(const Arg& x, double min_val = -1, double max_val = 1);
Tensor relu6(const Arg& x);                       // x within [0, 6]
Tensor hardsigmoid(const Arg& x);                 // relu6(x + 3) / 6
Tensor hardswish(const Arg& x);                   // x hardsigmoid(x)
Tensor mish(const Arg& x);                        // x tanh(softplus(x))
Tensor softsign(const Arg& x);                    // x / (1 + |x|)
Tensor tanhshrink(const Arg& x);                  // x - tanh x
Tensor prelu(const Arg& x, const Arg& weight);    // weight of one number, or one a channel
Tensor glu(const Arg& x, std::int64_t dim = -1);  // one half times the sigmoid of the other
Tensor softmin(const Arg& x, std::int64_t dim);

// ---- losses: core/ops/losses.cc ----------------------------------------------------------------
// reduction: "mean", "sum" or "none".
Tensor l1_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean");
Tensor smooth_l1_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean",
                      double beta = 1);
Tensor mse_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean");
Tensor binary_cross_entropy_with_logits(const Arg& input, const Arg& target,
                                        const Tensor& weight = {},
                                        const std::string& reduction = "mean",
                                        const Tensor& pos_weight = {});
// input log-probabilities, target probabilities; "batchmean" divides by the first size
Tensor kl_div(const Arg& input, const Arg& target, const std::string& reduction = "mean",
              bool log_target = false);
struct ClassLoss {
    Tensor weight = {};  // (C,), by class
    std::int64_t ignore_index = -100;
    std::string reduction = "mean";
    double label_smoothing = 0;
};
// log-probabilities (N, C, ...), target (N, ...) int64
Tensor nll_loss(const Arg& input, const Arg& target, const ClassLoss& options = {});
// logits (N, C, ...), target (N, ...) int64, or probabilities (N, C, ...)
Tensor cross_entropy(const Arg& input, const Arg& target, const ClassLoss& options = {});

// ---- compositions: core/ops/composite.cc -------------------------------------------------------
Tensor softmax(const Arg& x, std::int64_t dim);
Tensor log_softmax(const Arg& x, std::int64_t dim);
Tensor linear(const Arg& x, const Arg& weight, const Tensor& bias = {});  // x @ weight.T + bias

// ---- attention: core/ops/attention.cc ----------------------------------------------------------
struct AttentionOptions {
    Tensor attn_mask = {};  // of bool: where to look; of floats: added
    double dropout_p = 0;
    bool is_causal = false;
    std::optional<double> scale = {};  // 1 / sqrt(E)
};
struct Attention {
    Tensor output, weights;  // (..., L, V), (..., L, S)
};
// query (..., L, E), key (..., S, E), value (..., S, V)
Attention attend(const Arg& query, const Arg& key, const Arg& value,
                 const AttentionOptions& options = {});
Tensor scaled_dot_product_attention(const Arg& query, const Arg& key, const Arg& value,
                                    const AttentionOptions& options = {});

// ---- creation: core/ops/creation.cc ------------------------------------------------------------
Tensor zeros(const Dims& shape, Options options = {});
Tensor ones(const Dims& shape, Options options = {});
Tensor full(const Dims& shape, Scalar value, Options options = {});
Tensor arange(std::int64_t end, Options options = {.dtype = DType::int64});
// uniform in [0, 1)
Tensor rand(const Dims& shape, Options options = {},
            const Generator& generator = default_generator(), Where where = Where::here());
// of mean 0 and variance 1
Tensor randn(const Dims& shape, Options options = {},
             const Generator& generator = default_generator(), Where where = Where::here());
void manual_seed(std::uint64_t seed);     // of the default generator
Tensor rng_state();                       // of the default generator: seed and offset, (2,) int64
void set_rng_state(const Tensor& state);  // goes on from there
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
// ---- more creation: core/ops/ranges.cc ---------------------------------------------------------
Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, Options options = {});
Tensor linspace(double start, double end, std::int64_t steps, Options options = {});
Tensor logspace(double start, double end, std::int64_t steps, double base = 10,
                Options options = {});

// ---- more random numbers: core/ops/random.cc ---------------------------------------------------
// Drawn from `generator`, which moves on: core/generator.h.

// whole numbers in [low, high)
Tensor randint(std::int64_t low, std::int64_t high, const Dims& shape,
               Options options = {.dtype = DType::int64},
               const Generator& generator = default_generator(), Where where = Where::here());
// 0 .. n - 1, shuffled
Tensor randperm(std::int64_t n, Options options = {.dtype = DType::int64},
                const Generator& generator = default_generator(), Where where = Where::here());
// 1 with probability p, else 0; p's shape and dtype
Tensor bernoulli(const Arg& p, const Generator& generator = default_generator());
// of both's shape
Tensor normal(const Arg& mean, const Arg& std, const Generator& generator = default_generator());
// weights (rows, columns) or (columns,) -> int64 (rows, samples) or (samples,)
Tensor multinomial(const Arg& weights, std::int64_t samples, bool replacement = false,
                   const Generator& generator = default_generator());

// Numbers in braces, nested as deep as the tensor has dims: tensor({{1, 2}, {3, 4}}).
struct Braces {
    double number = 0;
    std::vector<Braces> list;
    bool nested = false;
    Braces(double n) : number(n) {}
    Braces(std::initializer_list<Braces> rows) : list(rows), nested(true) {}
};
Tensor tensor(std::initializer_list<Braces> rows, Options options = {});
// The numbers of a vector; float32 and int64 keep their dtype unless another is asked for.
Tensor tensor_of_floats(const std::vector<float>& values, Options options);
Tensor tensor_of_integers(const std::vector<std::int64_t>& values);
template <class T>
requires std::is_same_v<T, float> Tensor tensor(const std::vector<T>& values,
                                                Options options = {}) {
    return tensor_of_floats(values, options);
}
template <class T>
requires std::is_same_v<T, std::int64_t> Tensor tensor(const std::vector<T>& values) {
    return tensor_of_integers(values);
}
Tensor scalar_tensor(Scalar value, Options options = {});
Tensor to(const Arg& x, Device device);  // x itself if it is there already
Tensor constant(const Tensor& x);        // bakes x's values into a recording

// ---- in place: core/ops/inplace.cc -------------------------------------------------------------
Tensor& add_(Tensor& x, const Arg& y, const Arg& alpha = 1);
Tensor& sub_(Tensor& x, const Arg& y, const Arg& alpha = 1);
Tensor& mul_(Tensor& x, const Arg& y);
Tensor& div_(Tensor& x, const Arg& y);
Tensor& copy_(Tensor& x, const Arg& y);
Tensor& fill_(Tensor& x, const Arg& value);
Tensor& zero_(Tensor& x, Where where = Where::here());
// exp_, relu_, ...: op(x) written into x.
Tensor& in_place(Tensor& x, Tensor (*op)(const Arg&), const char* name,
                 Where where = Where::here());

}  // namespace tg
