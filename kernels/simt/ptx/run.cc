// A launch of a PTX function: in each of the emulator's threads, one instruction after another.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "../observer.h"
#include "../simt.h"
#include "program.h"

namespace simt::ptx {

static std::string& described = *new std::string;

void describe(const Thread& thread, const Instruction& instruction, const std::string& what) {
    const auto triple = [](uint3 i) {
        return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) +
               ")";
    };
    described = "ptx: thread " + triple(threadIdx) + " of block " + triple(blockIdx) + " at " +
                thread.function->file + ":" + std::to_string(instruction.line) + ": " + what;
}

void end_as_described() { end_launch(std::move(described)); }

namespace {

Word value_of(const SpecialWord& s, const Word* frame, const void* const* parameters,
              const Function& function) {
    switch (s.special) {
        case Special::thread_x:
            return threadIdx.x;
        case Special::thread_y:
            return threadIdx.y;
        case Special::thread_z:
            return threadIdx.z;
        case Special::threads_x:
            return blockDim.x;
        case Special::threads_y:
            return blockDim.y;
        case Special::threads_z:
            return blockDim.z;
        case Special::block_x:
            return blockIdx.x;
        case Special::block_y:
            return blockIdx.y;
        case Special::block_z:
            return blockIdx.z;
        case Special::blocks_x:
            return gridDim.x;
        case Special::blocks_y:
            return gridDim.y;
        case Special::blocks_z:
            return gridDim.z;
        case Special::lane:
            return current_thread() % 32;
        case Special::variable:
            return reinterpret_cast<std::uintptr_t>(frame + s.number);
        case Special::parameter:
            return reinterpret_cast<std::uintptr_t>(parameters[s.number]);
        case Special::dynamic_shared:
            return dynamic_shared_at(function);
    }
    return 0;
}

struct Call {
    const Function* function;
    std::vector<const void*> parameters;
};

std::string wrong_arguments(const Function& entry, std::span<const Argument> arguments) {
    if (arguments.size() != entry.parameters.size())
        return "ptx: " + entry.name + " has " + std::to_string(entry.parameters.size()) +
               " parameters, but " + std::to_string(arguments.size()) + " arguments were given";
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (arguments[i].bytes != entry.parameters[i])
            return "ptx: parameter " + std::to_string(i) + " of " + entry.name + " has " +
                   std::to_string(entry.parameters[i]) + " bytes, but the argument has " +
                   std::to_string(arguments[i].bytes);
    return "";
}

}  // namespace

std::size_t dynamic_shared_at(const Function& function) {
    return (function.shared_bytes + 15) / 16 * 16;
}

void run(const Function& function, const void* const* parameters, unsigned depth) {
    alignas(16) Word frame[most_words];  // registers hold anything before they are written
    std::copy(function.constants.begin(), function.constants.end(), frame + function.registers);
    for (const SpecialWord& s : function.specials)
        frame[s.word] = value_of(s, frame, parameters, function);
    Thread thread{frame, &function, parameters, depth};
    const Instruction* const all = function.instructions.data();
    const std::size_t count = function.instructions.size();
    while (thread.next < count) {
        const Instruction& i = all[thread.next++];
        if (i.guard >= 0 && (frame[i.guard] != 0) != i.guard_value) continue;
        i.step(thread, i);
    }
}

void launch(const Function& entry, dim3 grid, dim3 block, std::size_t shared_bytes,
            std::span<const Argument> arguments) {
    if (std::string error = wrong_arguments(entry, arguments); !error.empty())
        return set_error(std::move(error));
    Call call{&entry, {}};
    for (const Argument& argument : arguments) call.parameters.push_back(argument.address);
    const auto run_thread = [](const void* closure) {
        const auto& its = *static_cast<const Call*>(closure);
        run(*its.function, its.parameters.data(), 0);
    };
    forget_allocations();
    simt::run({grid, block, dynamic_shared_at(entry) + shared_bytes, run_thread, &call, arguments,
               &entry});
}

}  // namespace simt::ptx
