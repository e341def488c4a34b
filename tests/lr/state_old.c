/* States that version 2 of the bytes has saved load, and the run goes on with the bits it had. */
#include "schedule_of.h"

/*
 * Saved after nine steps with the metrics 1 + i % 4, over two groups with the rates 0.1 and 0.2,
 * the first with a momentum of 0.9, the second with a weight decay of 0.01; then the rates of both
 * and the momentum after each of six further steps with the metrics 5 + i.
 */
static const struct {
    const char *spec, *hex;
    double after[6][3];
} saved[] = {
    {"SequentialLR([LinearLR(total_iters=3), OneCycleLR(max_lr=0.5, total_steps=20)], "
     "milestones=[4])",
     "414e4c5202000000020000000000000003000000000000000900000000000000000000000000000000000000"
     "000000000000000000000000b8000000000000000c00000053657175656e7469616c4c52010000000a000000"
     "6d696c6573746f6e6573100000000100000000000000040000000000000002000000080000004c696e656172"
     "4c52010000000b000000746f74616c5f6974657273080000000300000000000000000000000a0000004f6e65"
     "4379636c654c5202000000060000006d61785f6c72100000000000000000000000000000000000e03f0b0000"
     "00746f74616c5f7374657073080000001400000000000000000000009a9999999999b93f9a9999999999b93f"
     "7b14ae47e17a943f000000000000e03f7b14ae47e17a943f0300000000000000333333333333eb3fcdcccccc"
     "ccccec3f03000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000000000000000009a9999999999c93f9a9999999999c93f7b14ae47e17a943f00000000"
     "0000e03f7b14ae47e17a943f0300000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000007b14ae47e17a843f000000000000000001000000"
     "000000003f9d6e0a65408587",
     {{0.49373200311754367, 0.49373200311754367, 0.8512536043909088},
      {0.47524231600673683, 0.47524231600673683, 0.85495155660487898},
      {0.44545808878552501, 0.44545808878552501, 0.86090842587659844},
      {0.40587282697488153, 0.40587282697488153, 0.86882550990706331},
      {0.35847150089565039, 0.35847150089565039, 0.87830581304412203},
      {0.30563101096814466, 0.30563101096814466, 0.88887395330218422}}},
    {"ReduceLROnPlateau(patience=2, cooldown=3)",
     "414e4c5202000000020000000000000001000000000000000900000000000000000000000000f03f02000000"
     "0000000000000000000000004d00000000000000110000005265647563654c524f6e506c6174656175020000"
     "000800000070617469656e636508000000020000000000000008000000636f6f6c646f776e08000000030000"
     "0000000000000000009a9999999999b93f7c14ae47e17a843f00000000000000000100000000000000cdcccc"
     "ccccccec3f000000000000000001000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000009a9999999999c93f7c14ae47e17a943f000000"
     "0000000000010000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000007b14ae47e17a843f0000000000000000010000000000000047f140"
     "ae7cfc9109",
     {{0.0010000000000000002, 0.0020000000000000005, 0.90000000000000002},
      {0.0010000000000000002, 0.0020000000000000005, 0.90000000000000002},
      {0.0010000000000000002, 0.0020000000000000005, 0.90000000000000002},
      {0.0010000000000000002, 0.0020000000000000005, 0.90000000000000002},
      {0.0010000000000000002, 0.0020000000000000005, 0.90000000000000002},
      {0.0010000000000000002, 0.0020000000000000005, 0.90000000000000002}}},
};

static size_t bytes_of(const char *hex, unsigned char *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        for (int k = 0; k < 2; k++) {
            char c = hex[2 * i + (size_t)k];
            byte = byte * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        bytes[i] = (unsigned char)byte;
    }
    return size;
}

static void make_groups(bench *b)
{
    for (size_t i = 0; i < 2; i++) {
        b->groups[i] = &b->group[i];
        an_lr_group_init(&b->group[i], 7);
    }
    an_lr_group_set(&b->group[0], AN_MOMENTUM, 0.1);
    an_lr_group_set(&b->group[1], AN_WEIGHT_DECAY, 0.1);
}

static void old_states_load(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof saved / sizeof saved[0]; i++) {
        unsigned char bytes[2048];
        size_t size = bytes_of(saved[i].hex, bytes);
        an_error err = {0};
        bench b;
        make_groups(&b);
        bench_make(&b, saved[i].spec, NULL, 2);
        if (!an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, &err))
            fail_msg("%s", err.message);
        assert_int_equal(an_lr_step_count(b.schedule), 9);
        assert_true(b.group[1].slot[AN_WEIGHT_DECAY].value == 0.01);
        for (int step = 0; step < 6; step++) {
            an_lr_step_metric(b.schedule, 5 + step);
            assert_true(fabs(bench_lr(&b, 0) - saved[i].after[step][0]) < 1e-16);
            assert_true(fabs(bench_lr(&b, 1) - saved[i].after[step][1]) < 1e-16);
            double momentum = b.group[0].slot[AN_MOMENTUM].value;
            assert_true(fabs(momentum - saved[i].after[step][2]) < 1e-16);
        }
        bench_stop(&b);
    }
}

/* Every byte cut off and every bit turned: an error, never a crash. */
static void damaged_old_states_do_not(void **state)
{
    (void)state;
    unsigned char bytes[2048];
    bench b;
    size_t size = bytes_of(saved[1].hex, bytes);
    make_groups(&b);
    bench_make(&b, saved[1].spec, NULL, 2);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(an_lr_state_load(b.schedule, bytes, cut, AN_LR_ADOPT, NULL, NULL));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(an_lr_state_load(b.schedule, bytes, size, AN_LR_ADOPT, NULL, NULL));
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, NULL));
    an_lr_text *text = an_lr_state_desc(bytes, size, NULL, NULL);
    assert_non_null(text);
    assert_int_equal(an_lr_text_desc(text)->plateau.cooldown, 3);
    an_lr_text_free(text);
    bench_stop(&b);
}

static void the_facts_of_the_run_are_in_a_state(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 100, .samples_per_step = 8, .seconds = 3, .edits = 1}, found;
    unsigned char bytes[2048];
    bench b;
    an_error err = {0};
    bench_start_run(&b, "Cosine()", &run, 1);
    size_t size = an_lr_state_save(b.schedule, bytes, sizeof bytes);
    assert_true(an_lr_state_run(bytes, size, &found, &err));
    assert_int_equal(found.total_steps, 100);
    assert_true(found.samples_per_step == 8 && found.seconds == 3 && found.edits == 0);
    an_lr_land(b.schedule, (an_lr_length){1, AN_SECONDS}, AN_TAIL_LINEAR, 0, &err);
    size = an_lr_state_save(b.schedule, bytes, sizeof bytes);
    assert_true(an_lr_state_run(bytes, size, &found, &err) && found.edits == 1);
    assert_false(an_lr_state_run(bytes, size - 1, &found, &err));
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_states_load),
        cmocka_unit_test(damaged_old_states_do_not),
        cmocka_unit_test(the_facts_of_the_run_are_in_a_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
