// A product and its gradient, and the product written down in a graph, to be stepped through: see
// product.gdb.
#include "tapegraph.h"

using namespace tg;

int main() {
    Tensor a = tensor(std::vector<float>{1, 2, 3});
    a.requires_grad_();
    const Tensor b = tensor(std::vector<float>{10, 20, 30});
    const Tensor c = a * b;
    const Tensor loss = c.sum();
    loss.backward();

    Graph graph("later");
    Tensor x, y;
    {
        const GraphScope open(graph);
        x = placeholder("x", {None});
        y = x * 2;
    }
    Session session(graph);
    const Ref<Program> lines = session.program({y});
    const Tensor run = session.run({y}, {{x, b}})[0];
    return a.grad()[2].item<float>() == run[2].item<float>() / 2 ? 0 : 1;
}
