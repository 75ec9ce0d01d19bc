// CUDA's built-in vector types, as plain structs with CUDA's names, sizes and alignments.
#pragma once

// char1 to char4 and their like, and make_char4(x, y, z, w). The alignment is part of the type: a
// kernel that moves a float4 moves 16 aligned bytes at once.
#define SIMT_VECTORS(T, name)                                          \
    struct name##1 {                                                   \
        T x;                                                           \
    };                                                                 \
    struct alignas(2 * sizeof(T)) name##2 {                            \
        T x, y;                                                        \
    };                                                                 \
    struct name##3 {                                                   \
        T x, y, z;                                                     \
    };                                                                 \
    struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) name##4 {  \
        T x, y, z, w;                                                  \
    };                                                                 \
    inline name##1 make_##name##1(T x) { return {x}; }                 \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; }         \
    inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
SIMT_VECTORS(signed char, char)
SIMT_VECTORS(unsigned char, uchar)
SIMT_VECTORS(short, short)
SIMT_VECTORS(unsigned short, ushort)
SIMT_VECTORS(int, int)
SIMT_VECTORS(unsigned, uint)
SIMT_VECTORS(long, long)
SIMT_VECTORS(unsigned long, ulong)
SIMT_VECTORS(long long, longlong)
SIMT_VECTORS(unsigned long long, ulonglong)
SIMT_VECTORS(float, float)
SIMT_VECTORS(double, double)
#undef SIMT_VECTORS

// What CUDA 13 has for those of more than 16 bytes.
#define SIMT_ALIGNED(T, name, bytes)           \
    struct alignas(bytes) name##4_##bytes##a { \
        T x, y, z, w;                          \
    };                                         \
    inline name##4_##bytes##a make_##name##4_##bytes##a(T x, T y, T z, T w) { return {x, y, z, w}; }
SIMT_ALIGNED(long, long, 16)
SIMT_ALIGNED(long, long, 32)
SIMT_ALIGNED(unsigned long, ulong, 16)
SIMT_ALIGNED(unsigned long, ulong, 32)
SIMT_ALIGNED(long long, longlong, 16)
SIMT_ALIGNED(long long, longlong, 32)
SIMT_ALIGNED(unsigned long long, ulonglong, 16)
SIMT_ALIGNED(unsigned long long, ulonglong, 32)
SIMT_ALIGNED(double, double, 16)
SIMT_ALIGNED(double, double, 32)
#undef SIMT_ALIGNED

// A launch's grid or block: what is left out is 1.
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned along_x = 1, unsigned along_y = 1, unsigned along_z = 1)
        : x(along_x), y(along_y), z(along_z) {}
    constexpr dim3(uint3 index) : x(index.x), y(index.y), z(index.z) {}
    constexpr operator uint3() const { return {x, y, z}; }
};
