// The smallest user: d(w * w)/dw at w = 3.
#include <tapegraph.h>

#include <cstdio>

int main() {
    tg::Tensor w = tg::full({}, 3.0);
    w.requires_grad_();
    (w * w).backward();
    std::printf("dw = %g\n", w.grad().item<double>());
}
