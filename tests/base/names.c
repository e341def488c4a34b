#include "cmocka_all.h"

#include <anneal/base.h>

#include <string.h>

static const char *const names[] = {"lr", "momentum", "beta1"};

static void test_lists(void **state)
{
    (void)state;
    static const char *const lists[] = {"", "lr", "lr or momentum", "lr, momentum or beta1"};
    for (size_t count = 0; count <= 3; count++) {
        char text[64];
        assert_int_equal(an_names_print(text, sizeof text, names, count, " or "),
                         strlen(lists[count]));
        assert_string_equal(text, lists[count]);
    }
}

/* In every size: names as a whole, dots for those that have no room, and nothing behind the end. */
static void test_little_room(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *text;
    } cases[] = {
        {22, "lr, momentum or beta1"},
        {21, "lr, momentum, ..."},
        {18, "lr, momentum, ..."},
        {17, "lr, ..."},
        {8, "lr, ..."},
        {7, "..."},
        {4, "..."},
        {1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        memset(text, '#', sizeof text);
        assert_int_equal(an_names_print(text, cases[i].size, names, 3, " or "),
                         strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
        assert_int_equal(text[cases[i].size], '#');
    }
    char none = '#';
    assert_int_equal(an_names_print(&none, 0, names, 3, " or "), 0);
    assert_int_equal(none, '#');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
