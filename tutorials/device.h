// What the CUDA lessons share: arrays of the device, and launches whose errors are exceptions.
// device.py is its twin.
#pragma once

#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/simt/simt.h"
#include "tutorials/check.h"

namespace lesson {

// Numbers in device memory, which a kernel gets as a pointer.
template <class T>
class OnDevice {
  public:
    explicit OnDevice(const std::vector<T>& values)
        : count_(values.size()), data_(static_cast<T*>(simt::allocate(count_ * sizeof(T)))) {
        simt::copy_to_device(data_, values.data(), count_ * sizeof(T));
    }
    explicit OnDevice(std::size_t count, T value = 0) : OnDevice(std::vector<T>(count, value)) {}
    ~OnDevice() { simt::release(data_); }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

    operator T*() const { return data_; }
    std::vector<T> host() const {  // a copy, back on the host
        std::vector<T> values(count_);
        simt::copy_to_host(values.data(), data_, count_ * sizeof(T));
        return values;
    }

  private:
    std::size_t count_;
    T* data_;
};

// kernel<<<grid, block>>>(arguments...), and waits for it.
template <class... P>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, std::type_identity_t<P>... arguments) {
    asked = false;
    simt::launch(kernel, grid, block, 0, arguments...);
    const std::string error = simt::last_error();
    if (asked) throw NotSolved{};
    if (!error.empty()) throw tg::Error(tg::ErrorKind::runtime, error);
}

// "1 2.5 3"
template <class T>
std::string numbers(const std::vector<T>& values) {
    std::string all;
    char buffer[40];
    for (const T value : values) {
        std::snprintf(buffer, sizeof buffer, "%g", static_cast<double>(value));
        all += (all.empty() ? "" : " ") + std::string(buffer);
    }
    return all;
}

}  // namespace lesson
