#include "core/nn/embedding.h"

#include "core/nn/functional.h"
#include "core/nn/init.h"

namespace tg::nn {

Embedding::Embedding(Tensor table, std::optional<std::int64_t> padding)
    : padding_idx(padding), weight(register_parameter("weight", std::move(table))) {
    if (padding) padding_idx = functional::row_of("Embedding", *padding, weight.shape()[0]);
}

Embedding::Embedding(std::int64_t rows, std::int64_t columns, const EmbeddingOptions& options)
    : Embedding(empty({rows, columns}, options.tensors), options.padding_idx) {
    reset_parameters();
}

Embedding Embedding::from_pretrained(const Tensor& table, bool freeze,
                                     std::optional<std::int64_t> padding_idx) {
    if (table.dims() != 2)
        fail(ErrorKind::value, "from_pretrained: embeddings are (rows, columns), not ",
             tg::text(table.shape()));
    Embedding made(table.detach(), padding_idx);
    made.weight.requires_grad_(!freeze);
    return made;
}

void Embedding::reset_parameters() {
    init::normal_(weight);
    if (padding_idx) init::zeros_(weight.detach()[*padding_idx]);
}

Tensor Embedding::forward(const Tensor& index) {
    return functional::embedding(index, weight, padding_idx);
}

std::string Embedding::extra_repr() const {
    const std::string s =
        std::to_string(weight.shape()[0]) + ", " + std::to_string(weight.shape()[1]);
    return padding_idx ? s + ", padding_idx=" + std::to_string(*padding_idx) : s;
}

}  // namespace tg::nn
