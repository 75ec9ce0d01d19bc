#include "core/storage.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define TG_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TG_ADDRESS_SANITIZER
#endif
#endif
#ifdef TG_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

#include "core/error.h"
#include "core/pinned.h"
#include "core/recording.h"
#include "kernels/cuda/cuda.h"

namespace tg {

// ---- small objects -----------------------------------------------------------------------------
namespace {

constexpr std::size_t small_step = 64;
constexpr std::size_t small_classes = 24;  // up to 1,536 bytes

// The blocks that this thread has freed, by size. What is left at the thread's end goes back.
struct SmallBlocks {
    struct Block {
        Block* next;
    };
    Block* free[small_classes] = {};
    ~SmallBlocks() {
        for (Block*& list : free)
            while (Block* block = list) {
                list = block->next;
                ::operator delete(block);
            }
        alive = false;
    }
    static thread_local bool alive;
};
thread_local bool SmallBlocks::alive = true;
thread_local SmallBlocks small_blocks;

}  // namespace

void* allocate_small(std::size_t bytes) {
    const std::size_t c = (bytes + small_step - 1) / small_step;
    if (c >= small_classes || !SmallBlocks::alive) return ::operator new(small_step* c);
    SmallBlocks::Block*& list = small_blocks.free[c];
    if (!list) return ::operator new(small_step* c);
    SmallBlocks::Block* block = list;
    list = block->next;
    return block;
}

void release_small(void* pointer, std::size_t bytes) noexcept {
    const std::size_t c = (bytes + small_step - 1) / small_step;
    if (c >= small_classes || !SmallBlocks::alive) return ::operator delete(pointer);
    auto* block = static_cast<SmallBlocks::Block*>(pointer);
    block->next = small_blocks.free[c];
    small_blocks.free[c] = block;
}

// ---- the tensors' bytes ------------------------------------------------------------------------
namespace allocator {
namespace {

// Sizes are rounded up to a few steps per power of two, so that freed blocks fit later requests.
std::int64_t rounded(std::int64_t bytes) {
    std::int64_t step = 64;
    while (bytes > step * 16) step *= 2;
    return (bytes + step - 1) / step * step;
}

using Stream = const void*;  // null: the default one, and all that the CPU has

struct Heap {
    std::mutex mutex;
    std::map<std::pair<Stream, std::int64_t>, std::vector<void*>> kept;
    std::map<const void*, Stream> taken_on;  // blocks alive, unless it is the default stream
    std::set<const void*> shared;            // blocks alive
    Statistics statistics;
};

Heap& heap(Device device) {
    static Heap* heaps = new Heap[2];
    return heaps[static_cast<int>(device)];
}

void* from_system(std::int64_t bytes, Device device) {
    const auto size = static_cast<std::size_t>(bytes);
    if (device == Device::cuda) return kernels::cuda::backend().allocate(size);
    return std::aligned_alloc(64, size);
}

void to_system(void* block, Device device) {
    if (device == Device::cuda)
        kernels::cuda::backend().release(block);
    else
        std::free(block);
}

// Under the address sanitizer only the bytes asked for may be touched, and none of a kept block's.
void allow(void* block, std::int64_t bytes, std::int64_t size, Device device) {
#ifdef TG_ADDRESS_SANITIZER
    if (device != Device::cpu) return;
    ASAN_POISON_MEMORY_REGION(block, static_cast<std::size_t>(size));
    ASAN_UNPOISON_MEMORY_REGION(block, static_cast<std::size_t>(bytes));
#else
    (void)block, (void)bytes, (void)size, (void)device;
#endif
}

void release_kept(Heap& h, Device device) {
    for (auto& [key, blocks] : h.kept)
        for (void* block : blocks) to_system(block, device);
    h.kept.clear();
    h.statistics.kept = 0;
}

}  // namespace

void* take(std::int64_t bytes, Device device) {
    const std::int64_t size = rounded(std::max<std::int64_t>(bytes, 1));
    Heap& h = heap(device);
    std::lock_guard lock(h.mutex);
    if (size > h.statistics.limit - h.statistics.live)
        fail(ErrorKind::memory, "out of memory: ", bytes, " bytes were asked for, and ",
             h.statistics.live, " are in use of the ", h.statistics.limit,
             " that allocator.set_limit allows on ", name_of(device));
    void* block = nullptr;
    const Stream stream = device == Device::cuda ? kernels::cuda::backend().stream() : nullptr;
    auto& kept = h.kept[{stream, size}];
    if (!kept.empty()) {
        block = kept.back();
        kept.pop_back();
        h.statistics.kept -= size;
    } else {
        block = from_system(size, device);
        if (!block) {
            release_kept(h, device);
            block = from_system(size, device);
        }
        if (!block)
            fail(ErrorKind::memory, "out of memory: on ", name_of(device), ", ", bytes,
                 " bytes were asked for, and ", h.statistics.live, " are in use");
    }
    if (stream != nullptr) h.taken_on[block] = stream;
    allow(block, bytes, size, device);
    h.statistics.live += size;
    h.statistics.requests += 1;
    h.statistics.peak = std::max(h.statistics.peak, h.statistics.live);
    return block;
}

void give(void* block, std::int64_t bytes, Device device) {
    const std::int64_t size = rounded(std::max<std::int64_t>(bytes, 1));
    Heap& h = heap(device);
    std::lock_guard lock(h.mutex);
    h.statistics.live -= size;
    h.statistics.kept += size;
    if (h.shared.erase(block) > 0) kernels::cuda::backend().synchronize();
    const auto found = h.taken_on.find(block);
    h.kept[{found == h.taken_on.end() ? nullptr : found->second, size}].push_back(block);
    if (found != h.taken_on.end()) h.taken_on.erase(found);
    allow(block, 0, size, device);
}

void share(const void* block) {
    Heap& h = heap(Device::cuda);
    std::lock_guard lock(h.mutex);
    h.shared.insert(block);
}

void forget_stream(const void* stream) {
    Heap& h = heap(Device::cuda);
    std::lock_guard lock(h.mutex);
    for (auto i = h.kept.begin(); i != h.kept.end();) {
        const auto [of, size] = i->first;
        if (of == stream) {
            auto& kept = h.kept[{nullptr, size}];
            kept.insert(kept.end(), i->second.begin(), i->second.end());
        }
        i = of == stream ? h.kept.erase(i) : std::next(i);
    }
    std::erase_if(h.taken_on, [&](const auto& block) { return block.second == stream; });
}

Statistics statistics(Device device) {
    Heap& h = heap(device);
    std::lock_guard lock(h.mutex);
    return h.statistics;
}

void reset_peak(Device device) {
    Heap& h = heap(device);
    std::lock_guard lock(h.mutex);
    h.statistics.peak = h.statistics.live;
}

void set_limit(std::int64_t bytes, Device device) {
    if (bytes < 0)
        fail(ErrorKind::value, "set_limit: a limit of ", bytes, " bytes; it is 0 or more");
    Heap& h = heap(device);
    std::lock_guard lock(h.mutex);
    h.statistics.limit = bytes;
}

void release_kept() {
    for (Device device : {Device::cpu, Device::cuda}) {
        Heap& h = heap(device);
        std::lock_guard lock(h.mutex);
        release_kept(h, device);
    }
}

}  // namespace allocator

// ---- storage -----------------------------------------------------------------------------------

const char* name_of(Device device) { return device == Device::cpu ? "cpu" : "cuda"; }

Device device_named(const std::string& name) {
    if (name == "cpu") return Device::cpu;
    if (name == "cuda" || name == "cuda:0") return Device::cuda;
    fail(ErrorKind::runtime, "device: '", name, "' is not known; there are 'cpu' and 'cuda'");
}

Storage::~Storage() {
    if (allocated) allocator::give(data, bytes, device);
}

static Ref<Storage> without_bytes(const Dims& shape, DType dtype, Device device) {
    Ref<Storage> storage(new Storage);
    storage->dtype = dtype;
    storage->device = device;
    storage->shape = shape;
    if (const Recording* r = recording()) storage->born = r->id;
    return storage;
}

Ref<Storage> symbol_storage(const Dims& shape, DType dtype, Device device) {
    Ref<Storage> storage = without_bytes(shape, dtype, device);
    storage->symbol = true;
    return storage;
}

Ref<Storage> part_from_bytes(Storage& storage) {
    Ref<Storage> own = allocate(storage.shape, storage.dtype, storage.device);
    copy_bytes(own->data, own->device, storage.data, storage.device, storage.bytes);
    storage.symbol = true;
    return own;
}

Ref<Storage> allocate(const Dims& shape, DType dtype, Device device) {
    Ref<Storage> storage = without_bytes(shape, dtype, device);
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(element_count(shape), size_of(dtype), &bytes))
        fail(ErrorKind::runtime, "shape: ", text(shape), " of ", name_of(dtype),
             " has more bytes than an int64 counts");
    if (device == Device::cpu && bytes <= static_cast<std::int64_t>(sizeof storage->small)) {
        storage->data = storage->small;
    } else {
        storage->data = allocator::take(bytes, device);
        storage->allocated = true;
    }
    storage->bytes = bytes;
    return storage;
}

Ref<Storage> borrow(void* data, std::int64_t elements, DType dtype, std::shared_ptr<void> owner) {
    Ref<Storage> storage = without_bytes({elements}, dtype, Device::cpu);
    storage->data = data;
    storage->bytes = elements * size_of(dtype);
    storage->owner = std::move(owner);
    storage->foreign = true;
    return storage;
}

void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::int64_t bytes) {
    const auto size = static_cast<std::size_t>(bytes);
    if (size == 0) return;
    if (to_device == Device::cpu && from_device == Device::cpu) {
        std::memcpy(to, from, size);
    } else if (to_device == Device::cuda && from_device == Device::cpu) {
        const kernels::cuda::Backend& cuda = kernels::cuda::backend();
        (only_begins(from) ? cuda.begin_to_device : cuda.to_device)(to, from, size);
    } else if (to_device == Device::cpu) {
        kernels::cuda::backend().to_host(to, from, size);
    } else {
        std::vector<char> buffer(size);
        kernels::cuda::backend().to_host(buffer.data(), from, size);
        kernels::cuda::backend().to_device(to, buffer.data(), size);
    }
}

}  // namespace tg
