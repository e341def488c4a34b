/* The live line: what is drawn, when, and how wide. */
#include "capture.h"

#include <anneal/term.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    capture out;
    an_progress progress;
    an_callback callback;
} fixture;

static void begin(fixture *f, int width, bool unicode)
{
    capture_begin(&f->out);
    an_progress_init(&f->progress, f->out.stream, width, unicode);
    f->callback = an_progress_callback(&f->progress);
    an_record r = sample_record();
    f->callback.train_begin(f->callback.user, &r, NULL);
}

static void batch(fixture *f, const an_record *record)
{
    f->callback.batch_end(f->callback.user, record, NULL);
}

static an_record in_epoch(int64_t done, double seconds)
{
    an_record r = sample_record();
    r.batch = done;
    r.step = 2 * 938 + done;
    r.seconds = seconds;
    return r;
}

static void draws_the_whole_line(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 200, true);
    an_record r = in_epoch(612, 0.3732);
    batch(&f, &r);
    assert_string_equal(capture_text(&f.out),
                        "\repoch 3/10 ━━━━━━━━━━━━━━━━━╸          612/938   loss 0.0712   "
                        "acc 97.9 %   lr 0.0411   412k samples/s   eta 1.0 s\033[K");
    capture_end(&f.out);
}

/* Loss halves and the rate rises: one curve falls, the other climbs. */
static void run_batches(fixture *f, int64_t from, int64_t to)
{
    for (int64_t i = from; i <= to; i++) {
        an_record r = in_epoch(i, 0.001 * (double)i);
        r.batch_loss = 1 - (double)i / 1000;
        r.lr[0] = (double)i / 1000;
        batch(f, &r);
    }
}

static void curves_follow_loss_and_rate(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 200, true);
    run_batches(&f, 1, 700);
    an_record r = in_epoch(701, 1);
    batch(&f, &r);
    const char *text = strrchr(capture_text(&f.out), '\r');
    assert_non_null(strstr(text, "loss 0.0712 █▇▆▅▄▃▂▁   acc 97.9 %"));
    assert_non_null(strstr(text, "lr 0.0411 ▁▂▃▄▅▆█▁   412k samples/s   eta "));
    /* The finished line, which stays, has none. */
    f.callback.epoch_end(f.callback.user, &r, NULL);
    text = strrchr(capture_text(&f.out), '\r');
    assert_non_null(strstr(text, "loss 0.0712   acc"));
    capture_end(&f.out);
}

static void curves_go_first_in_a_narrow_window(void **state)
{
    (void)state;
    for (int width = 60; width < 160; width++) {
        fixture f;
        begin(&f, width, false);
        run_batches(&f, 1, 700);
        const char *text = strrchr(capture_text(&f.out), '\r');
        bool curves = strstr(text, "loss 0.0712 #*") != NULL;
        assert_int_equal(curves, width >= 113);
        if (curves)
            assert_true(strstr(text, "samples/s") && strstr(text, "eta "));
        assert_true((int)(strlen(text) - strlen("\r\033[K")) < width);
        capture_end(&f.out);
    }
}

/* However long a run is, and after it was rolled back. */
static void the_trail_has_a_bound_and_goes_back(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 200, true);
    run_batches(&f, 1, 100000);
    const an_trail *trail = &f.progress.trail;
    assert_in_range(trail->count, AN_TRAIL_PARTS / 2, AN_TRAIL_PARTS);
    for (int i = 0; i < trail->count; i++) {
        double first = (double)(trail->first[i] - 2 * 938), last = first + (double)trail->each - 1;
        last = last < 100000 ? last : 100000;
        assert_true(fabs(trail->loss[i] - (1 - (first + last) / 2000)) < 1e-9);
        assert_true(trail->rate[i] == last / 1000);
    }
    run_batches(&f, 50000, 50010);
    for (int i = 1; i < trail->count; i++)
        assert_true(trail->first[i] > trail->first[i - 1]);
    assert_true(trail->first[trail->count - 1] == 2 * 938 + 50000);
    assert_true(trail->rate[trail->count - 1] == 50.01);
    capture_end(&f.out);
}

