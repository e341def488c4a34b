/* The update kernels of every width against naive twins in double, one value at a time. */
#include "tensor/kernels/update.h"

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define MOST 1037

static const int widths[] = {128, 256, 512};
static const int64_t counts[] = {0, 1, 2, 15, 16, 17, 31, 33, 100, 255, MOST};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Calls `check` with the kernels of every width that this processor has. */
static void each_width(void (*check)(const an_update_table *kernels))
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        an_context_options options = {.threads = 1, .vector_bits = widths[i]};
        an_context *context = an_context_new(&options, NULL);
        if (context) {
            check(an__kernels(context)->update);
        }
        an_context_free(context);
    }
}

/* Numbers in [-1, 1), the same in every run; some are exactly zero. */
static void fill(float *x, int64_t count, uint32_t seed)
{
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = seed % 11 == 0 ? 0 : (float)(seed >> 8) / 8388608.0f - 1;
    }
}

static void fill_positive(float *x, int64_t count, uint32_t seed)
{
    fill(x, count, seed);
    for (int64_t i = 0; i < count; i++) {
        x[i] = fabsf(x[i]);
    }
}

static void assert_near(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 4e-7 * scale)) {
        fail_msg("got %.9g, want %.9g", got, want);
    }
}

static void check_sgd(const an_update_table *kernels, int64_t count, const an_sgd_scalars *s,
                      bool buffer)
{
    float p[MOST], g[MOST], b[MOST], p0[MOST], b0[MOST];
    fill(p, MOST, 1);
    fill(g, MOST, 2);
    fill(b, MOST, 3);
    memcpy(p0, p, sizeof p);
    memcpy(b0, b, sizeof b);
    const an_vectors x = {p, g, {buffer ? b : NULL}};
    kernels->run[AN_UPDATE_SGD](&(an_scalars){.sgd = *s}, count, &x, NULL);
    for (int64_t i = 0; i < count; i++) {
        double d = s->slope.sign * g[i] + s->slope.decay * p0[i],
               kept = s->keep * b0[i] + s->take * d;
        double direction = !buffer ? d : s->nesterov != 0 ? d + s->nesterov * kept : kept;
        assert_near(p[i], p0[i] - s->lr * direction, 3);
        assert_near(b[i], buffer ? kept : b0[i], 3);
    }
    for (int64_t i = count; i < MOST; i++) {
        assert_true(p[i] == p0[i] && b[i] == b0[i]);
    }
}

static void sgd_of(const an_update_table *kernels)
{
    static const an_sgd_scalars all[] = {
        {{1, 0}, .keep = 0.9, .take = 1, .lr = 0.1},
        {{-1, 0.25}, .keep = 0.5, .take = 0.75, .lr = 0.3},
        {{1, 0.01}, .keep = 0.9, .take = 1, .nesterov = 0.9, .lr = 0.5},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t k = 0; k < COUNT(counts); k++) {
            check_sgd(kernels, counts[k], &all[i], false);
            check_sgd(kernels, counts[k], &all[i], true);
        }
    }
}

static void sgd_equals_its_twin(void **state)
{
    (void)state;
    each_width(sgd_of);
}

static void check_adam(const an_update_table *kernels, int64_t count, const an_adam_scalars *s,
                       bool amsgrad)
{
    float p[MOST], g[MOST], m[MOST], v[MOST], most[MOST], p0[MOST], m0[MOST], v0[MOST], most0[MOST];
    fill(p, MOST, 1);
    fill(g, MOST, 2);
    fill(m, MOST, 3);
    fill_positive(v, MOST, 4);
    fill_positive(most, MOST, 5);
    memcpy(p0, p, sizeof p);
    memcpy(m0, m, sizeof m);
    memcpy(v0, v, sizeof v);
    memcpy(most0, most, sizeof most);
    const an_vectors x = {p, g, {m, v, amsgrad ? most : NULL}};
    kernels->run[AN_UPDATE_ADAM](&(an_scalars){.adam = *s}, count, &x, NULL);
    for (int64_t i = 0; i < count; i++) {
        double d = s->slope.sign * g[i] + s->slope.decay * p0[i];
        double mean = s->keep1 * m0[i] + s->take1 * d, square = s->keep2 * v0[i] + s->take2 * d * d;
        double largest = fmax(most0[i], square), step;
        step = s->rate * mean / (sqrt(amsgrad ? largest : square) * s->correct + s->eps);
        assert_near(m[i], mean, 1);
        assert_near(v[i], square, 1);
        assert_near(most[i], amsgrad ? largest : most0[i], 1);
        assert_near(p[i], s->shrink * p0[i] - step, fmax(1, 8 * fabs(step)));
    }
    for (int64_t i = count; i < MOST; i++) {
        assert_true(p[i] == p0[i] && m[i] == m0[i] && v[i] == v0[i] && most[i] == most0[i]);
    }
}

