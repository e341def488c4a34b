/*
 * Event files that are damaged are not gone on with: what follows the damage would be lost if the
 * file were cut there, as it is where a killed process left half a record.
 */
#include "bad_messages.h"
#include "fake_run.h"

#include "track/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATH "events.out.tfevents.1.test"

static an_events *make(fake_run *run)
{
    an_events *events = an_events_new(PATH, &(an_events_options){.log = {.every = 1}}, NULL);
    assert_non_null(events);
    fake_init(run, an_events_callback(events));
    return events;
}

/* The bytes of a run of two updates, to be freed. */
static char *whole_run(size_t *size)
{
    fake_run run;
    an_events *events = make(&run);
    fake_begin(&run, 0);
    fake_train(&run, 0, 2);
    fake_end(&run, 2);
    an_events_free(events);
    return read_file(PATH, size);
}

/*
 * Who goes on with these bytes and more behind them says `part`, and leaves them as they are: where
 * the place of the checkpoint is not known, and where it is not the end of a record.
 */
static void refuse(const char *bytes, size_t size, const void *more, size_t count, const char *part)
{
    const fake_state checkpoints[] = {{.step = 9}, {.step = 9, .size = 8, .bytes = {200}}};
    char *whole = malloc(size + count);
    memcpy(whole, bytes, size);
    memcpy(whole + size, more, count);
    write_file("same", whole, size + count);
    for (size_t i = 0; i < 2; i++) {
        fake_run run;
        write_file(PATH, whole, size + count);
        an_events *events = make(&run);
        assert_true(fake_load(&run, &checkpoints[i], NULL));
        fake_begin(&run, 9);
        assert_int_equal(run.control.error.code, AN_ERROR_DATA);
        assert_int_equal(run.told, 0); /* not a second time */
        const char *message = run.control.error.message;
        if (!strstr(message, part) || !strstr(message, PATH))
            fail_msg("'%s' lacks '%s'", message, part);
        an_events_free(events);
        assert_same_files(PATH, "same");
    }
    free(whole);
}

static void every_wrong_byte(void **state)
{
    (void)state;
    size_t size;
    char *bytes = whole_run(&size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        refuse(bytes, size, "", 0, "event file");
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
    }
    free(bytes);
}

/* A length whose check is right, though no record is so long. */
static void a_length_that_is_huge(void **state)
{
    (void)state;
    size_t size;
    unsigned char head[64];
    char *bytes = whole_run(&size);
    memset(head, 0x7f, sizeof head);
    const uint32_t check = an__record_check(head, 8);
    for (int i = 0; i < 4; i++)
        head[8 + i] = (unsigned char)(check >> 8 * i);
    refuse(bytes, size, head, sizeof head, "the file ends within a record; move the file away");
    refuse(bytes, size, head, AN_RECORD_HEAD, "the file ends within a record");
    free(bytes);
}

/* Messages whose checks are right, and that are none. */
static void messages_that_are_none(void **state)
{
    (void)state;
    size_t size;
    char *bytes = whole_run(&size);
    for (size_t i = 0; i < BAD_MESSAGES; i++) {
        an_append record = {.name = ""};
        assert_true(an__record_add(&record, bad_messages[i].bytes, bad_messages[i].size));
        refuse(bytes, size, record.waiting, record.used, bad_messages[i].part);
        an__append_close(&record);
    }
    free(bytes);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_wrong_byte),
        CASE(a_length_that_is_huge),
        CASE(messages_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
