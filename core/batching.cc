#include "core/batching.h"

#include "core/ops.h"

namespace tg {

Dims Batch::with_size(const Dims& shape) const {
    Dims all{size};
    for (std::int64_t n : shape) all.push_back(n);
    return all;
}

Tensor Batch::all(int i) const {
    const Arg& x = in[static_cast<std::size_t>(i)];
    if (is_batched(i)) return x.tensor;
    const Desc& d = one[static_cast<std::size_t>(i)];
    const Tensor same = x.is_tensor() ? x.tensor : scalar_tensor(x.scalar, {.dtype = d.dtype});
    return expand(same, with_size(d.shape));
}

Outputs batch_aligned(const Batch& b) {
    const int inputs = static_cast<int>(b.in.size());
    int most = 0;
    for (int i = 0; i < inputs; ++i) most = std::max(most, b.dims(i));
    std::vector<Arg> args;
    for (int i = 0; i < inputs; ++i) {
        Arg x = b.in[static_cast<std::size_t>(i)];
        if (b.is_batched(i))
            for (int d = b.dims(i); d < most; ++d) x = Arg(unsqueeze(x, 1));
        args.push_back(x);
    }
    return apply_all(b.op, args, b.attrs);
}

Attrs attrs_behind(const Batch& b, std::initializer_list<Names> names) {
    std::vector<Attr> list;
    for (int i = 0; i < b.attrs.size(); ++i) list.push_back(b.attrs[i]);
    std::size_t i = 0;
    for (Names name : names) {
        if (i == list.size()) break;
        Attr& attr = list[i++];
        if (name == Names::dim) {
            attr.value = std::get<std::int64_t>(attr.value) + 1;
        } else if (name == Names::shape) {
            attr.value = b.with_size(std::get<Dims>(attr.value));
        } else if (name != Names::nothing) {
            Dims moved;
            if (name == Names::order) moved.push_back(0);
            for (std::int64_t d : std::get<Dims>(attr.value)) moved.push_back(d + 1);
            attr.value = moved;
        }
    }
    return list.empty() ? Attrs() : Attrs(std::move(list));
}

namespace {

// (size, N, ...) -> (size N, ...)
Tensor joined(const Tensor& x) { return flatten(x, 0, 1); }

}  // namespace

Outputs batch_as_samples(const Batch& b) {
    std::vector<Arg> args;
    for (int i = 0; i < static_cast<int>(b.in.size()); ++i) args.emplace_back(joined(b.all(i)));
    Outputs outputs = apply_all(b.op, args, b.attrs);
    for (Tensor& y : outputs) y = reshape(y, b.with_size(b.one_out[0].shape));
    return outputs;
}

Outputs batch_in_turn(const Batch& b) {
    std::vector<std::vector<Tensor>> made(b.one_out.size());
    for (std::int64_t e = 0; e < b.size; ++e) {
        std::vector<Arg> args;
        for (int i = 0; i < static_cast<int>(b.in.size()); ++i) {
            const Arg& x = b.in[static_cast<std::size_t>(i)];
            args.push_back(b.is_batched(i) ? Arg(select(x, 0, e)) : x);
        }
        const Outputs outputs = apply_all(b.op, args, b.attrs);
        for (std::size_t k = 0; k < made.size(); ++k)
            made[k].push_back(outputs[static_cast<int>(k)]);
    }
    Outputs outputs;
    for (std::size_t k = 0; k < made.size(); ++k)
        outputs.push_back(b.size > 0 ? stack(made[k])
                                     : zeros(b.with_size(b.one_out[k].shape),
                                             {b.one_out[k].dtype, b.one_out[k].device}));
    return outputs;
}

}  // namespace tg
