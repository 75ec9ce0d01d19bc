// Storage: the bytes, and how often they were written. It knows nothing of gradients.
// Read next: tensor.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/dims.h"
#include "core/dtype.h"
#include "core/ref.h"
#include "core/where.h"

namespace tg {

enum class Device : std::uint8_t { cpu, cuda };
const char* name_of(Device device);
// Where Python's tg.zeros and its kin put a tensor if they are not told, in this thread. C++ says
// it in its Options.
Device default_device();
void set_default_device(Device device);
Device device_named(const std::string& name);  // "cpu", "cuda", "cuda:0"; throws Error

// A contiguous run of elements. `shape` is the shape of the tensor that it was made for, the base
// of all views of it.
struct Storage : Counted {
    void* data = nullptr;
    std::int64_t bytes = 0;
    DType dtype = DType::float32;
    Device device = Device::cpu;
    Dims shape;
    std::uint64_t born = 0;  // the innermost recording open when it was made
    bool symbol = false;     // of that recording: there are no bytes yet

    std::atomic<std::uint32_t> version{0};  // how often it was written
    Where writer;                           // the line of the last write, and the op that did it
    const char* written_by = "";

    bool allocated = false;               // the bytes are a block of the allocator's
    bool foreign = false;                 // others (NumPy) hold a pointer to these bytes
    bool generator = false;               // a generator's state: a graph, too, moves it on
    std::shared_ptr<void> owner;          // keeps borrowed bytes alive
    alignas(16) unsigned char small[64];  // the bytes of a small tensor

    ~Storage();
};

// Bytes for a contiguous tensor, not initialised. Throws MemoryError with the size asked for.
Ref<Storage> allocate(const Dims& shape, DType dtype, Device device);
// A storage with no bytes: what a tensor is while its op is written down.
Ref<Storage> symbol_storage(const Dims& shape, DType dtype, Device device);
// The bytes go to a storage of their own, and this one is a symbol from here on.
Ref<Storage> part_from_bytes(Storage& storage);
// Bytes that somebody else owns, and that `owner`, if there is one, keeps alive.
Ref<Storage> borrow(void* data, std::int64_t elements, DType dtype, std::shared_ptr<void> owner);

// Copies bytes between any two devices.
void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::int64_t bytes);

// The allocator keeps freed blocks for the next request of their size. Counts are in bytes of
// tensors alive, not of what is kept.
namespace allocator {
struct Statistics {
    std::int64_t live = 0;
    std::int64_t peak = 0;
    std::int64_t kept = 0;
    std::int64_t requests = 0;  // how many blocks were asked for
    std::int64_t limit = INT64_MAX;
};
Statistics statistics(Device device = Device::cpu);
void reset_peak(Device device = Device::cpu);
// No more than this many bytes of tensors at a time; a request beyond it throws MemoryError.
void set_limit(std::int64_t bytes, Device device = Device::cpu);
constexpr std::int64_t no_limit = INT64_MAX;
void release_kept();
void* take(std::int64_t bytes, Device device);
void give(void* block, std::int64_t bytes, Device device);
// Of the device: a freed block waits for a request on the stream on which it was taken, where all
// that was done with it is in order. One that other streams have used too is shared: all launches
// end before it is kept.
void share(const void* block);
void forget_stream(const void* stream);  // that has ended: its blocks are the default stream's
}  // namespace allocator

}  // namespace tg
