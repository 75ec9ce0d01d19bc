// Lesson 6: what a write in place does to the tape, and when it is an error.
//
// Read README.md first, then step through this program: ./dev gdb 6, and `start`, `next`; there
// `tape y` prints the tape of y. lesson.ipynb does the same in Python and prints the same lines.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

namespace {

using Floats = std::vector<float>;

Tensor leaf(std::initializer_list<Braces> numbers) { return tensor(numbers).requires_grad_(); }

// The gradient of w, or why there is none. `program` gives a loss.
std::string outcome(const std::function<Tensor(const Tensor&)>& program) {
    Tensor w = leaf({1, 2});
    const std::string error = error_of([&] { program(w).backward(); });
    return error == "no error" ? "gradient " + text(w.grad()) : error;
}

}  // namespace

int main() {
    say("1. Bytes have a version");
    Tensor x = tensor(Floats{1, 2, 3, 4});
    Tensor middle = x.slice(0, 1, 3);    // the same bytes
    const Tensor detached = x.detach();  // the same bytes, too
    const Tensor copied = x.clone();     // bytes of its own
    middle.mul_(10);
    say("x        ", text(x), ", version ", x.version());
    say("detached ", text(detached), ", version ", detached.version());
    say("copied   ", text(copied), ", version ", copied.version());
    check(equal(x, detached) && !equal(x, copied) && middle.version() == 1);

    say("2. An error only where the old value is needed");
    // + needs neither of its inputs again, * needs both; exp needs its output, not its input.
    say("y = a + a, then a.add_(1):   ", outcome([](const Tensor& w) {
            Tensor a = w * 1;
            const Tensor y = a + a;
            a.add_(1);
            return y.sum();
        }));
    say("y = exp(a), then a.add_(1):  ", outcome([](const Tensor& w) {
            Tensor a = w * 1;
            const Tensor y = exp(a);
            a.add_(1);
            return y.sum();
        }));
    say("y = exp(a), then y.add_(1):  ", outcome([](const Tensor& w) {
            Tensor y = exp(w * 1);
            y.add_(1);
            return y.sum();
        }));
    say("y = a * a, then a.add_(1):   ", outcome([](const Tensor& w) {
            Tensor a = w * 1;
            const Tensor y = a * a;
            a.add_(1);
            return y.sum();
        }));
    say("the same, through a view:    ", outcome([](const Tensor& w) {
            Tensor a = w * 1;
            const Tensor y = a * a;
            Tensor last = a[1];
            last.add_(1);
            return y.sum();
        }));

    say("3. A write is on the tape");
    Tensor w = leaf({1, 2});
    Tensor y = w * 2;
    y.mul_(3);  // y now is what mul made: 2 * 3 times w
    block(tape_text(y));
    y.sum().backward();
    say("gradient ", text(w.grad()));
    check(text(w.grad()) == "tensor([6., 6.])");

    say("4. A view of a view");
    w = leaf({{1, 2, 3}, {4, 5, 6}});
    y = w * 1;
    const Tensor row = y[1];
    Tensor part = row.slice(0, 1, 3);
    const Tensor before = row.sum();
    part.mul_(10);  // writes y and row, too: they have the same bytes
    const Tensor after = row.sum();
    say("y   ", text(y.detach()));
    say("row ", text(row.detach()));
    // y's value is now its old one with a part replaced; row's value is a view of that.
    block(tape_text(row));
    // Each sum has the gradient of the values that it added up.
    say("before ", digits(before), ": gradient ", text(grad({&before, 1}, {&w, 1})[0]));
    const Tensor of_after = grad({&after, 1}, {&w, 1})[0];
    say("after  ", digits(after), ": gradient ", text(of_after));
    check(of_after[1][2].item<float>() == 10 && of_after[1][0].item<float>() == 1);

    say("5. x[mask] = v");
    w = leaf({-1, 2, -3, 4});
    Tensor v = leaf({100});
    y = w * 1;
    const Tensor mask = y < 0;
    index_put_(y, {mask}, v);  // Python's y[mask] = v
    say("y ", text(y.detach()));
    (y * tensor({1, 2, 3, 4})).sum().backward();
    say("gradient of w ", text(w.grad()));  // none for what was overwritten
    say("gradient of v ", text(v.grad()));  // all of what it was put into
    check(w.grad()[0].item<float>() == 0 && v.grad()[0].item<float>() == 1 + 3);
    // Read, x[mask] is a copy: how many elements it has depends on the data, and no strides could
    // reach just them. A write to it writes the copy.
    Tensor plain = tensor(Floats{-1, 2, -3, 4});
    Tensor negative = index(plain, {plain < 0});
    negative.zero_();
    say("after x[x < 0].zero_(): ", text(plain));
    index_put_(plain, {plain < 0}, 0);
    say("after x[x < 0] = 0:     ", text(plain));

    say("6. What may not be written at all");
    w = leaf({1, 2});
    say(error_of([&] { w.add_(1); }));
    say(error_of([&] { w[0].add_(1); }));
    Tensor wide = tensor(Floats{1, 2}).expand({3, 2});
    say(error_of([&] { wide.add_(1); }));
    {
        const NoGrad off;
        w.add_(1);
    }
    say("under NoGrad: ", text(w));
    check(w.is_leaf() && w[0].item<float>() == 2);

    say("7. detach() shares the bytes");
    w = leaf({1, 2});
    const Tensor kept = w.detach();
    const Tensor snapshot = w.detach().clone();
    {
        const NoGrad off;
        w.sub_(0.5);
    }
    say("w.detach()         ", text(kept));
    say("w.detach().clone() ", text(snapshot));
    // A write through it leaves no line, but the version is that of the bytes: it is not missed.
    say("y = w * w, then w.detach().add_(1): ", outcome([](const Tensor& weight) {
            const Tensor square = weight * weight;
            weight.detach().add_(1);
            return square.sum();
        }));

    say("8. The step before the backward");
    // The commonest case in real programs: two losses, and the weights are stepped between them.
    w = leaf({1, 2});
    const Tensor first = (w * w).sum(), second = (w * w * w).sum();
    first.backward();
    {
        const NoGrad off;
        w.sub_(0.1 * w.grad());
    }
    say(error_of([&] { second.backward(); }));
    return done();
}
