#include "core/optim/lr_scheduler.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tg::optim {
namespace {

constexpr double pi = std::numbers::pi;

void write(Numbers& state, const std::string& name, const Rates& rates) {
    for (std::size_t k = 0; k < rates.size(); ++k) state[name + "." + std::to_string(k)] = rates[k];
}

void read(const Numbers& state, const std::string& name, Rates& rates) {
    for (std::size_t k = 0; k < rates.size(); ++k) {
        const auto at = state.find(name + "." + std::to_string(k));
        if (at != state.end()) rates[k] = at->second;
    }
}

double found(const Numbers& state, const std::string& name) {
    const auto at = state.find(name);
    if (at == state.end()) fail(ErrorKind::value, "load_state_dict: the state has no ", name);
    return at->second;
}

}  // namespace

Rates Several::each(const char* scheduler, const char* name, const Optimizer& optimizer) const {
    const std::size_t count = optimizer.param_groups.size();
    if (list.size() == 1) return Rates(count, list[0]);
    if (list.size() != count)
        fail(ErrorKind::value, scheduler, ": ", name, " has ", list.size(),
             " values, and the optimiser has ", count, " groups of parameters");
    return list;
}

// ---- the base
// ------------------------------------------------------------------------------------

void LRScheduler::begin(std::int64_t last) {
    std::size_t k = 0;
    for (ParamGroup& group : optimizer_->param_groups) {
        if (last == -1 && !group.has("initial_lr")) group.set("initial_lr", group["lr"]);
        if (!group.has("initial_lr"))
            fail(ErrorKind::value, name_, ": last_epoch is ", last, ", and param_groups[", k,
                 "] has no initial_lr; load the optimiser's state first");
        base_lrs_.push_back(group["initial_lr"]);
        ++k;
    }
    last_epoch = last;
    is_initial_ = true;
    LRScheduler::step();
    is_initial_ = false;
}

void LRScheduler::restart() {
    for (std::size_t k = 0; k < base_lrs_.size(); ++k)
        optimizer_->param_groups[k].set("lr", base_lrs_[k]);
    last_epoch = -1;
    is_initial_ = true;
    step();
    is_initial_ = false;
}

void LRScheduler::step() {
    ++last_epoch;
    const Rates rates = get_lr();
    auto& groups = optimizer_->param_groups;
    if (rates.size() != groups.size())
        fail(ErrorKind::value, name_, ": made for ", rates.size(),
             " groups of parameters, and there are ", groups.size());
    for (std::size_t k = 0; k < rates.size(); ++k) groups[k].set("lr", rates[k]);
    last_lr_ = current();
}

Rates LRScheduler::current() const { return current_times(1); }

Rates LRScheduler::current_times(double factor) const {
    Rates rates;
    for (const ParamGroup& group : optimizer_->param_groups) rates.push_back(group["lr"] * factor);
    return rates;
}

Numbers LRScheduler::state_dict() const {
    Numbers state{{"last_epoch", static_cast<double>(last_epoch)}};
    write(state, "base_lrs", base_lrs_);
    write(state, "last_lr", last_lr_);
    return state;
}

void LRScheduler::load_state_dict(const Numbers& state) {
    last_epoch = static_cast<std::int64_t>(found(state, "last_epoch"));
    read(state, "base_lrs", base_lrs_);
    read(state, "last_lr", last_lr_);
}

// ---- schedules
// -----------------------------------------------------------------------------------

LambdaLR::LambdaLR(Optimizer& optimizer, Function f, std::int64_t last)
    : LambdaLR(optimizer, std::vector<Function>(optimizer.param_groups.size(), f), last) {}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<Function> each, std::int64_t last)
    : LRScheduler("LambdaLR", optimizer), functions_(std::move(each)) {
    if (functions_.size() != optimizer.param_groups.size())
        fail(ErrorKind::value, "LambdaLR: lr_lambda has ", functions_.size(),
             " values, and the optimiser has ", optimizer.param_groups.size(),
             " groups of parameters");
    begin(last);
}

Rates LambdaLR::get_lr() {
    Rates rates;
    for (std::size_t k = 0; k < base_lrs_.size(); ++k)
        rates.push_back(base_lrs_[k] * functions_[k](last_epoch));
    return rates;
}

