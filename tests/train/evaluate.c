/* Evaluation: means over all samples, no gradients, no dropout, modes put back. */
#include "world.h"

static void test_means(void **state)
{
    (void)state;
    world w = {.count = 23};
    an_eval_result ragged, whole;
    world_open(&w);
    an_loader *one = world_loader(&w, 23, false);
    assert_true(an_evaluate(w.model, w.fit.loss, w.valid, &ragged, NULL));
    assert_true(an_evaluate(w.model, w.fit.loss, one, &whole, NULL));
    assert_int_equal(ragged.samples, 23);
    assert_int_equal(whole.samples, 23);
    assert_float_equal((float)ragged.loss, (float)whole.loss, 1e-6);
    assert_true(ragged.accuracy == whole.accuracy);
    an_loader_free(one);
    world_close(&w);
}

/* Begins at the loader's first batch, wherever it stood. */
static void test_from_the_start(void **state)
{
    (void)state;
    world w = {.count = 23};
    an_eval_result first, second;
    an_batch batch;
    world_open(&w);
    assert_true(an_evaluate(w.model, w.fit.loss, w.valid, &first, NULL));
    assert_true(an_loader_next(w.valid, &batch));
    assert_true(an_evaluate(w.model, w.fit.loss, w.valid, &second, NULL));
    assert_int_equal(second.samples, 23);
    assert_true(first.loss == second.loss);
    world_close(&w);
}

static void test_no_dropout_and_modes_put_back(void **state)
{
    (void)state;
    world w = {0};
    an_eval_result a, b;
    world_open(&w);
    an_model *model = an_model_new(w.context, NULL);
    an_model_dropout(model, 0.9);
    an_model_linear(model, 4, 3, true);
    assert_true(an_model_build(model, an_shape_1(4), 1, NULL));
    assert_true(an_evaluate(model, w.fit.loss, w.valid, &a, NULL));
    assert_true(an_evaluate(model, w.fit.loss, w.valid, &b, NULL));
    assert_true(a.loss == b.loss);
    assert_true(an_model_set_training(model, false));
    assert_true(an_evaluate(model, w.fit.loss, w.valid, &b, NULL));
    assert_false(an_model_set_training(model, true));
    for (size_t i = 0; i < an_params_count(an_model_params(model)); i++)
        assert_null(an_tensor_grad(an_params_get(an_model_params(model), i)->tensor));
    an_model_free(model);
    world_close(&w);
}

/* A model that does not fit the data's labels: the graph's error arrives. */
static void test_errors_arrive(void **state)
{
    (void)state;
    world w = {0};
    an_eval_result result;
    an_error err = {0};
    world_open(&w);
    an_model *model = an_model_new(w.context, NULL);
    an_model_linear(model, 4, 2, true);
    assert_true(an_model_build(model, an_shape_1(4), 1, NULL));
    assert_false(an_evaluate(model, w.fit.loss, w.valid, &result, &err));
    assert_int_not_equal(err.code, AN_ERROR_OK);
    assert_true(strlen(err.message) > 0);
    an_model_free(model);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_from_the_start),
        cmocka_unit_test(test_no_dropout_and_modes_put_back),
        cmocka_unit_test(test_errors_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
