/*
 * Fuzzing lists of numbers in files, and texts that name such a file: the input is the file, and
 * behind its first zero byte the text. What parses must parse the same when it is printed.
 */
#include <anneal/lr_text.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_file(void *user, const char *path, an_arena *arena, an_spec_source *file,
                      an_error *err)
{
    (void)path;
    (void)arena;
    (void)err;
    *file = *(const an_spec_source *)user;
    return true;
}

/* The canonical text, to be freed; NULL when it is no schedule. */
static char *canonical(const an_spec_source *source)
{
    an_spec *spec = an_spec_parse(source, NULL, NULL);
    an_lr_text *text =
        spec ? an_lr_parse(an_spec_where(spec), an_spec_root(spec), NULL, NULL, NULL) : NULL;
    char *printed = NULL;
    if (text) {
        size_t length = an_lr_print(NULL, 0, an_lr_text_desc(text)) + 1;
        printed = malloc(length);
        if (!printed)
            abort();
        an_lr_print(printed, length, an_lr_text_desc(text));
    }
    an_lr_text_free(text);
    an_spec_free(spec);
    return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input = malloc(size + 1);
    if (!input)
        return 0;
    memcpy(input, data, size);
    input[size] = '\0';
    size_t length = strlen(input);
    const char *text = length < size ? input + length + 1 : "Table('@rates.csv')";
    an_spec_source file = {.file = "rates.csv", .text = input, .length = length};
    an_spec_source source = an_spec_source_text(text), whole;
    an_arena arena;
    an_error err = {0};
    an_arena_init(&arena, an_allocator_default());
    if (an_lr_expand(&source, read_file, &file, &arena, &whole, &err)) {
        char *once = canonical(&whole);
        an_spec_source printed = an_spec_source_text(once ? once : "");
        char *twice = once ? canonical(&printed) : NULL;
        if (once && (!twice || strcmp(once, twice) != 0))
            abort();
        free(twice);
        free(once);
    } else if (err.message[0] == '\0') {
        abort();
    }
    an_arena_free(&arena);
    free(input);
    return 0;
}
