/* What the grammar reads, written back in one canonical form, and what it refuses. */
#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

#include <anneal/spec.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A buffer that the canonical text goes to. */
typedef struct writer {
    char text[4096];
    size_t length;
} writer;

static void add(writer *out, const char *text)
{
    size_t length = strlen(text);
    assert_true(out->length + length < sizeof out->text);
    memcpy(out->text + out->length, text, length + 1);
    out->length += length;
}

static void add_node(writer *out, const an_spec_node *node);

static void add_arguments(writer *out, const an_spec_node *node)
{
    for (size_t i = 0; i < node->arg_count; i++) {
        add(out, i > 0 ? "," : "");
        if (node->args[i].keyword) {
            add(out, node->args[i].keyword);
            add(out, "=");
        }
        add_node(out, node->args[i].value);
    }
}

static void add_node(writer *out, const an_spec_node *node)
{
    char number[64];
    switch (node->kind) {
    case AN_SPEC_NONE:
        add(out, "None");
        break;
    case AN_SPEC_BOOL:
        add(out, node->number != 0.0 ? "True" : "False");
        break;
    case AN_SPEC_NUMBER:
        an_number_print_short(number, sizeof number, node->number);
        add(out, number);
        add(out, node->integer ? "i" : "");
        if (node->unit[0] != '\0') {
            add(out, ":");
            add(out, node->unit);
        }
        break;
    case AN_SPEC_STRING:
        add(out, "\"");
        add(out, node->text);
        add(out, "\"");
        break;
    case AN_SPEC_NAME:
        add(out, node->text);
        break;
    case AN_SPEC_LIST:
        add(out, "[");
        add_arguments(out, node);
        add(out, "]");
        break;
    case AN_SPEC_CALL:
        add(out, node->text);
        add(out, "(");
        add_arguments(out, node);
        add(out, ")");
        break;
    case AN_SPEC_LAMBDA:
        add(out, "lambda ");
        add(out, node->param);
        add(out, ":<");
        add(out, node->text);
        add(out, ">");
        break;
    }
}

