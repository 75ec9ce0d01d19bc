#include "graph/vmap.h"

#include <algorithm>
#include <unordered_map>

#include "core/batching.h"
#include "core/history.h"
#include "core/ops.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "graph/call.h"
#include "graph/capture.h"

namespace tg {
namespace {

// A value of the program, of all examples.
struct Many {
    Tensor tensor;
    bool batched = false;  // dim 0 are the examples; else it is the same for all
};

// ---- the tensors that the function names itself
// --------------------------------------------------

// A tensor on a storage, with this history's gradients, or with none.
Tensor on_storage(const Ref<Storage>& storage, const Ref<History>& history, const Layout& layout) {
    if (!history) return tensor_of(storage, layout);
    Ref<Handle> handle(new Handle);
    handle->storage = storage;
    handle->history = history;
    handle->layout = layout;
    handle->version = history->version;
    handle->born = recording() ? recording()->id : 0;
    if (!recording() && shows_base(*handle)) handle->seen = history->now;
    return Tensor(handle);
}

// What a leaf line of the recording is outside of it; undefined if it was made inside.
Tensor outside_of(const LeafLine& leaf, const Recording& r) {
    if (leaf.named) return Tensor(leaf.named);
    if (!leaf.base_of) return {};
    const Ref<Storage>& storage = r.by_history.at(leaf.base_of.get())->storage;
    const Node* node = leaf.outside.node.get();
    const bool part = node && node->op == &ops::leaf && node->attrs.size() > 0;
    return on_storage(storage, leaf.base_of,
                      part ? layout_from(node->attrs) : Layout::contiguous(storage->shape));
}

// ---- line by line
// --------------------------------------------------------------------------------

class Lines {
  public:
    Lines(const Program& program, std::int64_t size, const VmapOptions& options)
        : program_(program), size_(size), options_(options), values_(program.values.size()) {}
    Many& at(int number) { return values_[static_cast<std::size_t>(number)]; }
    const Desc& desc(int number) const { return program_.values[static_cast<std::size_t>(number)]; }
    // leaves: what leaf lines are, by the number of their value; others pass on what they get.
    void run(const std::unordered_map<int, Tensor>& leaves) {
        for (const Line& line : program_.lines) {
            const Elsewhere place(line.where);
            const GradMode mode(line.requires_grad && grad_enabled());
            const auto leaf = leaves.find(line.out[0]);
            if (leaf != leaves.end())
                at(line.out[0]) = {leaf->second, false};
            else if (line.op == &ops::leaf)
                at(line.out[0]) = at(line.in[0].value);
            else if (line.op == &ops::call)
                call(line);
            else
                apply_line(line);
        }
    }

  private:
    void apply_line(const Line& line);
    void draw(const Line& line);
    int source_of(int value) const;
    Dims with_examples(const Dims& shape) const {
        Dims all{size_};
        for (std::int64_t n : shape) all.push_back(n);
        return all;
    }
    void call(const Line& line);
    void set(const Line& line, const Outputs& outputs, bool batched) {
        for (int k = 0; k < outputs.size(); ++k) at(line.out[k]) = {outputs[k], batched};
    }

