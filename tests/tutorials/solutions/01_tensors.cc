std::vector<Dims> predicted_strides() {
    return {{4, 1}, {12, 1}, {12, 4}, {1, 12, 4}, {12, 8, 1}, {0, 1}};
}

Dims contiguous(const Dims& shape) {
    Dims strides = Dims::of(shape.size(), 1);
    for (int d = shape.size() - 2; d >= 0; --d) strides[d] = strides[d + 1] * shape[d + 1];
    return strides;
}

Dims broadcast_shape(const Dims& a, const Dims& b) {
    Dims out = Dims::of(std::max(a.size(), b.size()), 1);
    for (int back = 1; back <= out.size(); ++back) {
        const std::int64_t m = back <= a.size() ? a[a.size() - back] : 1;
        const std::int64_t n = back <= b.size() ? b[b.size() - back] : 1;
        if (m != n && m != 1 && n != 1) return {-1};
        out[out.size() - back] = m == 1 ? n : m;
    }
    return out;
}
