#include "../base/cmocka_all.h"

#include <anneal/spec.h>

static const char *const names[] = {"ReLU", "Linear", "Tanh", NULL};

/* The error that a call by this name gets, at its place in a list. */
static void test_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[Relu()]", "column 2: there is no layer 'Relu'; did you mean 'ReLU'?"},
        {"[  Softmax(1)]",
         "column 4: there is no layer 'Softmax'; there are ReLU, Linear and Tanh"},
        {"[Abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz()]",
         "column 2: there is no layer 'Abcdefghijklmnopqrstuvwxyz_abcdefghijklm'; there are ReLU, "
         "Linear and Tanh"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        an_spec_source source = an_spec_source_text(cases[i].text);
        an_spec *spec = an_spec_parse(&source, NULL, &err);
        assert_non_null(spec);
        const an_spec_node *call = an_spec_root(spec)->args[0].value;
        assert_false(an_spec_unknown(&source, call, "layer", names, &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        assert_string_equal(err.message, cases[i].message);
        assert_false(an_spec_unknown(&source, call, "layer", names, NULL));
        an_spec_free(spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