    const Program& program_;
    std::int64_t size_;
    const VmapOptions& options_;
    std::vector<Many> values_;
};

void Lines::apply_line(const Line& line) {
    if (line.op->random) return draw(line);
    std::vector<Arg> args;
    std::vector<char> batched;
    std::vector<Desc> one, one_out;
    for (int i = 0; i < line.in.size(); ++i) {
        const Operand& in = line.in[i];
        const Many many = in.value < 0 ? Many{} : at(in.value);
        args.push_back(in.value < 0 ? Arg(in.scalar) : Arg(many.tensor));
        args.back().where = line.where;
        batched.push_back(many.batched);
        one.push_back(program_.operand_desc(line, i));
    }
    if (std::find(batched.begin(), batched.end(), 1) == batched.end())
        return set(line, apply_all(*line.op, args, line.attrs), false);
    for (int number : line.out) one_out.push_back(desc(number));
    const Batch b{*line.op, line.attrs, size_, args, batched, one, one_out};
    set(line, line.op->batch ? line.op->batch(b) : batch_in_turn(b), true);
}

// Random numbers: one lot for all examples, or a lot for each. The generator moves on here and now:
// the lines that move it in the program are not wanted.
void Lines::draw(const Line& line) {
    if (options_.randomness == Randomness::error)
        fail(ErrorKind::runtime, options_.name, ": ", line.op->name,
             " draws random numbers; say randomness=\"same\", one lot for all examples, or "
             "\"different\", a lot for each");
    const bool each = options_.randomness == Randomness::different;
    std::vector<Attr> attrs;
    for (int i = 0; i < line.attrs.size(); ++i) attrs.push_back(line.attrs[i]);
    Dims* shape = attrs.empty() ? nullptr : std::get_if<Dims>(&attrs[0].value);
    const std::int64_t one = element_count(desc(line.out[0]).shape);
    const NoGrad mode;
    const Tensor state = at(source_of(line.in[0].value)).tensor;
    const auto drawn = [&](std::int64_t count) {
        const Tensor numbers = apply(*line.op, {state}, Attrs(attrs));
        const Tensor offset = select(state, 0, 1);
        write(offset, add(offset, count), line.op->name);
        return numbers;
    };
    if (each && !shape) {  // an order, which has no shape: one after another
        std::vector<Tensor> lots;
        for (std::int64_t e = 0; e < size_; ++e) lots.push_back(drawn(one));
        const Desc& d = desc(line.out[0]);
        at(line.out[0]) = {
            lots.empty() ? zeros(with_examples(d.shape), {d.dtype, d.device}) : stack(lots), true};
        return;
    }
    if (each) *shape = with_examples(*shape);
    at(line.out[0]) = {drawn(one * (each ? size_ : 1)), each};
}

// The input of the program that a generator's state began as.
int Lines::source_of(int value) const {
    for (std::size_t l = program_.lines.size(); l-- > 0;)
        if (program_.lines[l].out[0] == value) value = program_.lines[l].in[0].value;
    return value;
}

// A compiled function inside: its lines in turn.
void Lines::call(const Line& line) {
    const auto& callable = static_cast<const Callable&>(*line.attrs.object(0));
    const Program& body = *callable.written;
    Lines inner(body, size_, options_);
    for (std::size_t i = 0; i < body.inputs.size(); ++i)
        inner.at(static_cast<int>(i)) = at(line.in[static_cast<int>(i)].value);
    inner.run({});
    for (std::size_t k = 0; k < body.outputs.size(); ++k)
        at(line.out[static_cast<int>(k)]) = inner.at(body.outputs[k]);
}

// ---- writing the function down
// -------------------------------------------------------------------

struct Traced {
    Recording r;
    std::vector<Tensor> symbols;  // by argument; undefined where it is the same for all
    std::vector<Tensor> returned;
    Captured captured;
};

Tensor symbol_of_one(Recording& r, const Tensor& all, std::size_t number) {
    Desc desc{{}, all.dtype(), all.device()};
    for (int d = 1; d < all.dims(); ++d) desc.shape.push_back(all.shape()[d]);
    RecordedInput input;
    input.kind = RecordedInput::argument;
    input.name = "x" + std::to_string(number);
    const Tensor symbol = r.symbol(r.new_input(input, desc), desc);
    if (all.requires_grad()) r.make_leaf(symbol);
    return symbol;
}

// The lines are applied again and write nothing; so what the function writes must be its own.
void check_writes(const Recording& r, const std::string& name) {
    for (const auto& s : r.storages) {
        if (s->storage->generator) continue;
        const bool own =
            s->storage->symbol && s->storage->born == r.id && s->first.node->op != &ops::read;
        if (s->written() && !own && !r.made(*s->storage))
            fail(ErrorKind::runtime, name, ": ", s->written_by, at(s->writer),
                 " writes a tensor that the function was given or names itself; clone() it first");
        if (s->written() && s->storage->symbol && s->first.node->op == &ops::read)
            fail(ErrorKind::runtime, name, ": ", s->written_by, at(s->writer),
                 " writes an argument; clone() it first");
    }
    for (const auto& g : r.grads)
        if (g->written && g->gradient->born != r.id)
            fail(ErrorKind::runtime, name,
                 ": the function leaves a .grad on a tensor from outside; use grad, which returns "
                 "it");
    if (!r.effects.empty())
        fail(ErrorKind::runtime, name,
             ": a variable is assigned inside, which a batch of "
             "examples cannot share");
}

void trace(Traced& t,
           const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& function,
           const std::vector<Tensor>& arguments, const std::vector<bool>& batched,
           const VmapOptions& options) {
    t.r.kind = Recording::traced;
    t.r.id = new_recording_id();
    t.r.name = options.name;
    t.r.opened = options.where;
    const RecordingScope scope(&t.r);
    std::vector<Tensor> inside;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        t.symbols.push_back(batched[i] ? symbol_of_one(t.r, arguments[i], i) : Tensor{});
        inside.push_back(batched[i] ? t.symbols.back() : arguments[i]);
    }
    {
        const OwnLines lines;
        t.returned = function(inside);
    }
    std::vector<Value> roots;
    for (const Tensor& y : t.returned) roots.push_back(value_of(y));
    check_writes(t.r, options.name);
    t.captured = capture(t.r, roots, options.name);
}

std::int64_t examples(const std::vector<Tensor>& arguments, const std::vector<bool>& batched,
                      const std::string& name) {
    std::int64_t size = -1;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (!batched[i]) continue;
        const std::int64_t n = arguments[i].shape()[0];
        if (is_unknown(n))
            fail(ErrorKind::runtime, name,
                 ": the number of examples must be known; give the "
                 "placeholder that size");
        if (size >= 0 && n != size)
            fail(ErrorKind::value, name, ": one argument has ", size, " examples, and another ", n);
        size = n;
    }
    if (size < 0) fail(ErrorKind::value, name, ": no argument has examples: all in_dims are None");
    return size;
}

}  // namespace

