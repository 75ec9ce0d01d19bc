#include "core/nn/recurrent.h"

#include <cmath>

#include "core/nn/functional.h"
#include "core/nn/init.h"
#include "core/nn/numbers.h"

namespace tg::nn {
namespace {

// ---- the formulas
// --------------------------------------------------------------------------------
//
// Each takes a (N, gates H), which is W_ih x + b_ih, and the state, and gives the new state.

// (N, count H) -> count times (N, H)
std::vector<Tensor> parts(const Tensor& x, std::int64_t count) {
    const std::int64_t size = x.shape()[1] / count;
    std::vector<Tensor> all;
    for (std::int64_t k = 0; k < count; ++k) all.push_back(x.slice(1, k * size, (k + 1) * size));
    return all;
}

// h' = tanh(a + W_hh h + b_hh), or relu
Tensor rnn_step(const Tensor& a, const Tensor& h, const Tensor& w_hh, const Tensor& b_hh,
                bool with_relu) {
    const Tensor sum = a + linear(h, w_hh, b_hh);
    return with_relu ? relu(sum) : tanh(sum);
}

// i, f, g, o = a + W_hh h + b_hh; c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = sigmoid(o) tanh(c')
// [Hochreiter & Schmidhuber 1997; Gers et al. 2000]
LSTMState lstm_step(const Tensor& a, const LSTMState& s, const Tensor& w_hh, const Tensor& b_hh) {
    const auto p = parts(a + linear(s.h, w_hh, b_hh), 4);
    const Tensor &i = p[0], &f = p[1], &g = p[2], &o = p[3];
    const Tensor c = sigmoid(f) * s.c + sigmoid(i) * tanh(g);
    return {sigmoid(o) * tanh(c), c};
}

// r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z), n = tanh(a_n + r b_n), all b = W_hh h + b_hh;
// h' = (1 - z) n + z h [Cho et al. 2014]
Tensor gru_step(const Tensor& a, const Tensor& h, const Tensor& w_hh, const Tensor& b_hh) {
    const auto of_a = parts(a, 3), of_b = parts(linear(h, w_hh, b_hh), 3);
    const Tensor z = sigmoid(of_a[1] + of_b[1]);
    const Tensor n = tanh(of_a[2] + sigmoid(of_a[0] + of_b[0]) * of_b[2]);
    return (1 - z) * n + z * h;
}

// Every parameter uniform in (-1/sqrt(H), 1/sqrt(H)).
void uniform_all(const Module& module, std::int64_t hidden_size) {
    const double bound = hidden_size > 0 ? 1 / std::sqrt(static_cast<double>(hidden_size)) : 0;
    for (const Tensor& p : module.parameters()) init::uniform_(p, -bound, bound);
}

bool is_relu(const char* op, const std::string& nonlinearity) {
    if (nonlinearity != "tanh" && nonlinearity != "relu")
        fail(ErrorKind::value, op, ": nonlinearity is 'tanh' or 'relu', not '", nonlinearity, "'");
    return nonlinearity == "relu";
}

}  // namespace

// ---- layers
// --------------------------------------------------------------------------------------

Recurrent::Recurrent(const char* name, std::int64_t gates, std::int64_t input, std::int64_t hidden,
                     const RecurrentOptions& given)
    : input_size(input), hidden_size(hidden), options(given) {
    functional::check_probability(name, given.dropout);
    if (hidden < 1) fail(ErrorKind::value, name, ": hidden_size must be 1 or more, not ", hidden);
    if (given.num_layers < 1)
        fail(ErrorKind::value, name, ": num_layers must be 1 or more, not ", given.num_layers);
    const std::int64_t rows = gates * hidden;
    for (std::int64_t layer = 0; layer < given.num_layers; ++layer)
        for (std::int64_t d = 0; d < directions(); ++d) {
            const std::string suffix = "_l" + std::to_string(layer) + (d ? "_reverse" : "");
            const std::int64_t below = layer == 0 ? input : hidden * directions();
            const auto made = [&](const char* part, const Dims& shape,
                                  bool wanted = true) -> auto& {
                return register_parameter(part + suffix,
                                          wanted ? empty(shape, given.tensors) : Tensor());
            };
            weights.push_back({made("weight_ih", {rows, below}), made("weight_hh", {rows, hidden}),
                               made("bias_ih", {rows}, given.bias),
                               made("bias_hh", {rows}, given.bias)});
        }
    reset_parameters();
}

void Recurrent::reset_parameters() { uniform_all(*this, hidden_size); }

Recurrent::Walked Recurrent::run(const Tensor& input, States states,
                                 const std::vector<const char*>& names) const {
    const Dims& shape = input.shape();
    const bool batched = shape.size() == 3;
    if (shape.size() != 2 && shape.size() != 3)
        fail(ErrorKind::value, name(), ": input is ",
             options.batch_first ? "(N, L, I)" : "(L, N, I)", " or (L, I), not ", tg::text(shape));
    const std::int64_t size = shape[shape.size() - 1];
    if (size != input_size)
        fail(ErrorKind::runtime, name(), ": the last dim of input ", tg::text(shape), " is ", size,
             ", and input_size is ", input_size);
    Tensor x = batched ? input : input.unsqueeze(1);
    if (batched && options.batch_first) x = x.transpose(0, 1);
    if (x.shape()[0] == 0)
        fail(ErrorKind::runtime, name(), ": input ", tg::text(shape), " is of length 0");
    Walked walked = walk(x, start(input, x, std::move(states), names));
    if (!batched) {
        walked.output = walked.output.squeeze(1);
        for (Tensor& s : walked.last) s = s.squeeze(1);
    } else if (options.batch_first) {
        walked.output = walked.output.transpose(0, 1);
    }
    return walked;
}

// x is the input as (L, N, I) -> each state (K D, N, H)
Recurrent::States Recurrent::start(const Tensor& input, const Tensor& x, States states,
                                   const std::vector<const char*>& names) const {
    const bool batched = input.dims() == 3;
    const Dims want{options.num_layers * directions(), x.shape()[1], hidden_size};
    const Dims given = batched ? want : Dims{want[0], want[2]};
    const Tensor zero = zeros(want, {.dtype = input.dtype(), .device = input.device()});
    for (std::size_t k = 0; k < states.size(); ++k) {
        Tensor& s = states[k];
        if (!s.defined())
            s = zero;
        else if (s.shape() != given)
            fail(ErrorKind::runtime, name(), ": ", names[k], " is ", tg::text(s.shape()),
                 ", and for input ", tg::text(input.shape()), " it must be ", tg::text(given));
        else if (!batched)
            s = s.unsqueeze(1);
    }
    return states;
}

// x (L, N, I), each of states (K D, N, H) -> output (L, N, D H), the states at the end
Recurrent::Walked Recurrent::walk(Tensor x, const States& states) const {
    std::vector<States> last(states.size());  // by state; of each layer and direction
    std::size_t at = 0;
    for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
        if (layer > 0) x = functional::dropout(x, options.dropout, is_training());
        std::vector<Tensor> outputs;
        for (std::int64_t d = 0; d < directions(); ++d, ++at) {
            States state;
            for (const Tensor& s : states) state.push_back(s[static_cast<std::int64_t>(at)]);
            const Walked walked = direction(x, state, weights[at], d == 1);
            outputs.push_back(walked.output);
            for (std::size_t k = 0; k < last.size(); ++k) last[k].push_back(walked.last[k]);
        }
        x = outputs.size() > 1 ? cat(outputs, -1) : outputs[0];
    }
    Walked walked{x, {}};
    for (const States& each : last) walked.last.push_back(stack(each));
    return walked;
}

