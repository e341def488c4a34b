/* Losses by name, their values, gradients and errors. */
#include <anneal/nn.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define ROWS 3
#define CLASSES 4

typedef struct fixture {
    an_context *context;
    an_graph *graph;
} fixture;

static const float scores[ROWS * CLASSES] = {0.5f, -1, 2, 0, 1, 1, 1, 1, -3, 0, 4, 0.25f};
static const int32_t labels[ROWS] = {2, 0, 3};

/* Weights live until the tests end. */
static an_arena arena;

static int set_up(void **state)
{
    static fixture f;
    an_context_options options = {.threads = 1};
    f.context = an_context_new(&options, NULL);
    f.graph = an_graph_new(f.context, NULL);
    an_arena_init(&arena, an_allocator_default());
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    an_arena_free(&arena);
    an_graph_free(f->graph);
    an_context_free(f->context);
    return 0;
}

static bool parse(const char *text, an_loss *loss, an_error *err)
{
    an_allocator allocator = an_allocator_default();
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, &allocator, err);
    bool parsed = spec && an_loss_parse(an_spec_where(spec), an_spec_root(spec), &arena, loss, err);
    an_spec_free(spec);
    return parsed;
}

static an_loss loss_of(const char *text)
{
    an_loss loss = {0};
    an_error err = {0};
    if (!parse(text, &loss, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return loss;
}

static void names_are_pytorchs(void **state)
{
    (void)state;
    assert_int_equal(loss_of("nn.CrossEntropyLoss()").kind, AN_CROSS_ENTROPY_LOSS);
    assert_int_equal(loss_of("MSELoss()").kind, AN_MSE_LOSS);
    assert_string_equal(an_loss_name(loss_of("CrossEntropyLoss()")), "CrossEntropyLoss");
    assert_string_equal(an_loss_name(loss_of("MSELoss()")), "MSELoss");
}

static void wrong_names_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"CrossEntropy()", "there is no loss 'CrossEntropy'; did you mean 'CrossEntropyLoss'?"},
        {"Xyzzyplugh()", "there are CrossEntropyLoss, NLLLoss, MSELoss"},
        {"MSELoss", "a loss is written as a call, as in CrossEntropyLoss()"},
        {"MSELoss(3)", "MSELoss"},
        {"CrossEntropyLoss(weight=3)", "weight must be a list of numbers"},
        {"CrossEntropyLoss(weight=[])", "weight must be a list of numbers"},
        {"CrossEntropyLoss(weight=[1, -1])", "a weight must be a number of at least 0"},
        {"CrossEntropyLoss(weight=[1, x])", "weight"},
        {"CrossEntropyLoss(label_smoothing=1.5)",
         "label_smoothing must be at least 0 and at most 1"},
        {"CrossEntropyLoss(label_smoothing=nan)", "label_smoothing must be"},
        {"CrossEntropyLoss(ignore_index=1e10)", "a label of 32 bits"},
        {"NLLLoss(label_smoothing=0.1)", "NLLLoss has no parameter 'label_smoothing'"},
        {"MSELoss(reduction='all')", "reduction must be 'mean', 'sum' or 'none'"},
        {"MSELoss(reduction='batchmean')", "reduction must be 'mean', 'sum' or 'none'"},
        {"KLDivLoss(reduction=1)", "'mean', 'sum', 'batchmean' or 'none'"},
        {"L1Loss(True)", "size_average is an old name; write reduction='mean'"},
        {"SmoothL1Loss(beta=-1)", "beta must be at least 0, got -1"},
        {"HuberLoss(delta=0)", "delta must be above 0, got 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        an_loss loss;
        an_error err = {0};
        assert_false(parse(cases[i][0], &loss, &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        if (!strstr(err.message, cases[i][1])) {
            fail_msg("'%s' is not in '%s'", cases[i][1], err.message);
        }
    }
}

static void settings_are_read(void **state)
{
    (void)state;
    an_loss a = loss_of("CrossEntropyLoss([0.5, 2], ignore_index=1, reduction='sum', "
                        "label_smoothing=0.1)");
    assert_int_equal(a.weight_count, 2);
    assert_true(a.weight[0] == 0.5f && a.weight[1] == 2 && a.label_smoothing == 0.1);
    assert_true(a.ignore_index == 1 && a.reduction == AN_REDUCE_SUM);
    an_loss b = loss_of("BCEWithLogitsLoss(None, None, None, 'mean', (3,))");
    assert_true(!b.weight && b.pos_weight_count == 1 && b.pos_weight[0] == 3);
    assert_true(loss_of("SmoothL1Loss(beta=0)").beta == 0);
    assert_true(loss_of("HuberLoss('sum', 0.5)").delta == 0.5);
    assert_int_equal(loss_of("HuberLoss('sum', 0.5)").reduction, AN_REDUCE_SUM);
    an_loss k = loss_of("KLDivLoss(reduction='batchmean', log_target=True)");
    assert_true(k.reduction == AN_REDUCE_BATCHMEAN && k.log_target);
    assert_int_equal(loss_of("KLDivLoss(reduction='none')").reduction, AN_REDUCE_NONE);
    an_loss plain = loss_of("NLLLoss(size_average=None)"), defaults = an_loss_defaults(AN_NLL_LOSS);
    assert_int_equal(plain.ignore_index, -100);
    assert_true(plain.kind == defaults.kind && plain.reduction == AN_REDUCE_MEAN);
    assert_true(defaults.beta == 1 && defaults.delta == 1 && defaults.label_smoothing == 0);
}

static void all_names_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {"CrossEntropyLoss", "NLLLoss",          "MSELoss",
                                        "L1Loss",           "SmoothL1Loss",     "HuberLoss",
                                        "KLDivLoss",        "BCEWithLogitsLoss"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char call[40];
        an_format(call, sizeof call, "nn.%s()", names[i]);
        assert_string_equal(an_loss_name(loss_of(call)), names[i]);
    }
}

static void cross_entropy_is_the_mean_over_rows(void **state)
{
    fixture *f = *state;
    double want = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int j = 0; j < CLASSES; j++) {
            sum += exp((double)scores[i * CLASSES + j]);
        }
        want += (log(sum) - scores[i * CLASSES + labels[i]]) / ROWS;
    }
    an_tensor *x = an_leaf(f->graph, scores, an_shape_2(ROWS, CLASSES));
    an_labels target = {labels, ROWS};
    an_tensor *loss = an_loss_apply(loss_of("CrossEntropyLoss()"), f->graph, x, target);
    assert_true(fabs(an_item(loss) - want) < 1e-6);
    assert_true(an_graph_reset(f->graph, NULL));
}