static void adam_of(const an_update_table *kernels)
{
    static const an_adam_scalars all[] = {
        {{1, 0}, 1, 0.9, 0.1, 0.999, 0.001, 0.01, 31.6, 1e-3, 0, 0},
        {{-1, 0.1}, 0.99, 0.5, 0.5, 0.75, 0.25, 0.1, 2, 1e-2, 0, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t k = 0; k < COUNT(counts); k++) {
            check_adam(kernels, counts[k], &all[i], false);
            check_adam(kernels, counts[k], &all[i], true);
        }
    }
}

static void adam_equals_its_twin(void **state)
{
    (void)state;
    each_width(adam_of);
}

/* Every update, with scalars under which none is idle; s[0..3] and p, g are its vectors. */
static an_scalars scalars_of(an_update_id id)
{
    const an_adam_scalars adam = {{1, 0.1}, 0.99, 0.9,  0.1,  0.999, 0.001,
                                  0.01,     31.6, 1e-8, 0.02, 0.5};
    const an_distance_scalars distance = {{1, 0.1}, 0.99, 0.9, 0.1,  0.99, 0.01,
                                          0.95,     0.05, 0.3, 1e-3, false};
    switch (id) {
    case AN_UPDATE_SGD:
        return (an_scalars){.sgd = {{1, 0.3}, 0.9, 0.7, 0.9, 0.01}};
    case AN_UPDATE_ADAM:
    case AN_UPDATE_NADAM:
    case AN_UPDATE_MOMENTUM:
    case AN_UPDATE_ADAMAX:
    case AN_UPDATE_LION:
        return (an_scalars){.adam = adam};
    case AN_UPDATE_ADAGRAD:
    case AN_UPDATE_ADADELTA:
    case AN_UPDATE_RMSPROP:
        return (an_scalars){.square = {{1, 0.1}, 0.9, 0.1, 0.01, 1e-6, 0.5}};
    case AN_UPDATE_RPROP:
        return (an_scalars){.rprop = {{1, 0}, 0.5, 1.2, 1e-6, 50, 0}};
    case AN_UPDATE_ASGD:
        return (an_scalars){.asgd = {{1, 0.1}, 0.99, 0.01, 0.3}};
    case AN_UPDATE_FREE_SGD:
    case AN_UPDATE_FREE_ADAM:
        return (an_scalars){.free = {0.1, 0.9, 0.1, 1e-8, 0.3, -0.05, 0.1, false}};
    case AN_UPDATE_LAMB:
    case AN_UPDATE_LAMB_APPLY:
        return (an_scalars){.lamb = {adam, 0.1, 0.01}};
    case AN_UPDATE_MECHANIC:
        return (an_scalars){.mechanic = {0.3, 0.4}};
    case AN_UPDATE_LERP:
    case AN_UPDATE_STEP:
    case AN_UPDATE_AXPY:
    case AN_UPDATE_ABSOLUTE:
    case AN_UPDATE_DOT:
    case AN_UPDATE_CLAMP:
        return (an_scalars){.linear = {0.9, 0.3}};
    default:
        return (an_scalars){.distance = distance};
    }
}

/* p and four states, those that squares add up in positive. */
typedef struct workspace {
    float p[MOST], g[MOST], s[4][MOST];
} workspace;

static void fill_workspace(workspace *w)
{
    fill(w->p, MOST, 1);
    fill(w->g, MOST, 2);
    for (uint32_t k = 0; k < 4; k++) {
        fill_positive(w->s[k], MOST, 3 + k);
    }
}

static void update_range(const an_update_table *kernels, an_update_id id, workspace *w,
                         int64_t begin, int64_t end, double *sums)
{
    const an_scalars s = scalars_of(id);
    const an_vectors x = {w->p + begin,
                          w->g + begin,
                          {w->s[0] + begin, w->s[1] + begin, w->s[2] + begin, w->s[3] + begin}};
    kernels->run[id](&s, end - begin, &x, sums);
}