static void ascii_has_no_other_bytes(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 200, false);
    an_record r = in_epoch(612, 0.3732);
    batch(&f, &r);
    assert_string_equal(capture_text(&f.out),
                        "\repoch 3/10 =================-          612/938   loss 0.0712   "
                        "acc 97.9 %   lr 0.0411   412k samples/s   eta 1.0 s\033[K");
    capture_end(&f.out);
}

static void finishes_a_line_at_the_epochs_end(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 200, false);
    an_record r = sample_record();
    r.valid_loss = 0.0801;
    r.valid_accuracy = 0.975;
    f.callback.epoch_end(f.callback.user, &r, NULL);
    f.callback.train_end(f.callback.user, &r, NULL);
    assert_string_equal(capture_text(&f.out),
                        "\repoch 3/10 =========================== 938/938   loss 0.0712   "
                        "acc 97.9 %   valid loss 0.0801   valid acc 97.5 %   lr 0.0411   "
                        "412k samples/s   0.1 s\033[K\n");
    capture_end(&f.out);
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == wanted;
    return count;
}

/* 1000 batches in a second of training are at most 20 drawings, and one at the end. */
static void draws_twenty_times_a_second(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 100, true);
    for (int i = 0; i < 1000; i++) {
        an_record r = in_epoch(i % 938 + 1, i / 1000.0);
        batch(&f, &r);
    }
    assert_int_equal(count_of(capture_text(&f.out), '\r'), 20);
    assert_int_equal(count_of(capture_text(&f.out), '\n'), 0);
    an_record r = sample_record();
    f.callback.epoch_end(f.callback.user, &r, NULL);
    assert_int_equal(count_of(capture_text(&f.out), '\r'), 21);
    assert_int_equal(count_of(capture_text(&f.out), '\n'), 1);
    capture_end(&f.out);
}

static void a_stopped_run_leaves_a_finished_line(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 100, true);
    an_record r = in_epoch(5, 0.1);
    batch(&f, &r);
    assert_int_equal(count_of(capture_text(&f.out), '\n'), 0);
    f.callback.train_end(f.callback.user, &r, NULL);
    const char *text = capture_text(&f.out);
    assert_int_equal(text[strlen(text) - 1], '\n');
    capture_end(&f.out);
}

/* Whatever the width: one column stays free, and no character is cut in two. */
static void fits_every_width(void **state)
{
    (void)state;
    for (int width = -3; width < 140; width++) {
        fixture f;
        begin(&f, width, true);
        an_record r = in_epoch(612, 0.3732);
        batch(&f, &r);
        char line[1024];
        const char *text = capture_text(&f.out);
        size_t length = strlen(text) - strlen("\r\033[K");
        assert_true(length < sizeof line);
        memcpy(line, text + 1, length);
        line[length] = '\0';
        int columns = an_term_columns(line);
        assert_true(columns <= (width > 1 ? width - 1 : 0));
        assert_int_equal(length - (size_t)columns, 2 * (count_of(line, '\xe2')));
        if (width == 80) {
            assert_string_equal(line, "epoch 3/10 ━━━━━╸    612/938   loss 0.0712   acc 97.9 %   "
                                      "lr 0.0411   eta 1.0 s");
            assert_int_equal(columns, 79);
        }
        capture_end(&f.out);
    }
}

/* The line that `record` finishes an epoch with, without what moves the cursor. */
static void finished_line(char *line, size_t size, const an_record *record, int width)
{
    fixture f;
    begin(&f, width, true);
    f.callback.epoch_end(f.callback.user, record, NULL);
    const char *text = capture_text(&f.out);
    size_t length = strlen(text) - strlen("\r\033[K\n");
    assert_true(length < size);
    memcpy(line, text + 1, length);
    line[length] = '\0';
    capture_end(&f.out);
}

