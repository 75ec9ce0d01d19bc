// One thread runs at a time and is never interrupted, so a plain change is atomic. It is out of
// line so that a checker does not take it for two plain accesses.
#include "atomics.h"

#include <algorithm>
#include <type_traits>

#include "machine.h"
#include "observer.h"

namespace {

// Where in the kernel the operation was called from.
#define CALLER __builtin_return_address(0)

// A thread that waits for another in a loop of atomics must let it run: now and then others go on.
constexpr unsigned atomics_between_switches = 1 << 16;

void before(const void* address, std::size_t bytes, const void* caller) {
    using simt::machine;
    if (simt::observer) simt::observer->atomic(address, bytes, caller);
    if (++machine.atomics % atomics_between_switches == 0 && machine.running)
        simt::give_way("an atomic operation");
}

template <class T, class F>
T change(T* address, const void* caller, F changed) {
    before(address, sizeof *address, caller);
    const T old = *address;
    *address = changed(old);
    return old;
}

template <class T>
T add(T* address, T value, const void* caller) {
    return change(address, caller, [value](T old) {
        if constexpr (std::is_integral_v<T>) {
            using Unsigned = std::make_unsigned_t<T>;
            return static_cast<T>(static_cast<Unsigned>(old) + static_cast<Unsigned>(value));
        } else {
            return old + value;
        }
    });
}
template <class T>
T exchange(T* address, T value, const void* caller) {
    return change(address, caller, [value](T) { return value; });
}
template <class T>
T smaller(T* address, T value, const void* caller) {
    return change(address, caller, [value](T old) { return std::min(old, value); });
}
template <class T>
T larger(T* address, T value, const void* caller) {
    return change(address, caller, [value](T old) { return std::max(old, value); });
}
template <class T>
T swap_if(T* address, T expected, T value, const void* caller) {
    return change(address, caller, [=](T old) { return old == expected ? value : old; });
}
template <class T>
T bit_and(T* address, T value, const void* caller) {
    return change(address, caller, [value](T old) { return old & value; });
}
template <class T>
T bit_or(T* address, T value, const void* caller) {
    return change(address, caller, [value](T old) { return old | value; });
}
template <class T>
T bit_xor(T* address, T value, const void* caller) {
    return change(address, caller, [value](T old) { return old ^ value; });
}

}  // namespace

int atomicAdd(int* address, int value) { return add(address, value, CALLER); }
unsigned atomicAdd(unsigned* address, unsigned value) { return add(address, value, CALLER); }
simt_u64 atomicAdd(simt_u64* address, simt_u64 value) { return add(address, value, CALLER); }
float atomicAdd(float* address, float value) { return add(address, value, CALLER); }
double atomicAdd(double* address, double value) { return add(address, value, CALLER); }
float simt::atomic_add(float* address, float value, const void* caller) {
    return add(address, value, caller);
}
double simt::atomic_add(double* address, double value, const void* caller) {
    return add(address, value, caller);
}

int atomicSub(int* address, int value) {
    const int negative = static_cast<int>(0u - static_cast<unsigned>(value));
    return add(address, negative, CALLER);
}
unsigned atomicSub(unsigned* address, unsigned value) { return add(address, 0u - value, CALLER); }

int atomicExch(int* address, int value) { return exchange(address, value, CALLER); }
unsigned atomicExch(unsigned* address, unsigned value) { return exchange(address, value, CALLER); }
simt_u64 atomicExch(simt_u64* address, simt_u64 value) { return exchange(address, value, CALLER); }
float atomicExch(float* address, float value) { return exchange(address, value, CALLER); }

int atomicMin(int* address, int value) { return smaller(address, value, CALLER); }
unsigned atomicMin(unsigned* address, unsigned value) { return smaller(address, value, CALLER); }
long long atomicMin(long long* address, long long value) { return smaller(address, value, CALLER); }
simt_u64 atomicMin(simt_u64* address, simt_u64 value) { return smaller(address, value, CALLER); }

int atomicMax(int* address, int value) { return larger(address, value, CALLER); }
unsigned atomicMax(unsigned* address, unsigned value) { return larger(address, value, CALLER); }
long long atomicMax(long long* address, long long value) { return larger(address, value, CALLER); }
simt_u64 atomicMax(simt_u64* address, simt_u64 value) { return larger(address, value, CALLER); }

unsigned atomicInc(unsigned* address, unsigned limit) {
    return change(address, CALLER, [limit](unsigned old) { return old >= limit ? 0 : old + 1; });
}
unsigned atomicDec(unsigned* address, unsigned limit) {
    return change(address, CALLER,
                  [limit](unsigned old) { return old == 0 || old > limit ? limit : old - 1; });
}

int atomicCAS(int* address, int expected, int value) {
    return swap_if(address, expected, value, CALLER);
}
unsigned atomicCAS(unsigned* address, unsigned expected, unsigned value) {
    return swap_if(address, expected, value, CALLER);
}
simt_u64 atomicCAS(simt_u64* address, simt_u64 expected, simt_u64 value) {
    return swap_if(address, expected, value, CALLER);
}
unsigned short atomicCAS(unsigned short* address, unsigned short expected, unsigned short value) {
    return swap_if(address, expected, value, CALLER);
}

int atomicAnd(int* address, int value) { return bit_and(address, value, CALLER); }
unsigned atomicAnd(unsigned* address, unsigned value) { return bit_and(address, value, CALLER); }
simt_u64 atomicAnd(simt_u64* address, simt_u64 value) { return bit_and(address, value, CALLER); }

int atomicOr(int* address, int value) { return bit_or(address, value, CALLER); }
unsigned atomicOr(unsigned* address, unsigned value) { return bit_or(address, value, CALLER); }
simt_u64 atomicOr(simt_u64* address, simt_u64 value) { return bit_or(address, value, CALLER); }

int atomicXor(int* address, int value) { return bit_xor(address, value, CALLER); }
unsigned atomicXor(unsigned* address, unsigned value) { return bit_xor(address, value, CALLER); }
simt_u64 atomicXor(simt_u64* address, simt_u64 value) { return bit_xor(address, value, CALLER); }