StepLR::StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma, std::int64_t last)
    : LRScheduler("StepLR", optimizer), step_size_(step_size), gamma_(gamma) {
    if (step_size < 1)
        fail(ErrorKind::value, "StepLR: step_size must be 1 or more, and is ", step_size);
    begin(last);
}

Rates StepLR::get_lr() {
    return current_times(last_epoch == 0 || last_epoch % step_size_ != 0 ? 1 : gamma_);
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma,
                         std::int64_t last)
    : LRScheduler("MultiStepLR", optimizer), milestones_(std::move(milestones)), gamma_(gamma) {
    begin(last);
}

Rates MultiStepLR::get_lr() {
    const auto times = std::count(milestones_.begin(), milestones_.end(), last_epoch);
    return current_times(times == 0 ? 1 : std::pow(gamma_, static_cast<double>(times)));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma, std::int64_t last)
    : LRScheduler("ExponentialLR", optimizer), gamma_(gamma) {
    begin(last);
}

Rates ExponentialLR::get_lr() { return current_times(is_initial_ ? 1 : gamma_); }

LinearLR::LinearLR(Optimizer& optimizer, double start_factor, double end_factor,
                   std::int64_t total_iters, std::int64_t last)
    : LRScheduler("LinearLR", optimizer),
      start_(start_factor),
      end_(end_factor),
      total_(total_iters) {
    if (!(start_factor > 0 && start_factor <= 1))
        fail(ErrorKind::value, "LinearLR: start_factor must be in (0, 1], and is ", start_factor);
    if (!(end_factor >= 0 && end_factor <= 1))
        fail(ErrorKind::value, "LinearLR: end_factor must be in [0, 1], and is ", end_factor);
    begin(last);
}

Rates LinearLR::get_lr() {
    if (last_epoch == 0) return current_times(start_);
    if (is_initial_ || last_epoch > total_) return current();
    const double rise = end_ - start_, n = static_cast<double>(total_);
    return current_times(1 + rise / (n * start_ + static_cast<double>(last_epoch - 1) * rise));
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min,
                                     std::int64_t last)
    : LRScheduler("CosineAnnealingLR", optimizer), t_max_(T_max), eta_min_(eta_min) {
    if (T_max < 1)
        fail(ErrorKind::value, "CosineAnnealingLR: T_max must be 1 or more, and is ", T_max);
    begin(last);
}

Rates CosineAnnealingLR::get_lr() {
    if (is_initial_) return current();
    Rates rates = current();
    const double t = static_cast<double>(last_epoch), n = static_cast<double>(t_max_);
    if ((last_epoch - 1 - t_max_) % (2 * t_max_) == 0) {
        const double up = (1 - std::cos(pi / n)) / 2;
        for (std::size_t k = 0; k < rates.size(); ++k) rates[k] += (base_lrs_[k] - eta_min_) * up;
        return rates;
    }
    const double ratio = (1 + std::cos(pi * t / n)) / (1 + std::cos(pi * (t - 1) / n));
    for (double& lr : rates) lr = ratio * (lr - eta_min_) + eta_min_;
    return rates;
}

// ---- one cycle
// -----------------------------------------------------------------------------------

