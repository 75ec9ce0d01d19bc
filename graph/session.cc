// Graph and Session: what is written down once, and run as often as asked, as far as asked.
#include <algorithm>
#include <map>
#include <mutex>

#include "core/history.h"
#include "core/ops/structural.h"
#include "core/state.h"
#include "graph/call.h"
#include "graph/capture.h"
#include "graph/graph.h"

namespace tg {

const char* name_of(Executor executor) {
    switch (executor) {
        case Executor::lines:
            return "lines";
        case Executor::planned:
            return "planned";
        case Executor::fused:
            break;
    }
    return "fused";
}

Graph::Graph(std::string name, Where where) : recording_(std::make_unique<Recording>()) {
    recording_->id = new_recording_id();
    recording_->name = std::move(name);
    recording_->opened = where;
}

namespace {

Recording& open_graph(const char* what) {
    Recording* r = recording();
    if (!r || r->kind != Recording::built)
        fail(ErrorKind::runtime, what, ": no graph is open; write it inside one: ",
             "`with Graph() as g:` in Python, `GraphScope open(graph);` in C++");
    return *r;
}

// Which placeholder of this graph a tensor is; an error if it is none.
const RecordedInput& placeholder_of(const Recording& r, const Tensor& x) {
    if (x.defined() && x.is_symbolic()) {
        const auto s = r.by_storage.find(x.handle().storage.get());
        for (const RecordedInput& input : r.inputs)
            if (s != r.by_storage.end() && input.kind == RecordedInput::placeholder &&
                input.value == s->second->first)
                return input;
    }
    fail(ErrorKind::type, "Session.run: only placeholders of this graph can be fed");
}

std::string named(const RecordedInput& input) {
    return "placeholder '" + input.name + "'" + at(input.value.node->where);
}

std::string named_with_shape(const RecordedInput& input) {
    return named(input) + " has shape " + text(input.value.node->outputs[0].shape);
}

}  // namespace

std::string Graph::text() const {
    std::vector<Value> all;
    for (const auto& s : recording_->storages)
        if (s->storage->symbol && s->storage->born == recording_->id) all.push_back(s->first);
    for (const Ref<Node>& effect : recording_->effects) all.push_back(Value{effect, 0});
    if (all.empty()) return "an empty graph\n";
    return capture(*recording_, all, recording_->name).program->text();
}

Tensor placeholder(const std::string& name, const Dims& shape, DType dtype, Where where,
                   Device device) {
    const Here here(where);
    Recording& r = open_graph("placeholder");
    Desc desc{shape, dtype, device};
    for (std::int64_t& d : desc.shape) {
        if (d < -1 && !is_unknown(d))
            fail(ErrorKind::value, "placeholder: the size ", d, " in ", text(shape),
                 " is negative; write None for a size that is not known yet");
        if (d == None) d = new_unknown();
    }
    RecordedInput input;
    input.kind = RecordedInput::placeholder;
    input.name = name.empty() ? "x" + std::to_string(r.inputs.size()) : name;
    for (const RecordedInput& other : r.inputs)
        if (other.kind == RecordedInput::placeholder && other.name == input.name)
            fail(ErrorKind::value, "placeholder: there already is one called '", input.name, "'",
                 at(other.value.node->where));
    return r.symbol(r.new_input(input, desc), desc);
}

Tensor assign(const Tensor& variable, const Arg& value) {
    const Here here(value.where);
    Recording& r = open_graph("assign");
    if (variable.is_symbolic())
        fail(ErrorKind::type,
             "assign: the target is a symbol of the graph, not a tensor made outside of it");
    const Handle& h = variable.handle();
    if (!is_whole(h.layout, *h.storage))
        fail(ErrorKind::value, "assign: the target is a view of a part of ",
             "another tensor; assign the whole");
    Tensor v = value.is_tensor() ? value.tensor
                                 : full({}, value.scalar, {variable.dtype(), variable.device()});
    if (v.dtype() != variable.dtype()) v = cast(v, variable.dtype());
    if (!any_unknown(v.shape()) &&
        broadcast("assign", variable.shape(), v.shape()) != variable.shape())
        fail(ErrorKind::value, "assign: a value of shape ", text(v.shape()),
             " does not fit a variable of shape ", text(variable.shape()));
    if (v.shape() != variable.shape()) v = expand(v, variable.shape());
    const StorageState& s = r.state(h.storage);
    const Node& read = *s.first.node;
    return apply(ops::assign, {contiguous(v)}, {Attr{read.attrs.integer(0)}});
}

std::vector<Tensor> gradients(const Tensor& loss, const std::vector<Tensor>& inputs, Where where) {
    const Here here(where);
    open_graph("gradients");
    const Tensor total = any_unknown(loss.shape()) || loss.numel() != 1 ? sum(loss) : loss;
    return grad({&total, 1}, inputs, {}, {.retain_graph = true});
}

// ---- Session -----------------------------------------------------------------------------------

struct Session::State {
    Graph& graph;
    Executor executor;

    // A program as written for one list of fetches, and ready ones by the shapes that were fed.
    struct Fetched {
        Captured captured;
        std::vector<int> assigned;  // by assignment or generator: the recording's input
        std::size_t fetches = 0;
        std::map<std::vector<std::int64_t>, Ref<Callable>> ready;
    };
    std::map<std::vector<std::pair<const Node*, int>>, std::unique_ptr<Fetched>> programs;
    Ref<Callable> last;
    std::mutex mutex;

