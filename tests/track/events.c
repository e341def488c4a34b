/*
 * Event files, read back by a parser of the test's own, written from the format's description: the
 * checksum bit by bit, messages without a table of fields. And the library's reader, which must
 * agree with it and refuse everything that is damaged.
 */
#include "bad_messages.h"
#include "fake_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH "events.out.tfevents.1.test"

/* ------------------------------------------------------ an independent parser */

typedef struct found {
    int64_t step;
    char tag[80];
    bool scalar;
    float value;
    const unsigned char *histogram, *histogram_end, *metadata, *metadata_end;
} found;

typedef struct parsed {
    char *bytes;
    size_t size;
    found item[4096];
    size_t count, records;
} parsed;

static uint32_t crc_bit_by_bit(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    crc = ~crc;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint64_t little(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int i = size; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t varint(const unsigned char **at)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        value |= (uint64_t)(**at & 0x7f) << shift;
        if (*(*at)++ < 0x80)
            return value;
    }
}

/* One field; gives its number, and its bytes or number. */
static int field(const unsigned char **at, const unsigned char **begin, const unsigned char **end,
                 uint64_t *number)
{
    uint64_t key = varint(at);
    *begin = *at;
    switch (key & 7) {
    case 0:
        *number = varint(at);
        break;
    case 1:
        *number = little(*at, 8);
        *at += 8;
        break;
    case 2:
        *number = varint(at);
        *begin = *at;
        *at += *number;
        break;
    case 5:
        *number = little(*at, 4);
        *at += 4;
        break;
    default:
        fail_msg("wire type %d", (int)(key & 7));
    }
    *end = *at;
    return (int)(key >> 3);
}

static void parse_value(parsed *p, int64_t step, const unsigned char *at, const unsigned char *stop)
{
    found *f = &p->item[p->count++];
    assert_true(p->count <= sizeof p->item / sizeof *p->item);
    *f = (found){.step = step};
    while (at < stop) {
        const unsigned char *begin, *end;
        uint64_t number;
        uint32_t bits;
        switch (field(&at, &begin, &end, &number)) {
        case 1:
            snprintf(f->tag, sizeof f->tag, "%.*s", (int)(end - begin), (const char *)begin);
            break;
        case 2:
            f->scalar = true;
            bits = (uint32_t)number;
            memcpy(&f->value, &bits, sizeof bits);
            break;
        case 5:
            f->histogram = begin;
            f->histogram_end = end;
            break;
        case 9:
            f->metadata = begin;
            f->metadata_end = end;
            break;
        default:
            fail_msg("an unknown field of a value");
        }
    }
}

static void parse_event(parsed *p, const unsigned char *at, const unsigned char *stop)
{
    int64_t step = 0;
    bool version = false;
    while (at < stop) {
        const unsigned char *begin, *end;
        uint64_t number;
        int which = field(&at, &begin, &end, &number);
        double time;
        if (which == 1) {
            memcpy(&time, &number, sizeof time);
            assert_true(time > 1.6e9 && time < 1e10);
        } else if (which == 2) {
            step = (int64_t)number;
        } else if (which == 3) {
            version = end - begin == 13 && memcmp(begin, "brain.Event:2", 13) == 0;
        } else {
            assert_int_equal(which, 5);
            while (begin < end) {
                const unsigned char *value, *value_end;
                assert_int_equal(field(&begin, &value, &value_end, &number), 1);
                parse_value(p, step, value, value_end);
            }
        }
    }
    assert_int_equal(version, p->records == 0);
}

static parsed *parse(const char *path)
{
    parsed *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->bytes = read_file(path, &p->size);
    assert_non_null(p->bytes);
    const unsigned char *at = (const unsigned char *)p->bytes, *stop = at + p->size;
    while (at < stop) {
        assert_true(stop - at >= 16);
        uint64_t length = little(at, 8);
        assert_int_equal(little(at + 8, 4), crc_bit_by_bit(at, 8));
        assert_true(length <= (uint64_t)(stop - at) - 16);
        assert_int_equal(little(at + 12 + length, 4), crc_bit_by_bit(at + 12, length));
        parse_event(p, at + 12, at + 12 + length);
        p->records++;
        at += 16 + length;
    }
    return p;
}

static void parsed_free(parsed *p)
{
    free(p->bytes);
    free(p);
}

