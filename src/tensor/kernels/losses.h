/*
 * Losses: between two vectors value by value, and over class labels row by row.
 *
 * Values are computed in float and summed in double, in an order that depends on the count alone.
 * Functions that produce a gradient take `add`: false writes, true adds.
 */
#ifndef AN_KERNELS_LOSSES_H
#define AN_KERNELS_LOSSES_H

#include "tensor/kernels/kernels.h"

/* clang-format off */
/*
 * Losses of x against t: X(NAME, name, value, derivative by x, by t), where e = x - t, p is a
 * setting, and w the weight of the column (used by BCE alone, whose p is the pos_weight).
 * BCE is p t softplus(-x) + (1 - t) softplus(x): no term cancels another.
 */
#define AN_VALUE_LOSS_MAP(X)                                                                       \
    X(MSE, mse, e * e, 2.0f * e, -2.0f * e)                                                        \
    X(L1, l1, fabsf(e), sign(e), -sign(e))                                                         \
    X(SMOOTH_L1, smooth_l1, fabsf(e) < p ? 0.5f * e * e / p : fabsf(e) - 0.5f * p,                 \
      fabsf(e) < p ? e / p : sign(e), fabsf(e) < p ? -e / p : -sign(e))                            \
    X(HUBER, huber, fabsf(e) <= p ? 0.5f * e * e : p * (fabsf(e) - 0.5f * p),                      \
      fabsf(e) <= p ? e : p * sign(e), fabsf(e) <= p ? -e : -p * sign(e))                          \
    X(BCE, bce, w * (p * t * an__softplus(-x) + (1.0f - t) * an__softplus(x)),                     \
      w * ((1.0f - t) * an__logistic(x) - p * t * an__logistic(-x)),                               \
      w * (p * an__softplus(-x) - an__softplus(x)))                                                \
    X(KL_DIV, kl_div, t == 0.0f ? 0.0f * x : t * (an__log(t) - x), -t, an__log(t) + 1.0f - x)      \
    X(KL_DIV_LOG, kl_div_log, an__exp(t) * (t - x), -an__exp(t), an__exp(t) * (t - x + 1.0f))
/* clang-format on */

typedef enum an_value_loss {
#define AN_VALUE_LOSS_ENUM(NAME, name, value, dx, dt) AN_VALUE_LOSS_##NAME,
    AN_VALUE_LOSS_MAP(AN_VALUE_LOSS_ENUM)
#undef AN_VALUE_LOSS_ENUM
        AN_VALUE_LOSS_COUNT
} an_value_loss;

/* `n` values. p and w hold n values where `each`, else one that is for all. */
typedef struct an_loss_run {
    int64_t n;
    const float *x, *t, *p, *w;
    bool each;
} an_loss_run;

typedef struct an_value_loss_kernel {
    double (*total)(const an_loss_run *run);
    /* [0] by x, [1] by t, times `scale`. */
    void (*backward[2])(const an_loss_run *run, float *d, float scale, bool add);
} an_value_loss_kernel;

/* What a loss over rows of `columns` logits knows; a row whose label is `ignored` counts 0. */
typedef struct an_class_loss {
    int64_t columns, ignored;
    const float *weight; /* of each column; NULL: all 1 */
    double weight_sum;   /* over the columns */
    double smoothing;
} an_class_loss;

struct an_losses_table {
    an_value_loss_kernel value[AN_VALUE_LOSS_COUNT];
    /*
     * Of each row: loss = (1 - s) w[label] l[label] + s / columns * (the sum of w l), where
     * l = -log_softmax(x) and s the smoothing. `kept` is what backward needs: the softmax times
     * the sum of the factors of l.
     */
    void (*cross_entropy)(const an_class_loss *c, int64_t rows, float *kept, double *loss,
                          const float *x, const int32_t *label);
    void (*cross_entropy_backward)(const an_class_loss *c, int64_t rows, float *dx,
                                   const float *kept, const int32_t *label, float scale, bool add);
};

extern const an_losses_table an__losses_table_128, an__losses_table_256, an__losses_table_512;

#endif
