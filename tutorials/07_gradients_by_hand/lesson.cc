// Lesson 7: gradients of products, reductions and broadcasting, by hand and beside backward's.
//
// Read README.md first, then step through this program: ./dev gdb 7, and `start`, `next`.
// lesson.ipynb does the same in Python and prints the same lines.
//
// Everywhere L = sum(G Y): G has a number for each element of Y, and is dL/dY. Capitals with a d
// are gradients: dA is dL/dA, and has the shape of A.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

namespace {

using Tensors = std::vector<Tensor>;

Tensor numbers(std::initializer_list<Braces> rows) {
    return tensor(rows, {.dtype = DType::float64});
}

Tensor leaf(std::initializer_list<Braces> rows) { return numbers(rows).requires_grad_(); }

// What backward gives for the inputs of y, started with g.
Tensors from_backward(const Tensor& y, const Tensor& g, const Tensors& inputs) {
    return grad({&y, 1}, inputs, {&g, 1}, {.retain_graph = true});
}

// Prints a gradient that was found by hand, and whether backward has the same.
void compare(const std::string& name, const Tensor& by_hand, const Tensor& found) {
    const bool same = by_hand.shape() == found.shape() && allclose(by_hand, found);
    say(name, " ", text(by_hand.shape()), ", as backward: ", yes_no(same));
    check(same);
}

}  // namespace

