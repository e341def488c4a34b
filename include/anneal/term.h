/*
 * anneal/term.h - drawing in characters: bars, sparklines, numbers for people.
 *
 * Every function writes text into a caller's buffer and returns its length in bytes as an_format
 * does; nothing here knows what is shown. `unicode` false gives plain ASCII.
 */
#ifndef ANNEAL_TERM_H
#define ANNEAL_TERM_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True when file descriptor `fd` is a terminal; its width in columns, or `otherwise`. */
AN_API bool an_term_is_terminal(int fd);
AN_API int an_term_width(int fd, int otherwise);

/* A bar of `columns` cells of which `fraction` (0..1) is drawn full, to half a cell. */
AN_API size_t an_term_bar(char *buffer, size_t size, int columns, double fraction, bool unicode);

/*
 * A sparkline: `columns` cells of eight heights between the least and the greatest of `count`
 * values, sampled evenly; a constant is drawn at mid-height, NaN as a space.
 */
AN_API size_t an_term_sparkline(char *buffer, size_t size, const double *values, size_t count,
                                int columns, bool unicode);

/*
 * Three significant digits, whole from 100 on: 0.0712, 2.30, 1234, 1.00e-05. An accuracy of 0.979
 * as "97.9 %".
 */
AN_API size_t an_term_number(char *buffer, size_t size, double value);
AN_API size_t an_term_percent(char *buffer, size_t size, double fraction);

/* 60000 as "60,000". */
AN_API size_t an_term_count(char *buffer, size_t size, int64_t value);
/* 412345.0 as "412k", 1.2e6 as "1.2M". */
AN_API size_t an_term_rate(char *buffer, size_t size, double value);
/* 1.234 as "1.2 s", 75 as "1 min 15 s", 4000 as "1 h 7 min". */
AN_API size_t an_term_duration(char *buffer, size_t size, double seconds);
/* Columns that UTF-8 `text` takes, counting each code point as one. */
AN_API int an_term_columns(const char *text);

#ifdef __cplusplus
}
#endif
#endif
