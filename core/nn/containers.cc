#include "core/nn/containers.h"

namespace tg::nn {

Tensor& ParameterList::operator[](std::int64_t index) const {
    if (index < -size() || index >= size())
        fail(ErrorKind::index, "ParameterList: ", index, " is outside of its ", size(),
             " parameters");
    return *list_[static_cast<std::size_t>(index < 0 ? index + size() : index)];
}

Tensor& ParameterList::append(const Tensor& value) {
    list_.push_back(&register_parameter(std::to_string(size()), value));
    return *list_.back();
}

std::string ParameterList::text() const {
    std::vector<std::string> parts;
    for (std::int64_t i = 0; i < size(); ++i) {
        const Tensor& p = (*this)[i];
        std::string sizes;
        for (const std::int64_t n : p.shape())
            sizes += (sizes.empty() ? "" : "x") + std::to_string(n);
        parts.push_back("(" + std::to_string(i) + "): Parameter containing: [tapegraph." +
                        name_of(p.dtype()) + " of size " + sizes + "]");
    }
    return text_with(parts);
}

}  // namespace tg::nn
