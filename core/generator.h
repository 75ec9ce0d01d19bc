// Where random numbers come from.
//
// A generator is a variable of two numbers: its seed, and how much of the stream has been drawn. A
// draw reads it and moves the offset on by a count that depends on nothing but its size. In a graph
// or a trace these are lines, and the variable moves when the program runs. So one seed gives the
// same numbers on the tape, in a program and on every device; see kernels/philox.h.
#pragma once

#include <cstdint>
#include <memory>

#include "core/op.h"

namespace tg {

class Generator {
  public:
    // It draws for tensors on this device; its own two numbers are on the CPU. Throws RuntimeError
    // while a function is traced: a call of the program would not make it anew.
    explicit Generator(Device device = Device::cpu);

    Generator& manual_seed(std::uint64_t seed);  // starts the stream of this seed
    std::uint64_t seed();                        // the same with a seed that nobody knows
    std::uint64_t initial_seed() const;
    Device device() const;

    Tensor get_state() const;  // (2,) int64, seed and offset: a copy
    // Goes on from there. Throws TypeError for another dtype, RuntimeError for another shape.
    void set_state(const Tensor& state);
    Generator clone_state() const;  // another generator, at the same place of the stream

    // Copies of a Generator are the same generator.
    bool same(const Generator& other) const { return state_ == other.state_; }

    // One draw of `count` numbers: what `op` makes of the state. Threads take turns, draw by draw;
    // a program, which reads at its start and writes at its end, wants a generator to itself.
    Tensor draw(const Op& op, const Attrs& attrs, std::int64_t count) const;
    // Throws RuntimeError if it does not draw for tensors on this device.
    void check_device(const char* op, Device device) const;

  private:
    struct State;
    std::shared_ptr<State> state_;
    friend Generator& default_generator();
};

// What draws where no other is named: on every device, from seed 0 at first.
Generator& default_generator();

}  // namespace tg
