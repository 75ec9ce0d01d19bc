// Schedules: what writes an optimiser's learning rates as the epochs go by.
//
// The learning rate is a tensor, and group.set("lr", x) writes it: a compiled step follows a
// schedule without a new trace. Step the scheduler outside of the compiled function, after
// optimizer.step(). The optimiser must outlive its schedulers.
//
// In the formulas t (last_epoch) is how many times step() was called, and lr_0 a group's first
// rate, kept in it as "initial_lr". Most schedules multiply the rate that is there, as PyTorch's
// do, so that several may act on one optimiser.
#pragma once

#include <memory>
#include <optional>

#include "core/optim/optimizer.h"

namespace tg::optim {

using Rates = std::vector<double>;  // one for each group

// One number for all groups, or one for each.
struct Several {
    Rates list;
    Several(double all) : list{all} {}
    Several(std::initializer_list<double> each) : list(each) {}
    Several(const Rates& each) : list(each) {}
    // Throws ValueError where there are neither one nor as many as groups.
    Rates each(const char* scheduler, const char* name, const Optimizer& optimizer) const;
};

// The base: a subclass writes get_lr, the rate of each group at last_epoch from those there are,
// and calls begin in its constructor, which takes a first step, to t = 0.
//
// A last_epoch above -1 goes on from there: "initial_lr" is then in the optimiser's state.
class LRScheduler {
  public:
    virtual ~LRScheduler() = default;
    virtual void step();
    virtual void restart();  // back to t = 0 and the first rate
    const Rates& get_last_lr() const { return last_lr_; }
    // What changes with the steps; the rates themselves are in the optimiser's state.
    virtual Numbers state_dict() const;
    virtual void load_state_dict(const Numbers& state);
    const Optimizer& optimizer() const { return *optimizer_; }

    std::int64_t last_epoch = 0;

  protected:
    LRScheduler(const char* name, Optimizer& optimizer) : name_(name), optimizer_(&optimizer) {}
    virtual Rates get_lr() = 0;
    void begin(std::int64_t last);
    Rates current() const;
    Rates current_times(double factor) const;

    const char* name_;
    Optimizer* optimizer_;
    Rates base_lrs_, last_lr_;
    bool is_initial_ = false;  // at the first step, at which most leave the rate alone
};

class LambdaLR final : public LRScheduler {  // lr = lr_0 * f(t)
  public:
    using Function = std::function<double(std::int64_t)>;
    LambdaLR(Optimizer& optimizer, Function f, std::int64_t last_epoch = -1);
    LambdaLR(Optimizer& optimizer, std::vector<Function> each, std::int64_t last_epoch = -1);

  private:
    Rates get_lr() override;
    std::vector<Function> functions_;
};

class StepLR final : public LRScheduler {  // lr = lr * gamma at every step_size-th step
  public:
    StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma = 0.1,
           std::int64_t last_epoch = -1);

  private:
    Rates get_lr() override;
    std::int64_t step_size_;
    double gamma_;
};

// lr = lr * gamma at each of milestones; one that is there twice counts twice.
class MultiStepLR final : public LRScheduler {
  public:
    MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma = 0.1,
                std::int64_t last_epoch = -1);

  private:
    Rates get_lr() override;
    std::vector<std::int64_t> milestones_;
    double gamma_;
};

class ExponentialLR final : public LRScheduler {  // lr = lr * gamma at each step: lr_0 * gamma^t
  public:
    ExponentialLR(Optimizer& optimizer, double gamma, std::int64_t last_epoch = -1);

  private:
    Rates get_lr() override;
    double gamma_;
};

// lr = lr_0 * factor; factor goes from start_factor to end_factor in total_iters steps.
// The step to t multiplies by factor(t) / factor(t - 1) = 1 + (e - s) / (n s + (t - 1) (e - s)).
// Throws ValueError unless 0 < start_factor <= 1 and 0 <= end_factor <= 1.
class LinearLR final : public LRScheduler {
  public:
    LinearLR(Optimizer& optimizer, double start_factor = 1.0 / 3, double end_factor = 1,
             std::int64_t total_iters = 5, std::int64_t last_epoch = -1);

  private:
    Rates get_lr() override;
    double start_, end_;
    std::int64_t total_;
};