static const struct {
    const char *text, *tree;
} accepted[] = {
    /* calls */
    {"ReLU()", "ReLU()"},
    {" Linear ( 784 ,\n 128 , ) ", "Linear(784i,128i)"},
    {"SGD(lr=0.05, momentum=0.9)", "SGD(lr=0.05,momentum=0.9)"},
    {"torch.optim.lr_scheduler.StepLR(step_size=30)", "StepLR(step_size=30i)"},
    {"Sequential(nn.Linear(2,3), nn.ReLU())", "Sequential(Linear(2i,3i),ReLU())"},
    /* what PyTorch wants first is dropped */
    {"StepLR(optimizer, 30, gamma=.1)", "StepLR(30i,gamma=0.1)"},
    {"StepLR(self.optimizer)", "StepLR()"},
    {"StepLR(opt, 5)", "StepLR(5i)"},
    {"lr_scheduler.StepLR(optimizer_ft, step_size=7)", "StepLR(step_size=7i)"},
    {"StepLR(optimizer=opt, step_size=5)", "StepLR(step_size=5i)"},
    {"SGD(params, lr=1)", "SGD(lr=1i)"},
    {"SGD(model.parameters(), lr=1)", "SGD(lr=1i)"},
    {"SGD(self.net.parameters(), lr=1)", "SGD(lr=1i)"},
    {"SGD(params=net.parameters(), lr=1)", "SGD(lr=1i)"},
    {"SGD(lr=1, params=net.parameters())", "SGD(lr=1i)"},
    {"SequentialLR(optimizer, [LinearLR(optimizer), StepLR(optimizer, 3)], milestones=[5])",
     "SequentialLR([LinearLR(),StepLR(3i)],milestones=[5i])"},
    /* ... but only there */
    {"f(1, optimizer)", "f(1i,optimizer)"},
    {"f([optimizer])", "f([optimizer])"},
    {"f(mode=opt)", "f(mode=opt)"},
    {"f(\"optimizer\")", "f(\"optimizer\")"},
    {"dict(params=net.parameters(), lr=1)", "dict(params=parameters(),lr=1i)"},
    {"SGD([dict(params=\"*.bias\", weight_decay=0)], lr=0.1)",
     "SGD([dict(params=\"*.bias\",weight_decay=0i)],lr=0.1)"},
    /* lists */
    {"[]", "[]"},
    {"()", "[]"},
    {"[1, 2,]", "[1i,2i]"},
    {"(0.9, 0.999)", "[0.9,0.999]"},
    {"(3,)", "[3i]"},
    {"(3)", "3i"},
    {"((f()))", "f()"},
    {"[[1], (2, [3])]", "[[1i],[2i,[3i]]]"},
    /* numbers */
    {"1e-3", "0.001"},
    {"-0.5", "-0.5"},
    {"- 3", "-3i"},
    {"+3", "3i"},
    {".5", "0.5"},
    {"30_000", "30000i"},
    {"1/4", "0.25"},
    {"-1 / 8", "-0.125"},
    {"4/2", "2"},
    {"5ep", "5i:ep"},
    {"2e9tok", "2000000000:tok"},
    {"0.3run", "0.3:run"},
    {"90s", "90i:s"},
    {"1/4run", "0.25:run"},
    {"1e", "1i:e"},
    {"inf", "inf"},
    {"-inf", "-inf"},
    {"math.inf", "inf"},
    {"1e999", "inf"},
    /* words and strings */
    {"None", "None"},
    {"[True, False]", "[True,False]"},
    {"min", "min"},
    {"torch.float32", "float32"},
    {"Truer", "Truer"},
    {"'a\"b'", "\"a\"b\""},
    {"\"a'b\"", "\"a'b\""},
    {"'\\'\\\\\\n\\t\\r\\\"'", "\"'\\\n\t\r\"\""},
    {"''", "\"\""},
    {"\"\xc3\xa4\"", "\"\xc3\xa4\""},
    /* lambdas */
    {"lambda epoch: 0.95 ** epoch", "lambda epoch:<0.95 ** epoch>"},
    {"LambdaLR(optimizer, lr_lambda=lambda e: f(e, [1, 2]) , last_epoch=-1)",
     "LambdaLR(lr_lambda=lambda e:<f(e, [1, 2])>,last_epoch=-1i)"},
    {"[lambda e: e, lambda e: g(')', \"]\\\"\")]", "[lambda e:<e>,lambda e:<g(')', \"]\\\"\")>]"},
    {"lambda_(x)", "lambda_(x)"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        an_spec_source source = an_spec_source_text(accepted[i].text);
        an_error err = {0};
        an_spec *spec = an_spec_parse(&source, NULL, &err);
        if (!spec)
            fail_msg("%s: %s", accepted[i].text, err.message);
        writer out = {.length = 0};
        add_node(&out, an_spec_root(spec));
        assert_string_equal(out.text, accepted[i].tree);
        assert_int_equal(err.code, AN_ERROR_OK);
        assert_ptr_equal(an_spec_where(spec)->text, accepted[i].text);
        an_spec_free(spec);
    }
}

