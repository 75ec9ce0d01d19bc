// sum, amax, argmax and their kin over any dims and strides. The loops are in levels/reduce.cc;
// here is which elements form a block, and how blocks are put together.
//
// The elements of one output are numbered r = 0, 1, ... in row-major order of the dims that are
// reduced. Each 1024 of them are a block, and the blocks are added as a binary tree. Both follow
// from the shape alone: neither the strides nor the threads change a bit of the result.
#include <cstddef>
#include <cstring>
#include <vector>

#include "kernels/cpu/levels/level.h"
#include "kernels/cpu/strided.h"
#include "kernels/math.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

constexpr std::int64_t widest = 8;  // bytes of the largest dtype
constexpr std::int64_t partial_bytes = reduce_columns * widest;
constexpr std::int64_t blocks_at_once = 1024;  // between two looks whether to stop

// A unit of work is one output, or a stretch of neighbouring outputs whose inputs lie side by
// side and are reduced down columns.
struct Plan {
    const Reduction* loops = nullptr;
    const Array* in = nullptr;
    const Array* out = nullptr;
    Strided<1> reduced;  // input
    Strided<2> kept;     // input, output; without the columns
    std::int64_t elements = 1, blocks = 1;
    bool by_columns = false, contiguous_rows = false;
    std::int64_t columns = 1, out_stride = 0, stretches = 1;

    std::int64_t units() const { return kept.size() * stretches; }
};

Plan plan_for(const Reduction* loops, const Array& out, const Array& in) {
    Plan plan;
    plan.loops = loops;
    plan.in = &in;
    plan.out = &out;
    int column_dim = -1;
    for (int d = 0; d < in.dims; ++d) {
        if (out.shape[d] == in.shape[d]) continue;
        plan.reduced.add_dim(in.shape[d], {in.strides[d]});
    }
    plan.reduced.merge();
    plan.elements = plan.reduced.size();
    plan.blocks = std::max<std::int64_t>(1, (plan.elements + reduce_block - 1) / reduce_block);
    const int dims = plan.reduced.dims;
    const bool unit_stride = dims > 0 && plan.reduced.strides[dims - 1][0] == 1;
    plan.contiguous_rows = dims == 0 || (dims == 1 && unit_stride);
    for (int d = 0; d < in.dims && !unit_stride; ++d)
        if (out.shape[d] == in.shape[d] && in.shape[d] > 1 && in.strides[d] == 1) column_dim = d;
    if (column_dim >= 0) {
        plan.by_columns = true;
        plan.columns = in.shape[column_dim];
        plan.out_stride = out.strides[column_dim];
        plan.stretches = (plan.columns + reduce_columns - 1) / reduce_columns;
    }
    for (int d = 0; d < in.dims; ++d)
        if (out.shape[d] == in.shape[d] && d != column_dim)
            plan.kept.add_dim(in.shape[d], {in.strides[d], out.strides[d]});
    plan.kept.merge();
    return plan;
}

// Where a unit's inputs and outputs begin, and how many columns it has.
struct Unit {
    const std::byte* in = nullptr;
    std::byte* out = nullptr;
    std::int64_t columns = 1;
};

Unit unit_at(const Plan& plan, std::int64_t number) {
    const std::int64_t first = number % plan.stretches * reduce_columns;
    const std::int64_t row = number / plan.stretches;
    Unit unit;
    unit.columns =
        plan.by_columns ? std::min<std::int64_t>(reduce_columns, plan.columns - first) : 1;
    plan.kept.runs(row, row + 1, [&](const auto& offsets, std::int64_t) {
        unit.in = static_cast<const std::byte*>(plan.in->data) +
                  (offsets[0] + first) * size_of(plan.in->dtype);
        unit.out = static_cast<std::byte*>(plan.out->data) +
                   (offsets[1] + first * plan.out_stride) * size_of(plan.out->dtype);
    });
    return unit;
}

