// The C++ half of `./dev bench`: what an op costs on the tape, and the demo's training step as tape
// and as program. bench.py runs it beside others:
//
//     tapegraph_bench             a table of its own
//     tapegraph_bench --serve     reads lines `CASE MILLISECONDS`, answers each with nanoseconds an
//                                 iteration, measured for that long
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cpu/cpu.h"
#include "kernels/parallel.h"
#include "tapegraph.h"

namespace {

using namespace tg;
using Case = std::function<void()>;

Case add(bool recorded) {
    const Tensor a = ones({4}, {.requires_grad = recorded});
    const Tensor b = ones({4}, {.requires_grad = recorded});
    return [a, b] { (void)(a + b); };
}

// 1,000 times x = x * 1.0001 + 0.1 on 16 elements, and the gradient back through them.
Case chain() {
    const Tensor start = ones({16}, {.requires_grad = true});
    return [start] {
        start.set_grad({});
        Tensor x = start;
        for (int i = 0; i < 1000; ++i) x = x * 1.0001 + 0.1;
        x.sum().backward();
    };
}

// The demo's network on random digits: 64-64-10, a batch of 32, SGD with momentum.
struct Step {
    nn::Sequential net{nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 10)};
    optim::SGD sgd{net.parameters(), {.lr = 0.1, .momentum = 0.9}};
    Tensor x = rand({32, 64});
    Tensor y = tensor(std::vector<std::int64_t>(32, 3));
    std::unique_ptr<Compiled> compiled;

    std::vector<Tensor> run(const std::vector<Tensor>& batch) {
        sgd.zero_grad();
        const Tensor loss = cross_entropy(net(batch[0]), batch[1]);
        loss.backward();
        sgd.step();
        return {loss};
    }
};

Case step_tape() {
    const auto step = std::make_shared<Step>();
    return [step] { step->run({step->x, step->y}); };
}

Case step_compiled(Executor executor) {
    const auto step = std::make_shared<Step>();
    Step* const s = step.get();
    step->compiled = std::make_unique<Compiled>(
        "step", [s](const std::vector<Tensor>& batch) { return s->run(batch); },
        CompileOptions{.executor = executor});
    return [step] { (*step->compiled)({step->x, step->y}); };
}

struct Named {
    const char* name;
    Case (*make)();
};
const Named cases[] = {
    {"add", [] { return add(false); }},
    {"add_recorded", [] { return add(true); }},
    {"chain", chain},
    {"step_tape", step_tape},
    {"step_lines", [] { return step_compiled(Executor::lines); }},
    {"step_planned", [] { return step_compiled(Executor::planned); }},
    {"step_fused", [] { return step_compiled(Executor::fused); }},
};

// Nanoseconds an iteration, over about so many milliseconds.
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

void serve() {
    std::vector<std::pair<std::string, Case>> made;
    std::string line, name;
    double milliseconds = 0;
    std::cout << kernels::cpu::level() << '\n' << std::flush;
    while (std::getline(std::cin, line)) {
        std::istringstream(line) >> name >> milliseconds;
        auto found = std::find_if(made.begin(), made.end(),
                                  [&](const auto& known) { return known.first == name; });
        if (found == made.end()) {
            for (const Named& c : cases)
                if (name == c.name) made.emplace_back(name, c.make());
            found = made.end() - 1;
            if (made.empty() || found->first != name) {
                std::cout << "none\n" << std::flush;
                continue;
            }
        }
        std::cout << measured(found->second, milliseconds) << '\n' << std::flush;
    }
}

void table() {
    std::printf("%-14s %12s %12s   C++, %s, %d threads\n", "case", "median us", "minimum us",
                kernels::cpu::level(), kernels::num_threads());
    for (const Named& c : cases) {
        const Case run = c.make();
        std::vector<double> rounds;
        for (int i = 0; i < 15; ++i) rounds.push_back(measured(run, 20) / 1000);
        std::sort(rounds.begin(), rounds.end());
        std::printf("%-14s %12.3f %12.3f\n", c.name, rounds[rounds.size() / 2], rounds[0]);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == "--threads" && i + 1 < words.size())
            kernels::set_num_threads(std::stoi(words[i + 1]));
    manual_seed(0);
    if (std::find(words.begin(), words.end(), "--serve") != words.end())
        serve();
    else
        table();
}
