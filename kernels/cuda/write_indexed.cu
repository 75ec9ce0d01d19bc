// by_index at the index = straight, or += straight: scatter, scatter_add and x[rows] = value. See
// indexed.h for the letters: Q items, P places, rows of R elements. Several items may name one
// place: then the last one stays, or all are added, and of floats the order decides the last bits.
// The CPU takes them in the order of the items. So do rungs 1 and 3, bit for bit; rung 2 does not.
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/indexed.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/sort_keys.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// What becomes of a place's element: a running value that starts with what is there and takes one
// item after the other. Sums of floats may need a wider one: see runs_in_double().
template <class T>
struct Put {
    using Element = T;
    using Running = T;
    static __device__ __forceinline__ T take(T, T item) { return item; }
};
template <class T, class Wide>
struct Sum {
    using Element = T;
    using Running = Wide;
    static __device__ __forceinline__ Wide take(Wide total, T item) {
        return formula::Add::of<Wide>(total, static_cast<Wide>(item));
    }
};

// ---- rung 1: outputs --------------------------------------------------------------------------
// Thread t owns element t, t + all threads, ... of all P R, looks through the whole index for items
// that name its place, and takes them in order: no two threads write one element.
// Wasted: nearly everything. P R Q looks at an index for Q R elements that are moved.
template <class Way>
__global__ void write_outputs(Indexed x, typename Way::Element* by_index,
                              const typename Way::Element* straight) {
    const std::int64_t r_count = x.rest.count;
    for (std::int64_t e = thread_number(); e < x.places.count * r_count; e += thread_count()) {
        const std::int64_t place = e / r_count;
        std::int64_t at[2];
        x.rest.offset(e % r_count, at);
        auto& element = by_index[place_at(x, place) + at[1]];
        auto running = static_cast<typename Way::Running>(element);
        bool named = false;
        for (std::int64_t q = 0; q < x.items.count; ++q) {
            const Item item = item_at(x, q);
            if (item.place != place) continue;
            running = Way::take(running, straight[item.straight + at[0]]);
            named = true;
        }
        if (named) element = static_cast<typename Way::Element>(running);
    }
}

// ---- rung 2: atomics --------------------------------------------------------------------------
// Thread t owns elements t, t + all threads, ... of the Q R that are added, and adds each at once.
// atomicAdd makes reading, adding and writing one step that no other thread can come between; those
// that want one place wait for each other. Nothing is done in vain, but the order is that in which
// threads come by: sums of floats differ in the last bits, and from run to run on a GPU. Integers
// wrap, so their sums are the same in any order.
template <class T>
__device__ __forceinline__ void add_at_once(T* to, T value) {
    if constexpr (sizeof(T) == 8 && !formula::is_float<T>)
        atomicAdd(reinterpret_cast<unsigned long long*>(to),
                  static_cast<unsigned long long>(value));
    else
        atomicAdd(to, value);
}

template <class T>
__global__ void add_atomically(Indexed x, T* by_index, const T* straight) {
    const std::int64_t r_count = x.rest.count;
    for (std::int64_t e = thread_number(); e < x.items.count * r_count; e += thread_count()) {
        const Item item = item_at(x, e / r_count);
        std::int64_t at[2];
        x.rest.offset(e % r_count, at);
        add_at_once(&by_index[place_at(x, item.place) + at[1]], straight[item.straight + at[0]]);
    }
}

// ---- rung 3: sorted ---------------------------------------------------------------------------
// The items are sorted by place, and among those of one place by their own number: a key has the
// place in its upper 32 bits, the item in its lower 32. Then the items of a place are neighbours,
// in the CPU's order, and the first one's thread takes them all: thread e owns key e / R, element e
// % R of its row. Work: Q log^2 Q comparisons, and the Q R elements once each. Wasted: the threads
// of keys that are not first; and where a million items name one place, one thread takes them (R
// do, of rows).
__global__ void make_keys(Indexed x, std::int64_t padded, Key* keys) {
    for (std::int64_t q = thread_number(); q < padded; q += thread_count()) {
        const bool real = q < x.items.count;
        keys[q] = real ? static_cast<Key>(item_at(x, q).place) << 32 | static_cast<Key>(q)
                       : ~Key{0};  // goes behind all others
    }
}

