// What AddressSanitizer has to be told: that a stack was changed under its feet, and which device
// memory is nobody's. Without it these functions are empty.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SIMT_ASAN 1
#endif

#ifdef SIMT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace simt {

#ifdef SIMT_ASAN
constexpr bool under_asan = true;
inline void before_switch(void** frames, const void* stack, std::size_t bytes) {
    __sanitizer_start_switch_fiber(frames, stack, bytes);
}
inline void after_switch(void* frames, const void** old_stack, std::size_t* old_bytes) {
    __sanitizer_finish_switch_fiber(frames, old_stack, old_bytes);
}
inline void poison(const void* memory, std::size_t bytes) {
    __asan_poison_memory_region(memory, bytes);
}
inline void unpoison(const void* memory, std::size_t bytes) {
    __asan_unpoison_memory_region(memory, bytes);
}
#else
constexpr bool under_asan = false;
inline void before_switch(void**, const void*, std::size_t) {}
inline void after_switch(void*, const void**, std::size_t*) {}
inline void poison(const void*, std::size_t) {}
inline void unpoison(const void*, std::size_t) {}
#endif

}  // namespace simt
