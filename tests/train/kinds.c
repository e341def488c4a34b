/* Training on numbers to predict, and on tokens. */
#include "../base/cmocka_all.h"

#include <anneal/train.h>

#include <math.h>

static an_context *context;

static int setup(void **state)
{
    (void)state;
    context = an_context_new(&(an_context_options){.threads = 2}, NULL);
    return context ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    an_context_free(context);
    return 0;
}

static an_loader *loader_of(const an_dataset *data, int64_t batch)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = batch;
    options.shuffle = true;
    an_loader *loader = an_loader_new(context, data, &options, NULL);
    assert_non_null(loader);
    return loader;
}

static an_model *model_of(const char *const *layers, an_shape sample)
{
    an_error err = {0};
    an_model *model = an_model_new(context, NULL);
    for (; *layers; layers++)
        if (!an_model_add(model, *layers, &err))
            fail_msg("%s", err.message);
    if (!an_model_build(model, sample, 1, &err))
        fail_msg("%s", err.message);
    return model;
}

static an_fit_result train(an_model *model, an_loss_kind loss, an_loader *loader, int64_t epochs,
                           an_eval_result *result)
{
    an_error err = {0};
    an_adam_options adam = an_adam_defaults();
    adam.lr = 0.02;
    an_optim *optim = an_adam_new(an_model_params(model), &adam, NULL);
    an_fit_options fit = an_fit_defaults();
    fit.model = model;
    fit.loss = an_loss_defaults(loss);
    fit.optim = optim;
    fit.train = fit.valid = loader;
    fit.epochs = epochs;
    fit.interval = AN_INTERVAL_STEP;
    an_fit_result done;
    if (!an_fit(&fit, &done, &err) || !an_evaluate(model, fit.loss, loader, result, &err))
        fail_msg("%s", err.message);
    an_optim_free(optim);
    return done;
}

/* y = (2 a - b + 1, a b): learned to a small error, without an accuracy. */
static void test_numbers(void **state)
{
    (void)state;
    enum { COUNT = 203 };
    static float values[COUNT * 2], targets[COUNT * 2];
    an_rng rng = an_rng_init(1, 1);
    an_rng_fill_uniform(&rng, values, (int64_t)COUNT * 2, -1, 1);
    for (int i = 0; i < COUNT; i++) {
        const float a = values[2 * i], b = values[2 * i + 1];
        targets[2 * i] = 2 * a - b + 1;
        targets[2 * i + 1] = a * b;
    }
    an_dataset *data =
        an_dataset_from_floats(NULL, values, COUNT, an_shape_1(2), NULL, 0, targets, 2, NULL);
    an_loader *loader = loader_of(data, 16);
    an_model *model = model_of(
        (const char *const[]){"Linear(2, 32)", "Tanh()", "Linear(32, 2)", NULL}, an_shape_1(2));
    an_eval_result result;
    const an_fit_result done = train(model, AN_MSE_LOSS, loader, 60, &result);
    assert_true(result.loss < 2e-3);
    assert_true(isnan(result.accuracy) && isnan(done.last.accuracy));
    assert_true(isnan(done.last.valid_accuracy) && done.last.valid_loss < 3e-3);
    assert_int_equal(result.samples, COUNT);
    an_model_free(model);
    an_loader_free(loader);
    an_dataset_free(data);
}

/* A text that repeats itself is learned by heart: accuracy over tokens. */
static void test_tokens(void **state)
{
    (void)state;
    enum { COUNT = 1500, CONTEXT = 12, PERIOD = 5 };
    static int32_t tokens[COUNT];
    for (int i = 0; i < COUNT; i++)
        tokens[i] = (int32_t)((i % PERIOD) * (i % PERIOD) % 7);
    an_dataset *data = an_dataset_from_tokens(NULL, tokens, COUNT, CONTEXT, 0, NULL);
    an_loader *loader = loader_of(data, 8);
    an_model *model = model_of(
        (const char *const[]){"Unflatten(1, (12, 1))", "LSTM(1, 16)", "Linear(16, 5)", NULL},
        an_shape_1(CONTEXT));
    an_eval_result result;
    const an_fit_result done = train(model, AN_CROSS_ENTROPY_LOSS, loader, 40, &result);
    assert_true(result.accuracy > 0.9 && result.accuracy <= 1);
    assert_true(done.last.accuracy > 0.9 && done.last.accuracy <= 1);
    assert_int_equal(result.samples, an_dataset_count(data));
    an_model_free(model);
    an_loader_free(loader);
    an_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests_name("kinds", tests, setup, teardown);
}
