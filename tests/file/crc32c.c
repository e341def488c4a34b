/* CRC-32C against published values, in one piece and in several. */
#include "../base/cmocka_all.h"

#include "file/crc32c.h"

#include <string.h>

/* RFC 3720, appendix B.4, and the usual check value. */
static void published_values(void **state)
{
    (void)state;
    unsigned char bytes[32];
    assert_int_equal(an__crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(an__crc32c(0, "", 0), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(an__crc32c(0, bytes, sizeof bytes), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(an__crc32c(0, bytes, sizeof bytes), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(an__crc32c(0, bytes, sizeof bytes), 0x46dd794eu);
}

static void pieces_give_the_whole(void **state)
{
    (void)state;
    const char *text = "the quick brown fox";
    uint32_t whole = an__crc32c(0, text, strlen(text));
    for (size_t cut = 0; cut <= strlen(text); cut++)
        assert_int_equal(an__crc32c(an__crc32c(0, text, cut), text + cut, strlen(text) - cut),
                         whole);
}

static void every_wrong_bit_is_seen(void **state)
{
    (void)state;
    unsigned char bytes[64] = "some bytes, and zeros after them";
    uint32_t right = an__crc32c(0, bytes, sizeof bytes);
    for (size_t i = 0; i < 8 * sizeof bytes; i++) {
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
        assert_int_not_equal(an__crc32c(0, bytes, sizeof bytes), right);
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(pieces_give_the_whole),
        cmocka_unit_test(every_wrong_bit_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