static const found *find(const parsed *p, int64_t step, const char *tag)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->item[i].step == step && strcmp(p->item[i].tag, tag) == 0)
            return &p->item[i];
    return NULL;
}

static void assert_scalar(const parsed *p, int64_t step, const char *tag, double value)
{
    const found *f = find(p, step, tag);
    if (!f || !f->scalar)
        fail_msg("no %s at step %d", tag, (int)step);
    assert_true(f->value == (float)value);
}

/* ------------------------------------------------------------------- writing */

static an_events *make(const char *path, const an_events_options *options, fake_run *run)
{
    an_error err = {0};
    an_events *events = an_events_new(path, options, &err);
    if (!events)
        fail_msg("%s", err.message);
    fake_init(run, an_events_callback(events));
    return events;
}

static void whole_run(const char *path, int64_t every, int64_t steps)
{
    fake_run run;
    an_events *events = make(path, &(an_events_options){.log = {.every = every}}, &run);
    fake_begin(&run, 0);
    fake_train(&run, 0, steps);
    fake_end(&run, steps);
    assert_int_equal(run.told, 0);
    an_events_free(events);
}

static void scalars_are_the_records(void **state)
{
    (void)state;
    fake_run run = {.groups = 1, .seconds_per_step = 0.01};
    whole_run(PATH, 1, 16);
    parsed *p = parse(PATH);
    assert_int_equal(p->records, 1 + 16 + 2);
    for (int64_t step = 1; step <= 16; step++) {
        an_record r = fake_record(&run, step);
        assert_scalar(p, step, "step/loss", r.loss);
        assert_scalar(p, step, "step/batch_loss", r.batch_loss);
        assert_scalar(p, step, "step/accuracy", r.accuracy);
        assert_scalar(p, step, "step/lr", r.lr[0]);
        assert_scalar(p, step, "step/momentum", 0.9);
        assert_scalar(p, step, "step/samples_per_second", 6400);
        assert_int_equal(find(p, step, "step/grad_norm") != NULL, step % 2 == 1);
        assert_int_equal(find(p, step, "epoch/loss") != NULL, step % FAKE_BATCHES == 0);
        assert_null(find(p, step, "step/step"));
        assert_null(find(p, step, "step/seconds"));
    }
    an_record r = fake_record(&run, 14);
    assert_scalar(p, 14, "epoch/valid_loss", r.loss * 1.125);
    assert_scalar(p, 14, "epoch/memory", 1048576);
    parsed_free(p);
}

static void epochs_alone(void **state)
{
    (void)state;
    whole_run(PATH, 0, 16);
    parsed *p = parse(PATH);
    assert_int_equal(p->records, 1 + 2);
    assert_null(find(p, 7, "step/loss"));
    assert_non_null(find(p, 7, "epoch/loss"));
    parsed_free(p);
}

static void numbers_that_floats_do_not_have(void **state)
{
    (void)state;
    fake_run run;
    an_events *events = make(PATH, &(an_events_options){.log = {.every = 1}}, &run);
    fake_begin(&run, 0);
    an_record r = fake_record(&run, 1);
    r.loss = 1e300;
    r.batch_loss = -INFINITY;
    r.accuracy = NAN;
    r.lr[0] = 1e-60;
    run.callback.batch_end(run.callback.user, &r, &run.control);
    fake_end(&run, 1);
    an_events_free(events);
    parsed *p = parse(PATH);
    assert_true(find(p, 1, "step/loss")->value == INFINITY);
    assert_true(find(p, 1, "step/batch_loss")->value == -INFINITY);
    assert_null(find(p, 1, "step/accuracy"));
    assert_true(find(p, 1, "step/lr")->value == 0);
    parsed_free(p);
}