// lr = eta_min + (lr_0 - eta_min) (1 + cos(pi t / T_max)) / 2: down to eta_min, and up again.
// The step to t multiplies lr - eta_min by (1 + cos(pi t / T_max)) / (1 + cos(pi (t-1) / T_max)),
// or, where that would divide by 0, begins the way up.
// [Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts]
class CosineAnnealingLR final : public LRScheduler {
  public:
    CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min = 0,
                      std::int64_t last_epoch = -1);

  private:
    Rates get_lr() override;
    std::int64_t t_max_;
    double eta_min_;
};

struct OneCycleOptions {
    std::int64_t total_steps = 0;  // or epochs * steps_per_epoch
    std::int64_t epochs = 0;
    std::int64_t steps_per_epoch = 0;
    double pct_start = 0.3;
    std::string anneal_strategy = "cos";  // or "linear"
    bool cycle_momentum = true;
    Several base_momentum = 0.85;
    Several max_momentum = 0.95;
    double div_factor = 25;
    double final_div_factor = 1e4;
    bool three_phase = false;
    std::int64_t last_epoch = -1;
};

// Up from max_lr / div_factor to max_lr in the first pct_start of all steps, then down.
//
// The end is div_factor * final_div_factor below max_lr. With three_phase the way down is as long
// as the way up, and the rest goes on to the end. Between two ends the rate follows half a cosine,
// or a line. With cycle_momentum momentum (or beta1) goes the other way, from max_momentum to
// base_momentum and back; it becomes a tensor.
//
// A step beyond the last throws ValueError, and so do numbers out of range and an optimiser without
// momentum or betas.
// [Smith & Topin 2018, Super-convergence: very fast training using large learning rates]
class OneCycleLR final : public LRScheduler {
  public:
    OneCycleLR(Optimizer& optimizer, const Several& max_lr, const OneCycleOptions& options);

  private:
    // Its last step, and the names of the numbers at its two ends.
    struct Phase {
        double end;
        const char *start_lr, *end_lr, *start_momentum, *end_momentum;
    };
    Rates get_lr() override;
    double between(double start, double end, double part) const;
    void make_phases(double pct_start, bool three_phase);
    std::int64_t total_;
    bool linear_, cycles_;
    std::string momentum_;  // the name of the number that goes the other way
    std::vector<Phase> phases_;
};

struct PlateauOptions {
    std::string mode = "min";  // or "max"
    double factor = 0.1;
    std::int64_t patience = 10;
    double threshold = 1e-4;
    std::string threshold_mode = "rel";  // or "abs"
    std::int64_t cooldown = 0;
    Several min_lr = 0.0;
    double eps = 1e-8;
};

// lr = max(lr * factor, min_lr) once a metric was no better for more than patience steps.
//
// Better than the best so far is, of mode "min", below best * (1 - threshold) or, with
// threshold_mode "abs", below best - threshold; of mode "max" likewise above. After a reduction,
// cooldown steps are not counted. A change of no more than eps is not made. Throws ValueError for a
// factor of 1 or more and for modes that there are not.
class ReduceLROnPlateau final : public LRScheduler {
  public:
    explicit ReduceLROnPlateau(Optimizer& optimizer, const PlateauOptions& options = {});
    void step(double metric);
    Numbers state_dict() const override;
    void load_state_dict(const Numbers& state) override;

  private:
    void step() override;  // throws: it needs a metric
    Rates get_lr() override { return current(); }
    bool is_better(double value) const;
    void reduce();
    PlateauOptions options_;
    Rates min_lr_;
    double best_;
    std::int64_t cooldown_left_ = 0, bad_epochs_ = 0;
};

// One scheduler after the other: milestones are the steps at which the next begins anew. Throws
// ValueError if the schedulers are none, of another optimiser, not one more than the milestones, or
// one of them is a ReduceLROnPlateau, whose step needs a metric.
class SequentialLR final : public LRScheduler {
  public:
    SequentialLR(Optimizer& optimizer, std::vector<std::shared_ptr<LRScheduler>> schedulers,
                 std::vector<std::int64_t> milestones);
    void step() override;
    void restart() override;
    Numbers state_dict() const override;
    void load_state_dict(const Numbers& state) override;

  private:
    Rates get_lr() override { return current(); }
    std::size_t at(std::int64_t epoch) const;  // which scheduler
    std::vector<std::shared_ptr<LRScheduler>> schedulers_;
    std::vector<std::int64_t> milestones_;
};

}  // namespace tg::optim