// One layer, forwards or backwards in time -> (L, N, H) and the states at the end
Recurrent::Walked Recurrent::direction(const Tensor& x, States states, const Weights& w,
                                       bool backwards) const {
    const Tensor a = linear(x, w.w_ih, w.b_ih);  // for all times at once
    const std::int64_t length = x.shape()[0];
    std::vector<Tensor> outputs(static_cast<std::size_t>(length));
    for (std::int64_t k = 0; k < length; ++k) {
        const std::int64_t t = backwards ? length - 1 - k : k;
        states = step(a[t], states, w);
        outputs[static_cast<std::size_t>(t)] = states[0];
    }
    return {stack(outputs), states};
}

std::string Recurrent::extra_repr() const {
    std::string s = std::to_string(input_size) + ", " + std::to_string(hidden_size);
    if (options.num_layers != 1) s += ", num_layers=" + std::to_string(options.num_layers);
    if (!options.bias) s += ", bias=False";
    if (options.batch_first) s += ", batch_first=True";
    if (options.dropout != 0) s += ", dropout=" + shown(options.dropout);
    if (options.bidirectional) s += ", bidirectional=True";
    return s;
}

RNN::RNN(std::int64_t input, std::int64_t hidden, const RNNOptions& o)
    : Recurrent("RNN", 1, input, hidden,
                {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, o.tensors}),
      relu_(is_relu("RNN", o.nonlinearity)) {}