static void mse_compares_with_one_hot_rows(void **state)
{
    fixture *f = *state;
    an_tensor *x = an_leaf(f->graph, scores, an_shape_2(ROWS, CLASSES));
    an_labels target = {labels, ROWS};
    an_tensor *loss = an_loss_apply(loss_of("MSELoss()"), f->graph, x, target);
    double want = 0;
    for (int i = 0; i < ROWS * CLASSES; i++) {
        double error = scores[i] - (i % CLASSES == labels[i / CLASSES]);
        want += error * error / (ROWS * CLASSES);
    }
    assert_true(fabs(an_item(loss) - want) < 1e-6);
    assert_true(an_backward(f->graph, loss, NULL));
    for (int i = 0; i < ROWS * CLASSES; i++) {
        double error = scores[i] - (i % CLASSES == labels[i / CLASSES]);
        assert_true(fabs(an_tensor_grad(x)[i] - 2 * error / (ROWS * CLASSES)) < 1e-6);
    }
    assert_true(an_graph_reset(f->graph, NULL));
}

static void assert_fails(fixture *f, an_shape shape, const int32_t *data, int64_t count,
                         const char *part)
{
    an_tensor *x = an_leaf(f->graph, scores, shape);
    an_tensor *loss = an_loss_apply(loss_of("MSELoss()"), f->graph, x, (an_labels){data, count});
    assert_true(isnan(an_item(loss)));
    an_error err = {0};
    assert_false(an_backward(f->graph, loss, &err));
    if (!strstr(err.message, part)) {
        fail_msg("'%s' is not in '%s'", part, err.message);
    }
    assert_false(an_graph_reset(f->graph, NULL));
}

