/* json_read.h - JSON values as what they should be; each errs (DATA) at the value, with its path.
 */
#ifndef ANNEAL_LR_JSON_READ_H
#define ANNEAL_LR_JSON_READ_H

#include "lr/json.h"

typedef struct an__json_reader {
    const an_spec_source *source;
    an_error *err;
} an__json_reader;

#define AN__JSON_PATH_SIZE 64

/* "groups[1].lr must be ...", at the value. Returns false. */
bool an__json_wrong(const an__json_reader *r, const an__json *value, const char *path,
                    const char *what);
/* `path` and `key` joined by a dot, into `out` of AN__JSON_PATH_SIZE. */
const char *an__json_join(char *out, const char *path, const char *key);
/* A number, "inf", "-inf" or "nan"; a whole number from 0 to 2^53. */
bool an__json_real(const an__json_reader *r, const an__json *value, const char *path, double *out);
bool an__json_count(const an__json_reader *r, const an__json *value, const char *path,
                    uint64_t *out);

/* One key that an object may have; `value` is where an__json_object puts what it has. */
typedef struct an__json_field {
    const char *key;
    bool required;
    const an__json *value;
} an__json_field;

#define AN__JSON_MAX_FIELDS 16

/* Sorts an object's values to `fields`; each key at most once, none that is not among them. */
bool an__json_object(const an__json_reader *r, const an__json *object, const char *path,
                     an__json_field *fields, size_t count);

#endif
