// An op is one record: plain data that says everything the library knows of it.
// core/ops/*.cc holds the records by family; ops.h declares the functions that users call.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "kernels/array.h"

namespace tg {

struct Op;
struct NodeExtras;  // hooks.h

// ---- what an op is applied to ------------------------------------------------------------------

// An argument: a tensor or a number, and the line on which the user wrote it.
struct Arg {
    Tensor tensor;
    Scalar scalar;
    Where where;

    Arg(const Tensor& t, const char* file = __builtin_FILE(), int line = __builtin_LINE())
        : tensor(t), where{file, line, false} {}
    // From a number directly: C++ would not go by way of a Scalar, which is a second conversion.
    template <std::convertible_to<Scalar> Number>
    Arg(Number v, const char* file = __builtin_FILE(), int line = __builtin_LINE())
        : scalar(v), where{file, line, false} {}
    Arg(const Tensor& t, const Where& w) : tensor(t), where(w) {}
    bool is_tensor() const { return tensor.defined(); }
};

// What is known of a value before it is computed.
struct Desc {
    Dims shape;
    DType dtype = DType::float32;
    Device device = Device::cpu;
    bool operator==(const Desc& other) const = default;
};
std::string text(const Desc& desc);  // "float32 (32, 10)"
using Descs = Inline<Desc, 1>;

// ---- attributes --------------------------------------------------------------------------------

// Anything that an attribute may hold beside numbers: a program, a Python function.
struct Object : Counted {
    virtual ~Object() = default;
    virtual std::string text() const = 0;
    virtual bool equals(const Object& other) const { return this == &other; }
};

struct Attr {
    std::variant<std::int64_t, double, Dims, DType, std::string, Ref<Object>> value;
    bool operator==(const Attr& other) const;
};

// The attributes of one application, in the order of the op's schema. Most ops have none, so an
// empty list is a null pointer.
class Attrs {
  public:
    Attrs() = default;
    Attrs(std::initializer_list<Attr> list);
    explicit Attrs(std::vector<Attr> list);
    int size() const { return list_ ? static_cast<int>(list_->size()) : 0; }
    const Attr& operator[](int i) const { return (*list_)[static_cast<std::size_t>(i)]; }
    std::int64_t integer(int i) const { return std::get<std::int64_t>((*this)[i].value); }
    double real(int i) const { return std::get<double>((*this)[i].value); }
    const Dims& dims(int i) const { return std::get<Dims>((*this)[i].value); }
    DType dtype(int i) const { return std::get<DType>((*this)[i].value); }
    const std::string& string(int i) const { return std::get<std::string>((*this)[i].value); }
    Object* object(int i) const { return std::get<Ref<Object>>((*this)[i].value).get(); }
    bool operator==(const Attrs& other) const;

  private:
    std::shared_ptr<const std::vector<Attr>> list_;
};

enum class AttrKind : std::uint8_t { integer, real, dims, dtype, string, object };
struct AttrSchema {
    const char* name = nullptr;
    AttrKind kind = AttrKind::integer;
};

// ---- the parts of a record ---------------------------------------------------------------------

// What a kernel gets. Inputs that are numbers come as arrays of no dims.
struct Launch {
    const Op& op;
    const Attrs& attrs;
    std::span<const kernels::Array> in;
    std::span<const kernels::Array> out;
};

struct Batch;
using Outputs = Inline<Tensor, 1>;

// Where a gradient rule reads what it needs and leaves what it finds. See backward.h.
class Backward;

// What the gradient of one input needs kept: inputs a to f, outputs y y1 y2. Shapes are always
// there.
enum class Need : std::uint8_t { nothing, a, b, c, d, e, f, y, y1, y2 };
inline bool is_output(Need need) { return need >= Need::y; }
using Needs = Need[6];

enum class Promotes : std::uint8_t {
    nothing,    // every input keeps its dtype
    common,     // tensors and numbers meet in PyTorch's common dtype
    floating,   // and integers become the default floating dtype: division, exp
    not_first,  // common, but for input 0: the condition of where
};

struct Op {
    const char* name = nullptr;
    int inputs = -1;  // -1: any number
    Promotes promotes = Promotes::nothing;
    // The descriptions of the outputs; throws Error where the inputs do not fit.
    Descs (*shape)(const Op& op, std::span<const Desc> in, const Attrs& attrs) = nullptr;
    // The gradient, written in ops. Null: not differentiable.
    void (*gradient)(Backward& n) = nullptr;
    Needs needs[3] = {};  // by input; of input 2 for all beyond
    // A view's layout from its input's, or false if that layout has no such view.
    bool (*view)(const Layout& in, const Attrs& attrs, Layout& out) = nullptr;
    void (*cpu)(const Launch& launch) = nullptr;
    // False: this case is not written for CUDA. Null: none is.
    bool (*cuda)(const Launch& launch) = nullptr;
    int formula = -1;  // elementwise: its number in kernels/math.h
    AttrSchema attributes[5] = {};
    // Facts that passes ask for.
    bool alias = false;          // runs without touching bytes
    bool low_precision = false;  // its kernels take float16 and bfloat16; else low_precision.h
    bool random = false;
    bool folds = true;          // may be computed while compiling
    bool reads_state = false;   // read, leaf: belongs to a recording
    bool writes_state = false;  // assign: kept although nothing uses it
    // vmap's rule, see batching.h. Null: the examples in turn.
    Outputs (*batch)(const Batch& batch) = nullptr;
};

inline bool is_elementwise(const Op& op) { return op.formula >= 0; }
int attribute_count(const Op& op);

std::span<const Op* const> all_ops();
const Op* find_op(const std::string& name);  // null if there is none

// ---- nodes -------------------------------------------------------------------------------------

// One application of an op: a line of the tape, or of a program.
struct Input {
    Value value;  // where it came from; empty on the tape if no gradient flows there
    Desc desc;
    bool is_scalar = false;
    Scalar scalar;
};

// A value that the gradient rule will want again, and its version when it was kept.
struct Saved {
    Need what = Need::nothing;
    Ref<Storage> storage;
    Layout layout;
    std::uint32_t version = 0;
};

struct Node : Counted {
    const Op* op = nullptr;
    std::uint64_t id = 0;         // creation order: inputs come first
    std::uint64_t recording = 0;  // 0: it ran
    Attrs attrs;
    Inline<Input, 2> inputs;
    Descs outputs;
    Inline<Saved, 2> saved;
    Where where;
    bool requires_grad = false;
    bool freed = false;  // a backward has used its saved values
    Where freed_by;
    std::uint64_t mark = 0;  // scratch of tape()
    std::uint32_t place = 0;
    std::unique_ptr<NodeExtras> extras;  // hooks and the like; null for nearly all
    Node();
    ~Node();
};

Ref<Node> new_node(const Op& op, const Attrs& attrs);
std::int64_t node_count();  // nodes alive, for tests and the demo
std::int64_t nodes_made();  // since the start
std::int64_t ops_run();     // kernels and aliases, since the start

}  // namespace tg
