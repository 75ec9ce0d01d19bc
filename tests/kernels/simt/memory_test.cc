#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/simt/host.h"

namespace {

std::string error() { return simt::last_error(); }

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

TEST_CASE("allocations are aligned and lie at least 512 bytes apart") {
    std::vector<void*> all;
    for (const std::size_t bytes : {0u, 1u, 511u, 512u, 513u, 100000u})
        all.push_back(simt::allocate(bytes));
    const std::size_t sizes[] = {0, 1, 511, 512, 513, 100000};
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < all.size(); ++j) {
            CHECK(address(all[i]) % 512 == 0);
            if (address(all[i]) < address(all[j]))
                CHECK(address(all[j]) - address(all[i]) >= sizes[i] + 512);
        }
    for (void* pointer : all) simt::release(pointer);
    CHECK(error() == "");
}

TEST_CASE("released memory is used again, and neighbours are joined") {
    const std::size_t bytes = std::size_t{1}
                              << 26;  // no hole that an earlier test left is as large
    void* a = simt::allocate(bytes);
    void* b = simt::allocate(bytes);
    void* c = simt::allocate(bytes);
    simt::release(a);
    simt::release(c);
    simt::release(b);
    void* all_three = simt::allocate(3 * bytes);
    CHECK(all_three == a);
    simt::release(all_three);
}

TEST_CASE("an allocation that does not fit is null, and no error") {
    CHECK(simt::allocate(std::size_t{1} << 60) == nullptr);
    CHECK(simt::allocate(~std::size_t{0}) == nullptr);
    CHECK(error() == "");
}

TEST_CASE("bytes copied to the device come back") {
    std::vector<int> there(1000), back(1000);
    for (int i = 0; i < 1000; ++i) there[static_cast<std::size_t>(i)] = i * i;
    auto* memory = static_cast<char*>(simt::allocate(4000));
    simt::copy_to_device(memory, there.data(), 4000);
    simt::copy_to_host(back.data(), memory, 4000);
    CHECK(back == there);
    simt::copy_to_host(back.data(), memory + 40, 4);
    CHECK(back[0] == 100);
    simt::release(memory);
    CHECK(error() == "");
}

TEST_CASE("a copy that confuses host and device is an error that says which is which") {
    int host[2] = {1, 2};
    void* device = simt::allocate(8);
    simt::copy_to_device(host, host, 8);
    CHECK(error() == "copy_to_device: 8 bytes, but the destination is host memory");
    simt::copy_to_device(device, device, 8);
    CHECK(error() == "copy_to_device: 8 bytes, but the source is device memory");
    simt::copy_to_host(host, host, 8);
    CHECK(error() == "copy_to_host: 8 bytes, but the source is host memory");
    simt::copy_to_host(device, device, 8);
    CHECK(error() == "copy_to_host: 8 bytes, but the destination is device memory");
    simt::copy_to_host(nullptr, nullptr, 0);
    CHECK(error() == "");
    CHECK((host[0] == 1 && host[1] == 2));
    simt::release(device);
}

TEST_CASE("a copy past the end of an allocation is an error with both sizes") {
    char host[100] = {};
    auto* device = static_cast<char*>(simt::allocate(80));
    simt::copy_to_device(device, host, 100);
    CHECK(error() ==
          "copy_to_device: 100 bytes, but the destination is 20 bytes past the end of an "
          "allocation of 80");
    simt::copy_to_host(host, device + 79, 2);
    CHECK(error() ==
          "copy_to_host: 2 bytes, but the source is 1 bytes past the end of an allocation of 80");
    simt::release(device);
}

TEST_CASE("released memory is told from host memory") {
    char host[8] = {};
    void* device = simt::allocate(8);
    simt::release(device);
    simt::copy_to_host(host, device, 8);
    CHECK(error() == "copy_to_host: 8 bytes, but the source is released memory");
}

TEST_CASE("releasing twice, inside an allocation, or host memory is an error; null is not") {
    int host = 0;
    auto* device = static_cast<char*>(simt::allocate(8));
    simt::release(nullptr);
    CHECK(error() == "");
    simt::release(&host);
    CHECK(error() == "release: this is host memory");
    simt::release(device + 4);
    CHECK(error() == "release: this is not the start of a live allocation");
    simt::release(device);
    CHECK(error() == "");
    simt::release(device);
    CHECK(error() == "release: this is not the start of a live allocation");
}

TEST_CASE("an address tells its live allocation") {
    auto* device = static_cast<std::byte*>(simt::allocate(80));
    for (const int offset : {0, 79}) {
        CHECK(simt::allocation_at(device + offset).data() == device);
        CHECK(simt::allocation_at(device + offset).size() == 80);
    }
    CHECK(simt::allocation_at(device + 80).empty());
    int host = 0;
    CHECK(simt::allocation_at(&host).empty());
    simt::release(device);
    CHECK(simt::allocation_at(device).empty());
}