Vmapped vmap(const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& function,
             const std::vector<Tensor>& arguments, const std::vector<bool>& batched,
             const VmapOptions& options) {
    const std::int64_t size = examples(arguments, batched, options.name);
    Traced t;
    trace(t, function, arguments, batched, options);
    const Program& program = *t.captured.program;
    Lines lines(program, size, options);
    std::size_t argument = 0;  // the batched ones are the first inputs of the recording
    std::vector<Tensor> given;
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (batched[i]) given.push_back(arguments[i]);
    for (std::size_t i = 0; i < t.captured.inputs.size(); ++i) {
        const RecordedInput& input = t.r.inputs[static_cast<std::size_t>(t.captured.inputs[i])];
        Many& many = lines.at(static_cast<int>(i));
        if (input.kind == RecordedInput::argument)
            many = {given[argument++], true};
        else
            many = {on_storage(input.storage, {}, Layout::contiguous(input.storage->shape)), false};
    }
    std::unordered_map<int, Tensor> leaves;
    for (const LeafLine& leaf : t.r.leaves) {
        const auto found = t.captured.numbers.find(leaf.line.get());
        if (found == t.captured.numbers.end()) continue;
        if (const Tensor outside = outside_of(leaf, t.r); outside.defined())
            leaves[found->second] = outside;
    }
    lines.run(leaves);
    Vmapped out;
    for (int number : program.outputs) {
        out.results.push_back(lines.at(number).tensor);
        out.same.push_back(!lines.at(number).batched);
    }
    return out;
}

}  // namespace tg