OneCycleLR::OneCycleLR(Optimizer& optimizer, const Several& max_lr, const OneCycleOptions& o)
    : LRScheduler("OneCycleLR", optimizer),
      total_(o.total_steps != 0 ? o.total_steps : o.epochs * o.steps_per_epoch),
      linear_(o.anneal_strategy == "linear"),
      cycles_(o.cycle_momentum) {
    if (total_ < 1)
        fail(ErrorKind::value, "OneCycleLR: give total_steps, or epochs and steps_per_epoch");
    if (!(o.pct_start >= 0 && o.pct_start <= 1))
        fail(ErrorKind::value, "OneCycleLR: pct_start must be in [0, 1], and is ", o.pct_start);
    if (o.anneal_strategy != "cos" && !linear_)
        fail(ErrorKind::value, "OneCycleLR: anneal_strategy must be 'cos' or 'linear', not '",
             o.anneal_strategy, "'");
    make_phases(o.pct_start, o.three_phase);
    const bool betas = optimizer.param_groups[0].has("beta1");
    momentum_ = betas ? "beta1" : "momentum";
    if (cycles_ && !optimizer.param_groups[0].has(momentum_))
        fail(ErrorKind::value,
             "OneCycleLR: the optimiser has neither momentum nor betas to cycle; pass "
             "cycle_momentum = false");
    const Rates top = max_lr.each(name_, "max_lr", optimizer);
    const Rates low = o.base_momentum.each(name_, "base_momentum", optimizer);
    const Rates high = o.max_momentum.each(name_, "max_momentum", optimizer);
    for (std::size_t k = 0; k < top.size(); ++k) {
        ParamGroup& group = optimizer.param_groups[k];
        if (cycles_) group.make_tensor(momentum_);
        if (cycles_ && betas) group.make_tensor("beta2");
        if (o.last_epoch != -1) continue;
        group.set("initial_lr", top[k] / o.div_factor);
        group.set("max_lr", top[k]);
        group.set("min_lr", group["initial_lr"] / o.final_div_factor);
        if (cycles_) group.set("max_momentum", high[k]);
        if (cycles_) group.set("base_momentum", low[k]);
    }
    begin(o.last_epoch);
}

