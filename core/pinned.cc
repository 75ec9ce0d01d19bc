// Blocks of pinned memory are slow to get, so freed ones are kept for the next request of their
// size. A copy may still read a block that is freed: an event says when that is over.
#include "core/pinned.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "core/history.h"
#include "core/ops.h"
#include "core/recording.h"
#include "kernels/cuda/cuda.h"

namespace tg {
namespace {

struct Freed {
    void* block = nullptr;
    kernels::cuda::Event* event = nullptr;  // behind the last copy
};

struct Blocks {
    std::mutex mutex;
    std::map<const char*, std::size_t> alive;  // by address: how long
    std::map<std::size_t, std::vector<Freed>> freed;
};

Blocks& blocks() {
    static Blocks& all = *new Blocks;  // tensors may end after all statics have
    return all;
}

void* take(std::size_t bytes) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    Blocks& all = blocks();
    const std::lock_guard lock(all.mutex);
    void* block = nullptr;
    std::vector<Freed>& fitting = all.freed[bytes];
    for (Freed& f : fitting) {
        if (f.event != nullptr && !device.has_ended(f.event)) continue;
        if (f.event != nullptr) device.drop_event(f.event);
        block = f.block;
        f = fitting.back();
        fitting.pop_back();
        break;
    }
    if (block == nullptr) block = device.allocate_pinned(bytes);
    if (block == nullptr)
        fail(ErrorKind::memory, "pin_memory: there are no ", bytes, " bytes of pinned memory left");
    all.alive[static_cast<const char*>(block)] = bytes;
    return block;
}

void give(void* block) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    Blocks& all = blocks();
    const std::lock_guard lock(all.mutex);
    const auto found = all.alive.find(static_cast<const char*>(block));
    kernels::cuda::Event* event = device.make_event();
    if (event == nullptr) {
        device.synchronize();
    } else {  // on the default stream, which waits for the others
        kernels::cuda::Stream* stream = device.stream();
        device.use_stream(nullptr);
        device.record(event);
        device.use_stream(stream);
    }
    all.freed[found->second].push_back({block, event});
    all.alive.erase(found);
}

bool holds(const void* address) {
    Blocks& all = blocks();
    const std::lock_guard lock(all.mutex);
    const auto* place = static_cast<const char*>(address);
    auto found = all.alive.upper_bound(place);
    return found != all.alive.begin() && place < (--found)->first + found->second;
}

thread_local bool only_beginning = false;

}  // namespace

Tensor pin_memory(const Tensor& x) {
    if (const Recording* r = recording())
        fail(ErrorKind::runtime, "pin_memory: not inside ", r->name,
             ", where a tensor has no bytes yet; pin what the program is given");
    if (x.device() != Device::cpu)
        fail(ErrorKind::runtime, "pin_memory: only tensors on the cpu can be pinned, and this is ",
             "on ", name_of(x.device()));
    if (grad_enabled() && x.requires_grad())
        fail(ErrorKind::runtime, "pin_memory: gradients flow through this tensor, and would not ",
             "come from the pinned copy; pin x.detach()");
    if (is_pinned(x)) return x;
    const Tensor whole = contiguous(x.detach());
    const std::int64_t bytes = std::max<std::int64_t>(whole.numel() * size_of(x.dtype()), 1);
    void* block = take(static_cast<std::size_t>(bytes));
    Ref<Storage> storage =
        borrow(block, whole.numel(), x.dtype(), std::shared_ptr<void>(block, give));
    storage->shape = x.shape();
    storage->foreign = false;  // nobody else has its address
    copy_bytes(block, Device::cpu, whole.data(), Device::cpu, whole.numel() * size_of(x.dtype()));
    return tensor_of(std::move(storage), Layout::contiguous(x.shape()));
}

bool is_pinned(const Tensor& x) {
    return !x.is_symbolic() && x.device() == Device::cpu && holds(x.handle().storage->data);
}

BegunCopies::BegunCopies(bool on) : before_(only_beginning) { only_beginning = on; }
BegunCopies::~BegunCopies() { only_beginning = before_; }
bool only_begins(const void* from) { return only_beginning && holds(from); }

}  // namespace tg
