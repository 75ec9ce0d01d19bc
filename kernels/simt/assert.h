// assert in kernels. With this folder on the include path the file stands in for C's own of the
// same name, so <cassert> gives this assert wherever a source includes it. As C's, it may be
// included again, and looks at NDEBUG each time.

// A condition that does not hold fails the launch, and in a host function ends the process.
[[noreturn]] void simt_assertion_failed(const char* condition, const char* file, int line,
                                        const char* function);

#undef assert
#ifdef NDEBUG
#define assert(condition) static_cast<void>(0)
#else
#define assert(condition) \
    ((condition) ? void(0) : simt_assertion_failed(#condition, __FILE__, __LINE__, __func__))
#endif