/* One loss a row, in the shape of the rows; probabilities as target give the same. */
static void without_reduction_every_row_stays(void **state)
{
    fixture *f = *state;
    float rows[ROWS * CLASSES] = {0};
    for (int i = 0; i < ROWS; i++)
        rows[i * CLASSES + labels[i]] = 1;
    const an_loss none = loss_of("CrossEntropyLoss(reduction='none', label_smoothing=0.1)");
    const an_loss sum = loss_of("CrossEntropyLoss(reduction='sum', label_smoothing=0.1)");
    an_tensor *x = an_leaf(f->graph, scores, an_shape_3(1, ROWS, CLASSES));
    an_labels target = {labels, ROWS};
    an_tensor *soft = an_from(f->graph, rows, x->shape);
    an_tensor *each[2] = {an_loss_apply(none, f->graph, x, target),
                          an_loss_between(none, f->graph, x, soft)};
    const double total = an_item(an_loss_apply(sum, f->graph, x, target));
    for (int k = 0; k < 2; k++) {
        assert_true(an_shape_equal(each[k]->shape, an_shape_2(1, ROWS)));
        double got = 0;
        for (int i = 0; i < ROWS; i++)
            got += (double)each[k]->data[i];
        assert_true(fabs(got - total) < 1e-5);
    }
    an_error err = {0};
    assert_false(an_backward(f->graph, each[0], &err));
    assert_non_null(strstr(err.message, "take its mean or sum"));
    assert_true(an_graph_reset(f->graph, NULL));
}

static void labels_and_shapes_are_checked(void **state)
{
    fixture *f = *state;
    static const int32_t high[ROWS] = {0, 4, 1}, low[ROWS] = {0, 1, -1};
    an_shape good = an_shape_2(ROWS, CLASSES);
    assert_fails(f, good, high, ROWS, "mse_loss: label 4 of row 1 is outside 0..3");
    assert_fails(f, good, low, ROWS, "mse_loss: label -1 of row 2 is outside 0..3");
    assert_fails(f, good, labels, 2, "takes (2, classes) for 2 labels but gets (3, 4)");
    assert_fails(f, an_shape_3(ROWS, 2, 2), labels, ROWS, "but gets (3, 2, 2)");
    assert_fails(f, an_shape_1(ROWS), labels, ROWS, "but gets (3,)");
}

/* The first error of the graph stays the one that is delivered. */
static void earlier_errors_come_first(void **state)
{
    fixture *f = *state;
    an_tensor *a = an_leaf(f->graph, scores, an_shape_2(3, 4));
    an_tensor *bad = an_matmul(f->graph, a, an_leaf(f->graph, scores, an_shape_2(3, 4)));
    an_error first = {0}, err = {0};
    assert_true(an_graph_error(f->graph, &first));
    for (int kind = 0; kind <= AN_KL_DIV_LOSS; kind++) {
        an_loss_apply(an_loss_defaults((an_loss_kind)kind), f->graph, bad,
                      (an_labels){labels, ROWS});
    }
    assert_false(an_graph_reset(f->graph, &err));
    assert_string_equal(err.message, first.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_pytorchs),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(all_names_are_known),
        cmocka_unit_test(cross_entropy_is_the_mean_over_rows),
        cmocka_unit_test(mse_compares_with_one_hot_rows),
        cmocka_unit_test(without_reduction_every_row_stays),
        cmocka_unit_test(labels_and_shapes_are_checked),
        cmocka_unit_test(earlier_errors_come_first),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