// partial = the reduction of one block of a unit
void reduce_one_block(const Plan& plan, const Unit& unit, std::int64_t block, void* partial) {
    const std::int64_t begin = block * reduce_block;
    const std::int64_t n = std::min<std::int64_t>(reduce_block, plan.elements - begin);
    const std::int64_t size = size_of(plan.in->dtype);
    if (plan.contiguous_rows && !plan.by_columns)
        return plan.loops->block(n, unit.in + begin * size, partial);
    std::int64_t offsets[reduce_block];
    std::int64_t* to = offsets;
    const std::int64_t stride =
        plan.reduced.dims > 0 ? plan.reduced.strides[plan.reduced.dims - 1][0] : 0;
    plan.reduced.runs(begin, begin + n, [&](const auto& start, std::int64_t run) {
        for (std::int64_t i = 0; i < run; ++i) *to++ = start[0] + i * stride;
    });
    if (plan.by_columns) return plan.loops->columns(n, offsets, unit.columns, unit.in, partial);
    visit_size(plan.in->dtype, [&]<class U>(U) {
        U collected[reduce_block];
        const U* from = reinterpret_cast<const U*>(unit.in);
        for (std::int64_t i = 0; i < n; ++i) collected[i] = from[offsets[i]];
        plan.loops->block(n, collected, partial);
    });
}

// The tree over the blocks, which come one by one. Like a binary counter: slot s holds the sum of
// 2^s blocks; when a second one of the same size comes, both go up as one.
class Tree {
  public:
    Tree(const Plan& plan, std::int64_t columns) : plan_(plan), columns_(columns) {}

    void add(void* partial) {
        int slot = 0;
        for (; (blocks_ >> slot & 1) != 0; ++slot) {
            plan_.loops->combine(columns_, slots_[slot], partial);
            std::memcpy(partial, slots_[slot], partial_size());
        }
        std::memcpy(slots_[slot], partial, partial_size());
        ++blocks_;
    }

    const std::byte* result() {  // the slots in use, smallest first
        const std::byte* sum = nullptr;
        for (int slot = 0; blocks_ >> slot != 0; ++slot) {
            if ((blocks_ >> slot & 1) == 0) continue;
            if (sum != nullptr) plan_.loops->combine(columns_, slots_[slot], sum);
            sum = slots_[slot];
        }
        return sum;
    }

  private:
    std::size_t partial_size() const { return static_cast<std::size_t>(columns_ * widest); }

    const Plan& plan_;
    std::int64_t columns_, blocks_ = 0;
    alignas(64) std::byte slots_[48][partial_bytes];
};

void write(const Plan& plan, const Unit& unit, const std::byte* result) {
    visit_size(plan.out->dtype, [&]<class U>(U) {
        for (std::int64_t c = 0; c < unit.columns; ++c)
            std::memcpy(unit.out + c * plan.out_stride * std::int64_t{sizeof(U)},
                        result + c * std::int64_t{sizeof(U)}, sizeof(U));
    });
}

void reduce_unit(const Plan& plan, const Unit& unit) {
    alignas(64) std::byte partial[partial_bytes];
    if (plan.blocks == 1) {
        reduce_one_block(plan, unit, 0, partial);
        return write(plan, unit, partial);
    }
    Tree tree(plan, unit.columns);
    for (std::int64_t block = 0; block < plan.blocks; ++block) {
        reduce_one_block(plan, unit, block, partial);
        tree.add(partial);
        if (block % blocks_at_once == blocks_at_once - 1 && stopping()) return;
    }
    write(plan, unit, tree.result());
}

// Few outputs of many elements: the threads share the blocks of a unit.
void reduce_unit_in_parallel(const Plan& plan, const Unit& unit) {
    const std::int64_t partial_size = unit.columns * widest;
    std::vector<std::byte> partials(
        static_cast<std::size_t>(std::min(plan.blocks, blocks_at_once) * partial_size));
    const std::int64_t grain =
        std::max<std::int64_t>(1, parallel_grain / (reduce_block * unit.columns));
    Tree tree(plan, unit.columns);
    for (std::int64_t first = 0; first < plan.blocks; first += blocks_at_once) {
        const std::int64_t n = std::min(blocks_at_once, plan.blocks - first);
        parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                reduce_one_block(plan, unit, first + i, partials.data() + i * partial_size);
        });
        if (interrupted()) return;
        for (std::int64_t i = 0; i < n; ++i) tree.add(partials.data() + i * partial_size);
    }
    write(plan, unit, tree.result());
}

