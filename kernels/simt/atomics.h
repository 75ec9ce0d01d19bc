// Atomic operations on device or shared memory: each sets *address in one step and returns what was
// there before. The types are those that CUDA has. Integers wrap.
#pragma once

using simt_u64 = unsigned long long;  // CUDA's 64-bit type, which is not std::uint64_t everywhere

// old + value
int atomicAdd(int* address, int value);
unsigned atomicAdd(unsigned* address, unsigned value);
simt_u64 atomicAdd(simt_u64* address, simt_u64 value);
float atomicAdd(float* address, float value);
double atomicAdd(double* address, double value);

// The same for counted.h, which knows where in the kernel it was called from.
namespace simt {
float atomic_add(float* address, float value, const void* caller);
double atomic_add(double* address, double value, const void* caller);
}  // namespace simt

// old - value
int atomicSub(int* address, int value);
unsigned atomicSub(unsigned* address, unsigned value);

// value
int atomicExch(int* address, int value);
unsigned atomicExch(unsigned* address, unsigned value);
simt_u64 atomicExch(simt_u64* address, simt_u64 value);
float atomicExch(float* address, float value);

// the smaller, the larger of old and value
int atomicMin(int* address, int value);
unsigned atomicMin(unsigned* address, unsigned value);
long long atomicMin(long long* address, long long value);
simt_u64 atomicMin(simt_u64* address, simt_u64 value);
int atomicMax(int* address, int value);
unsigned atomicMax(unsigned* address, unsigned value);
long long atomicMax(long long* address, long long value);
simt_u64 atomicMax(simt_u64* address, simt_u64 value);

// Counters that go round: old >= limit ? 0 : old + 1, and old == 0 || old > limit ? limit : old - 1
unsigned atomicInc(unsigned* address, unsigned limit);
unsigned atomicDec(unsigned* address, unsigned limit);

// old == expected ? value : old
int atomicCAS(int* address, int expected, int value);
unsigned atomicCAS(unsigned* address, unsigned expected, unsigned value);
simt_u64 atomicCAS(simt_u64* address, simt_u64 expected, simt_u64 value);
unsigned short atomicCAS(unsigned short* address, unsigned short expected, unsigned short value);

// old & value, old | value, old ^ value
int atomicAnd(int* address, int value);
unsigned atomicAnd(unsigned* address, unsigned value);
simt_u64 atomicAnd(simt_u64* address, simt_u64 value);
int atomicOr(int* address, int value);
unsigned atomicOr(unsigned* address, unsigned value);
simt_u64 atomicOr(simt_u64* address, simt_u64 value);
int atomicXor(int* address, int value);
unsigned atomicXor(unsigned* address, unsigned value);
simt_u64 atomicXor(simt_u64* address, simt_u64 value);

// For threads of one block, or of the host too, to agree on: here each is as wide as can be.
#define atomicAdd_block atomicAdd
#define atomicSub_block atomicSub
#define atomicExch_block atomicExch
#define atomicMin_block atomicMin
#define atomicMax_block atomicMax
#define atomicInc_block atomicInc
#define atomicDec_block atomicDec
#define atomicCAS_block atomicCAS
#define atomicAnd_block atomicAnd
#define atomicOr_block atomicOr
#define atomicXor_block atomicXor
#define atomicAdd_system atomicAdd
#define atomicSub_system atomicSub
#define atomicExch_system atomicExch
#define atomicMin_system atomicMin
#define atomicMax_system atomicMax
#define atomicInc_system atomicInc
#define atomicDec_system atomicDec
#define atomicCAS_system atomicCAS
#define atomicAnd_system atomicAnd
#define atomicOr_system atomicOr
#define atomicXor_system atomicXor
