// Embedding: a table of vectors.
#pragma once

#include "core/nn/layer.h"

namespace tg::nn {

struct EmbeddingOptions {
    std::optional<std::int64_t> padding_idx = {};
    Options tensors = {};
};

// index (...) int64, each in 0..num_embeddings-1 -> weight[index] (..., embedding_dim).
// weight (num_embeddings, embedding_dim) starts normal(0, 1). The row padding_idx, if one is given,
// starts as zeros and gets no gradient. Throws IndexError for an index outside.
class Embedding final : public Layer {
  public:
    Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim,
              const EmbeddingOptions& options = {});
    // Of a table (num_embeddings, embedding_dim), which it shares; trained unless freeze.
    static Embedding from_pretrained(const Tensor& table, bool freeze = true,
                                     std::optional<std::int64_t> padding_idx = {});
    void reset_parameters();
    Tensor forward(const Tensor& index) override;
    std::string extra_repr() const override;

    std::optional<std::int64_t> padding_idx;
    Tensor& weight;

  private:
    Embedding(Tensor table, std::optional<std::int64_t> padding);
};

}  // namespace tg::nn