int main() {
    say("1. A product");
    // Y = A B,  Y_mn = sum over k of A_mk B_kn.  A_mk is in row m of Y only, each time with B_kn:
    //
    //     dA_mk = sum over n of G_mn B_kn   dA = G B^T   (M, N) (N, K) -> (M, K)
    //     dB_kn = sum over m of A_mk G_mn   dB = A^T G   (K, M) (M, N) -> (K, N)
    const Tensor a = leaf({{1, 2, 3}, {4, 5, 6}});     // (M, K)
    const Tensor b = leaf({{1, 0}, {-1, 2}, {0, 1}});  // (K, N)
    const Tensor g = numbers({{1, 10}, {100, 1000}});  // (M, N)
    Tensor y = matmul(a, b);
    Tensors found = from_backward(y, g, {a, b});
    const Tensor da = matmul(g, b.detach().t());
    const Tensor db = matmul(a.detach().t(), g);
    say("y  ", text(y.detach()));
    say("da ", text(da));
    say("db ", text(db));
    compare("da", da, found[0]);
    compare("db", db, found[1]);

    say("2. Reductions: what was summed gets the gradient of the sum");
    const Tensor x = leaf({{1, 5, 5}, {4, 2, 3}});
    const Tensor rows = numbers({10, 100});  // a gradient for each row
    const Tensor column = rows.reshape({2, 1});
    compare("sum ", column.expand({2, 3}), from_backward(sum(x, 1), rows, {x})[0]);
    compare("mean", column.expand({2, 3}) / 3, from_backward(mean(x, 1), rows, {x})[0]);
    // The largest takes all; equal ones share, as no one of them is the largest alone.
    const Tensor largest = cast(x.detach() == amax(x.detach(), 1, true), DType::float64);
    const Tensor dx = column * largest / sum(largest, 1, true);
    say("amax ", text(dx));
    compare("amax", dx, from_backward(amax(x, 1), rows, {x})[0]);
    // y = x_0 x_1 x_2: each gets the product of the others.
    const Tensor product = prod(x.detach(), 1, true);
    compare("prod", column * product / x.detach(), from_backward(prod(x, 1), rows, {x})[0]);

    say("3. Broadcasting: what was stretched gets the sum");
    // Y = X s + c, X (2, 3), s (2, 1), c (3,). s_i stands in three places of Y and c_j in two. A
    // number that is used often gets the sum of what each use gives back.
    const Tensor s = leaf({{2}, {3}});
    const Tensor c = leaf({100, 200, 300});
    const Tensor gy = numbers({{1, 2, 3}, {4, 5, 6}});
    found = from_backward(x * s + c, gy, {x, s, c});
    const Tensor ds = sum(gy * x.detach(), 1, true);  // over the axis that was 1, which stays
    const Tensor dc = sum(gy, 0);                     // over the axis that was not there
    say("ds ", text(ds));
    say("dc ", text(dc));
    compare("dx", gy * s.detach(), found[0]);
    compare("ds", ds, found[1]);
    compare("dc", dc, found[2]);
    // So expand and sum are each other's gradient.
    compare("expand", sum(gy, 0), from_backward(c.expand({2, 3}), gy, {c})[0]);
    // One matrix that a whole batch is multiplied by is stretched over the batch.
    const Tensor batch = stack({a.detach(), 2 * a.detach()});  // (2, M, K)
    const Tensor gb = stack({g, g});                           // (2, M, N)
    compare("db of a batch", sum(matmul(batch.transpose(1, 2), gb), 0),
            from_backward(matmul(batch, b), gb, {b})[0]);

    say("4. A stretch that nobody wanted");
    // Three predictions (3, 1), three targets (3,): the difference is (3, 3), each with each.
    const Tensor predicted = leaf({{1}, {2}, {3}});
    const Tensor target = numbers({1, 2, 3});
    const Tensor all_pairs = predicted - target;
    const Tensor pairs = predicted - target.reshape({3, 1});
    const Tensor wrong_loss = mean(all_pairs * all_pairs), loss = mean(pairs * pairs);
    say("shape ", text(all_pairs.shape()), ": loss ", rounded(wrong_loss));
    say("shape ", text(pairs.shape()), ": loss ", rounded(loss));
    const Tensor one = ones({}, {.dtype = DType::float64});
    // Every prediction is right, and the wrong loss pulls them all to the mean of the targets.
    const Tensor pull = from_backward(wrong_loss, one, {predicted})[0];
    for (int i = 0; i < 3; ++i) say("pull on prediction ", i, ": ", rounded(pull[i]));
    check(loss.item<double>() == 0 && wrong_loss.item<double>() > 1);

    say("5. Views: the way back undoes the way there");
    compare("t      ", gy.reshape({3, 2}).t(), from_backward(x.t(), gy.reshape({3, 2}), {x})[0]);
    compare("reshape", gy, from_backward(x.reshape({6}), gy.reshape({6}), {x})[0]);
    const Tensor into = zeros({2, 3}, {.dtype = DType::float64});  // what was left out gets 0
    into.slice(1, 1, 3).copy_(g);
    compare("slice  ", into, from_backward(x.slice(1, 1, 3), g, {x})[0]);

    say("6. Softmax, and the loss behind it");
    // p_i = e^x_i / sum e^x_j  =>  dx_i = p_i (g_i - sum over j of g_j p_j), in each row.
    const Tensor logits = leaf({{1, 2, 0.5}, {0, -1, 1}});
    const Tensor e = exp(logits.detach());
    const Tensor p = e / sum(e, 1, true);
    compare("softmax      ", p * (gy - sum(gy * p, 1, true)),
            from_backward(softmax(logits, 1), gy, {logits})[0]);
    // L = mean over rows of -log p[label]  =>  dx = (p - 1 at the label) / rows.
    const Tensor labels = tensor(std::vector<std::int64_t>{1, 2});
    const Tensor hot = cast(one_hot(labels, 3), DType::float64);
    const Tensor dlogits = (p - hot) / 2;
    compare("cross-entropy", dlogits,
            from_backward(cross_entropy(logits, labels), one, {logits})[0]);
    say("the gradients of a row add up to ", rounded(abs(sum(dlogits[0]))));

    say("7. A network of two layers, all by hand");
    const Tensor in = numbers({{1, -1}, {0.5, 2}});                            // (N, 2)
    const Tensor w1 = leaf({{0.5, -0.25, 1}, {0.75, 0.5, -1}});                // (2, 3)
    const Tensor b1 = leaf({0.1, 0, -0.1});                                    // (3,)
    const Tensor w2 = leaf({{1, -1, 0.5}, {0.25, 0.5, -0.5}, {-1, 1, 0.75}});  // (3, 3)
    const Tensor b2 = leaf({0, 0.2, -0.2});                                    // (3,)
    const Tensor cost = cross_entropy(matmul(tanh(matmul(in, w1) + b1), w2) + b2, labels);
    found = from_backward(cost, one, {w1, b1, w2, b2});
    {
        const NoGrad off;
        const Tensor h = tanh(matmul(in, w1) + b1);
        const Tensor dz = (softmax(matmul(h, w2) + b2, 1) - hot) / 2;  // the loss and the softmax
        const Tensor dh = matmul(dz, w2.t());                          // back through the product
        const Tensor du = dh * (1 - h * h);                            // and through tanh
        compare("dw1", matmul(in.t(), du), found[0]);
        compare("db1", sum(du, 0), found[1]);
        compare("dw2", matmul(h.t(), dz), found[2]);
        compare("db2", sum(dz, 0), found[3]);
        say("loss ", rounded(cost), ", db2[0] ", rounded(sum(dz, 0)[0]));
    }
    return done();
}