/* Text, column of the error, words of the sentence. */
static const struct {
    const char *text;
    int column;
    const char *words;
} refused[] = {
    {"", 1, "expected a value, but the text ends here"},
    {"   ", 4, "the text ends here"},
    {"f(", 2, "this '(' is never closed by ')'"},
    {"f(1, [2, 3)", 11, "expected ',' or ']', but here stands ')'"},
    {"f(1, [2, 3", 6, "this '[' is never closed by ']'"},
    {"f(1]", 4, "expected ',' or ')'"},
    {"f(1))", 5, "expected the end of the text"},
    {"f() g()", 5, "expected the end of the text, but here stands 'g'"},
    {"SGD(lr=0.1 momentum=0.9)", 12, "expected ',' or ')', but here stands 'momentum'"},
    {"f(,)", 3, "expected a value"},
    {"f(1,,2)", 5, "expected a value"},
    {"f(a=)", 5, "expected a value"},
    {"f(a=1, 2)", 8, "arguments without a name must stand before"},
    {"f(a==1)", 4, "only a plain name can stand before '='"},
    {"f(a.b=1)", 6, "only a plain name can stand before '='"},
    {"[a=1]", 3, "expected ',' or ']'"},
    {"a.", 3, "a name after the dot"},
    {"a.1", 3, "a name after the dot"},
    {"true", 1, "write True instead of true"},
    {"f(bias=false)", 8, "write False instead of false"},
    {"[null]", 2, "write None instead of null"},
    {"1/0", 3, "divided by zero"},
    {"1/", 3, "expected a number"},
    {"1s/2", 3, "only one number over another"},
    {"1/2/3", 4, "only one number over another"},
    {"2*3", 2, "products"},
    {"10**-3", 3, "powers"},
    {"1+2", 2, "sums"},
    {"-x", 2, "expected a number"},
    {"--1", 2, "expected a number"},
    {".", 1, "expected a number"},
    {"1.2.3", 4, "expected the end of the text"},
    {"f(*args)", 3, "unpacking"},
    {"{'lr': 1}", 1, "a dictionary is written dict(name=value)"},
    {"f() # new", 5, "comments"},
    {"'abc", 1, "no closing '"},
    {"'abc\\'", 1, "no closing '"},
    {"'a\nb'", 1, "no closing '"},
    {"'\\x41'", 2, "escape"},
    {"f(\xe2\x80\x9c"
     "a\xe2\x80\x9d)",
     3, "straight quotes"},
    {"f(\xe2\x88\x92"
     "1)",
     3, "write the minus sign as -"},
    {"f(\x01)", 3, "the byte 1"},
    {"f(\xff)", 3, "the byte 255"},
    {"lambda: 1", 7, "the name of the lambda's argument"},
    {"lambda a, b: 1", 9, "a lambda takes one argument here"},
    {"lambda e:", 10, "an expression after 'lambda'"},
    {"f(lambda e: , 1)", 13, "an expression after 'lambda'"},
    {"lambda e: (1", 13, "inside of brackets"},
    {"lambda e: (1]", 13, "closes none that is open"},
    {"lambda e: 'x", 11, "no closing quote"},
    {"SGD(model.fc.parameters(), lr=1)", 5, "a part of the model"},
    {"SGD(self.model.fc.parameters())", 5, "a part of the model"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        an_spec_source source = an_spec_source_text(refused[i].text);
        an_error err = {0};
        assert_null(an_spec_parse(&source, NULL, &err));
        assert_null(an_spec_parse(&source, NULL, NULL));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        const char *number = strstr(err.message, "column ");
        int column = number ? (int)strtol(number + 7, NULL, 10) : 0;
        if (strchr(refused[i].text, '\n') == NULL && column != refused[i].column)
            fail_msg("%s: %s, not in column %d", refused[i].text, err.message, refused[i].column);
        if (!strstr(err.message, refused[i].words))
            fail_msg("%s: '%s' lacks '%s'", refused[i].text, err.message, refused[i].words);
    }
}

