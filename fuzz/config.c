/*
 * Configurations: any bytes as YAML; what follows the first zero byte is a --set. Wrong ones must
 * be refused with a message, and nothing may leak. Runs are not made: they need data.
 */
#include <anneal/config.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t length = zero ? (size_t)(zero - data) : size;
    char *set = zero ? calloc(size - length, 1) : NULL;
    if (set)
        memcpy(set, zero + 1, size - length - 1);
    const char *sets[] = {set};
    an_error err = {0};
    an_config *config =
        an_config_parse("fuzz.yaml", (const char *)data, length, sets, set ? 1 : 0, &err);
    if (!config && (err.code == AN_ERROR_OK || err.message[0] == 0))
        abort();
    an_config_free(config);
    free(set);
    return 0;
}
