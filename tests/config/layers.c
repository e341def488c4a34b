/* Models whose layers hold layers, as lists and maps of a configuration. */
#include "world.h"

#define HEAD "data: {path: set}\noptimizer: SGD(lr=0.1)\nbatch_size: 16\nepochs: 1\nmodel:\n"

static const char nested[] = HEAD "  - Flatten()\n"
                                  "  - Residual:\n"
                                  "      - Linear(12, 12)\n"
                                  "      - - ReLU()\n"
                                  "        - Linear(12, 12, bias=False)\n"
                                  "  - Sequential(BatchNorm1d(12), Linear(12, 10))\n";

static void test_lists_nest(void **state)
{
    (void)state;
    static const char *const names[] = {"1.0.weight", "1.0.bias",   "1.1.1.weight", "2.0.weight",
                                        "2.0.bias",   "2.1.weight", "2.1.bias"};
    an_config *config;
    an_run *run = run_of(nested, NULL, &config);
    const an_params *params = an_model_params(run->model);
    assert_int_equal(an_params_count(params), sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(an_params_get(params, i)->name, names[i]);
    assert_string_equal(an_model_layer_text(run->model, 1),
                        "Residual(Linear(12, 12), Sequential(ReLU(), Linear(12, 12, bias=False)))");
    assert_true(an_fit(&run->fit, NULL, NULL));
    an_run_free(run);
    an_config_free(config);
}

static void test_sets_reach_into_lists(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(nested, "model.1.Residual.1.0=Tanh()", &config);
    assert_string_equal(an_model_layer_text(run->model, 1),
                        "Residual(Linear(12, 12), Sequential(Tanh(), Linear(12, 12, bias=False)))");
    an_run_free(run);
    an_config_free(config);
}

/* What is wrong, the line that is blamed and a part of the message. */
static void test_wrong_layers_are_blamed(void **state)
{
    (void)state;
    static const struct {
        const char *model, *place, *part;
    } cases[] = {
        {"  - Residuals:\n      - ReLU()\n", "c.yaml:6: ", "a layer that holds others"},
        {"  - Linear:\n      - ReLU()\n", "c.yaml:6: ", "a layer that holds others"},
        {"  - {Residual: [ReLU()], Sequential: [ReLU()]}\n", "c.yaml:6: ", "holds others"},
        {"  - Residual: ReLU()\n", "c.yaml:6: ", "Residual takes a list of layers"},
        {"  - Residual: []\n", "c.yaml:6: ", "Residual takes a list of layers"},
        {"  - Residual:\n      - Relu()\n", "c.yaml:7: ", "did you mean 'ReLU'"},
        {"  - Flatten()\n  - Residual:\n      - ReLU()\n      - Linear(5, 12)\n",
         "c.yaml:9: ", "layer 1.1, Linear(5, 12): takes"},
        {"  - Flatten()\n  - Residual:\n      - Linear(12, 5)\n",
         "c.yaml:", "layer 1, Residual: adds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400];
        an_error err = {0};
        snprintf(text, sizeof text, "%s%s", HEAD, cases[i].model);
        an_config *config = parse(text, NULL, &err);
        an_run *run = config ? an_run_new(config, &err) : NULL;
        assert_null(run);
        if (!strstr(err.message, cases[i].place) || !strstr(err.message, cases[i].part))
            fail_msg("'%s' and '%s' are not in '%s'", cases[i].place, cases[i].part, err.message);
        an_config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_nest),
        cmocka_unit_test(test_sets_reach_into_lists),
        cmocka_unit_test(test_wrong_layers_are_blamed),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