/* The histogram as its message says it, against sums and counts made one by one. */
static void check_histogram(const found *f, const float *values, int count)
{
    double part[5] = {0}, limit[2000], bucket[2000];
    size_t limits = 0, buckets = 0;
    const unsigned char *at = f->histogram;
    while (at < f->histogram_end) {
        const unsigned char *begin, *end;
        uint64_t number;
        int which = field(&at, &begin, &end, &number);
        if (which <= 5)
            memcpy(&part[which - 1], &number, 8);
        for (; which > 5 && begin < end; begin += 8) {
            uint64_t bits = little(begin, 8);
            memcpy(which == 6 ? &limit[limits++] : &bucket[buckets++], &bits, 8);
        }
    }
    double least = INFINITY, most = -INFINITY, number = 0, sum = 0, squares = 0, counted = 0;
    for (int i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
        number++;
        sum += values[i];
        squares += (double)values[i] * values[i];
    }
    const double expected[] = {least, most, number, sum, squares};
    assert_memory_equal(part, expected, sizeof part);
    assert_int_equal(limits, buckets);
    assert_true(bucket[0] > 0 && bucket[buckets - 1] > 0);
    for (size_t b = 0; b < buckets; b++) {
        double in = 0;
        for (int i = 0; i < count; i++)
            in += isfinite(values[i]) && values[i] < limit[b] &&
                  (b == 0 || values[i] >= limit[b - 1]);
        assert_true(in == bucket[b]);
        assert_true(b == 0 || limit[b] > limit[b - 1]);
        counted += bucket[b];
    }
    assert_true(counted == number);
}

static void histograms_count_everything(void **state)
{
    (void)state;
    fake_run run;
    float weights[500], gradient[500];
    for (int i = 0; i < 500; i++) {
        weights[i] = (float)sin(i) * 0.1F;
        gradient[i] = (i % 2 ? -1.0F : 1.0F) * powf(10.0F, (float)(i % 60) - 35.0F);
    }
    gradient[0] = 0;
    gradient[1] = NAN;
    gradient[2] = INFINITY;
    gradient[3] = -0.0F;
    gradient[4] = 1e-12F;
    gradient[5] = 3e38F;
    an_events *events = make(PATH, &(an_events_options){.histograms = true}, &run);
    fake_begin(&run, 0);
    an_record r = fake_record(&run, 7);
    const an_param_view views[] = {{"1.weight", weights, gradient, 500},
                                   {"1.bias", weights, NULL, 3},
                                   {"empty", weights, NULL, 0}};
    run.callback.params(run.callback.user, &r, views, 3);
    fake_end(&run, 7);
    an_events_free(events);
    parsed *p = parse(PATH);
    check_histogram(find(p, 7, "params/1.weight"), weights, 500);
    check_histogram(find(p, 7, "gradients/1.weight"), gradient, 500);
    check_histogram(find(p, 7, "params/1.bias"), weights, 3);
    assert_null(find(p, 7, "gradients/1.bias"));
    assert_non_null(find(p, 7, "params/empty"));
    parsed_free(p);
}

/* Whether `text` is among the bytes. */
static bool holds(const unsigned char *at, const unsigned char *end, const void *text, size_t size)
{
    for (; at + size <= end; at++)
        if (memcmp(at, text, size) == 0)
            return true;
    return false;
}

static void hyper_parameters(void **state)
{
    (void)state;
    fake_run run;
    const an_named_text params[] = {{"optimizer", "SGD"}, {"lr", "0.05"}, {"note", ""}};
    an_events *events = make(PATH, &(an_events_options){.params = params, .param_count = 3}, &run);
    fake_begin(&run, 0);
    fake_train(&run, 0, 7);
    fake_end(&run, 7);
    an_events_free(events);
    parsed *p = parse(PATH);
    const found *begin = find(p, 0, "_hparams_/session_start_info");
    const found *end = find(p, 7, "_hparams_/session_end_info");
    assert_non_null(begin);
    assert_non_null(end);
    const double rate = 0.05;
    unsigned char number[9] = {0x11}, text[] = "\x1a\x03SGD", name[] = "\x0a\x07hparams";
    memcpy(number + 1, &rate, 8); /* the test's machine is little-endian too */
    assert_true(holds(begin->metadata, begin->metadata_end, name, sizeof name - 1));
    assert_true(holds(begin->metadata, begin->metadata_end, number, sizeof number));
    assert_true(holds(begin->metadata, begin->metadata_end, text, sizeof text - 1));
    assert_true(holds(end->metadata, end->metadata_end, "\x08\x01\x11", 3));
    parsed_free(p);
}

/* ------------------------------------------------------------------ resuming */

static void assert_same_events(const char *a, const char *b)
{
    parsed *p = parse(a), *q = parse(b);
    assert_int_equal(p->records, q->records);
    assert_int_equal(p->count, q->count);
    for (size_t i = 0; i < p->count; i++) {
        assert_int_equal(p->item[i].step, q->item[i].step);
        assert_string_equal(p->item[i].tag, q->item[i].tag);
        assert_true(p->item[i].value == q->item[i].value);
    }
    parsed_free(p);
    parsed_free(q);
}

