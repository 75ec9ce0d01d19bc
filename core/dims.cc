#include "core/dims.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/where.h"

namespace tg {

Dims::Dims(std::initializer_list<std::int64_t> list) {
    for (std::int64_t d : list) push_back(d);
}

Dims::Dims(std::span<const std::int64_t> list) {
    for (std::int64_t d : list) push_back(d);
}

Dims Dims::of(int count, std::int64_t value) {
    Dims dims;
    for (int i = 0; i < count; ++i) dims.push_back(value);
    return dims;
}

void Dims::push_back(std::int64_t value) {
    if (count == max_dims)
        fail(ErrorKind::runtime, "shape: a tensor has at most ", max_dims, " dims");
    values[count++] = value;
}

void Dims::insert(int at, std::int64_t value) {
    push_back(0);
    for (int i = count - 1; i > at; --i) values[i] = values[i - 1];
    values[at] = value;
}

void Dims::erase(int at) {
    for (int i = at; i + 1 < count; ++i) values[i] = values[i + 1];
    values[--count] = 0;
}

bool Dims::contains(std::int64_t value) const { return std::find(begin(), end(), value) != end(); }

bool Dims::operator==(const Dims& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
}

bool any_unknown(const Dims& shape) { return std::any_of(shape.begin(), shape.end(), is_unknown); }

std::int64_t new_unknown() {
    static std::atomic<std::int64_t> next{0};
    return unknown_dims - next.fetch_add(1);
}

std::string text(const Dims& shape) {
    std::string s = "(";
    for (int i = 0; i < shape.size(); ++i) {
        if (i > 0) s += ", ";
        s += is_unknown(shape[i]) ? "?" : std::to_string(shape[i]);
    }
    return s + (shape.size() == 1 ? ",)" : ")");
}

std::int64_t element_count(const Dims& shape) {
    std::int64_t n = 1;
    bool overflow = false;
    bool empty = false;
    for (std::int64_t d : shape) {
        if (is_unknown(d))
            fail(ErrorKind::runtime, "the number of elements of shape ", text(shape),
                 " is not known until the graph runs");
        empty = empty || d == 0;
        overflow = __builtin_mul_overflow(n, d, &n) || overflow;
    }
    if (empty) return 0;
    if (overflow)
        fail(ErrorKind::runtime, "shape: ", text(shape), " has more elements than an int64 counts");
    return n;
}

Dims contiguous_strides(const Dims& shape) {
    Dims strides = Dims::of(shape.size(), 1);
    const bool empty = shape.contains(0);
    std::int64_t step = 1;
    for (int d = shape.size() - 1; d >= 0; --d) {
        strides[d] = step;
        if (is_unknown(step) || is_unknown(shape[d]))
            step = unknown_dims;
        else if (__builtin_mul_overflow(step, std::max<std::int64_t>(shape[d], 1), &step)) {
            if (!empty)
                fail(ErrorKind::runtime, "shape: ", text(shape),
                     " has more elements than an int64 counts");
            step = 1;  // nothing is ever found by it
        }
    }
    return strides;
}

bool Layout::is_contiguous() const {
    if (any_unknown(shape)) return strides == contiguous_strides(shape);
    std::int64_t step = 1;
    for (std::int64_t d : shape)
        if (d == 0) return true;
    for (int d = shape.size() - 1; d >= 0; --d) {
        if (shape[d] == 1) continue;
        if (strides[d] != step) return false;
        step *= shape[d];
    }
    return true;
}

bool Layout::overlaps() const {
    // Sorted by stride, each dim must step past all that the smaller ones reach.
    int order[max_dims] = {};
    int n = 0;
    for (int d = 0; d < shape.size(); ++d) {
        if (shape[d] == 1) continue;
        int at = n++;
        for (; at > 0 && strides[order[at - 1]] > strides[d]; --at) order[at] = order[at - 1];
        order[at] = d;
    }
    std::int64_t reach = 0;
    for (int i = 0; i < n; ++i) {
        const int d = order[i];
        if (shape[d] == 0) return false;
        if (strides[d] <= reach && !is_unknown(strides[d])) return true;
        reach += (shape[d] - 1) * strides[d];
    }
    return false;
}

int wrap_dim(const char* op, std::int64_t d, int n) {
    const int range = std::max(n, 1);  // a tensor of no dims lets itself be asked for dim 0
    if (d < -range || d >= range)
        fail(ErrorKind::index, op, ": dim ", d, " is outside ", -range, "..", range - 1,
             " of a tensor with ", n, n == 1 ? " dim" : " dims");
    return static_cast<int>(d < 0 ? d + range : d);
}

namespace {

bool broadcasts(const Dims& a, const Dims& b) {
    for (int i = 1; i <= std::min(a.size(), b.size()); ++i) {
        const std::int64_t x = a[a.size() - i];
        const std::int64_t y = b[b.size() - i];
        if (x != y && x != 1 && y != 1 && !is_unknown(x) && !is_unknown(y)) return false;
    }
    return true;
}

// The shorter shape with 1s behind it, if that would do: (32, 10) and (32,) take (32, 1).
std::string way_out(const Dims& a, const Dims& b) {
    Dims shorter = a.size() < b.size() ? a : b;
    const Dims& longer = a.size() < b.size() ? b : a;
    while (shorter.size() < longer.size() && !any_unknown(shorter)) {
        shorter.push_back(1);
        if (broadcasts(shorter, longer))
            return std::string("; reshape the ") + (a.size() < b.size() ? "first" : "second") +
                   " to " + text(shorter) + "?";
    }
    return "; make them equal, or one of them 1";
}

}  // namespace

Dims broadcast(const char* op, const Dims& a, const Dims& b) {
    const int n = std::max(a.size(), b.size());
    Dims out = Dims::of(n, 1);
    for (int i = 1; i <= n; ++i) {
        const std::int64_t x = i <= a.size() ? a[a.size() - i] : 1;
        const std::int64_t y = i <= b.size() ? b[b.size() - i] : 1;
        // A known size wins over an unknown one; that they agree is checked when the graph runs.
        if (x == y || y == 1 || (is_unknown(y) && x != 1))
            out[n - i] = x;
        else if (x == 1 || is_unknown(x))
            out[n - i] = y;
        else
            fail(ErrorKind::runtime, op, ": shapes ", text(a), " and ", text(b),
                 " do not broadcast: dim -", i, " is ", x, " and ", y, way_out(a, b));
    }
    return out;
}

}  // namespace tg
