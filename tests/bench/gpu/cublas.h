// NVIDIA's own matrix product.
#pragma once

#include "tests/bench/gpu/library.h"

namespace bench {

class Cublas {
  public:
    Cublas() = default;
    Cublas(const Cublas&) = delete;
    Cublas& operator=(const Cublas&) = delete;
    ~Cublas() {
        if (handle_ != nullptr) destroy_(handle_);
    }

    // False if there is no such library, or it finds no GPU.
    bool open() {
        const Library library({"libcublas.so.13", "libcublas.so.12", "libcublas.so"});
        int (*create)(void**) = nullptr;
        return library.find("cublasCreate_v2", create) &&
               library.find("cublasDestroy_v2", destroy_) &&
               library.find("cublasSgemm_v2", sgemm_) && create(&handle_) == 0;
    }

    // out = a b, all (n, n) of float32 and row-major. cuBLAS counts by columns, in which the same
    // memory is the transposes: out^T = b^T a^T.
    bool multiply(int n, const void* a, const void* b, void* out) const {
        const float one = 1, zero = 0;
        return sgemm_(handle_, 0, 0, n, n, n, &one, b, n, a, n, &zero, out, n) == 0;
    }

  private:
    using Sgemm = int(void* handle, int turn_a, int turn_b, int m, int n, int k, const float* alpha,
                      const void* a, int a_step, const void* b, int b_step, const float* beta,
                      void* c, int c_step);

    void* handle_ = nullptr;
    int (*destroy_)(void*) = nullptr;
    Sgemm* sgemm_ = nullptr;
};

}  // namespace bench
