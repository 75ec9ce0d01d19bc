// Device memory for the length of a test of the emulator.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/simt/host.h"

namespace simt_test {

// `count` numbers, 0 at first.
template <class T>
struct Device {
    explicit Device(std::size_t count) : Device(std::vector<T>(count)) {}
    explicit Device(const std::vector<T>& values)
        : bytes(values.size() * sizeof(T)), data(static_cast<T*>(simt::allocate(bytes))) {
        simt::copy_to_device(data, values.data(), bytes);
    }
    ~Device() { simt::release(data); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    std::vector<T> host() const {
        std::vector<T> values(bytes / sizeof(T));
        simt::copy_to_host(values.data(), data, bytes);
        return values;
    }

    std::size_t bytes;
    T* data;
};

inline std::string error() { return simt::last_error(); }

}  // namespace simt_test
