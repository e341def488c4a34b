/*
 * anneal/base.h - what every room stands on: errors, memory, arenas, numbers, nearest names.
 *
 * Conventions of the whole library, stated once:
 *
 *   - Whoever creates frees: `an_x_new` is paired with `an_x_free`, which accepts NULL. Structs
 * with an `_init` function belong to the caller.
 *   - A function that can fail takes a last parameter `an_error *err`. NULL is allowed. It returns
 *     NULL or false and fills `err`; on success it leaves `err` alone.
 *   - The library never prints, never exits, and reads no environment variable. It has no global
 * and no thread-local state: objects of different contexts can be used from different threads.
 */
#ifndef ANNEAL_BASE_H
#define ANNEAL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Marks what the shared libraries export. Who compiles the sources into a program may define it. */
#ifndef AN_API
#if defined(__GNUC__) && !defined(_WIN32)
#define AN_API __attribute__((visibility("default")))
#else
#define AN_API
#endif
#endif

#if defined(__MINGW32__) && !defined(__clang__)
#define AN_PRINTF(format_at, args_at) __attribute__((format(gnu_printf, format_at, args_at)))
#elif defined(__GNUC__)
#define AN_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
#define AN_PRINTF(format_at, args_at)
#endif

#define AN_VERSION_MAJOR 0
#define AN_VERSION_MINOR 1
#define AN_VERSION_PATCH 0
#define AN_VERSION_TEXT "0.1.0"

/*
 * The version of the library that runs, as AN_VERSION_TEXT is that of the headers. They may differ
 * in the patch number (docs/embedding.md has the policy).
 */
AN_API const char *an_version(void);

/* ------------------------------------------------------------------ errors */

/* Every kind of failure: X(name, text). The text says what the kind means, in a few words. */
#define AN_ERROR_MAP(X)                                             \
    X(OK, "no error")                                               \
    X(ARGUMENT, "an argument of a call is wrong")                   \
    X(CONFIG, "a configuration or a call written as text is wrong") \
    X(SHAPE, "shapes do not fit")                                   \
    X(DATA, "a data file is damaged or not what it should be")      \
    X(IO, "a file could not be read or written")                    \
    X(MEMORY, "memory ran out")                                     \
    X(NUMERIC, "a number became NaN or infinite")                   \
    X(STATE, "the object is not in a state that allows this")

typedef enum an_error_code {
#define AN_ERROR_ENUM(name, text) AN_ERROR_##name,
    AN_ERROR_MAP(AN_ERROR_ENUM)
#undef AN_ERROR_ENUM
} an_error_code;

#define AN_ERROR_MESSAGE_SIZE 512
#define AN_ERROR_EXCERPT_SIZE 384

/*
 * An error is a value. `message` is one sentence that names the place (file, line, parameter) and
 * the remedy. `excerpt` is empty, or the offending line and below it a line with a caret.
 * Start from `an_error err = {0};`.
 */
typedef struct an_error {
    an_error_code code;
    char message[AN_ERROR_MESSAGE_SIZE];
    char excerpt[AN_ERROR_EXCERPT_SIZE];
} an_error;

/*
 * Fills `err` (NULL allowed) and returns false, so that a caller can write
 * `return an_error_set(err, AN_ERROR_ARGUMENT, "batch_size must be at least 1, got %d", n);`.
 * Understands %s %.*s %c %d %i %u %ld %lu %lld %llu %zu %g %.3g and %%; needs no stdio and no
 * locale. A message too long for the buffer ends in "...". Control and broken bytes, which a text
 * of the user's may hold, become '?'. Any earlier excerpt is cleared.
 */
AN_API bool an_error_set(an_error *err, an_error_code code, const char *format, ...)
    AN_PRINTF(3, 4);

/* Puts `format` before the message that `err` already holds ("in group 2: ..."); code and excerpt
 * stay. */
AN_API void an_error_prefix(an_error *err, const char *format, ...) AN_PRINTF(2, 3);

/*
 * The excerpt for column `column` (1-based, in bytes) of `line`: the line, a newline, spaces and ^.
 * The caret stands below the glyph: UTF-8 counts by code points, tabs stay tabs. A long line is cut
 * to the 72 glyphs around the caret, with "..."; control and broken bytes become '?'.
 */
AN_API void an_error_point(an_error *err, const char *line, size_t line_length, size_t column);