static void finished_lines_give_up_whole_fields(void **state)
{
    (void)state;
    static const struct {
        int width;
        const char *line;
    } cases[] = {
        {30, "epoch 3/10  lr 0.0411"},
        {60, "epoch 3/10  loss 0.0712  valid loss 0.0801  lr 0.0411"},
        {80, "epoch 3/10  loss 0.0712  valid loss 0.0801  valid acc 97.5 %  lr 0.0411  0.1 s"},
        {100, "epoch 3/10 938/938  loss 0.0712  acc 97.9 %  valid loss 0.0801  "
              "valid acc 97.5 %  lr 0.0411  0.1 s"},
        {120, "epoch 3/10 ━━━━━━━━━━━━━━ 938/938   loss 0.0712   acc 97.9 %   valid loss 0.0801   "
              "valid acc 97.5 %   lr 0.0411   0.1 s"},
    };
    an_record r = sample_record();
    r.valid_loss = 0.0801;
    r.valid_accuracy = 0.975;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[512];
        finished_line(line, sizeof line, &r, cases[i].width);
        assert_string_equal(line, cases[i].line);
    }
}

/* Nothing that a line of any width shows is cut, and the rate is the last to go. */
static void no_field_is_cut(void **state)
{
    (void)state;
    static const char *const fields[] = {"epoch 3/10",        "loss 0.0712",      "acc 97.9 %",
                                         "valid loss 0.0801", "valid acc 97.5 %", "0.1 s",
                                         "412k samples/s"};
    an_record r = sample_record();
    r.valid_loss = 0.0801;
    r.valid_accuracy = 0.975;
    r.groups = 2;
    r.lr[1] = 0.005;
    for (int width = 12; width < 160; width++) {
        char line[512];
        finished_line(line, sizeof line, &r, width);
        assert_true(an_term_columns(line) < width);
        assert_int_equal(strstr(line, "lr 0.0411, 0.00500") != NULL, width >= 31);
        for (char *field = strtok(line, "\n"); field;) {
            char *end = strstr(field, "  ");
            if (end)
                *end = '\0';
            bool known =
                strncmp(field, "epoch 3/10", 10) == 0 || strncmp(field, "lr 0.0411", 9) == 0;
            for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                known = known || strcmp(field, fields[i]) == 0;
            assert_true(known);
            field = end ? end + 2 + strspn(end + 2, " ") : NULL;
        }
    }
}

static void narrow_live_lines_give_up_whole_fields(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 60, true);
    an_record r = in_epoch(612, 0.3732);
    batch(&f, &r);
    assert_string_equal(capture_text(&f.out),
                        "\repoch 3/10 612/938  loss 0.0712  lr 0.0411  eta 1.0 s\033[K");
    capture_end(&f.out);
}

static void eta_is_left_out_while_unknown(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 120, false);
    an_record r = in_epoch(1, 0.1);
    r.step = 0;
    batch(&f, &r);
    assert_null(strstr(capture_text(&f.out), "eta"));
    capture_end(&f.out);
}

static void no_batches_is_an_empty_bar(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 120, false);
    an_record r = in_epoch(0, 0.1);
    r.batches = 0;
    r.groups = 0;
    r.loss = INFINITY;
    batch(&f, &r);
    assert_non_null(strstr(capture_text(&f.out), "epoch 3/10                             0/0   "
                                                 "loss inf   acc 97.9 %"));
    capture_end(&f.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_the_whole_line),
        cmocka_unit_test(curves_follow_loss_and_rate),
        cmocka_unit_test(curves_go_first_in_a_narrow_window),
        cmocka_unit_test(the_trail_has_a_bound_and_goes_back),
        cmocka_unit_test(ascii_has_no_other_bytes),
        cmocka_unit_test(finishes_a_line_at_the_epochs_end),
        cmocka_unit_test(draws_twenty_times_a_second),
        cmocka_unit_test(a_stopped_run_leaves_a_finished_line),
        cmocka_unit_test(fits_every_width),
        cmocka_unit_test(finished_lines_give_up_whole_fields),
        cmocka_unit_test(no_field_is_cut),
        cmocka_unit_test(narrow_live_lines_give_up_whole_fields),
        cmocka_unit_test(eta_is_left_out_while_unknown),
        cmocka_unit_test(no_batches_is_an_empty_bar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