Recurrent::States RNN::step(const Tensor& a, const States& states, const Weights& w) const {
    return {rnn_step(a, states[0], w.w_hh, w.b_hh, relu_)};
}

RecurrentOutput RNN::operator()(const Tensor& input, const Tensor& hx, Where where) {
    const Here here(where);
    const Walked walked = run(input, {hx}, {"hx"});
    return {walked.output, walked.last[0]};
}

Recurrent::States LSTM::step(const Tensor& a, const States& states, const Weights& w) const {
    const auto [h, c] = lstm_step(a, {states[0], states[1]}, w.w_hh, w.b_hh);
    return {h, c};
}

LSTMOutput LSTM::operator()(const Tensor& input, const LSTMState& hx, Where where) {
    const Here here(where);
    const Walked walked = run(input, {hx.h, hx.c}, {"h_0", "c_0"});
    return {walked.output, {walked.last[0], walked.last[1]}};
}

Recurrent::States GRU::step(const Tensor& a, const States& states, const Weights& w) const {
    return {gru_step(a, states[0], w.w_hh, w.b_hh)};
}

RecurrentOutput GRU::operator()(const Tensor& input, const Tensor& hx, Where where) {
    const Here here(where);
    const Walked walked = run(input, {hx}, {"hx"});
    return {walked.output, walked.last[0]};
}

// ---- single steps
// --------------------------------------------------------------------------------

Cell::Cell(std::int64_t gates, std::int64_t input, std::int64_t hidden, bool bias, Options options)
    : input_size(input),
      hidden_size(hidden),
      weight_ih(register_parameter("weight_ih", empty({gates * hidden, input}, options))),
      weight_hh(register_parameter("weight_hh", empty({gates * hidden, hidden}, options))),
      bias_ih(register_parameter("bias_ih", bias ? empty({gates * hidden}, options) : Tensor())),
      bias_hh(register_parameter("bias_hh", bias ? empty({gates * hidden}, options) : Tensor())) {
    reset_parameters();
}

void Cell::reset_parameters() { uniform_all(*this, hidden_size); }

Cell::Start Cell::start(const Tensor& input, std::vector<Tensor> states) const {
    const Dims& shape = input.shape();
    if (shape.size() != 1 && shape.size() != 2)
        fail(ErrorKind::value, name(), ": input is (N, I) or (I,), not ", tg::text(shape));
    const std::int64_t size = shape[shape.size() - 1];
    if (size != input_size)
        fail(ErrorKind::runtime, name(), ": the last dim of input ", tg::text(shape), " is ", size,
             ", and input_size is ", input_size);
    Dims want = shape;
    want[want.size() - 1] = hidden_size;
    for (Tensor& s : states) {
        if (!s.defined()) s = zeros(want, {.dtype = input.dtype(), .device = input.device()});
        if (s.shape() != want)
            fail(ErrorKind::runtime, name(), ": hx is ", tg::text(s.shape()), ", and for input ",
                 tg::text(shape), " it must be ", tg::text(want));
        s = s.reshape({-1, hidden_size});
    }
    return {linear(input.reshape({-1, input_size}), weight_ih, bias_ih), states, want};
}

std::string Cell::extra_repr() const {
    return std::to_string(input_size) + ", " + std::to_string(hidden_size) +
           (bias_ih.defined() ? "" : ", bias=False");
}

RNNCell::RNNCell(std::int64_t input, std::int64_t hidden, bool bias,
                 const std::string& nonlinearity, Options options)
    : Cell(1, input, hidden, bias, options), relu_(is_relu("RNNCell", nonlinearity)) {}

Tensor RNNCell::operator()(const Tensor& input, const Tensor& hx, Where where) {
    const Here here(where);
    const Start s = start(input, {hx});
    return rnn_step(s.a, s.states[0], weight_hh, bias_hh, relu_).reshape(s.shape);
}

std::string RNNCell::extra_repr() const {
    return Cell::extra_repr() + (relu_ ? ", nonlinearity=relu" : "");
}

LSTMState LSTMCell::operator()(const Tensor& input, const LSTMState& hx, Where where) {
    const Here here(where);
    const Start s = start(input, {hx.h, hx.c});
    const auto [h, c] = lstm_step(s.a, {s.states[0], s.states[1]}, weight_hh, bias_hh);
    return {h.reshape(s.shape), c.reshape(s.shape)};
}

Tensor GRUCell::operator()(const Tensor& input, const Tensor& hx, Where where) {
    const Here here(where);
    const Start s = start(input, {hx});
    return gru_step(s.a, s.states[0], weight_hh, bias_hh).reshape(s.shape);
}

}  // namespace tg::nn
