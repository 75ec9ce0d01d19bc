std::vector<int> predicted_lines() { return {5, 4, 1}; }

Tensor newton(const Tensor& a) {
    Tensor y = a;
    for (int i = 0; i < 20; ++i) y = (y + a / y) * 0.5;
    return y;
}

Tensor limit_as_argument(double limit) { return scalar_tensor(limit); }
