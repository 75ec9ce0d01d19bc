// Lesson 1: a tensor is bytes, a shape and strides.
//
// Read README.md first, then step through this program: ./dev gdb 1, and `start`, `next`.
// lesson.ipynb does the same in Python and prints the same lines.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

namespace {

using Floats = std::vector<float>;

void show(const char* name, const Tensor& t) {
    const Layout& layout = t.handle().layout;
    say(name, ": shape ", text(layout.shape), ", strides ", text(layout.strides), ", offset ",
        layout.offset, ", contiguous: ", yes_no(t.is_contiguous()));
}

// Two tensors share their storage if writing to one may change the other.
bool share(const Tensor& a, const Tensor& b) { return a.handle().storage == b.handle().storage; }

}  // namespace

int main() {
    say("1. Numbers in a row");
    // Six numbers lie in memory one after another: 0 1 2 3 4 5. The shape says how to read them as
    // rows and columns, the strides how far to step for the next row and for the next column:
    //
    //     place of x[i, j] = offset + i * strides[0] + j * strides[1]
    Tensor x = tensor({{0, 1, 2}, {3, 4, 5}});
    say(text(x));
    show("x", x);
    const float* numbers = static_cast<const float*>(x.data());
    check(numbers[1 * 3 + 2] == x[1][2].item<float>());  // x[1, 2] is at 0 + 1 * 3 + 2 * 1 = 5

    say("2. Views: the same bytes, read in another way");
    // None of these copies a number. Each has the storage of x and a layout of its own.
    const Tensor transposed = x.t();
    const Tensor row = x[1];
    const Tensor column = x.select(1, 1);
    const Tensor every_second = x.slice(1, 0, 3, 2);
    const Tensor stacked = row.expand({4, 3});
    show("x.t()", transposed);
    show("x[1]", row);
    show("x[:, 1]", column);
    show("x[:, 0:3:2]", every_second);
    show("x[1].expand(4, 3)", stacked);
    say(text(transposed));
    say(text(stacked));  // four rows, and only three numbers in memory: a stride of 0 stays put
    check(share(x, transposed) && share(x, column) && share(x, stacked));
    check(stacked.strides() == Dims{0, 1});

    say("3. A write through a view is a write to the base");
    Tensor second_row = x[1];
    second_row.mul_(10);  // the underscore says: in place
    say(text(x));
    say(text(transposed));  // made before the write, and shows it: there is one storage
    check(transposed.select(0, 2)[1].item<float>() == 50);
    say("writes to this storage so far: ", x.version());

    say("4. Reshape: a view where it can be, a copy where it must be");
    const Tensor flat = x.reshape({6});
    const Tensor flat_of_transposed = transposed.reshape({6});
    say("x.reshape(6) shares with x: ", yes_no(share(x, flat)));
    say("x.t().reshape(6) shares with x: ", yes_no(share(x, flat_of_transposed)));
    say(text(flat_of_transposed));
    // Read row by row, x.t() is 0 30 1 40 2 50: in memory the steps between these are
    // 3 -2 3 -2 3, and no single stride makes such steps. So they are copied.
    check(share(x, flat) && !share(x, flat_of_transposed));

    say("5. Broadcasting: sizes of 1 stretch");
    // Shapes are aligned at the right. Sizes must be equal, or one of them 1; missing ones are 1.
    // What stretches is read with a stride of 0. Nothing is copied for it.
    const Tensor bias = tensor(Floats{1, 2, 3});
    say(text(x + bias));  // (2, 3) + (3,)
    const Tensor tall = tensor({{100}, {200}});
    say(text(tall + bias));  // (2, 1) + (3,) -> (2, 3)
    check((tall + bias).shape() == Dims{2, 3});
    const Tensor misfit = tensor(Floats{1, 2});
    say(error_of([&] { x + misfit; }));  // (2, 3) + (2,): 3 against 2

    say("6. Element types");
    // A number written beside a tensor decides integer or floating, but never the width.
    const Tensor counts = arange(3);
    say(name_of(counts.dtype()), " + 1 is ", name_of((counts + 1).dtype()));
    say(name_of(counts.dtype()), " + 0.5 is ", name_of((counts + 0.5).dtype()));
    say(name_of(x.dtype()), " + 0.5 is ", name_of((x + 0.5).dtype()));
    say(name_of(counts.dtype()), " + ", name_of(x.dtype()), " is ", name_of((counts + x).dtype()));
    check((counts + 0.5).dtype() == DType::float32);
    return done();
}