static void resuming_leaves_no_gap_and_no_repeat(void **state)
{
    (void)state;
    const an_named_text params[] = {{"lr", "0.05"}};
    const an_events_options options = {.log = {.every = 2}, .params = params, .param_count = 1};
    fake_run run;
    fake_state checkpoint;
    an_events *events = make("whole", &options, &run);
    fake_begin(&run, 0);
    fake_train(&run, 0, 30);
    fake_end(&run, 30);
    an_events_free(events);
    for (int64_t saved = 0; saved <= 30; saved++) {
        unlink(PATH);
        events = make(PATH, &options, &run);
        fake_begin(&run, 0);
        fake_train(&run, 0, saved);
        fake_save(&run, saved, &checkpoint);
        fake_train(&run, saved, saved + saved % 11);
        fake_end(&run, saved + saved % 11);
        an_events_free(events);
        events = make(PATH, &options, &run);
        assert_true(fake_load(&run, &checkpoint, NULL));
        fake_begin(&run, saved);
        fake_train(&run, saved, 30);
        fake_end(&run, 30);
        assert_int_equal(run.told, 0);
        an_events_free(events);
        assert_same_events(PATH, "whole");
    }
}

static void events_are_cut_by_their_step(void **state)
{
    (void)state;
    whole_run("whole", 1, 30);
    fake_state states[] = {{.step = 12}, {.step = 12, .size = 8, .bytes = {200}}};
    for (size_t i = 0; i < 2; i++) {
        fake_run run;
        unlink(PATH);
        whole_run(PATH, 1, 20);
        an_events *events = make(PATH, &(an_events_options){.log = {.every = 1}}, &run);
        assert_true(fake_load(&run, &states[i], NULL));
        fake_begin(&run, 12);
        fake_train(&run, 12, 30);
        fake_end(&run, 30);
        an_events_free(events);
        assert_same_events(PATH, "whole");
    }
}

/* As a process leaves it that is killed in the middle of a write. */
static void half_a_record_is_removed(void **state)
{
    (void)state;
    whole_run("whole", 1, 9);
    parsed *p = parse("whole");
    for (size_t cut = 0; cut < p->size; cut += 7) {
        write_file(PATH, p->bytes, cut);
        fake_run run;
        an_events *events = make(PATH, &(an_events_options){.log = {.every = 1}}, &run);
        fake_begin(&run, 9);
        fake_train(&run, 9, 10);
        fake_end(&run, 10);
        assert_int_equal(run.control.error.code, AN_ERROR_OK);
        an_events_free(events);
        parsed *q = parse(PATH);
        assert_scalar(q, 10, "step/loss", fake_record(&run, 10).loss);
        parsed_free(q);
    }
    parsed_free(p);
}

static void another_file_is_refused(void **state)
{
    (void)state;
    fake_run run;
    const char text[] = "this is somebody's novel, which must not be lost\n";
    write_file("novel", text, sizeof text);
    write_file("same", text, sizeof text);
    an_events *events = make("novel", &(an_events_options){.log = {.every = 1}}, &run);
    fake_begin(&run, 0);
    assert_int_equal(run.control.error.code, AN_ERROR_DATA);
    assert_non_null(strstr(run.control.error.message, "'novel' is no event file"));
    an_events_free(events);
    assert_same_files("novel", "same");
    assert_null(an_events_new("x", &(an_events_options){.log = {.every = -1}}, NULL));
    an_events_free(NULL);
}

/* ---------------------------------------------------------------- the reader */

typedef struct visitor {
    const parsed *p;
    size_t seen, most;
} visitor;

static bool compare(void *user, const an_event_value *value)
{
    visitor *v = user;
    const found *f = &v->p->item[v->seen++];
    assert_int_equal(value->step, f->step);
    assert_int_equal(value->tag_length, strlen(f->tag));
    assert_memory_equal(value->tag, f->tag, value->tag_length);
    assert_int_equal(value->is_scalar, f->scalar);
    assert_true(f->scalar ? value->value == (double)f->value : isnan(value->value));
    assert_true(value->wall_time > 1.6e9);
    return v->seen != v->most;
}

