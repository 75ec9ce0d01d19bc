// Lesson 9: recurrent networks over names of different lengths.
//
// Read README.md first, then step through this program: ./dev gdb 9, and `start`, `next`.
// lesson.ipynb does the same in Python and prints the same lines.
//
// Letters: B names in a batch, T steps, H numbers in the state h, 27 signs: a to z are 1 to 26, and
// 0 is both ends of a name. At each step the network reads a sign and says which one comes next.
#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "tutorials/check.h"
#include "tutorials/data.h"

using namespace tg;
using namespace lesson;

namespace {

using Tensors = std::vector<Tensor>;
using Names = std::vector<std::string>;

constexpr std::int64_t H = 32;

// h' = tanh(e[sign] + h w + b). Of gates the weights have several, side by side.
struct Rnn {
    Tensor e, w, b, v, c;

    explicit Rnn(double scale, std::int64_t gates = 1) {
        manual_seed(9);
        const auto uniform = [](const Dims& shape) { return (rand(shape) * 2 - 1) / 5.65685425; };
        e = uniform({27, gates * H});
        w = uniform({H, gates * H}) * scale;
        b = zeros({gates * H});
        v = uniform({H, 27});
        c = zeros({27});
        for (Tensor weight : weights()) weight.requires_grad_();
    }
    virtual ~Rnn() = default;
    Tensors weights() const { return {e, w, b, v, c}; }

    // sign (B,) int64, h (B, H) -> the next h (B, H)
    virtual Tensor cell(const Tensor& sign, const Tensor& h) const {
        return tanh(index(e, {sign}) + matmul(h, w) + b);
    }
    Tensor scores(const Tensor& h) const { return matmul(h, v) + c; }  // -> (B, 27)
};

// h' = z h + (1 - z) n: the gate z says how much stays as it was, r what n sees of it.
struct Gru final : Rnn {
    explicit Gru(double keep) : Rnn(1, 3) {
        const NoGrad off;
        b.slice(0, 0, H).fill_(keep);
    }
    Tensor cell(const Tensor& sign, const Tensor& h) const override {
        const Tensors of_sign = chunk(index(e, {sign}) + b, 3, -1);
        const Tensors of_h = chunk(matmul(h, w), 3, -1);
        const Tensor z = sigmoid(of_sign[0] + of_h[0]), r = sigmoid(of_sign[1] + of_h[1]);
        const Tensor n = tanh(of_sign[2] + r * of_h[2]);
        return z * h + (1 - z) * n;
    }
};

// "ann" -> 0 1 14 14 0
std::vector<std::int64_t> numbers(const std::string& name) {
    std::vector<std::int64_t> all{0};
    for (const char letter : name) all.push_back(letter - 'a' + 1);
    all.push_back(0);
    return all;
}
Tensor signs(const std::string& name) { return tensor(numbers(name)); }  // (letters + 2,)

// The loss of one name, added up over its letters and its end. The loop is as long as the name.
Tensor loss_of(const Rnn& net, const Tensor& name) {
    Tensor h = zeros({1, H}), total = zeros({});
    for (std::int64_t t = 0; t + 1 < name.size(0); ++t) {
        h = net.cell(name.slice(0, t, t + 1), h);
        total = total + cross_entropy(net.scores(h), name.slice(0, t + 1, t + 2));
    }
    return total;
}

// Names filled up with zeros for `steps` steps: signs (B, steps + 1), steps that count (B,).
Tensors padded(const Names& names, std::int64_t steps) {
    std::vector<std::int64_t> all, counts;
    for (const std::string& name : names) {
        std::vector<std::int64_t> row = numbers(name);
        counts.push_back(static_cast<std::int64_t>(row.size()) - 1);
        row.resize(static_cast<std::size_t>(steps) + 1);
        all.insert(all.end(), row.begin(), row.end());
    }
    const auto rows = static_cast<std::int64_t>(names.size());
    return {tensor(all).reshape({rows, steps + 1}), tensor(counts)};
}

// The loss of a padded batch, added up over the steps that count.
Tensor loss_of_batch(const Rnn& net, const Tensor& batch, const Tensor& counts) {
    Tensor h = zeros({batch.size(0), H}), total = zeros({});
    for (std::int64_t t = 0; t + 1 < batch.size(1); ++t) {
        h = net.cell(select(batch, 1, t), h);
        const Tensor losses =
            cross_entropy(net.scores(h), select(batch, 1, t + 1), {.reduction = "none"});
        total = total + (losses * (t < counts)).sum();  // a step that does not count: times 0
    }
    return total;
}

std::int64_t steps_of(const std::string& name) {
    return static_cast<std::int64_t>(name.size()) + 1;  // its letters, and its end
}
std::int64_t longest(const Names& names) {
    std::int64_t steps = 0;
    for (const std::string& name : names) steps = std::max(steps, steps_of(name));
    return steps;
}

std::string short_of(const Tensor& x) {  // 0.00042 as 4.2e-04
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%.1e", x.item<double>());
    return buffer;
}

Tensor length_of(const Tensors& gradients) {  // of all their numbers as one vector
    Tensors squares;
    for (const Tensor& g : gradients) squares.push_back((g * g).sum());
    return sqrt(stack(squares).sum());
}

Tensors gradients_of(const Rnn& net) {
    Tensors all;
    for (const Tensor& weight : net.weights()) all.push_back(weight.grad());
    return all;
}

// How much the loss at a name's end depends on h after each of its letters.
std::vector<std::string> through_time(const Rnn& net, const Tensor& name) {
    Tensor h = zeros({1, H});
    Tensors states;
    for (std::int64_t t = 0; t + 1 < name.size(0); ++t)
        states.push_back(h = net.cell(name.slice(0, t, t + 1), h));
    const Tensor end = cross_entropy(net.scores(h), name.slice(0, name.size(0) - 1, name.size(0)));
    std::vector<std::string> lengths;
    for (const Tensor& g : grad({&end, 1}, states)) lengths.push_back(short_of(length_of({g})));
    return lengths;
}

// Some names, drawn letter by letter. How long they get, nobody knows before.
std::string invented(const Rnn& net, int count) {
    const NoGrad off;
    manual_seed(1);
    std::string line;
    for (int i = 0; i < count; ++i) {
        line += ' ';
        Tensor h = zeros({1, H}), sign = tensor(std::vector<std::int64_t>{0});
        for (int letters = 0; letters < 12; ++letters) {
            h = net.cell(sign, h);
            sign = multinomial(softmax(net.scores(h)[0], 0), 1);
            if (sign.item<int>() == 0) break;
            line += static_cast<char>('a' + sign.item<int>() - 1);
        }
    }
    return line;
}

}  // namespace

