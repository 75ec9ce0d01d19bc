// What the text of a PTX function becomes: a list of instructions, each with the C++ function that
// does it. All that an instruction can name (registers, constants, threadIdx, the addresses of
// variables) is a word of 64 bits in the frame of the thread that runs it, so an operand is a
// number: which word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ptx.h"

namespace simt::ptx {

using Word = std::uint64_t;

constexpr std::size_t most_words = 8192;  // of a frame
constexpr unsigned deepest_call = 2;      // a fiber's stack holds that many frames and the entry's

// .b8 to .b64 are bits, and here unsigned numbers.
enum class Type : std::uint8_t { none, pred, u8, u16, u32, u64, s8, s16, s32, s64, f32, f64 };

// Addresses of shared memory count from its beginning. All others are the emulator's own.
enum class Space : std::uint8_t { generic, global, shared, local, param };

struct Thread;
struct Instruction;
using Step = void(Thread& thread, const Instruction& instruction);

struct Instruction {
    Step* step = nullptr;
    int line = 0;
    int guard = -1;                    // the word of `@%p`; below 0: none
    bool guard_value = true;           // what that word must be: `@!%p` has false
    std::array<int, 8> operands = {};  // words, in the order of the text; each of those in braces
    std::uint8_t count = 0;            // how many
    std::uint8_t first = 0;        // how many of them the first operand has: 2 are in {%r1, %r2}
    Space space = Space::generic;  // which memory
    std::int64_t number = 0;       // an address's offset, where a branch goes, how to round
    const Function* called = nullptr;

    int operator[](std::size_t i) const { return operands[i]; }
};

// A word that each thread fills in as it begins.
enum class Special : std::uint8_t {
    thread_x,
    thread_y,
    thread_z,
    threads_x,
    threads_y,
    threads_z,
    block_x,
    block_y,
    block_z,
    blocks_x,
    blocks_y,
    blocks_z,
    lane,
    variable,        // the address of a .local or .param variable: of the word `number`
    parameter,       // the address of what was passed as parameter `number`
    dynamic_shared,  // where the launch's dynamic shared memory begins
};
struct SpecialWord {
    int word;
    Special special;
    std::size_t number;
};

struct Function {
    std::string name;
    std::string file;
    bool is_entry = false;
    std::vector<std::size_t> parameters;  // their bytes
    std::vector<Instruction> instructions;
    // A frame: registers, constants, .local and .param variables.
    std::size_t registers = 0, words = 0;
    std::vector<Word> constants;
    std::vector<SpecialWord> specials;
    std::vector<std::span<const Word>> variables;  // outside all functions, that it names
    std::size_t shared_bytes = 0;  // of its .shared variables; what is dynamic lies behind them
};

// A CUDA thread inside one function.
struct Thread {
    Word* frame;
    const Function* function;
    const void* const* parameters;  // where each was passed
    unsigned depth = 0;             // how many calls deep
    std::size_t next = 0;           // the instruction that comes next
    bool carry = false;

    template <class T>
    T get(int word) const {
        T value;
        std::memcpy(&value, &frame[word], sizeof value);  // its low bytes: little-endian
        return value;
    }
    // Integers are widened, so that an instruction with a wider type reads what it should.
    template <class T>
    void set(int word, T value) {
        if constexpr (std::is_integral_v<T>) {
            frame[word] = static_cast<Word>(value);
        } else {
            frame[word] = 0;
            std::memcpy(&frame[word], &value, sizeof value);
        }
    }
};

// Runs a function from its first instruction to its `ret`.
void run(const Function& function, const void* const* parameters, unsigned depth);

// Where the launch's dynamic shared memory begins: behind the function's own.
std::size_t dynamic_shared_at(const Function& function);

void forget_allocations();  // memory.cc: a launch begins

// Ends the launch, and names the line. This never returns, so no destructor runs behind it: what
// the text leaves behind must be gone before.
void describe(const Thread& thread, const Instruction& instruction, const std::string& what);
[[noreturn]] void end_as_described();
template <class What>
[[noreturn]] void fail(const Thread& thread, const Instruction& instruction, const What& what) {
    describe(thread, instruction, what());
    end_as_described();
}
[[noreturn]] inline void fail(const Thread& thread, const Instruction& instruction,
                              const char* what) {
    describe(thread, instruction, what);
    end_as_described();
}

// ---- what a line says -------------------------------------------------------------------------
// "mad.lo.cc.u32" is the operation "mad" with the modifiers "lo", "cc" and "u32".
class Opcode {
  public:
    explicit Opcode(std::string_view text);

    const std::string& name() const { return name_; }
    // Whether it has this modifier, which is now understood. One that nobody asks for is an error.
    bool take(std::string_view modifier);
    Type take_type();  // the next modifier that is a type; Type::none if none is left
    const std::string* not_understood() const;  // the first; null if all are

  private:
    std::string name_;
    std::vector<std::string> modifiers_;
};

Type type_named(std::string_view name);  // Type::none if it is none
std::size_t bytes_of(Type type);

// What does an instruction, null if it is not known. They may set the instruction's other fields.
Step* arithmetic_step(Opcode& opcode, Instruction& instruction);  // arithmetic.cc
Step* float_step(Opcode& opcode);                                 // floats.cc
Step* conversion_step(Opcode& opcode, Instruction& instruction);  // conversion.cc
Step* memory_step(Opcode& opcode, Instruction& instruction);      // memory.cc
Step* control_step(Opcode& opcode, Instruction& instruction);     // control.cc
Step* clock_step(std::string_view name);  // control.cc: of `mov d, %clock64`, by its source

template <class T>
inline constexpr Type type_of = Type::none;
template <>
inline constexpr Type type_of<bool> = Type::pred;
template <>
inline constexpr Type type_of<std::uint8_t> = Type::u8;
template <>
inline constexpr Type type_of<std::uint16_t> = Type::u16;
template <>
inline constexpr Type type_of<std::uint32_t> = Type::u32;
template <>
inline constexpr Type type_of<std::uint64_t> = Type::u64;
template <>
inline constexpr Type type_of<std::int8_t> = Type::s8;
template <>
inline constexpr Type type_of<std::int16_t> = Type::s16;
template <>
inline constexpr Type type_of<std::int32_t> = Type::s32;
template <>
inline constexpr Type type_of<std::int64_t> = Type::s64;
template <>
inline constexpr Type type_of<float> = Type::f32;
template <>
inline constexpr Type type_of<double> = Type::f64;

// make(T{}) for the T of Ts that `type` names; null if it names none of them.
template <class... Ts, class Make>
Step* for_type(Type type, Make make) {
    Step* step = nullptr;
    ((type == type_of<Ts> ? static_cast<void>(step = make(Ts{})) : static_cast<void>(0)), ...);
    return step;
}

}  // namespace simt::ptx