static void test_a_byte_zero_is_refused_everywhere(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t length;
    } cases[] = {{"\0", 1},
                 {"f(\0)", 4},
                 {"'a\0b'", 5},
                 {"1\0", 2},
                 {"f()\0", 4},
                 {"'\\\0'", 4},
                 {"lambda e: \0", 11},
                 {"lambda e: '\0'", 13},
                 {"lambda e: '\\\0'", 14},
                 {"a\0b", 3},
                 {"a.\0", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_spec_source source = {.text = cases[i].text, .length = cases[i].length};
        an_error err = {0};
        assert_null(an_spec_parse(&source, NULL, &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
    }
}

/* Reads at most `length` bytes: every beginning of a text is read from a block of just that size.
 */
static void test_every_beginning_of_a_text(void **state)
{
    (void)state;
    const char *text = "a.f(optimizer, [-1/3ep, 'x\\n', (2,)], k=lambda e: (e, \"s\")[0], z=None)";
    for (size_t length = 1; length < strlen(text); length++) {
        char *block = malloc(length);
        assert_non_null(block);
        memcpy(block, text, length);
        an_spec_source source = {.text = block, .length = length};
        an_spec *spec = an_spec_parse(&source, NULL, NULL);
        assert_true(spec == NULL || length <= 3);
        an_spec_free(spec);
        free(block);
    }
}

static void test_depth_is_limited(void **state)
{
    (void)state;
    char text[2 * AN_SPEC_MAX_DEPTH + 8];
    for (size_t depth = AN_SPEC_MAX_DEPTH; depth <= AN_SPEC_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        an_spec_source source = an_spec_source_text(text);
        an_error err = {0};
        an_spec *spec = an_spec_parse(&source, NULL, &err);
        assert_int_equal(spec != NULL, depth <= AN_SPEC_MAX_DEPTH);
        if (!spec)
            assert_non_null(strstr(err.message, "nested more than 72 deep"));
        an_spec_free(spec);
    }
    size_t many = 1000000;
    char *deep = malloc(many + 1);
    assert_non_null(deep);
    memset(deep, '(', many);
    deep[many] = '\0';
    an_spec_source source = an_spec_source_text(deep);
    assert_null(an_spec_parse(&source, NULL, NULL));
    memcpy(deep, "lambda e:", 9);
    assert_null(an_spec_parse(&source, NULL, NULL));
    free(deep);
}

static void test_positions(void **state)
{
    (void)state;
    const char *text = " nn.f( a = -1/3ep , [ 'x' ], k=lambda e: 2*e )";
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, NULL, NULL);
    assert_null(spec); /* a positional after a keyword */
    text = " nn.f( -1/3ep , [ 'x' ], (7) , k  =  lambda e: 2*e )";
    source = an_spec_source_text(text);
    spec = an_spec_parse(&source, NULL, NULL);
    assert_non_null(spec);
    const an_spec_node *root = an_spec_root(spec);
    assert_int_equal(root->offset, 1);
    assert_int_equal(root->length, strlen(text) - 1);
    const char *pieces[] = {"-1/3ep", "[ 'x' ]", "7", "lambda e: 2*e"};
    assert_int_equal(root->arg_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const an_spec_node *node = root->args[i].value;
        assert_int_equal(node->length, strlen(pieces[i]));
        assert_memory_equal(text + node->offset, pieces[i], node->length);
    }
    assert_int_equal(root->args[3].keyword_offset, strchr(text, 'k') - text);
    const an_spec_node *lambda = root->args[3].value; /* its expression ends where it ends */
    size_t expression = lambda->offset + lambda->length - strlen(lambda->text);
    assert_memory_equal(text + expression, lambda->text, strlen(lambda->text));
    an_spec_free(spec);
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    const char *text =
        "SequentialLR(optimizer, [LinearLR(optimizer, 1/3, total_iters=5ep), "
        "LambdaLR(opt, lambda e: 0.95 ** e)], milestones=(5, 7), mode='m\\n', x=None)";
    an_spec_source source = an_spec_source_text(text);
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_allocator hooks = failing_hooks(&failing);
        an_error err = {0};
        an_spec *spec = an_spec_parse(&source, &hooks, &err);
        bool all_failed = failing.requests <= n;
        assert_int_equal(spec != NULL, all_failed);
        if (!spec)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_spec_free(spec);
        assert_int_equal(failing.blocks, 0);
        assert_int_equal(failing.bytes, 0);
        if (all_failed) {
            assert_true(n >= 2);
            break;
        }
    }
    an_spec_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_byte_zero_is_refused_everywhere),
        cmocka_unit_test(test_every_beginning_of_a_text),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