/* Whole, and in pieces cut at `cut`: the same bits, and nothing beyond is touched. */
static void cut_of(const an_update_table *kernels)
{
    static workspace whole, cut, untouched;
    for (an_update_id id = 0; id < AN_UPDATE_COUNT; id++) {
        for (int64_t at = 0; at < 36; at += at < 3 ? 1 : 11) {
            double sums[2][AN_UPDATE_SUMS] = {{0}};
            fill_workspace(&whole);
            fill_workspace(&cut);
            fill_workspace(&untouched);
            update_range(kernels, id, &whole, 0, MOST - 5, sums[0]);
            update_range(kernels, id, &cut, 0, at, sums[1]);
            update_range(kernels, id, &cut, at, MOST - 5, sums[1]);
            assert_memory_equal(&whole, &cut, sizeof whole);
            assert_memory_equal(whole.p + MOST - 5, untouched.p + MOST - 5, 5 * sizeof(float));
            for (int k = 0; k < AN_UPDATE_SUMS; k++) {
                assert_near(sums[0][k], sums[1][k], fabs(sums[0][k]));
            }
        }
    }
}

static void a_cut_changes_no_bit(void **state)
{
    (void)state;
    each_width(cut_of);
}

static void zeros_stay(const an_update_table *kernels)
{
    for (an_update_id id = 0; id < AN_UPDATE_COUNT; id++) {
        static workspace w;
        static const workspace zero;
        double sums[AN_UPDATE_SUMS] = {0};
        memset(&w, 0, sizeof w);
        update_range(kernels, id, &w, 0, 33, sums);
        if (id == AN_UPDATE_RPROP || id == AN_UPDATE_ADAMAX) {
            memset(w.s[1], 0, sizeof w.s[1]); /* a least step, a least size */
        }
        kernels->scale(33, w.p, 0.5);
        for (int i = 0; i < MOST; i++) {
            assert_true(w.p[i] == 0 && w.s[0][i] == 0 && w.s[1][i] == 0 && w.s[2][i] == 0);
        }
        assert_memory_equal(w.g, zero.g, sizeof w.g);
        assert_true(sums[0] == 0 && sums[1] == 0);
    }
}

static void gaps_of_zeros_stay_zeros(void **state)
{
    (void)state;
    each_width(zeros_stay);
}

static double first_sum;

static void square_sum_of(const an_update_table *kernels)
{
    float x[MOST];
    fill(x, MOST, 9);
    double lane[16] = {0};
    for (int64_t i = 0; i < MOST; i++) {
        lane[i % 16] += (double)x[i] * (double)x[i];
    }
    for (int half = 8; half > 0; half /= 2) {
        for (int j = 0; j < half; j++) {
            lane[j] += lane[j + half];
        }
    }
    const double sum = lane[0];
    assert_true(kernels->square_sum(MOST, x) == sum);
    assert_true(first_sum == 0 || first_sum == sum);
    first_sum = sum;
    assert_true(kernels->square_sum(0, x) == 0);
    const float large[2] = {3e38f, -3e38f}, bad[3] = {1, NAN, 2};
    double square = (double)large[0] * (double)large[0];
    assert_true(kernels->square_sum(2, large) == square + square);
    assert_true(isnan(kernels->square_sum(3, bad)));
}

static void square_sum_is_the_same_in_every_width(void **state)
{
    (void)state;
    first_sum = 0;
    each_width(square_sum_of);
    assert_true(first_sum > 0);
}

static void scale_of(const an_update_table *kernels)
{
    for (size_t k = 0; k < COUNT(counts); k++) {
        float x[MOST], x0[MOST];
        fill(x, MOST, 7);
        memcpy(x0, x, sizeof x);
        kernels->scale(counts[k], x, 0.3);
        for (int64_t i = 0; i < MOST; i++) {
            assert_true(x[i] == (i < counts[k] ? 0.3f * x0[i] : x0[i]));
        }
    }
}

static void scale_multiplies(void **state)
{
    (void)state;
    each_width(scale_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_equals_its_twin),
        cmocka_unit_test(adam_equals_its_twin),
        cmocka_unit_test(a_cut_changes_no_bit),
        cmocka_unit_test(gaps_of_zeros_stay_zeros),
        cmocka_unit_test(square_sum_is_the_same_in_every_width),
        cmocka_unit_test(scale_multiplies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