static void the_reader_agrees(void **state)
{
    (void)state;
    an_error err = {0};
    whole_run(PATH, 1, 16);
    parsed *p = parse(PATH);
    visitor v = {.p = p};
    if (!an_events_read(p->bytes, p->size, compare, &v, &err))
        fail_msg("%s", err.message);
    assert_int_equal(v.seen, p->count);
    v = (visitor){.p = p, .most = 3};
    assert_true(an_events_read(p->bytes, p->size, compare, &v, &err));
    assert_int_equal(v.seen, 3);
    assert_true(an_events_read(NULL, 0, compare, &v, &err));
    parsed_free(p);
}

static bool ignore(void *user, const an_event_value *value)
{
    (void)user;
    (void)value;
    return true;
}

/* A copy of exactly these bytes, so that a sanitizer sees one too many. */
static bool read_copy(const char *bytes, size_t size, an_error *err)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    bool ok = an_events_read(copy, size, ignore, NULL, err);
    free(copy);
    return ok;
}

static void every_cut_and_every_wrong_bit_is_refused(void **state)
{
    (void)state;
    whole_run(PATH, 1, 2);
    parsed *p = parse(PATH);
    size_t boundaries = 0;
    for (size_t size = 0; size < p->size; size++)
        boundaries += read_copy(p->bytes, size, NULL);
    assert_int_equal(boundaries, p->records);
    for (size_t i = 0; i < p->size * 8; i++) {
        an_error err = {0};
        p->bytes[i / 8] = (char)(p->bytes[i / 8] ^ 1 << i % 8);
        assert_false(read_copy(p->bytes, p->size, &err));
        assert_int_equal(err.code, AN_ERROR_DATA);
        assert_non_null(strstr(err.message, "record "));
        p->bytes[i / 8] = (char)(p->bytes[i / 8] ^ 1 << i % 8);
    }
    parsed_free(p);
}

/* A record around any message, with sums that are right. */
static size_t wrap(char *out, const char *message, size_t size)
{
    unsigned char *at = (unsigned char *)out;
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)((uint64_t)size >> 8 * i);
    uint32_t sum = crc_bit_by_bit(at, 8);
    for (int i = 0; i < 4; i++)
        at[8 + i] = (unsigned char)(sum >> 8 * i);
    memcpy(at + 12, message, size);
    sum = crc_bit_by_bit(at + 12, size);
    for (int i = 0; i < 4; i++)
        at[12 + size + (size_t)i] = (unsigned char)(sum >> 8 * i);
    return size + 16;
}

/* The same of a file's first event: the version, and `message` behind it. */
static size_t wrap_first(char *out, const char *message, size_t size)
{
    static const char version[] = "\x1a\x0d"
                                  "brain.Event:2";
    char whole[64];
    memcpy(whole, version, sizeof version - 1);
    memcpy(whole + sizeof version - 1, message, size);
    return wrap(out, whole, sizeof version - 1 + size);
}

/* Reading this record says `part`. */
static void refuse_record(const char *record, size_t size, const char *part)
{
    an_error err = {0};
    assert_false(read_copy(record, size, &err));
    if (!strstr(err.message, part))
        fail_msg("'%s' lacks '%s'", err.message, part);
}

static void messages_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct bad_message first[] = {
        {"\x1a\x0c"
         "brain.Event:2",
         15, "is not what it should be"},
        {"\x10\x05", 2, "this is no event file"},
        {"", 0, "this is no event file"},
    };
    char file[128];
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        refuse_record(file, wrap(file, first[i].bytes, first[i].size), first[i].part);
    for (size_t i = 0; i < BAD_MESSAGES; i++)
        refuse_record(file, wrap_first(file, bad_messages[i].bytes, bad_messages[i].size),
                      bad_messages[i].part);
    /* Fields that nobody knows are passed over. */
    assert_true(read_copy(file, wrap_first(file, "\x7a\x01x\x78\x05", 5), NULL));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(scalars_are_the_records),
        CASE(epochs_alone),
        CASE(numbers_that_floats_do_not_have),
        CASE(histograms_count_everything),
        CASE(hyper_parameters),
        CASE(resuming_leaves_no_gap_and_no_repeat),
        CASE(events_are_cut_by_their_step),
        CASE(half_a_record_is_removed),
        CASE(another_file_is_refused),
        CASE(the_reader_agrees),
        CASE(every_cut_and_every_wrong_bit_is_refused),
        CASE(messages_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