/* The few words that AN_ERROR_MAP has for `code`; never NULL. */
AN_API const char *an_error_text(an_error_code code);

/* Like snprintf, for the formats of an_error_set: returns the length that the whole text has. */
AN_API size_t an_format(char *buffer, size_t size, const char *format, ...) AN_PRINTF(3, 4);

/* Writes the code point `code`, at most U+10FFFF, as UTF-8 to `out`: 1 to 4 bytes, whose number is
 * returned; nothing ends them. */
AN_API size_t an_utf8_put(char *out, uint32_t code);

/* ------------------------------------------------------------------ memory */

/*
 * All memory goes through one function of the host's, as in Lua. `resize(user, p, old, new)`:
 *   p NULL, new > 0   allocate `new` bytes, aligned to 16; NULL when there is no memory
 *   p, new > old/<old move to `new` bytes; NULL leaves p as it was
 *   p, new 0          free p; returns NULL
 */
typedef struct an_allocator {
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size);
    void *user;
} an_allocator;

/* The C library's realloc and free. */
AN_API an_allocator an_allocator_default(void);

/*
 * Zeroed memory of `count * size` bytes (checked for overflow; nothing is a block too), or NULL
 * with err (MEMORY). `allocator` NULL is an_allocator_default here and in an_release.
 */
AN_API void *an_alloc(const an_allocator *allocator, size_t count, size_t size, an_error *err);
/* Frees what an_alloc gave, of the same count and size. NULL allowed. */
AN_API void an_release(const an_allocator *allocator, void *block, size_t count, size_t size);

/*
 * An arena hands out memory that is given back all at once. After an_arena_reset its blocks are
 * kept (and merged into one), so that a loop which needs the same amount every time allocates only
 * in its first rounds.
 */
typedef struct an_arena {
    an_allocator allocator;
    struct an_arena_block *block; /* newest first */
    size_t used, peak;            /* bytes handed out since the last reset; the most ever */
} an_arena;

AN_API void an_arena_init(an_arena *arena, an_allocator allocator);
/* `size` bytes aligned to 64, not zeroed; NULL when there is no memory. */
AN_API void *an_arena_alloc(an_arena *arena, size_t size);
/* A copy of `length` bytes of `text` with a terminating zero; NULL when there is no memory. */
AN_API char *an_arena_text(an_arena *arena, const char *text, size_t length);
AN_API void an_arena_reset(an_arena *arena);
AN_API void an_arena_free(an_arena *arena);

/* ----------------------------------------------------------------- numbers */

/* Numbers to and from text, the same in every locale. */

/*
 * Reads a decimal number ("1e-3", "-0.5", "30_000", ".5", "inf", "nan") at the start of `text` and
 * returns how many bytes it took, 0 if there is none. Underscores are allowed between digits, and
 * what follows the number may be anything: of "5ep" it takes one byte. The value is the nearest
 * double (ties to even), infinite beyond the largest.
 */
AN_API size_t an_number_parse(const char *text, size_t length, double *value);

/*
 * Writes `value` with 17 significant digits as %.17g does in the C locale ("0.10000000000000001").
 * Returns the length of the whole text, as snprintf does; 32 bytes always suffice.
 */
AN_API size_t an_number_print(char *buffer, size_t size, double value);

/*
 * Writes the fewest digits that read back as the same double ("0.1", "1e-05", "3.0" as "3"). Plain
 * from 0.0001 up to 10^16, with an exponent elsewhere. Otherwise as an_number_print.
 */
AN_API size_t an_number_print_short(char *buffer, size_t size, double value);

/* ------------------------------------------------------------------ names */

/*
 * "Did you mean": the one of `count` names nearest to `word` by edit distance (case counts half),
 * or NULL when none is near (more than a third of the letters differ). A name that differs in case
 * alone is always near; of equally near names the first is taken.
 */
AN_API const char *an_nearest(const char *word, size_t length, const char *const *names,
                              size_t count);

/*
 * Writes `count` names as a sentence lists them, with `last` before the last of several: "a, b or
 * c" with " or ". Names are written whole: "..." stands for those that have no room in `size`
 * bytes; a buffer of fewer than 4 stays empty. Returns the length that was written.
 */
AN_API size_t an_names_print(char *buffer, size_t size, const char *const *names, size_t count,
                             const char *last);

#ifdef __cplusplus
}
#endif
#endif
