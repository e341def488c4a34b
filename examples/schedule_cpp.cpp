/*
 * The schedule library from C++17: a schedule from text, owned by a unique_ptr, stepped with the
 * loss as its metric.
 *
 *   c++ -std=c++17 schedule_cpp.cpp $(pkg-config --cflags --libs anneal-lr) -o schedule_cpp
 *
 * The rate of a reaction against the concentration of its substrate (M. Treloar, 1974: an enzyme
 * treated with puromycin), fitted by the curve of Michaelis and Menten, v = V c / (K + c), with
 * gradient descent. Least squares has V = 212.7 and K = 0.0641.
 */
#include <anneal/lr_text.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <memory>

namespace
{

constexpr std::array<double, 12> concentration = {0.02, 0.02, 0.06, 0.06, 0.11, 0.11,
                                                  0.22, 0.22, 0.56, 0.56, 1.10, 1.10};
constexpr std::array<double, 12> rate = {76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200};

using Text = std::unique_ptr<an_lr_text, decltype(&an_lr_text_free)>;
using Schedule = std::unique_ptr<an_lr_schedule, decltype(&an_lr_free)>;

/* V in hundreds and K in tenths, so that one learning rate suits both. */
struct Curve {
    double v = 1, k = 1;

    /* One step of gradient descent; returns the loss before it. */
    double descend(double lr)
    {
        double loss = 0, grad_v = 0, grad_k = 0;
        for (std::size_t i = 0; i < rate.size(); i++) {
            double c = concentration[i], share = c / (k / 10 + c);
            double error = v * share - rate[i] / 100;
            loss += error * error / rate.size();
            grad_v += 2 * error * share / rate.size();
            grad_k -= 2 * error * v * share / (k / 10 + c) / 10 / rate.size();
        }
        v -= lr * grad_v;
        k -= lr * grad_k;
        return loss;
    }
};

} // namespace

int main()
{
    an_error err = {};
    an_lr_group group;
    an_lr_group_init(&group, 0.5);
    an_lr_group *groups[] = {&group};

    Text text(an_lr_parse_text("ReduceLROnPlateau(factor=0.5, patience=5)", nullptr, nullptr, &err),
              an_lr_text_free);
    Schedule schedule(text ? an_lr_new(an_lr_text_desc(text.get()), groups, 1, nullptr, &err)
                           : nullptr,
                      an_lr_free);
    if (!schedule) {
        std::fprintf(stderr, "schedule_cpp: %s\n", err.message);
        return 1;
    }

    Curve curve;
    for (int step = 0; step < 500; step++) {
        double loss = curve.descend(group.slot[AN_LR].value);
        if (step % 50 == 0)
            std::printf("step %4d  lr %.1e  loss %.8f\n", step, group.slot[AN_LR].value, loss);
        an_lr_step_metric(schedule.get(), loss);
    }
    std::printf("V = %.2f  K = %.5f\n", 100 * curve.v, curve.k / 10);
    return std::fabs(100 * curve.v - 212.7) < 0.5 && std::fabs(curve.k / 10 - 0.0641) < 5e-4 ? 0
                                                                                             : 1;
}
