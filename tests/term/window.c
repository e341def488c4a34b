/* A pseudo-terminal stands in for a window. */
#define _GNU_SOURCE

#include <anneal/term.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static void a_pipe_is_no_terminal(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(an_term_is_terminal(ends[1]));
    assert_int_equal(an_term_width(ends[1], 77), 77);
    assert_int_equal(an_term_height(ends[1], 33), 33);
    close(ends[0]);
    close(ends[1]);
    assert_false(an_term_is_terminal(-1));
    assert_int_equal(an_term_width(-1, 80), 80);
    assert_int_equal(an_term_height(-1, 24), 24);
}

static void a_terminal_tells_its_size(void **state)
{
    (void)state;
    int window = posix_openpt(O_RDWR | O_NOCTTY);
    if (window < 0)
        skip();
    struct winsize size = {.ws_row = 24, .ws_col = 123};
    assert_true(an_term_is_terminal(window));
    assert_int_equal(ioctl(window, TIOCSWINSZ, &size), 0);
    assert_int_equal(an_term_width(window, 80), 123);
    assert_int_equal(an_term_height(window, 80), 24);
    size.ws_col = size.ws_row = 0;
    assert_int_equal(ioctl(window, TIOCSWINSZ, &size), 0);
    assert_int_equal(an_term_width(window, 80), 80);
    assert_int_equal(an_term_height(window, 24), 24);
    close(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_is_no_terminal),
        cmocka_unit_test(a_terminal_tells_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
