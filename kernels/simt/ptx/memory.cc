// Loads, stores and atomic operations. Where an address leads is checked, for the launch to end
// before the access, as on the checking emulator.
#include <cstddef>
#include <string>
#include <utility>

#include "../atomics.h"
#include "../observer.h"
#include "apply.h"

namespace simt::ptx {
namespace {

// Allocations that this launch has met: none begins or ends while it runs.
std::array<std::span<std::byte>, 8> met;
std::size_t meetings = 0;

bool within(const void* begin, std::size_t bytes, Word address, std::size_t size) {
    const auto first = reinterpret_cast<std::uintptr_t>(begin);
    return address >= first && address - first <= bytes && size <= bytes - (address - first);
}

bool in_allocation(Word address, std::size_t size) {
    for (const auto& known : met)
        if (within(known.data(), known.size(), address, size)) return true;
    const auto found = allocation_at(reinterpret_cast<const void*>(address));
    if (!within(found.data(), found.size(), address, size)) return false;
    met[meetings++ % met.size()] = found;
    return true;
}

bool in_variable(const Function& function, Word address, std::size_t size) {
    for (const auto& variable : function.variables)
        if (within(variable.data(), variable.size_bytes(), address, size)) return true;
    return false;
}

bool in_parameter(const Thread& t, Word address, std::size_t size) {
    for (std::size_t p = 0; p < t.function->parameters.size(); ++p)
        if (within(t.parameters[p], t.function->parameters[p], address, size)) return true;
    return false;
}

bool in_range(const Range& range, Word address, std::size_t size) {
    return within(range.begin, static_cast<std::size_t>(range.end - range.begin), address, size);
}

bool may_touch(const Thread& t, Space space, Word address, std::size_t size) {
    const auto global = [&] {
        return in_allocation(address, size) || in_variable(*t.function, address, size);
    };
    const auto local = [&] { return in_range(current_stack(), address, size); };
    switch (space) {
        case Space::global:
            return global();
        case Space::local:
            return local();
        case Space::param:  // what is passed on lies in the caller's frame
            return in_parameter(t, address, size) || local();
        case Space::generic:
            return global() || local() || in_range(current_dynamic_shared(), address, size);
        case Space::shared:
            break;
    }
    return false;
}

// Where an instruction's address operand leads, if it may go there.
char* place(const Thread& t, const Instruction& i, int word, std::size_t bytes) {
    Word address = t.frame[word] + static_cast<Word>(i.number);
    if (address % bytes != 0)
        fail(t, i, [&] { return "an address that is no multiple of " + std::to_string(bytes); });
    if (i.space == Space::shared) {
        const Range shared = current_dynamic_shared();
        const auto size = static_cast<std::size_t>(shared.end - shared.begin);
        address = static_cast<std::uint32_t>(address);
        if (address > size || bytes > size - address)
            fail(t, i, [&] {
                return "byte " + std::to_string(address) + " of shared memory, which has " +
                       std::to_string(size);
            });
        return static_cast<char*>(dynamic_shared()) + address;
    }
    if (!may_touch(t, i.space, address, bytes)) {
        if (i.space == Space::local) fail(t, i, "no local memory");
        if (i.space == Space::param) fail(t, i, "no parameter");
        const void* pointer = reinterpret_cast<const void*>(address);
        fail(t, i, [&] { return device_memory_fault(pointer, bytes); });
    }
    return reinterpret_cast<char*>(address);
}

// ---- ld, st -----------------------------------------------------------------------------------
// ld.v2.f64 {a, b}, [address]
template <class T>
void load(Thread& t, const Instruction& i) {
    const char* from = place(t, i, i[i.first], sizeof(T) * i.first);
    for (std::size_t k = 0; k < i.first; ++k) {
        T value;
        std::memcpy(&value, from + k * sizeof(T), sizeof value);
        t.set(i[k], value);
    }
}

// st.v2.f64 [address], {a, b}
template <class T>
void store(Thread& t, const Instruction& i) {
    const std::size_t values = i.count - std::size_t{1};
    char* to = place(t, i, i[0], sizeof(T) * values);
    for (std::size_t k = 0; k < values; ++k) {
        const T value = t.get<T>(i[k + 1]);
        std::memcpy(to + k * sizeof(T), &value, sizeof value);
    }
}

// Words such as .volatile and .nc say how caches are used; there are none here.
void take_advice(Opcode& opcode) {
    for (const char* advice : {"volatile", "relaxed", "acquire", "release", "acq_rel", "cta", "gpu",
                               "sys", "weak", "nc", "ca", "cg", "cs", "cv", "lu", "wb", "wt"})
        opcode.take(advice);
}

Space take_space(Opcode& opcode) {
    if (opcode.take("global") || opcode.take("const")) return Space::global;
    if (opcode.take("shared")) return Space::shared;
    if (opcode.take("local")) return Space::local;
    if (opcode.take("param")) return Space::param;
    return Space::generic;
}

template <class Make>
Step* for_stored(Type type, Make make) {
    return for_type<std::uint8_t, uint16_t, uint32_t, uint64_t, std::int8_t, int16_t, int32_t,
                    int64_t, float, double>(type, make);
}

// ---- atom, red --------------------------------------------------------------------------------
// CUDA's 64-bit types are not those of <cstdint> everywhere.
template <class T>
using Cuda = std::conditional_t<std::is_same_v<T, uint64_t>, unsigned long long,
                                std::conditional_t<std::is_same_v<T, int64_t>, long long, T>>;

enum class Change {
    add,
    exchange,
    minimum,
    maximum,
    increment,
    decrement,
    bit_and,
    bit_or,
    bit_xor
};

template <class T, Change change>
auto changed(T* at, T value) {
    if constexpr (change == Change::add && requires { atomicAdd(at, value); })
        return atomicAdd(at, value);
    else if constexpr (change == Change::exchange && requires { atomicExch(at, value); })
        return atomicExch(at, value);
    else if constexpr (change == Change::minimum && requires { atomicMin(at, value); })
        return atomicMin(at, value);
    else if constexpr (change == Change::maximum && requires { atomicMax(at, value); })
        return atomicMax(at, value);
    else if constexpr (change == Change::increment && requires { atomicInc(at, value); })
        return atomicInc(at, value);
    else if constexpr (change == Change::decrement && requires { atomicDec(at, value); })
        return atomicDec(at, value);
    else if constexpr (change == Change::bit_and && requires { atomicAnd(at, value); })
        return atomicAnd(at, value);
    else if constexpr (change == Change::bit_or && requires { atomicOr(at, value); })
        return atomicOr(at, value);
    else if constexpr (change == Change::bit_xor && requires { atomicXor(at, value); })
        return atomicXor(at, value);
}

// atom d, [a], b; red, which has no d, is told by its count of operands.
template <class T, Change change>
void change_memory(Thread& t, const Instruction& i) {
    const std::size_t at = i.count - std::size_t{2};
    using C = Cuda<T>;
    auto* to = reinterpret_cast<C*>(place(t, i, i[at], sizeof(C)));
    const C old = changed<C, change>(to, t.get<C>(i[at + 1]));
    if (at == 1) t.set(i[0], old);
}
template <Change change>
Step* change_step(Type type) {
    return for_type<uint32_t, uint64_t, int32_t, int64_t, float, double>(
        type, [](auto zero) -> Step* {
            using C = Cuda<decltype(zero)>;
            using Result = decltype(changed<C, change>(nullptr, C{}));
            if constexpr (std::is_same_v<Result, C>)
                return &change_memory<decltype(zero), change>;
            else
                return nullptr;
        });
}

template <class T>
void compare_and_swap(Thread& t, const Instruction& i) {
    using C = Cuda<T>;
    auto* to = reinterpret_cast<C*>(place(t, i, i[1], sizeof(C)));
    t.set(i[0], atomicCAS(to, t.get<C>(i[2]), t.get<C>(i[3])));
}

Step* atomic_step(Opcode& opcode, Type type) {
    if (opcode.take("add")) return change_step<Change::add>(type);
    if (opcode.take("exch")) return change_step<Change::exchange>(type);
    if (opcode.take("min")) return change_step<Change::minimum>(type);
    if (opcode.take("max")) return change_step<Change::maximum>(type);
    if (opcode.take("inc")) return change_step<Change::increment>(type);
    if (opcode.take("dec")) return change_step<Change::decrement>(type);
    if (opcode.take("and")) return change_step<Change::bit_and>(type);
    if (opcode.take("or")) return change_step<Change::bit_or>(type);
    if (opcode.take("xor")) return change_step<Change::bit_xor>(type);
    if (opcode.take("cas"))
        return for_type<uint16_t, uint32_t, uint64_t>(
            type, [](auto zero) { return &compare_and_swap<decltype(zero)>; });
    return nullptr;
}

// ---- cvta -------------------------------------------------------------------------------------
// Only an address of shared memory is another number where all memory is meant.
void shared_to_generic(Thread& t, const Instruction& i) {
    t.set(i[0], t.frame[i[1]] + reinterpret_cast<std::uintptr_t>(dynamic_shared()));
}
void generic_to_shared(Thread& t, const Instruction& i) {
    t.set(i[0], t.frame[i[1]] - reinterpret_cast<std::uintptr_t>(dynamic_shared()));
}
void same_address(Thread& t, const Instruction& i) { t.frame[i[0]] = t.frame[i[1]]; }

}  // namespace

void forget_allocations() { met = {}; }

Step* memory_step(Opcode& opcode, Instruction& i) {
    const std::string& name = opcode.name();
    if (name != "ld" && name != "st" && name != "atom" && name != "red" && name != "cvta")
        return nullptr;
    i.space = take_space(opcode);
    if (name == "cvta") {
        const bool to = opcode.take("to");
        opcode.take("u64");
        if (i.space != Space::shared) return same_address;
        return to ? generic_to_shared : shared_to_generic;
    }
    take_advice(opcode);
    const bool vector = opcode.take("v2") || opcode.take("v4");
    static_cast<void>(vector);  // the operands in braces tell
    const Type type = opcode.take_type();
    if (name == "ld") return for_stored(type, [](auto zero) { return &load<decltype(zero)>; });
    if (name == "st") return for_stored(type, [](auto zero) { return &store<decltype(zero)>; });
    return atomic_step(opcode, type);
}

}  // namespace simt::ptx
