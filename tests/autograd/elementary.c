/* exp, log, tanh, sigmoid and what is made of them as they come out of the operations, over the
 * whole range of floats. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <anneal/autograd.h>

static double logistic(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double gelu(double x)
{
    return isinf(x) ? (x < 0 ? (double)NAN : x) : x * 0.5 * erfc(-x * sqrt(0.5));
}

static double gelu_tanh(double x)
{
    return isinf(x) ? (x < 0 ? (double)NAN : x)
                    : x * logistic(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}

static double silu(double x)
{
    return isinf(x) ? (x < 0 ? (double)NAN : x) : x * logistic(x);
}

static double elu(double x)
{
    return x > 0 ? x : expm1(x);
}

static double softplus(double x)
{
    return (x > 0 ? x : x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
}

static an_tensor *elu_1(an_graph *graph, an_tensor *x)
{
    return an_elu(graph, x, 1);
}

static an_tensor *softplus_1(an_graph *graph, an_tensor *x)
{
    return an_softplus(graph, x, 1, INFINITY);
}

typedef struct function {
    const char *name;
    an_tensor *(*apply)(an_graph *graph, an_tensor *x);
    double (*exact)(double);
    double ulps; /* the error that is allowed, in units of the last place of the result */
} function;

/*
 * Far left, an error of the exponent grows with it (gelu_tanh), and the rounding of a subnormal
 * factor with x (silu, gelu).
 */
static const function functions[] = {
    {"exp", an_exp, exp, 1.5},
    {"log", an_log, log, 1.5},
    {"tanh", an_tanh, tanh, 2},
    {"sigmoid", an_sigmoid, logistic, 3},
    {"gelu", an_gelu, gelu, 8},
    {"gelu_tanh", an_gelu_tanh, gelu_tanh, 256},
    {"silu", an_silu, silu, 64},
    {"elu", elu_1, elu, 2},
    {"softplus", softplus_1, softplus, 3},
};

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The distance in units of the last place that a float near `want` has. */
static double distance(float got, double want)
{
    const double rounded = (double)(float)want;
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : HUGE_VAL;
    if ((double)got == rounded)
        return 0;
    int exponent;
    frexp(isinf(rounded) ? (double)FLT_MAX : want, &exponent);
    const double unit = ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
    return fabs((double)got - want) / unit;
}

static void check(an_graph *graph, const function *f, const float *x, int count)
{
    an_tensor *y = f->apply(graph, an_from(graph, x, an_shape_1(count)));
    for (int i = 0; i < count; i++) {
        const double error = distance(y->data[i], f->exact((double)x[i]));
        if (!(error <= f->ulps))
            fail_msg("%s(%.9g) is %.9g, %.3g units from %.9g", f->name, (double)x[i],
                     (double)y->data[i], error, f->exact((double)x[i]));
    }
    assert_true(an_graph_reset(graph, NULL));
}

static const float corners[] = {
    0.0f,     -0.0f,     1.0f,      -1.0f,    INFINITY,   -INFINITY,   NAN,
    FLT_MAX,  -FLT_MAX,  FLT_MIN,   -FLT_MIN, 1e-45f,     -1e-45f,     1e-40f,
    88.7228f, 88.72284f, -87.3365f, -103.97f, -103.98f,   -104.5f,     104.0f,
    0.63f,    -0.63f,    0.625f,    9.01f,    1.0000001f, 0.99999994f, 0.70710678f,
};

static void test_all_widths(void **state)
{
    (void)state;
    enum { HALF = 1 << 15, CHUNK = 2 * HALF };
    const int corner_count = sizeof corners / sizeof *corners;
    float *x = malloc(CHUNK * sizeof *x);
    assert_non_null(x);
    for (int bits = 128; bits <= 512; bits *= 2) {
        an_context *context =
            an_context_new(&(an_context_options){.threads = 1, .vector_bits = bits}, NULL);
        if (!context) /* this processor lacks the width */
            continue;
        an_graph *graph = an_graph_new(context, NULL);
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
            check(graph, &functions[k], corners, corner_count);
            for (int i = 0; i < CHUNK; i++) /* every sign and exponent, some fractions */
                x[i] = from_bits((uint32_t)i << 16 | (uint32_t)i * 40503u >> 16);
            check(graph, &functions[k], x, CHUNK);
            for (int i = 0; i < CHUNK; i++) /* where the functions bend */
                x[i] = (float)(i - HALF) * (10.0f / HALF);
            check(graph, &functions[k], x, CHUNK);
        }
        an_graph_free(graph);
        an_context_free(context);
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