template <class Way>
__global__ void write_sorted(Indexed x, const Key* keys, typename Way::Element* by_index,
                             const typename Way::Element* straight) {
    const std::int64_t r_count = x.rest.count, q_count = x.items.count;
    for (std::int64_t e = thread_number(); e < q_count * r_count; e += thread_count()) {
        std::int64_t k = e / r_count;
        const Key place = keys[k] >> 32;
        if (k > 0 && keys[k - 1] >> 32 == place) continue;
        std::int64_t at[2];
        x.rest.offset(e % r_count, at);
        auto& element = by_index[place_at(x, static_cast<std::int64_t>(place)) + at[1]];
        auto running = static_cast<typename Way::Running>(element);
        for (; k < q_count && keys[k] >> 32 == place; ++k) {
            const auto q = static_cast<std::int64_t>(keys[k] & 0xffffffffu);
            running = Way::take(running, straight[item_at(x, q).straight + at[0]]);
        }
        element = static_cast<typename Way::Element>(running);
    }
}

// ---- from arrays to launches ------------------------------------------------------------------
enum class Choice { best, outputs, atomics, sorted };

struct Write {
    Choice choice = Choice::best;
    Indexed x;
    const Array& by_index;
    const Array& straight;
};

template <class Way>
void by_outputs(const Write& w) {
    using T = typename Way::Element;
    const std::int64_t count = w.x.places.count * w.x.rest.count;
    launch(write_outputs<Way>, grid_up_to(blocks_for(count, block_threads)), block_threads, 0, w.x,
           static_cast<T*>(w.by_index.data), static_cast<const T*>(w.straight.data));
}

template <class Way>
bool by_sorting(const Write& w) {
    static thread_local Scratch scratch;
    constexpr std::int64_t most = std::int64_t{1} << 31;  // both have 32 bits of a key
    const std::int64_t q_count = w.x.items.count;
    if (q_count > most || w.x.places.count > most) return false;
    const std::int64_t padded = power_of_two_from(q_count);
    auto* keys =
        static_cast<Key*>(scratch.at_least(static_cast<std::size_t>(padded) * sizeof(Key)));
    if (keys == nullptr) return false;
    launch(make_keys, grid_up_to(blocks_for(padded, block_threads)), block_threads, 0, w.x, padded,
           keys);
    sort_keys(keys, padded);
    using T = typename Way::Element;
    launch(write_sorted<Way>, grid_up_to(blocks_for(q_count * w.x.rest.count, block_threads)),
           block_threads, 0, w.x, keys, static_cast<T*>(w.by_index.data),
           static_cast<const T*>(w.straight.data));
    return true;
}

// A handful of items is looked through sooner than sorted.
template <class Way>
bool in_order(const Write& w) {
    const bool few = w.x.items.count <= 8;
    if (w.choice == Choice::atomics) return false;
    if (w.choice == Choice::sorted || (w.choice == Choice::best && !few)) return by_sorting<Way>(w);
    by_outputs<Way>(w);
    return true;
}

template <class T>
bool at_once(const Write& w) {
    const std::int64_t count = w.x.items.count * w.x.rest.count;
    launch(add_atomically<T>, grid_up_to(blocks_for(count, block_threads)), block_threads, 0, w.x,
           static_cast<T*>(w.by_index.data), static_cast<const T*>(w.straight.data));
    return true;
}

// As on the CPU: a float is too short for a long running sum, and where there is more to add than
// there are places, some get several.
bool runs_in_double(const Write& w) {
    return w.by_index.dtype == DType::float32 && w.straight.size() > w.by_index.size();
}