int main() {
    const Names all = first_names();

    say("1. The loop is as long as the name, and so is the tape");
    const Rnn net(2);
    for (const std::string name : {"al", "anna", "christopher"}) {
        const std::int64_t before = nodes_made();
        const Tensor loss = loss_of(net, signs(name));
        const std::int64_t nodes = nodes_made() - before, steps = steps_of(name);
        say(name, ": ", steps, " steps, ", nodes, " nodes, loss a step ", rounded(loss / steps));
        check(nodes == 20 * steps);
    }

    say("2. The way back is as long, too");
    const std::string read = ".christopher";  // what it has read; next is the end
    const Tensor name = signs("christopher");
    const Rnn fading(1), growing(4);
    const Gru gated(2);
    const auto small = through_time(fading, name), large = through_time(growing, name);
    const auto kept = through_time(gated, name);
    say("after  RNN      RNN, 4 w  GRU");
    for (std::size_t t = 0; t < read.size(); ++t)
        say(read[t], "      ", small[t], "  ", large[t], "   ", kept[t]);
    (loss_of(growing, name) / 12).backward();
    const Tensor length = length_of(gradients_of(growing));
    const Tensor scale = minimum(1, 1 / length);
    Tensors clipped;
    for (const Tensor& g : gradients_of(growing)) clipped.push_back(g * scale);
    say("clipped to 1: from ", rounded(length), " to ", rounded(length_of(clipped)));

    say("3. Compiled: a trace for each length");
    Names some;
    for (std::size_t i = 0; i < 26; ++i) some.push_back(all[200 * i]);
    Compiled fast("one_name", [&](const Tensors& in) { return Tensors{loss_of(net, in[0])}; });
    Tensor by_name = zeros({});
    std::int64_t steps = 0;
    for (const std::string& each : some) {
        const Tensor loss = fast({signs(each)})[0];
        check(equal(loss, loss_of(net, signs(each))));  // to the last bit
        by_name = by_name + loss.detach();
        steps += steps_of(each);
    }
    say(some.size(), " names: ", fast.traces().size(), " traces");
    for (const Compiled::Trace& trace : fast.traces())
        say("  ", trace.key, ": ", trace.written->lines.size(), " lines, ", trace.calls, " calls");

    say("4. One length: padding and a mask");
    const auto batch_loss = [&](const Tensors& in) {
        return Tensors{loss_of_batch(net, in[0], in[1])};
    };
    Compiled fast_batch("batch_loss", batch_loss);
    const std::int64_t limit = longest(some), places = 26 * limit;
    const Tensors batch = padded(some, limit);
    const Tensor together = fast_batch(batch)[0].detach();
    const Tensor all_count = full({26}, limit, {.dtype = DType::int64});
    const Tensor unmasked = fast_batch({batch[0], all_count})[0].detach();
    say("one by one:   ", rounded(by_name / steps), " a step, ", steps, " steps");
    say("a batch:      ", rounded(together / steps), ", signs ", text(batch[0].shape()));
    say("without mask: ", rounded(unmasked / places), ", ", places, " steps");
    const std::int64_t ops = ops_run();
    fast_batch(batch);
    const std::int64_t ops_together = ops_run() - ops;
    for (const std::string& each : some) fast({signs(each)});
    say("ops run: ", ops_run() - ops - ops_together, " one by one, ", ops_together, " together; ",
        fast_batch.traces().size(), " trace");
    check(allclose(together, by_name) &&
          !allclose(unmasked / places, by_name / steps, {.rtol = 1e-3}));

    say("5. What each way costs");
    Names many;
    for (std::size_t i = 0; i < 192; ++i) many.push_back(all[26 * i]);
    std::int64_t needed = 0;
    for (const std::string& each : many) needed += steps_of(each);
    say(many.size(), " names need ", needed, " steps");
    const auto cost = [&](const std::string& how,
                          const std::vector<std::pair<Names, std::int64_t>>& batches) {
        Compiled run("batch_loss", batch_loss);
        std::int64_t steps_run = 0;
        Tensor total = zeros({});
        for (const auto& [names, length_of_batch] : batches) {
            total = total + run(padded(names, length_of_batch))[0].detach();
            steps_run += static_cast<std::int64_t>(names.size()) * length_of_batch;
        }
        say(how, ": traces ", run.traces().size(), ", steps ", steps_run, ", loss ",
            rounded(total / needed));
    };
    std::vector<std::pair<Names, std::int64_t>> single, own, same, buckets;
    for (const std::string& each : many) single.push_back({{each}, steps_of(each)});
    for (std::size_t i = 0; i < many.size(); i += 32) {
        const Names part(many.begin() + static_cast<std::ptrdiff_t>(i),
                         many.begin() + static_cast<std::ptrdiff_t>(i) + 32);
        own.push_back({part, longest(part)});
        same.push_back({part, longest(many)});
    }
    std::map<std::int64_t, Names> by_limit;  // up to 6, 8 or all steps
    for (const std::string& each : many)
        by_limit[steps_of(each) <= 6 ? 6 : steps_of(each) <= 8 ? 8 : longest(many)].push_back(each);
    for (const auto& [up_to, names] : by_limit) buckets.push_back({names, up_to});
    cost("one by one              ", single);
    cost("32, as long as need be  ", own);
    cost("32, as long as any      ", same);
    cost("buckets: 6, 8, any      ", buckets);

    say("6. No step too many: a batch that gets smaller");
    Names sorted = many;  // the longest first: who is at its end is at the batch's end
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.size() > b.size(); });
    const Tensors rows = padded(sorted, longest(sorted));
    Tensor h = zeros({192, H}), packed = zeros({});
    std::int64_t ran = 0;
    std::string sizes;
    for (std::int64_t t = 0; t < longest(sorted); ++t) {
        const auto going = sum(cast(t < rows[1], DType::int64)).item<std::int64_t>();
        h = net.cell(rows[0].slice(0, 0, going).select(1, t), h.slice(0, 0, going));
        const Tensor next = rows[0].slice(0, 0, going).select(1, t + 1);
        packed = packed + cross_entropy(net.scores(h), next, {.reduction = "sum"});
        ran += going;
        sizes += " " + std::to_string(going);
    }
    say("names at each step:", sizes);
    say("steps: ", ran, ", loss ", rounded(packed / needed));
    check(ran == needed);

    say("7. Train, and invent");
    const Tensors data = padded(all, longest(all));
    std::string first_losses;
    for (const bool compiled : {false, true}) {
        const Rnn model(2);
        Tensors velocities;
        for (const Tensor& weight : model.weights()) velocities.push_back(zeros_like(weight));
        const auto train_step = [&](const Tensors& in) {
            const Tensor loss = loss_of_batch(model, in[0], in[1]) / in[1].sum();
            for (const Tensor& weight : model.weights()) weight.set_grad({});
            loss.backward();
            const NoGrad off;
            const Tensor clip = minimum(1, 1 / length_of(gradients_of(model)));
            for (std::size_t i = 0; i < velocities.size(); ++i) {
                Tensor weight = model.weights()[i];
                velocities[i].mul_(0.9).add_(weight.grad() * clip);
                weight.sub_(velocities[i] * 0.5);
            }
            return Tensors{loss.detach()};
        };
        if (!compiled) say("before:", invented(model, 6));
        manual_seed(90);
        Compiled step("train_step", train_step);
        std::string losses;
        Tensors last;
        for (int i = 0; i < (compiled ? 300 : 10); ++i) {
            const Tensor chosen = randint(0, data[0].size(0), {64});
            const Tensors in{index(data[0], {chosen}), index(data[1], {chosen})};
            const Tensor loss = compiled ? step(in)[0] : train_step(in)[0];
            if (i < 10) losses += digits(loss) + " ";
            last.push_back(loss);
            if (i % 100 != 99) continue;
            say("steps up to ", i + 1, ": loss ", rounded(stack(last).mean()));
            last.clear();
        }
        if (!compiled) first_losses = losses;
        check(losses == first_losses);  // tape and program, to the last bit
        if (compiled) say("traces: ", step.traces().size(), "; after:", invented(model, 12));
    }
    return done();
}
