// How a formula becomes what an instruction does: it is a small struct, whose operands apply()
// takes from the frame.
#pragma once

#include <cfenv>
#include <cstdint>
#include <type_traits>

#include "program.h"

namespace simt::ptx {

using std::int16_t, std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t;

// d = f(a), f(a, b) or f(a, b, c), all of type T.
template <class F, class T>
void apply(Thread& t, const Instruction& i) {
    if constexpr (std::is_invocable_v<F, T>)
        t.set(i[0], F{}(t.get<T>(i[1])));
    else if constexpr (std::is_invocable_v<F, T, T>)
        t.set(i[0], F{}(t.get<T>(i[1]), t.get<T>(i[2])));
    else
        t.set(i[0], F{}(t.get<T>(i[1]), t.get<T>(i[2]), t.get<T>(i[3])));
}

template <class F, class... T>
Step* of_types(Type type) {
    return for_type<T...>(type, [](auto zero) { return &apply<F, decltype(zero)>; });
}
template <class F>
Step* of_integers(Type type) {
    return of_types<F, uint16_t, uint32_t, uint64_t, int16_t, int32_t, int64_t>(type);
}
template <class F>
Step* of_floats(Type type) {
    return of_types<F, float, double>(type);
}
// F, rounded towards 0, down or up.
template <class F, int rounding>
struct Rounded {
    template <class T, class... Ts>
    requires std::is_invocable_v<F, T, Ts...> T operator()(T a, Ts... others) const {
        const int nearest = std::fegetround();
        std::fesetround(rounding);
        const volatile T x = a;  // what is computed with it stays between the two calls
        const volatile T result = F{}(static_cast<T>(x), others...);
        std::fesetround(nearest);
        return result;
    }
};
// Null if the instruction rounds to nearest, or not at all.
template <class F>
Step* rounded_step(Opcode& opcode) {
    if (opcode.take("rz")) return of_floats<Rounded<F, FE_TOWARDZERO>>(opcode.take_type());
    if (opcode.take("rm")) return of_floats<Rounded<F, FE_DOWNWARD>>(opcode.take_type());
    if (opcode.take("rp")) return of_floats<Rounded<F, FE_UPWARD>>(opcode.take_type());
    return nullptr;
}
template <class F>
Step* of_numbers(Type type) {
    Step* step = of_integers<F>(type);
    return step ? step : of_floats<F>(type);
}
template <class F>
Step* of_bits(Type type) {
    return of_types<F, bool, uint16_t, uint32_t, uint64_t>(type);
}

}  // namespace simt::ptx
