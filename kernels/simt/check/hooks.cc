// The functions that g++ -fsanitize=thread,bounds calls at every access to memory. Their names and
// arguments are the compiler's; ThreadSanitizer itself is not linked.
#include <cstdint>
#include <cstring>

#include "state.h"

namespace {

using simt::check::Address;
using simt::check::stack_begin;
using simt::check::stack_bytes;
using simt::check::Way;

// Code that runs anywhere but on a CUDA thread's stack is the host's, and what lies there is local.
inline void touch(const void* pointer, unsigned size, Way way, bool aligned, const void* code,
                  const void* frame) {
    const auto at = reinterpret_cast<Address>(pointer);
    if (reinterpret_cast<Address>(frame) - stack_begin >= stack_bytes) return;
    if (at - stack_begin < stack_bytes) return;
    simt::check::access(at, size, way, aligned, reinterpret_cast<Address>(code));
}

}  // namespace

#define CODE __builtin_return_address(0)
#define FRAME __builtin_frame_address(0)
#define ACCESS(name, size, way, aligned) \
    void __tsan_##name(void* at) { touch(at, size, Way::way, aligned, CODE, FRAME); }

extern "C" {

ACCESS(read1, 1, read, true)
ACCESS(read2, 2, read, true)
ACCESS(read4, 4, read, true)
ACCESS(read8, 8, read, true)
ACCESS(read16, 16, read, true)
ACCESS(write1, 1, write, true)
ACCESS(write2, 2, write, true)
ACCESS(write4, 4, write, true)
ACCESS(write8, 8, write, true)
ACCESS(write16, 16, write, true)
ACCESS(unaligned_read2, 2, read, false)
ACCESS(unaligned_read4, 4, read, false)
ACCESS(unaligned_read8, 8, read, false)
ACCESS(unaligned_read16, 16, read, false)
ACCESS(unaligned_write2, 2, write, false)
ACCESS(unaligned_write4, 4, write, false)
ACCESS(unaligned_write8, 8, write, false)
ACCESS(unaligned_write16, 16, write, false)
ACCESS(volatile_read1, 1, read, true)
ACCESS(volatile_read2, 2, read, true)
ACCESS(volatile_read4, 4, read, true)
ACCESS(volatile_read8, 8, read, true)
ACCESS(volatile_read16, 16, read, true)
ACCESS(volatile_write1, 1, write, true)
ACCESS(volatile_write2, 2, write, true)
ACCESS(volatile_write4, 4, write, true)
ACCESS(volatile_write8, 8, write, true)
ACCESS(volatile_write16, 16, write, true)

void __tsan_read_range(void* at, std::size_t size) {
    touch(at, static_cast<unsigned>(size), Way::read, false, CODE, FRAME);
}
void __tsan_write_range(void* at, std::size_t size) {
    touch(at, static_cast<unsigned>(size), Way::write, false, CODE, FRAME);
}

void* simt_memset(void* to, int value, std::size_t bytes) noexcept {
    if (bytes > 0) touch(to, static_cast<unsigned>(bytes), Way::write, false, CODE, FRAME);
    return std::memset(to, value, bytes);
}
void* simt_memcpy(void* to, const void* from, std::size_t bytes) noexcept {
    if (bytes > 0) touch(from, static_cast<unsigned>(bytes), Way::read, false, CODE, FRAME);
    if (bytes > 0) touch(to, static_cast<unsigned>(bytes), Way::write, false, CODE, FRAME);
    return std::memcpy(to, from, bytes);
}
void* simt_memmove(void* to, const void* from, std::size_t bytes) noexcept {
    if (bytes > 0) touch(from, static_cast<unsigned>(bytes), Way::read, false, CODE, FRAME);
    if (bytes > 0) touch(to, static_cast<unsigned>(bytes), Way::write, false, CODE, FRAME);
    return std::memmove(to, from, bytes);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

// What std::atomic and the guards of local statics become, on the host.
std::uint8_t __tsan_atomic8_load(const volatile std::uint8_t* at, int) {
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}
std::uint32_t __tsan_atomic32_load(const volatile std::uint32_t* at, int) {
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}
std::uint64_t __tsan_atomic64_load(const volatile std::uint64_t* at, int) {
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}
void __tsan_atomic32_store(volatile std::uint32_t* at, std::uint32_t value, int) {
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
}
void __tsan_atomic64_store(volatile std::uint64_t* at, std::uint64_t value, int) {
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
}
std::uint32_t __tsan_atomic32_fetch_add(volatile std::uint32_t* at, std::uint32_t value, int) {
    return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);
}
std::uint64_t __tsan_atomic64_fetch_add(volatile std::uint64_t* at, std::uint64_t value, int) {
    return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);
}

// What -fsanitize=bounds,alignment says of an index or a pointer: where, and the types.
// [GCC's libsanitizer, ubsan]
struct Type {
    std::uint16_t kind, info;  // kind 0: an integer of 2^(info / 2) bits, signed if info is odd
    char name[1];
};
struct BoundsData {
    const char* file;
    std::uint32_t line, column;
    const Type* array;
    const Type* index;
};
struct AlignmentData {
    const char* file;
    std::uint32_t line, column;
    const Type* type;
    unsigned char log_alignment, use;
};

void __ubsan_handle_out_of_bounds(const BoundsData* data, std::uintptr_t index) {
    if (reinterpret_cast<Address>(FRAME) - stack_begin >= stack_bytes) return;
    long long value = static_cast<long long>(index);
    const unsigned bits = 1u << (data->index->info >> 1);
    if (bits > 64) value = *reinterpret_cast<const long long*>(index);
    if ((data->index->info & 1) && bits < 64)
        value = static_cast<long long>(index << (64 - bits)) >> (64 - bits);
    simt::check::outside_array(data->array->name, value, data->file, data->line);
}
void __ubsan_handle_out_of_bounds_abort(const BoundsData* data, std::uintptr_t index) {
    __ubsan_handle_out_of_bounds(data, index);
}

// Before the access itself; alone in seeing a struct that is built where it belongs, which is
// stored member by member.
void __ubsan_handle_type_mismatch_v1(const AlignmentData* data, std::uintptr_t at) {
    if (reinterpret_cast<Address>(FRAME) - stack_begin >= stack_bytes) return;
    simt::check::misaligned(at, data->type->name, 1u << data->log_alignment,
                            reinterpret_cast<Address>(CODE));
}
void __ubsan_handle_type_mismatch_v1_abort(const AlignmentData* data, std::uintptr_t at) {
    if (reinterpret_cast<Address>(FRAME) - stack_begin >= stack_bytes) return;
    simt::check::misaligned(at, data->type->name, 1u << data->log_alignment,
                            reinterpret_cast<Address>(CODE));
}

}  // extern "C"
