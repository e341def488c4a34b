/*
 * Fuzzing the import of schedules: any bytes, a call or JSON, are refused with a message, or give a
 * schedule whose text reads again and prints the same.
 */
#include <anneal/lr_text.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const an_lr_text *text)
{
    size_t length = an_lr_print(NULL, 0, an_lr_text_desc(text));
    char *printed = malloc(length + 1);
    if (!printed || an_lr_print(printed, length + 1, an_lr_text_desc(text)) != length)
        abort();
    return printed;
}

/* A copy of exactly `size` bytes, so that reading beyond them is seen. */
static an_lr_text *import(const uint8_t *data, size_t size, const an_lr_run *run, an_error *err)
{
    char *copy = malloc(size > 0 ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    an_lr_text *text = an_lr_import(copy, size, run, NULL, err);
    free(copy);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const an_lr_run run = {.total_steps = 400, .steps_per_epoch = 20};
    an_error err = {0};
    an_lr_text *text = import(data, size, &run, &err);
    if (!text) {
        if (err.code == AN_ERROR_OK || err.message[0] == '\0')
            abort();
        return 0;
    }
    char *once = print(text);
    an_lr_text *again = an_lr_import(once, strlen(once), &run, NULL, &err);
    if (!again)
        abort();
    char *twice = print(again);
    if (strcmp(once, twice) != 0)
        abort();
    free(once);
    free(twice);
    an_lr_text_free(text);
    an_lr_text_free(again);
    return 0;
}
