#include "counted.h"

#include "observer.h"

namespace simt {

void count_operations(unsigned operations, const void* code, const void* changed,
                      std::size_t bytes) {
    if (observer) observer->computed(operations, code, changed, bytes);
}

}  // namespace simt
