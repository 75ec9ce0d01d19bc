// NVIDIA's own convolution and softmax: cuDNN 9, its functions of one op each.
#pragma once

#include <cstddef>

#include "kernels/cuda/cuda.h"
#include "tests/bench/gpu/library.h"

namespace bench {

class Cudnn {
  public:
    // In cudnnConvolutionFwdAlgo_t's order.
    enum Way { implicit_gemm = 1, winograd = 6 };

    Cudnn() = default;
    Cudnn(const Cudnn&) = delete;
    Cudnn& operator=(const Cudnn&) = delete;
    ~Cudnn() {  // what a descriptor describes is small, and the process ends soon
        tg::kernels::cuda::backend().release(workspace_);
        if (handle_ != nullptr) destroy_(handle_);
    }

    // False if there is no such library, or it finds no GPU.
    bool open() {
        const Library library({"libcudnn.so.9", "libcudnn.so"});
        int (*create)(void**) = nullptr;
        return library.find("cudnnCreate", create) && library.find("cudnnDestroy", destroy_) &&
               library.find("cudnnCreateTensorDescriptor", create_tensor_) &&
               library.find("cudnnSetTensor4dDescriptor", set_tensor_) &&
               library.find("cudnnCreateFilterDescriptor", create_filter_) &&
               library.find("cudnnSetFilter4dDescriptor", set_filter_) &&
               library.find("cudnnCreateConvolutionDescriptor", create_convolution_) &&
               library.find("cudnnSetConvolution2dDescriptor", set_convolution_) &&
               library.find("cudnnSetConvolutionMathType", set_math_) &&
               library.find("cudnnGetConvolutionForwardWorkspaceSize", workspace_bytes_) &&
               library.find("cudnnConvolutionForward", convolve_) &&
               library.find("cudnnSoftmaxForward", softmax_) && create(&handle_) == 0;
    }

    // Gets ready for x (batch, channels, side, side) and w (channels, channels, 3, 3) with a
    // padding of 1, float32 without tensor cores. False where this way has no such case.
    bool prepare(Way way, int batch, int channels, int side) {
        constexpr int rows = 0, float32 = 0, correlation = 1, plain_math = 3;
        way_ = way;
        const bool made =
            tensor(x_, batch, channels, side, side) && create_filter_(&w_) == 0 &&
            set_filter_(w_, float32, rows, channels, channels, 3, 3) == 0 &&
            create_convolution_(&convolution_) == 0 &&
            set_convolution_(convolution_, 1, 1, 1, 1, 1, 1, correlation, float32) == 0 &&
            set_math_(convolution_, plain_math) == 0 &&
            workspace_bytes_(handle_, x_, w_, convolution_, x_, way_, &bytes_) == 0;
        if (!made) return false;
        tg::kernels::cuda::backend().release(workspace_);
        workspace_ = bytes_ > 0 ? tg::kernels::cuda::backend().allocate(bytes_) : nullptr;
        return bytes_ == 0 || workspace_ != nullptr;
    }
    bool convolve(const void* x, const void* w, void* y) const {
        const float one = 1, zero = 0;
        return convolve_(handle_, &one, x_, x, w_, w, convolution_, way_, workspace_, bytes_, &zero,
                         x_, y) == 0;
    }

    // y = softmax(x) of each of `lines` lines of n, float32.
    bool prepare_softmax(int lines, int n) { return tensor(x_, lines, n, 1, 1); }
    bool softmax(const void* x, void* y) const {
        constexpr int accurate = 1, whole_line = 0;
        const float one = 1, zero = 0;
        return softmax_(handle_, accurate, whole_line, &one, x_, x, &zero, x_, y) == 0;
    }

  private:
    bool tensor(void*& made, int n, int c, int h, int w) const {
        constexpr int rows = 0, float32 = 0;
        return create_tensor_(&made) == 0 && set_tensor_(made, rows, float32, n, c, h, w) == 0;
    }

    void* handle_ = nullptr;
    void *x_ = nullptr, *w_ = nullptr, *convolution_ = nullptr;  // descriptors; y is as x
    int way_ = implicit_gemm;
    void* workspace_ = nullptr;
    std::size_t bytes_ = 0;
    int (*destroy_)(void*) = nullptr;
    int (*create_tensor_)(void**) = nullptr;
    int (*set_tensor_)(void*, int layout, int dtype, int n, int c, int h, int w) = nullptr;
    int (*create_filter_)(void**) = nullptr;
    int (*set_filter_)(void*, int dtype, int layout, int k, int c, int h, int w) = nullptr;
    int (*create_convolution_)(void**) = nullptr;
    int (*set_convolution_)(void*, int pad_h, int pad_w, int step_h, int step_w, int dilation_h,
                            int dilation_w, int mode, int dtype) = nullptr;
    int (*set_math_)(void*, int math) = nullptr;
    int (*workspace_bytes_)(void*, void* x, void* w, void* convolution, void* y, int way,
                            std::size_t* bytes) = nullptr;
    int (*convolve_)(void*, const void* alpha, void* x_as, const void* x, void* w_as, const void* w,
                     void* convolution, int way, void* workspace, std::size_t bytes,
                     const void* beta, void* y_as, void* y) = nullptr;
    int (*softmax_)(void*, int algorithm, int mode, const void* alpha, void* x_as, const void* x,
                    const void* beta, void* y_as, void* y) = nullptr;
};

}  // namespace bench