bool put(const Write& w) {
    if (w.straight.size() == 0) return true;
    return visit_size(w.by_index.dtype, [&]<class U>(U) { return in_order<Put<U>>(w); });
}

// int32 and int64 by atomics, in whatever order; all others in order.
bool add(const Write& w) {
    if (w.straight.size() == 0) return true;
    return visit_all(w.by_index.dtype, [&]<class T>(T) {
        constexpr bool has_atomic = sizeof(T) >= 4;
        constexpr bool any_order = has_atomic && !formula::is_float<T>;
        if constexpr (has_atomic)
            if (w.choice == Choice::atomics || (any_order && w.choice == Choice::best))
                return at_once<T>(w);
        if constexpr (formula::same<T, float>)
            if (runs_in_double(w)) return in_order<Sum<T, double>>(w);
        return in_order<Sum<T, T>>(w);
    });
}

template <Choice choice, bool accumulate>
bool along(const Array& out, const Array& index, const Array& src, int dim, Outside& outside) {
    if (out.dtype != src.dtype) return false;
    const Write w = {choice, along_dim(src, index, out, dim), out, src};
    if (!find_outside<ThisMachine>(index, w.x.size, false, outside)) return false;
    return outside || (accumulate ? add(w) : put(w));
}

template <Choice choice>
bool rows_rung(const Array& out, const Array& index, const Array& src, const Rows& rows,
               bool accumulate, Outside& outside) {
    if (out.dtype != src.dtype) return false;
    const Write w = {choice, by_rows(src, index, out, rows), out, src};
    if (!find_outside<ThisMachine>(index, w.x.size, w.x.wraps, outside)) return false;
    return outside || (accumulate ? add(w) : put(w));
}

}  // namespace

template <class Machine>
bool scatter(const Array& out, const Array& index, const Array& src, int dim, Outside& outside) {
    return along<Choice::best, false>(out, index, src, dim, outside);
}

template <class Machine>
bool scatter_add(const Array& out, const Array& index, const Array& src, int dim,
                 Outside& outside) {
    return along<Choice::best, true>(out, index, src, dim, outside);
}

template <class Machine>
bool put_rows(const Array& out, const Array& index, const Array& src, const Rows& rows,
              bool accumulate, Outside& outside) {
    return rows_rung<Choice::best>(out, index, src, rows, accumulate, outside);
}

template <class Machine>
std::span<const Rung<Scatter>> scatter_rungs() {
    static constexpr Rung<Scatter> rungs[] = {{"outputs", along<Choice::outputs, false>},
                                              {"sorted", along<Choice::sorted, false>}};
    return rungs;
}

template <class Machine>
std::span<const Rung<Scatter>> scatter_add_rungs() {
    static constexpr Rung<Scatter> rungs[] = {{"outputs", along<Choice::outputs, true>},
                                              {"atomics", along<Choice::atomics, true>},
                                              {"sorted", along<Choice::sorted, true>}};
    return rungs;
}

template <class Machine>
std::span<const Rung<PutRows>> put_rows_rungs() {
    static constexpr Rung<PutRows> rungs[] = {{"outputs", rows_rung<Choice::outputs>},
                                              {"atomics", rows_rung<Choice::atomics>},
                                              {"sorted", rows_rung<Choice::sorted>}};
    return rungs;
}

template bool scatter<ThisMachine>(const Array&, const Array&, const Array&, int, Outside&);
template bool scatter_add<ThisMachine>(const Array&, const Array&, const Array&, int, Outside&);
template bool put_rows<ThisMachine>(const Array&, const Array&, const Array&, const Rows&, bool,
                                    Outside&);
template std::span<const Rung<Scatter>> scatter_rungs<ThisMachine>();
template std::span<const Rung<Scatter>> scatter_add_rungs<ThisMachine>();
template std::span<const Rung<PutRows>> put_rows_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
