// Recurrent layers: one cell's formula each, applied along time, layer upon layer.
//
// The letters: L the length in time, N the batch, I the input's size, H the hidden size, D the
// directions (2 if bidirectional), K the layers.
#pragma once

#include "core/nn/module.h"

namespace tg::nn {

// LSTM(10, 20, {.num_layers = 2})
struct RecurrentOptions {
    std::int64_t num_layers = 1;
    bool bias = true;
    bool batch_first = false;
    double dropout = 0;  // between the layers
    bool bidirectional = false;
    Options tensors = {};
};

// The two states of an LSTM.
struct LSTMState {
    Tensor h, c;
};

// What RNN, LSTM and GRU share: parameters by layer and direction, and the walk in time.
class Recurrent : public Module {
  public:
    struct Weights {
        Tensor &w_ih, &w_hh, &b_ih, &b_hh;
    };
    void reset_parameters();
    std::string extra_repr() const override;

    std::int64_t input_size, hidden_size;
    RecurrentOptions options;
    std::vector<Weights> weights;  // layer 0, layer 0 backwards, layer 1, ...

  protected:
    using States = std::vector<Tensor>;
    struct Walked {
        Tensor output;
        States last;
    };
    Recurrent(const char* name, std::int64_t gates, std::int64_t input, std::int64_t hidden,
              const RecurrentOptions& given);
    // a (N, gates H), which is W_ih x + b_ih, and the states (N, H) -> the new states
    virtual States step(const Tensor& a, const States& states, const Weights& w) const = 0;
    // Checks, puts time first and a batch in if there is none, and undoes both after. States that
    // are undefined start as zeros; names are theirs in errors.
    Walked run(const Tensor& input, States states, const std::vector<const char*>& names) const;

  private:
    std::int64_t directions() const { return options.bidirectional ? 2 : 1; }
    States start(const Tensor& input, const Tensor& x, States states,
                 const std::vector<const char*>& names) const;
    Walked walk(Tensor x, const States& states) const;
    Walked direction(const Tensor& x, States states, const Weights& w, bool backwards) const;
};

struct RecurrentOutput {
    Tensor output, h_n;
};

struct RNNOptions {
    std::int64_t num_layers = 1;
    std::string nonlinearity = "tanh";  // or "relu"
    bool bias = true;
    bool batch_first = false;
    double dropout = 0;
    bool bidirectional = false;
    Options tensors = {};
};

// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu, along time.
//
// rnn(input, hx) -> output, h_n. input (L, N, I), or (N, L, I) with batch_first, or (L, I) for no
// batch; hx (K D, N, H), zeros if left out. output (L, N, D H) has the last layer's h at every
// time, h_n (K D, N, H) every layer's at the end. Throws RuntimeError for other sizes, ValueError
// for other numbers of dims.
class RNN final : public Recurrent {
  public:
    RNN(std::int64_t input, std::int64_t hidden, const RNNOptions& given = {});
    RecurrentOutput operator()(const Tensor& input, const Tensor& hx = {},
                               Where where = Where::here());

  private:
    States step(const Tensor& a, const States& states, const Weights& w) const override;
    bool relu_;
};

// i, f, g, o = W_ih x + b_ih + W_hh h + b_hh; c' = sigmoid(f) c + sigmoid(i) tanh(g);
// h' = sigmoid(o) tanh(c').
//
// lstm(input, {h_0, c_0}) -> output, {h_n, c_n}. Shapes and arguments as in RNN; the weights are
// (4 H, ...), the gates in the order above.
struct LSTMOutput {
    Tensor output;
    LSTMState last;
};
class LSTM final : public Recurrent {
  public:
    LSTM(std::int64_t input, std::int64_t hidden, const RecurrentOptions& given = {})
        : Recurrent("LSTM", 4, input, hidden, given) {}
    LSTMOutput operator()(const Tensor& input, const LSTMState& hx = {},
                          Where where = Where::here());

  private:
    States step(const Tensor& a, const States& states, const Weights& w) const override;
};

// r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh) for the first two gates;
// n = tanh(W_in x + b_in + r (W_hn h + b_hn)); h' = (1 - z) n + z h.
//
// gru(input, hx) -> output, h_n. Shapes and arguments as in RNN; the weights are (3 H, ...), in the
// order r, z, n.
class GRU final : public Recurrent {
  public:
    GRU(std::int64_t input, std::int64_t hidden, const RecurrentOptions& given = {})
        : Recurrent("GRU", 3, input, hidden, given) {}
    RecurrentOutput operator()(const Tensor& input, const Tensor& hx = {},
                               Where where = Where::here());

  private:
    States step(const Tensor& a, const States& states, const Weights& w) const override;
};

// ---- single steps
// --------------------------------------------------------------------------------

// Weights (gates H, I) and (gates H, H); input (N, I) or (I,), states (N, H) or (H,).
class Cell : public Module {
  public:
    void reset_parameters();
    std::string extra_repr() const override;

    std::int64_t input_size, hidden_size;
    Tensor& weight_ih;
    Tensor& weight_hh;
    Tensor& bias_ih;
    Tensor& bias_hh;

  protected:
    Cell(std::int64_t gates, std::int64_t input, std::int64_t hidden, bool bias, Options options);
    // input and states as rows (N, ...), W_ih x + b_ih, and the shape that the new states have
    struct Start {
        Tensor a;
        std::vector<Tensor> states;
        Dims shape;
    };
    Start start(const Tensor& input, std::vector<Tensor> states) const;
};

class RNNCell final : public Cell {  // one step of RNN: -> h'
  public:
    RNNCell(std::int64_t input, std::int64_t hidden, bool bias = true,
            const std::string& nonlinearity = "tanh", Options options = {});
    Tensor operator()(const Tensor& input, const Tensor& hx = {}, Where where = Where::here());
    std::string extra_repr() const override;

  private:
    bool relu_;
};

class LSTMCell final : public Cell {  // one step of LSTM: -> {h', c'}
  public:
    LSTMCell(std::int64_t input, std::int64_t hidden, bool bias = true, Options options = {})
        : Cell(4, input, hidden, bias, options) {}
    LSTMState operator()(const Tensor& input, const LSTMState& hx = {},
                         Where where = Where::here());
};

class GRUCell final : public Cell {  // one step of GRU: -> h'
  public:
    GRUCell(std::int64_t input, std::int64_t hidden, bool bias = true, Options options = {})
        : Cell(3, input, hidden, bias, options) {}
    Tensor operator()(const Tensor& input, const Tensor& hx = {}, Where where = Where::here());
};

}  // namespace tg::nn
