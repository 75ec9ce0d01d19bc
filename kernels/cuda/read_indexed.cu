// straight = by_index at the index: gather, and the rows of x[i] (an embedding is such). Elements
// are moved by their size, so every dtype has a kernel. See indexed.h for the letters.
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/indexed.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// ---- rung 1: elements -------------------------------------------------------------------------
// Thread t owns elements t, t + all threads, ... of what is read, R of each item, one after
// another. The writes of a warp lie side by side; where it reads is up to the index. Wasted, where
// R is large: the division by R, and all R threads of a row find its place anew.
template <class U>
__global__ void read_elements(Indexed x, U* straight, const U* by_index) {
    const std::int64_t r_count = x.rest.count;
    for (std::int64_t e = thread_number(); e < x.items.count * r_count; e += thread_count()) {
        const Item item = item_at(x, r_count == 1 ? e : e / r_count);
        std::int64_t at[2];
        x.rest.offset(r_count == 1 ? 0 : e % r_count, at);
        straight[item.straight + at[0]] = by_index[place_at(x, item.place) + at[1]];
    }
}

// ---- rung 2: rows -----------------------------------------------------------------------------
// A warp owns an item: block (32, 8) takes 8 at a time, and thread x of a warp elements x, x + 32,
// ... of its row. Its index is looked up once a thread and no more, and where rows are side by side
// in memory both reads and writes of the warp are.
// Wasted: of a row of 33 elements, a warp's second turn keeps one thread busy.
constexpr int row_threads = 32, rows_a_block = 8;

template <class U>
__global__ void read_rows(Indexed x, U* straight, const U* by_index) {
    const std::int64_t warps = static_cast<std::int64_t>(gridDim.x) * rows_a_block;
    std::int64_t q = static_cast<std::int64_t>(blockIdx.x) * rows_a_block + threadIdx.y;
    for (; q < x.items.count; q += warps) {
        const Item item = item_at(x, q);
        const std::int64_t place = place_at(x, item.place);
        for (std::int64_t r = threadIdx.x; r < x.rest.count; r += row_threads) {
            std::int64_t at[2];
            x.rest.offset(r, at);
            straight[item.straight + at[0]] = by_index[place + at[1]];
        }
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, elements, rows };

// Rows where a warp's threads all find something to do, else elements.
bool run(Choice choice, const Indexed& x, const Array& straight, const Array& by_index) {
    const std::int64_t count = x.items.count * x.rest.count;
    if (count == 0) return true;
    const bool rows =
        choice == Choice::rows || (choice == Choice::best && x.rest.count >= row_threads);
    return visit_size(straight.dtype, [&]<class U>(U) {
        auto* to = static_cast<U*>(straight.data);
        const auto* from = static_cast<const U*>(by_index.data);
        if (rows)
            launch(read_rows<U>, grid_up_to(blocks_for(x.items.count, rows_a_block)),
                   dim3(row_threads, rows_a_block), 0, x, to, from);
        else
            launch(read_elements<U>, grid_up_to(blocks_for(count, block_threads)), block_threads, 0,
                   x, to, from);
        return true;
    });
}

template <Choice choice>
bool index_rung(const Array& out, const Array& in, const Array& index, const Rows& rows,
                Outside& outside) {
    if (out.dtype != in.dtype) return false;
    const Indexed x = by_rows(out, index, in, rows);
    if (!find_outside<ThisMachine>(index, x.size, x.wraps, outside)) return false;
    return outside || run(choice, x, out, in);
}

}  // namespace

template <class Machine>
bool gather(const Array& out, const Array& in, const Array& index, int dim, Outside& outside) {
    if (out.dtype != in.dtype) return false;
    if (!find_outside<Machine>(index, in.shape[dim], false, outside)) return false;
    return outside || run(Choice::elements, along_dim(out, index, in, dim), out, in);
}

template <class Machine>
bool index_rows(const Array& out, const Array& in, const Array& index, const Rows& rows,
                Outside& outside) {
    return index_rung<Choice::best>(out, in, index, rows, outside);
}

template <class Machine>
std::span<const Rung<IndexRows>> index_rows_rungs() {
    static constexpr Rung<IndexRows> rungs[] = {{"elements", index_rung<Choice::elements>},
                                                {"rows", index_rung<Choice::rows>}};
    return rungs;
}

template bool gather<ThisMachine>(const Array&, const Array&, const Array&, int, Outside&);
template bool index_rows<ThisMachine>(const Array&, const Array&, const Array&, const Rows&,
                                      Outside&);
template std::span<const Rung<IndexRows>> index_rows_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
