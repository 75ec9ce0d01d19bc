// argsort: the places of a line's elements in the order of their values. What is sorted is a pair,
// an integer that orders as the value does and the element's place: so no two are equal, and equal
// values keep their order in a network that would otherwise change it.
#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/cuda/scratch.h"
#include "kernels/cuda/sort_keys.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// A float's bits, without the sign, order as its size does; turned over below 0, and moved above
// them otherwise, they order as the numbers do. -0 is 0, and every NaN is one largest number.
template <class U, class T>
__device__ Key key_of_float(T x) {
    constexpr U sign = U{1} << (8 * sizeof(U) - 1);
    if (x != x) return static_cast<U>(~U{0});
    const U bits = x == T(0) ? U{0} : __builtin_bit_cast(U, x);
    return static_cast<U>(bits & sign ? ~bits : bits | sign);
}

template <class T>
__device__ Key key_of(T x) {
    if constexpr (std::is_same_v<T, float>)
        return key_of_float<std::uint32_t>(x);
    else if constexpr (std::is_same_v<T, double>)
        return key_of_float<std::uint64_t>(x);
    else  // the sign's bit turned over puts -1 just below 0
        return static_cast<Key>(static_cast<long long>(x)) ^ (Key{1} << 63);
}

struct Item {
    Key key;
    std::int64_t place;
};
__device__ __forceinline__ bool operator>(const Item& a, const Item& b) {
    return a.key > b.key || (a.key == b.key && a.place > b.place);
}

// Lines of n elements; what is wanted of each are the first places.
struct Lines {
    Layout<2> each;  // where a line starts: in out, in x
    std::int64_t n = 0, wanted = 0, out_step = 0, in_step = 0;
    bool descending = false;
};

template <class T>
__device__ Item item_at(const Lines& lines, const T* line, std::int64_t i) {
    const Key key = key_of(line[i * lines.in_step]);
    return {lines.descending ? ~key : key, i};
}

// ---- rung 1: by counting ----------------------------------------------------------------------
// Thread t owns elements t, t + all threads, ...: an element's rank is the number of those of its
// line that go before it. No thread waits for another. Wasted: n reads for each of n elements.
template <class T>
__global__ void sort_by_counting(Lines lines, std::int64_t* out, const T* in) {
    for (std::int64_t e = thread_number(); e < lines.each.count * lines.n; e += thread_count()) {
        std::int64_t at[2], rank = 0;
        lines.each.offset(e / lines.n, at);
        const Item mine = item_at(lines, in + at[1], e % lines.n);
        for (std::int64_t i = 0; i < lines.n; ++i) rank += mine > item_at(lines, in + at[1], i);
        if (rank < lines.wanted) out[at[0] + rank * lines.out_step] = mine.place;
    }
}

// ---- rung 2: by a network ---------------------------------------------------------------------
// Pairs are written out in lines whose length is a power of two, sorted there (sort_keys.h), and
// their places read. What fills a line goes behind all that is real. 16 bytes an element, which are
// read and written once in shared memory's reach, and once a step beyond 1,024 elements a line.
template <class T>
__global__ void write_items(Lines lines, std::int64_t padded, Item* items, const T* in) {
    for (std::int64_t e = thread_number(); e < lines.each.count * padded; e += thread_count()) {
        const std::int64_t i = e % padded;
        Item item = {~Key{0}, i};
        if (i < lines.n) {
            std::int64_t at[2];
            lines.each.offset(e / padded, at);
            item = item_at(lines, in + at[1], i);
        }
        items[e] = item;
    }
}

__global__ void read_places(Lines lines, std::int64_t padded, std::int64_t* out,
                            const Item* items) {
    const std::int64_t wanted = lines.wanted;
    for (std::int64_t e = thread_number(); e < lines.each.count * wanted; e += thread_count()) {
        std::int64_t at[2];
        lines.each.offset(e / wanted, at);
        const Item item = items[e / wanted * padded + e % wanted];
        out[at[0] + e % wanted * lines.out_step] = item.place;
    }
}

// ---- from arrays to launches ------------------------------------------------------------------
enum class Choice { best, counting, network };

template <class T>
bool by_network(const Lines& lines, std::int64_t* out, const T* in) {
    static thread_local Scratch scratch;
    const std::int64_t padded = power_of_two_from(lines.n);
    const std::int64_t all = lines.each.count * padded;
    auto* items =
        static_cast<Item*>(scratch.at_least(static_cast<std::size_t>(all) * sizeof(Item)));
    if (items == nullptr) return false;
    launch(write_items<T>, grid_up_to(blocks_for(all, block_threads)), block_threads, 0, lines,
           padded, items, in);
    sort_keys(items, padded, lines.each.count);
    launch(read_places, grid_up_to(blocks_for(lines.each.count * lines.wanted, block_threads)),
           block_threads, 0, lines, padded, out, items);
    return true;
}

bool run(Choice choice, const Array& out, const Array& in, int dim, bool descending) {
    Lines lines;
    for (int d = 0; d < in.dims; ++d)
        if (d != dim) lines.each.append(in.shape[d], {out.strides[d], in.strides[d]});
    lines.n = in.shape[dim];
    lines.wanted = out.shape[dim];
    lines.out_step = out.strides[dim];
    lines.in_step = in.strides[dim];
    lines.descending = descending;
    if (lines.each.count * lines.wanted == 0) return true;
    return visit_all(in.dtype, [&]<class T>(T) {
        auto* to = static_cast<std::int64_t*>(out.data);
        const auto* from = static_cast<const T*>(in.data);
        if (choice == Choice::network || (choice == Choice::best && lines.n > 32))
            return by_network(lines, to, from);
        launch(sort_by_counting<T>,
               grid_up_to(blocks_for(lines.each.count * lines.n, block_threads)), block_threads, 0,
               lines, to, from);
        return true;
    });
}

bool counting(const Array& out, const Array& in, int dim, bool descending) {
    return run(Choice::counting, out, in, dim, descending);
}
bool network(const Array& out, const Array& in, int dim, bool descending) {
    return run(Choice::network, out, in, dim, descending);
}

}  // namespace

// Counting for lines of at most 32, else the network.
template <class Machine>
bool argsort(const Array& out, const Array& in, int dim, bool descending) {
    return run(Choice::best, out, in, dim, descending);
}

template <class Machine>
std::span<const Rung<ArgSort>> argsort_rungs() {
    static constexpr Rung<ArgSort> rungs[] = {{"by counting", counting}, {"network", network}};
    return rungs;
}

template bool argsort<ThisMachine>(const Array&, const Array&, int, bool);
template std::span<const Rung<ArgSort>> argsort_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