void reduce(const Reduction* loops, const Array& out, const Array& in) {
    if (out.size() == 0) return;
    const Plan plan = plan_for(loops, out, in);
    const std::int64_t units = plan.units();
    if (units < 16 && plan.blocks >= 16) {
        for (std::int64_t i = 0; i < units && !interrupted(); ++i)
            reduce_unit_in_parallel(plan, unit_at(plan, i));
        return;
    }
    const std::int64_t columns =
        plan.by_columns ? std::min<std::int64_t>(plan.columns, reduce_columns) : 1;
    const std::int64_t work = std::max<std::int64_t>(1, plan.elements * columns);
    parallel_for(units, std::max<std::int64_t>(1, parallel_grain / work),
                 [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end && !interrupted(); ++i)
                         reduce_unit(plan, unit_at(plan, i));
                 });
}

// The place of the largest (or smallest) of n elements, the first of equals; NaN beats any number.
template <bool least, class T>
std::int64_t place_of_extremum(const T* x, std::int64_t n, std::int64_t stride) {
    std::int64_t best = 0;
    T most = x[0];
    for (std::int64_t i = 1; i < n && most == most; ++i) {
        const T candidate = x[i * stride];
        if ((least ? candidate < most : candidate > most) || candidate != candidate) {
            most = candidate;
            best = i;
        }
        if (i % (reduce_block * blocks_at_once) == 0 && stopping()) break;
    }
    return best;
}

// line(x, y) for each line of `in` along dim and what lies at its place in `out`.
template <class Line>
void each_line(const Array& out, const Array& in, int dim, const Line& line) {
    Strided<2> kept;  // input, output
    for (int d = 0; d < in.dims; ++d)
        if (d != dim) kept.add_dim(in.shape[d], {in.strides[d], out.strides[d]});
    kept.merge();
    const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / in.shape[dim]);
    parallel_for(kept.size(), grain, [&](std::int64_t begin, std::int64_t end) {
        const int inner = kept.dims - 1;
        const std::int64_t in_step = kept.dims > 0 ? kept.strides[inner][0] : 0;
        const std::int64_t out_step = kept.dims > 0 ? kept.strides[inner][1] : 0;
        kept.runs(begin, end, [&](const auto& offsets, std::int64_t run) {
            for (std::int64_t i = 0; i < run; ++i)
                line(offsets[0] + i * in_step, offsets[1] + i * out_step);
        });
    });
}

template <bool least>
void place(const Array& out, const Array& in, int dim) {
    if (in.shape[dim] == 0) return;
    visit(in.dtype, [&]<class T>(T) {
        each_line(out, in, dim, [&](std::int64_t from, std::int64_t to) {
            static_cast<std::int64_t*>(out.data)[to] = place_of_extremum<least>(
                static_cast<const T*>(in.data) + from, in.shape[dim], in.strides[dim]);
        });
    });
}

}  // namespace

void sum(const Array& out, const Array& in) {
    reduce(current_level().reduction(Reducing::sum, in.dtype), out, in);
}

void amax(const Array& out, const Array& in) {
    reduce(current_level().reduction(Reducing::amax, in.dtype), out, in);
}

void amin(const Array& out, const Array& in) {
    reduce(current_level().reduction(Reducing::amin, in.dtype), out, in);
}

void argmax(const Array& out, const Array& in, int dim) { place<false>(out, in, dim); }
void argmin(const Array& out, const Array& in, int dim) { place<true>(out, in, dim); }

// A float is too short for a long running sum, of which each step rounds: it is kept in a double.
void cumsum(const Array& out, const Array& in, int dim, bool back) {
    const std::int64_t n = in.shape[dim];
    if (n == 0) return;
    const std::int64_t in_step = back ? -in.strides[dim] : in.strides[dim];
    const std::int64_t out_step = back ? -out.strides[dim] : out.strides[dim];
    const std::int64_t last = back ? n - 1 : 0;  // where the walk begins
    visit(in.dtype, [&]<class T>(T) {
        each_line(out, in, dim, [&](std::int64_t from, std::int64_t to) {
            const T* x = static_cast<const T*>(in.data) + from + last * in.strides[dim];
            T* y = static_cast<T*>(out.data) + to + last * out.strides[dim];
            using Total = std::conditional_t<std::is_same_v<T, float>, double, T>;
            Total total = x[0];
            y[0] = x[0];
            for (std::int64_t i = 1; i < n; ++i) {
                total = formula::Add::of<Total>(total, x[i * in_step]);
                y[i * out_step] = static_cast<T>(total);
            }
        });
    });
}

}  // namespace tg::kernels::cpu
