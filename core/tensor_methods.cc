// Tensor's methods: each calls the function of the same name in ops.h.
#include "core/ops.h"

namespace tg {

Tensor Tensor::sum(Where where) const { return tg::sum(Arg(*this, where)); }
Tensor Tensor::sum(std::int64_t dim, bool keepdim, Where where) const {
    return tg::sum(Arg(*this, where), dim, keepdim);
}
Tensor Tensor::mean(Where where) const { return tg::mean(Arg(*this, where)); }
Tensor Tensor::mean(std::int64_t dim, bool keepdim, Where where) const {
    return tg::mean(Arg(*this, where), dim, keepdim);
}
Tensor Tensor::exp(Where where) const { return tg::exp(Arg(*this, where)); }
Tensor Tensor::log(Where where) const { return tg::log(Arg(*this, where)); }
Tensor Tensor::tanh(Where where) const { return tg::tanh(Arg(*this, where)); }
Tensor Tensor::relu(Where where) const { return tg::relu(Arg(*this, where)); }
Tensor Tensor::matmul(const Tensor& other, Where where) const {
    return tg::matmul(Arg(*this, where), other);
}
Tensor Tensor::t(Where where) const {
    return dims() < 2 ? *this : tg::transpose(Arg(*this, where), 0, 1);
}
Tensor Tensor::transpose(std::int64_t a, std::int64_t b, Where where) const {
    return tg::transpose(Arg(*this, where), a, b);
}
Tensor Tensor::permute(const Dims& order, Where where) const {
    return tg::permute(Arg(*this, where), order);
}
Tensor Tensor::reshape(const Dims& to, Where where) const {
    return tg::reshape(Arg(*this, where), to);
}
Tensor Tensor::expand(const Dims& to, Where where) const {
    return tg::expand(Arg(*this, where), to);
}
Tensor Tensor::unsqueeze(std::int64_t dim, Where where) const {
    return tg::unsqueeze(Arg(*this, where), dim);
}
Tensor Tensor::squeeze(std::int64_t dim, Where where) const {
    return tg::squeeze(Arg(*this, where), dim);
}
Tensor Tensor::select(std::int64_t dim, std::int64_t index, Where where) const {
    return tg::select(Arg(*this, where), dim, index);
}
Tensor Tensor::slice(std::int64_t dim, std::int64_t begin, std::int64_t end, std::int64_t step,
                     Where where) const {
    return tg::slice(Arg(*this, where), dim, begin, end, step);
}
Tensor Tensor::operator[](std::int64_t index) const { return tg::select(*this, 0, index); }
Tensor Tensor::contiguous(Where where) const { return tg::contiguous(Arg(*this, where)); }
Tensor Tensor::clone(Where where) const { return tg::clone(Arg(*this, where)); }
Tensor Tensor::to(DType dtype, Where where) const { return tg::cast(Arg(*this, where), dtype); }
Tensor Tensor::to(Device device, Where where) const { return tg::to(Arg(*this, where), device); }

Tensor& Tensor::add_(const Arg& y, Where where) {
    const Here here(where);
    return tg::add_(*this, y);
}
Tensor& Tensor::sub_(const Arg& y, Where where) {
    const Here here(where);
    return tg::sub_(*this, y);
}
Tensor& Tensor::mul_(const Arg& y, Where where) {
    const Here here(where);
    return tg::mul_(*this, y);
}
Tensor& Tensor::copy_(const Arg& y, Where where) {
    const Here here(where);
    return tg::copy_(*this, y);
}
Tensor& Tensor::fill_(double value, Where where) {
    const Here here(where);
    return tg::fill_(*this, value);
}
Tensor& Tensor::zero_(Where where) { return tg::zero_(*this, where); }

}  // namespace tg
