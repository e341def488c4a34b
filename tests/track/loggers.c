/* The console's and the JSON logger's lines, whole. */
#include "capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Feeds one record to a logger and compares all that it wrote. */
static void check(an_callback (*logger)(FILE *), const an_record *record, const char *expected)
{
    capture c;
    capture_begin(&c);
    an_callback callback = logger(c.stream);
    assert_null(callback.batch_end);
    callback.epoch_end(callback.user, record);
    assert_string_equal(capture_text(&c), expected);
    capture_end(&c);
}

static void console_writes_one_line(void **state)
{
    (void)state;
    an_record r = sample_record();
    check(an_console_logger, &r,
          "epoch 3/10  loss 0.0712  acc 97.9 %  lr 0.0411  412k samples/s\n");
}

static void console_shows_validation_groups_and_gaps(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.valid_loss = 0.08012;
    r.valid_accuracy = 0.9751;
    r.groups = 2;
    r.lr[1] = 0.00411;
    check(an_console_logger, &r,
          "epoch 3/10  loss 0.0712  acc 97.9 %  valid loss 0.0801  valid acc 97.5 %  "
          "lr 0.0411, 0.00411  412k samples/s\n");
    r.lr[1] = r.lr[0];
    r.epochs = 0;
    r.accuracy = r.valid_accuracy = NAN;
    r.samples_per_second = NAN;
    r.loss = NAN;
    check(an_console_logger, &r, "epoch 3  loss nan  valid loss 0.0801  lr 0.0411\n");
}

static void json_writes_one_object(void **state)
{
    (void)state;
    an_record r = sample_record();
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"lr\": 0.0411, "
          "\"samples_per_second\": 412345}\n");
}

static void json_has_validation_momentum_and_arrays(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.valid_loss = 0.25;
    r.valid_accuracy = 0.5;
    r.groups = 2;
    r.lr[1] = 0.5;
    r.momentum[0] = 0.9;
    r.momentum[1] = NAN;
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"valid_loss\": 0.25, "
          "\"valid_accuracy\": 0.5, \"lr\": [0.0411, 0.5], \"momentum\": [0.9, null], "
          "\"samples_per_second\": 412345}\n");
}

static void json_writes_null_for_nan_and_infinity(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.loss = NAN;
    r.accuracy = NAN;
    r.valid_loss = INFINITY;
    r.momentum[0] = 0.9;
    r.samples_per_second = INFINITY;
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": null, \"accuracy\": null, \"valid_loss\": null, \"valid_accuracy\": null, "
          "\"lr\": 0.0411, \"momentum\": 0.9, \"samples_per_second\": null}\n");
}

/* A count of groups beyond the record's room is cut; no group is no lr. */
static void json_survives_odd_group_counts(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.groups = 0;
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"samples_per_second\": 412345}\n");
    r.groups = 1000;
    for (int i = 0; i < AN_RECORD_GROUPS; i++) {
        r.lr[i] = 0.25 * i;
        r.momentum[i] = NAN;
    }
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, "
          "\"lr\": [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75], "
          "\"samples_per_second\": 412345}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(console_writes_one_line),
        cmocka_unit_test(console_shows_validation_groups_and_gaps),
        cmocka_unit_test(json_writes_one_object),
        cmocka_unit_test(json_has_validation_momentum_and_arrays),
        cmocka_unit_test(json_writes_null_for_nan_and_infinity),
        cmocka_unit_test(json_survives_odd_group_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
