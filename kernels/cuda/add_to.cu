// out[i] += src[i], where out may name a place several times: along dims of stride 0, as in the
// gradient of something that was repeated. What is added to one place must not be lost, and the
// order decides the last bits of floats.
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// One thread owns a place of out, p, and adds all that goes there, in row-major order: that is the
// CPU's order, so floats are the same bit for bit, and no two threads touch one place.
// layout: `places` runs over the dims along which out steps, `again` over those along which it
// stays. Each element of src is read once. Wasted, as in rung 1 of sum.cu: a single place to which
// a million elements are added is one thread's work.
template <class T>
__global__ void add_by_places(Layout<2> places, Layout<1> again, T* out, const T* src) {
    for (std::int64_t p = thread_number(); p < places.count; p += thread_count()) {
        std::int64_t at[2], more[1];
        places.offset(p, at);
        T total = out[at[0]];
        for (std::int64_t r = 0; r < again.count; ++r) {
            again.offset(r, more);
            total = formula::Add::of<T>(total, src[at[1] + more[0]]);
        }
        out[at[0]] = total;
    }
}

// Do the dims along which it steps reach some place twice? Sorted by stride, each must step past
// all that the smaller ones reach.
bool overlaps(const Layout<2>& places) {
    std::int64_t reach = 0, done = 0;
    for (int n = 0; n < places.dims; ++n) {
        int next = -1;
        for (int d = 0; d < places.dims; ++d) {
            const std::int64_t stride = places.strides[0][d];
            if (stride > done && (next < 0 || stride < places.strides[0][next])) next = d;
        }
        if (next < 0 || places.strides[0][next] <= reach) return true;  // two strides are one
        done = places.strides[0][next];
        reach += (places.shape[next] - 1) * done;
    }
    return false;
}

}  // namespace

template <class Machine>
bool add_to(const Array& out, const Array& src) {
    if (out.dtype != src.dtype) return false;
    Layout<2> places;
    Layout<1> again;
    for (int d = 0; d < out.dims; ++d) {
        if (out.strides[d] == 0)
            again.append(out.shape[d], {src.strides[d]});
        else
            places.append(out.shape[d], {out.strides[d], src.strides[d]});
    }
    if (places.count == 0 || again.count == 0) return true;
    if (overlaps(places)) return false;
    return visit_all(out.dtype, [&]<class T>(T) {
        launch(add_by_places<T>, grid_up_to(blocks_for(places.count, block_threads)), block_threads,
               0, places, again, static_cast<T*>(out.data), static_cast<const T*>(src.data));
        return true;
    });
}

template bool add_to<ThisMachine>(const Array&, const Array&);

}  // namespace tg::kernels::cuda
