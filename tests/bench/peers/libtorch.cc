// The cases of bench.cc in PyTorch's C++ library, to the same protocol; bench.py builds it where
// PyTorch is installed. It is no part of the library or of its tests.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Case = std::function<void()>;

Case add(bool recorded) {
    const auto options = torch::TensorOptions().requires_grad(recorded);
    const auto a = torch::ones({4}, options), b = torch::ones({4}, options);
    return [a, b] { (void)(a + b); };
}

Case chain() {
    auto start = torch::ones({16}, torch::TensorOptions().requires_grad(true));
    return [start] {
        start.mutable_grad().reset();
        auto x = start;
        for (int i = 0; i < 1000; ++i) x = x * 1.0001 + 0.1;
        x.sum().backward();
    };
}

Case step() {
    namespace nn = torch::nn;
    nn::Sequential net(nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10));
    const auto sgd = std::make_shared<torch::optim::SGD>(
        net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    const auto x = torch::rand({32, 64}), y = torch::full({32}, 3, torch::kInt64);
    return [net, sgd, x, y]() mutable {
        sgd->zero_grad();
        torch::nn::functional::cross_entropy(net->forward(x), y).backward();
        sgd->step();
    };
}

double measured(const Case& run, double milliseconds) {
    using Clock = std::chrono::steady_clock;
    run();
    for (std::int64_t n = 1;; n *= 2) {
        const Clock::time_point start = Clock::now();
        for (std::int64_t i = 0; i < n; ++i) run();
        const std::chrono::duration<double, std::nano> took = Clock::now() - start;
        if (took.count() > 0.6e6 * milliseconds) return took.count() / static_cast<double>(n);
    }
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; ++i)
        if (std::string(argv[i]) == "--threads") at::set_num_threads(std::stoi(argv[i + 1]));
    std::map<std::string, Case> cases{{"add", add(false)},
                                      {"add_recorded", add(true)},
                                      {"chain", chain()},
                                      {"step_tape", step()}};
    std::cout << TORCH_VERSION << '\n' << std::flush;
    std::string line, name;
    double milliseconds = 0;
    while (std::getline(std::cin, line)) {
        std::istringstream(line) >> name >> milliseconds;
        const auto found = cases.find(name);
        if (found == cases.end())
            std::cout << "none\n" << std::flush;
        else
            std::cout << measured(found->second, milliseconds) << '\n' << std::flush;
    }
}