    State(Graph& g, Executor how) : graph(g), executor(how) {}
};

Session::Session(Graph& graph, Executor executor)
    : state_(std::make_unique<State>(graph, executor)) {}

Session::~Session() = default;

namespace {

// The values to fetch; an assignment among them, or under them, is committed.
std::vector<Value> fetch_values(Recording& r, const std::vector<Tensor>& fetches) {
    const RecordingScope scope(&r);
    std::vector<Value> values;
    for (const Tensor& t : fetches) {
        if (t.is_symbolic() && t.handle().storage->born != r.id)
            fail(ErrorKind::runtime, "Session.run: fetch ", values.size(), " belongs to ",
                 recording_name(t.handle().storage->born), ", not to ", r.name);
        values.push_back(value_of(t));
    }
    return values;
}

void add_assignments(std::vector<Value>& roots, std::vector<int>& assigned) {
    const Tape t = tape(roots);
    for (Node* node : t.nodes) {
        if (node->op != &ops::assign) continue;
        roots.push_back(Value{Ref<Node>(node), 0});
        assigned.push_back(static_cast<int>(node->attrs.integer(0)));
    }
}

// What the graph has drawn so far moves its generators on, at every run and whatever is fetched:
// so a run leaves them where the same lines on the tape would.
void add_generators(const Recording& r, std::vector<Value>& roots, std::vector<int>& assigned) {
    for (const auto& s : r.storages) {
        if (!s->storage->generator || !s->written()) continue;
        roots.push_back(s->now);
        assigned.push_back(static_cast<int>(s->first.node->attrs.integer(0)));
    }
}

const Tensor* fed(const Recording& r, const RecordedInput& input, const std::vector<Feed>& feeds) {
    for (const Feed& feed : feeds) {
        const auto s = r.by_storage.find(feed.first.handle().storage.get());
        if (s != r.by_storage.end() && s->second->first == input.value) return &feed.second;
    }
    return nullptr;
}

Tensor fitted_feed(const RecordedInput& input, const Tensor& value) {
    const Desc& d = input.value.node->outputs[0];
    const bool dims = value.dims() == d.shape.size();
    bool fits = dims && !value.is_symbolic();
    for (int k = 0; fits && k < value.dims(); ++k)
        fits = is_unknown(d.shape[k]) || d.shape[k] == value.shape()[k];
    if (!fits)
        fail(ErrorKind::value, "Session.run: ", named_with_shape(input), ", but was fed ",
             text(value.shape()));
    if (value.dtype() != d.dtype)
        fail(ErrorKind::value, "Session.run: ", named(input), " is ", name_of(d.dtype),
             ", but was fed ", name_of(value.dtype()));
    return contiguous(to(value.detach(), d.device));
}

}  // namespace

Ref<Program> Session::program(const std::vector<Tensor>& fetches) {
    Recording& r = state_->graph.recording();
    return capture(r, fetch_values(r, fetches), r.name, false).program;
}

std::vector<Tensor> Session::run(const std::vector<Tensor>& fetches, const std::vector<Feed>& feeds,
                                 Where where) {
    const Here here(where);
    if (recording())
        fail(ErrorKind::runtime, "Session.run: ", recording()->name,
             " is open, where ops are written down and nothing runs; close it first");
    Recording& r = state_->graph.recording();
    for (const Feed& feed : feeds) placeholder_of(r, feed.first);
    std::lock_guard lock(state_->mutex);
    std::vector<Value> roots = fetch_values(r, fetches);
    const std::size_t wanted = roots.size();
    std::vector<int> assigned;
    add_generators(r, roots, assigned);
    std::vector<std::pair<const Node*, int>> key;
    for (const Value& v : roots) key.push_back({v.node.get(), v.index});
    auto& slot = state_->programs[key];
    if (!slot) {
        auto made = std::make_unique<State::Fetched>();
        made->fetches = wanted;
        made->assigned = assigned;
        add_assignments(roots, made->assigned);
        made->captured = capture(r, roots, r.name, false);
        slot = std::move(made);
    }
    State::Fetched& f = *slot;
    std::vector<Tensor> inputs;
    std::vector<Desc> descs;
    std::vector<std::int64_t> shapes;
    for (int i : f.captured.inputs) {
        const RecordedInput& input = r.inputs[static_cast<std::size_t>(i)];
        if (input.kind == RecordedInput::variable) {
            inputs.push_back(tensor_of(input.storage, Layout::contiguous(input.storage->shape)));
        } else {
            const Tensor* value = fed(r, input, feeds);
            if (!value)
                fail(ErrorKind::value, "Session.run: ", named(input),
                     " is needed by what is fetched and was not fed");
            inputs.push_back(fitted_feed(input, *value));
        }
        const Tensor& t = inputs.back();
        descs.push_back({t.shape(), t.dtype(), t.device()});
        shapes.insert(shapes.end(), t.shape().begin(), t.shape().end());
    }
    Ref<Callable>& ready = f.ready[shapes];
    if (!ready) ready = make<Callable>(bound_to(*f.captured.program, descs), state_->executor);
    state_->last = ready;
    std::vector<Tensor> out = ready->run(inputs);
    // All lines have run; from here on nothing can fail.
    const NoGrad mode;
    for (std::size_t k = 0; k < f.assigned.size(); ++k) {
        const RecordedInput& input = r.inputs[static_cast<std::size_t>(f.assigned[k])];
        const Tensor whole = tensor_of(input.storage, Layout::contiguous(input.storage->shape));
        write(whole, out[f.fetches + k], "assign");
    }
    out.resize(f.fetches);
    return out;
}

Ref<Program> Session::last() const { return state_->last ? state_->last->improved : nullptr; }

std::string Session::placeholder_text(const Tensor& placeholder) const {
    return named_with_shape(placeholder_of(state_->graph.recording(), placeholder));
}

std::int64_t Session::lines_run() const {
    return state_->last ? static_cast<std::int64_t>(state_->last->improved->lines.size()) : 0;
}

}  // namespace tg
