std::vector<double> gradients_of(const std::vector<Entry>& tape) {
    std::vector<double> g(tape.size(), 0);
    g.back() = 1;
    for (std::size_t i = tape.size(); i-- > 0;) {
        const Entry& e = tape[i];
        if (e.op == 'x') continue;
        g[e.left] += e.op == '+' ? g[i] : g[i] * tape[e.right].value;
        g[e.right] += e.op == '+' ? g[i] : g[i] * tape[e.left].value;
    }
    return g;
}

double slope(const std::function<double(double)>& f, double x) {
    const double h = 1e-5;
    return (f(x + h) - f(x - h)) / (2 * h);
}

Tensor logged_loss(const Tensor& x, Tensor& log) {
    Tensor y = exp(x);
    const Tensor loss = (y * y).sum();
    log = y + 1;
    return loss;
}