void OneCycleLR::make_phases(double pct_start, bool three_phase) {
    const double steps = static_cast<double>(total_), up = pct_start * steps;
    phases_ = {{up - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"},
               {steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"}};
    if (!three_phase) return;
    phases_[1].end = 2 * up - 2;
    phases_[1].end_lr = "initial_lr";
    phases_.push_back({steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"});
}

Rates OneCycleLR::get_lr() {
    if (last_epoch > total_)
        fail(ErrorKind::value, "OneCycleLR: step ", last_epoch, ", and there are ", total_);
    const double t = static_cast<double>(last_epoch);
    double start = 0;
    std::size_t k = 0;
    for (; k + 1 < phases_.size() && t > phases_[k].end; ++k) start = phases_[k].end;
    const Phase& phase = phases_[k];
    const double part = phase.end != start ? (t - start) / (phase.end - start) : 1;
    Rates rates;
    for (ParamGroup& group : optimizer_->param_groups) {
        rates.push_back(between(group[phase.start_lr], group[phase.end_lr], part));
        if (cycles_)
            group.set(momentum_,
                      between(group[phase.start_momentum], group[phase.end_momentum], part));
    }
    return rates;
}

double OneCycleLR::between(double start, double end, double part) const {
    if (linear_) return (end - start) * part + start;
    return end + (start - end) / 2 * (std::cos(pi * part) + 1);
}

// ---- by a metric
// ---------------------------------------------------------------------------------

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const PlateauOptions& o)
    : LRScheduler("ReduceLROnPlateau", optimizer),
      options_(o),
      min_lr_(o.min_lr.each("ReduceLROnPlateau", "min_lr", optimizer)),
      best_(o.mode == "min" ? HUGE_VAL : -HUGE_VAL) {
    if (o.factor >= 1)
        fail(ErrorKind::value, "ReduceLROnPlateau: factor must be below 1, and is ", o.factor);
    if (o.mode != "min" && o.mode != "max")
        fail(ErrorKind::value, "ReduceLROnPlateau: mode must be 'min' or 'max', not '", o.mode,
             "'");
    if (o.threshold_mode != "rel" && o.threshold_mode != "abs")
        fail(ErrorKind::value, "ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', not '",
             o.threshold_mode, "'");
    last_lr_ = current();
}

void ReduceLROnPlateau::step() { fail(ErrorKind::value, "ReduceLROnPlateau: step needs a metric"); }

void ReduceLROnPlateau::step(double metric) {
    ++last_epoch;
    const bool better = is_better(metric);
    if (better) best_ = metric;
    bad_epochs_ = better ? 0 : bad_epochs_ + 1;
    if (cooldown_left_ > 0) {
        --cooldown_left_;
        bad_epochs_ = 0;
    }
    if (bad_epochs_ > options_.patience) {
        reduce();
        cooldown_left_ = options_.cooldown;
        bad_epochs_ = 0;
    }
    last_lr_ = current();
}

bool ReduceLROnPlateau::is_better(double value) const {
    const double sign = options_.mode == "min" ? -1 : 1;
    const double bar = options_.threshold_mode == "rel" ? best_ * (1 + sign * options_.threshold)
                                                        : best_ + sign * options_.threshold;
    return options_.mode == "min" ? value < bar : value > bar;
}

void ReduceLROnPlateau::reduce() {
    for (std::size_t k = 0; k < min_lr_.size(); ++k) {
        ParamGroup& group = optimizer_->param_groups[k];
        const double lr = std::max(group["lr"] * options_.factor, min_lr_[k]);
        if (group["lr"] - lr > options_.eps) group.set("lr", lr);
    }
}

Numbers ReduceLROnPlateau::state_dict() const {
    Numbers state = LRScheduler::state_dict();
    state["best"] = best_;
    state["cooldown_counter"] = static_cast<double>(cooldown_left_);
    state["num_bad_epochs"] = static_cast<double>(bad_epochs_);
    return state;
}

void ReduceLROnPlateau::load_state_dict(const Numbers& state) {
    LRScheduler::load_state_dict(state);
    best_ = found(state, "best");
    cooldown_left_ = static_cast<std::int64_t>(found(state, "cooldown_counter"));
    bad_epochs_ = static_cast<std::int64_t>(found(state, "num_bad_epochs"));
}

// ---- one after the other
// -------------------------------------------------------------------------

SequentialLR::SequentialLR(Optimizer& optimizer,
                           std::vector<std::shared_ptr<LRScheduler>> schedulers,
                           std::vector<std::int64_t> milestones)
    : LRScheduler("SequentialLR", optimizer),
      schedulers_(std::move(schedulers)),
      milestones_(std::move(milestones)) {
    if (schedulers_.empty()) fail(ErrorKind::value, "SequentialLR: there is no scheduler");
    for (std::size_t k = 0; k < schedulers_.size(); ++k) {
        if (dynamic_cast<ReduceLROnPlateau*>(schedulers_[k].get()))
            fail(ErrorKind::value, "SequentialLR: schedulers[", k,
                 "] is a ReduceLROnPlateau, whose step needs a metric");
        if (&schedulers_[k]->optimizer() != &optimizer)
            fail(ErrorKind::value, "SequentialLR: schedulers[", k, "] is of another optimiser");
    }
    if (milestones_.size() != schedulers_.size() - 1)
        fail(ErrorKind::value, "SequentialLR: ", schedulers_.size(), " schedulers need ",
             schedulers_.size() - 1, " milestones, and there are ", milestones_.size());
    SequentialLR::restart();
}

std::size_t SequentialLR::at(std::int64_t epoch) const {
    return static_cast<std::size_t>(
        std::upper_bound(milestones_.begin(), milestones_.end(), epoch) - milestones_.begin());
}

void SequentialLR::restart() {
    last_epoch = 0;
    LRScheduler& first = *schedulers_[at(0)];
    first.restart();
    last_lr_ = first.get_last_lr();
}

void SequentialLR::step() {
    ++last_epoch;
    const std::size_t k = at(last_epoch);
    if (k > 0 && milestones_[k - 1] == last_epoch)
        schedulers_[k]->restart();
    else
        schedulers_[k]->step();
    last_lr_ = schedulers_[k]->get_last_lr();
}

Numbers SequentialLR::state_dict() const {
    Numbers state = LRScheduler::state_dict();
    for (std::size_t k = 0; k < schedulers_.size(); ++k)
        for (const auto& [name, value] : schedulers_[k]->state_dict())
            state["schedulers." + std::to_string(k) + "." + name] = value;
    return state;
}

void SequentialLR::load_state_dict(const Numbers& state) {
    LRScheduler::load_state_dict(state);
    for (std::size_t k = 0; k < schedulers_.size(); ++k) {
        const std::string start = "schedulers." + std::to_string(k) + ".";
        Numbers own;
        for (const auto& [name, value] : state)
            if (name.starts_with(start)) own[name.substr(start.size())] = value;
        schedulers_[k]->load_state_dict(own);
    }
}

}  // namespace tg::optim
