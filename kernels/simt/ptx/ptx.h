// PTX, the text that nvcc makes of a kernel (`nvcc -ptx -fmad=false`), run by the emulator: each of
// its CUDA threads interprets the instructions over registers of its own. So what is checked is the
// compiler's output, not only our reading of the source.
// Read next: program.h (what the text becomes), reader.cc, arithmetic.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../host.h"

namespace simt::ptx {

struct Function;  // program.h

// What a file of PTX holds.
struct Module {
    Module();
    Module(Module&&) noexcept;
    Module& operator=(Module&&) noexcept;
    ~Module();

    std::string file;   // its name, for errors
    std::string error;  // why it could not be read, or ""
    std::map<std::string, std::unique_ptr<Function>, std::less<>> functions;  // by mangled name
    // The .global and .const variables, with what they hold at first.
    std::map<std::string, std::vector<std::uint64_t>, std::less<>> variables;

    std::vector<std::string> entries() const;            // the functions that can be launched
    const Function* entry(std::string_view name) const;  // null if there is none
};

// `error` names the line where the text says something that is not known here.
Module read(std::string_view text, std::string file);

// kernel<<<grid, block, shared_bytes>>>(arguments...). Errors wait for last_error(), as of any
// launch; places are lines of the PTX. What is launched must outlive the launch.
void launch(const Function& entry, dim3 grid, dim3 block, std::size_t shared_bytes,
            std::span<const Argument> arguments);
template <class... T>
void launch(const Function& entry, dim3 grid, dim3 block, std::size_t shared_bytes,
            const T&... arguments) {
    const Argument all[sizeof...(T) + 1] = {simt::argument(arguments)..., {}};
    launch(entry, grid, block, shared_bytes, std::span(all, sizeof...(T)));
}

}  // namespace simt::ptx
