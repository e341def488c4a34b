#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

#include <anneal/spec.h>

#include <string.h>

static void test_edits(void **state)
{
    (void)state;
    const struct {
        const char *call, *path, *value, *text;
    } cases[] = {
        {"SGD(lr=0.1)", "lr", "0.05", "SGD(lr=0.05)"},
        {"SGD( lr = 0.1 , momentum=.9 )", "lr", "1/3", "SGD( lr = 1/3 , momentum=.9 )"},
        {"SGD()", "lr", "1", "SGD(lr=1)"},
        {"SGD( )", "lr", "1", "SGD(lr=1 )"},
        {"SGD(momentum=0.9)", "lr", "1", "SGD(momentum=0.9, lr=1)"},
        {"SGD(momentum=0.9,)", "lr", "1", "SGD(momentum=0.9, lr=1)"},
        {"SGD(momentum=0.9 , )", "lr", "1", "SGD(momentum=0.9 , lr=1 )"},
        {"torch.optim.SGD(model.parameters())", "lr", "1",
         "torch.optim.SGD(model.parameters(), lr=1)"},
        {"A(f(lr=2), lr=3)", "lr", "4", "A(f(lr=2), lr=4)"},
        {"A(f(lr=2), lr=3)", "0.lr", "4", "A(f(lr=4), lr=3)"},
        {"A(f(), 5)", "1", "[6, 7]", "A(f(), [6, 7])"},
        {"A(opt, 5)", "0", "6", "A(opt, 6)"},
        {"A(k=f(x=[1, 2]))", "k.x.1", "'q'", "A(k=f(x=[1, 'q']))"},
        {"A(k=f())", "k.x", "True", "A(k=f(x=True))"},
        {"SGD([dict(params='*.bias', weight_decay=0)], lr=0.1)", "0.weight_decay", "0.5",
         "SGD([dict(params='*.bias', weight_decay=0.5)], lr=0.1)"},
        {"SGD([dict(params='a'), dict(params='b')])", "1.lr", "2",
         "SGD([dict(params='a'), dict(params='b', lr=2)])"},
        {"S(optimizer, [A(1), B()], milestones=[5])", "1.gamma", "0.1",
         "S(optimizer, [A(1), B(gamma=0.1)], milestones=[5])"},
        {"[A(), B()]", "1.x", "None", "[A(), B(x=None)]"},
        {"L(lambda e: (e, 1), last=-1)", "0", "lambda e: 2", "L(lambda e: 2, last=-1)"},
        {"(SGD(\n  lr=(0.1)\n))", "lr", "3", "(SGD(\n  lr=(3)\n))"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_arena arena;
        an_arena_init(&arena, an_allocator_default());
        an_error err = {0};
        char *text = an_spec_edit(cases[i].call, cases[i].path, cases[i].value, &arena, &err);
        if (!text)
            fail_msg("%s, %s: %s", cases[i].call, cases[i].path, err.message);
        assert_string_equal(text, cases[i].text);
        an_arena_free(&arena);
    }
}

static void test_refused_edits(void **state)
{
    (void)state;
    const struct {
        const char *call, *path, *value, *words;
    } cases[] = {
        {"SGD(lr=0.1)", "lr", "", "the new value of 'lr': column 1: expected a value"},
        {"SGD(lr=0.1)", "lr", "1, momentum=2", "expected the end of the text"},
        {"SGD(lr=0.1)", "lr", "1)", "expected the end of the text"},
        {"SGD(lr=0.1", "lr", "1", "never closed"},
        {"SGD(lr=0.1)", "", "1", "no path to an argument"},
        {"SGD(lr=0.1)", "lr.", "1", "no path to an argument"},
        {"SGD(lr=0.1)", ".lr", "1", "no path to an argument"},
        {"SGD(lr=0.1)", "l-r", "1", "no path to an argument"},
        {"SGD(lr=0.1)", "1a", "1", "no path to an argument"},
        {"SGD(lr=0.1)", "lr.x", "1", "no call with arguments stands here"},
        {"SGD", "lr", "1", "no call with arguments stands here"},
        {"SGD(lr=0.1)", "k.x", "1", "leads through an argument that is not there"},
        {"SGD(lr=0.1)", "0", "1", "element 0, but here are 0, counted from 0"},
        {"SGD([1])", "1", "1", "element 1, but here are 1, counted from 0"},
        {"SGD([1])", "99999999999999999999999999", "1", "99, but here are 1"},
        {"3", "0", "1", "but here are 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_arena arena;
        an_arena_init(&arena, an_allocator_default());
        an_error err = {0};
        assert_null(an_spec_edit(cases[i].call, cases[i].path, cases[i].value, &arena, &err));
        assert_null(an_spec_edit(cases[i].call, cases[i].path, cases[i].value, &arena, NULL));
        if (!strstr(err.message, cases[i].words))
            fail_msg("%s, %s: '%s'", cases[i].call, cases[i].path, err.message);
        an_arena_free(&arena);
    }
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_arena arena;
        an_arena_init(&arena, failing_hooks(&failing));
        an_error err = {0};
        char *text = an_spec_edit("SGD(lr=[1, 2])", "lr.1", "f(3)", &arena, &err);
        bool all_failed = failing.requests <= n;
        assert_int_equal(text != NULL, all_failed);
        if (text)
            assert_string_equal(text, "SGD(lr=[1, f(3)])");
        else
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_arena_free(&arena);
        assert_int_equal(failing.blocks, 0);
        if (all_failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_refused_edits),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
