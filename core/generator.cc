#include "core/generator.h"

#include <mutex>
#include <random>

#include "core/apply.h"
#include "core/history.h"
#include "core/ops.h"
#include "core/recording.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

constexpr std::uint64_t first_seed = 67280421310721;  // as in PyTorch

std::vector<std::int64_t> start_of(std::uint64_t seed) {
    return {static_cast<std::int64_t>(seed), 0};
}

// What is decided while a function is traced would stay so at all calls of its program.
void not_in_a_trace(const char* what, const char* instead) {
    for (const Recording* r = recording(); r; r = r->enclosing)
        if (r->kind == Recording::traced)
            fail(ErrorKind::runtime, what, ": ", r->name, " is being traced, and its program ",
                 instead);
}

}  // namespace

struct Generator::State {
    std::mutex mutex;
    Tensor numbers;  // (2,) int64, seed and offset
    Device device = Device::cpu;
    bool everywhere = false;  // it draws for tensors on every device

    explicit State(std::uint64_t seed) : numbers(tensor(start_of(seed))) {
        numbers.handle().storage->generator = true;
    }
};

Generator& default_generator() {
    static Generator& g = *[] {
        const RecordingScope outside(nullptr);
        auto* made = new Generator;
        made->manual_seed(0);
        made->state_->everywhere = true;
        return made;
    }();
    return g;
}

Generator::Generator(Device device) {
    not_in_a_trace("Generator", "would not make it anew at each call; make it outside");
    state_ = std::make_shared<State>(first_seed);
    state_->device = device;
}

Device Generator::device() const { return state_->device; }

Generator& Generator::manual_seed(std::uint64_t seed) {
    const Tensor start = tensor(start_of(seed));
    const std::lock_guard lock(state_->mutex);
    const NoGrad mode;
    write(state_->numbers, start, "manual_seed");
    return *this;
}

std::uint64_t Generator::seed() {
    not_in_a_trace("seed", "would start from the same one at each call; call it outside");
    std::random_device system;
    const std::uint64_t seed = (std::uint64_t{system()} << 32) | system();
    manual_seed(seed);
    return seed;
}

std::uint64_t Generator::initial_seed() const {
    not_in_a_trace("initial_seed", "would keep the seed of now; get_state()[0] is a tensor");
    const std::lock_guard lock(state_->mutex);
    return static_cast<std::uint64_t>(*static_cast<const std::int64_t*>(state_->numbers.data()));
}

Tensor Generator::get_state() const {
    const std::lock_guard lock(state_->mutex);
    const NoGrad mode;
    return clone(state_->numbers);
}

void Generator::set_state(const Tensor& state) {
    const bool wrong = state.dtype() != DType::int64 || state.device() != Device::cpu;
    if (wrong || state.shape() != Dims{2})
        fail(wrong ? ErrorKind::type : ErrorKind::runtime, "the state is ", describe(state), " on ",
             name_of(state.device()), ", not the int64 (2,) on cpu of a generator");
    const std::lock_guard lock(state_->mutex);
    const NoGrad mode;
    write(state_->numbers, state, "set_state");
}

Generator Generator::clone_state() const {
    Generator other(state_->device);
    other.set_state(get_state());
    return other;
}

void Generator::check_device(const char* op, Device device) const {
    if (state_->everywhere || device == state_->device) return;
    fail(ErrorKind::runtime, op, ": the generator is on ", name_of(state_->device),
         ", and the tensor on ", name_of(device), "; make it with Generator(\"", name_of(device),
         "\")");
}

// A draw is whole or not at all, and the thread that makes it never waits for others while it holds
// the lock: an interrupt's handler would, for Python's lock.
Tensor Generator::draw(const Op& op, const Attrs& attrs, std::int64_t count) const {
    const NoGrad mode;
    const kernels::Uninterrupted whole;
    const std::lock_guard lock(state_->mutex);
    const Tensor t = apply(op, {state_->numbers}, attrs);
    const Tensor offset = select(state_->numbers, 0, 1);
    write(offset, add(offset, count), op.name);
    return t;
}

}  // namespace tg
