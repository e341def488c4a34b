/* json_read.c - JSON values as what they should be, with errors that name their path. */
#include "lr/json_read.h"

#include <math.h>
#include <string.h>

/* "groups[1].lr must be ...", at the value. */
bool an__json_wrong(const an__json_reader *r, const an__json *value, const char *path,
                    const char *what)
{
    char message[256];
    an_format(message, sizeof message, "%s %s", path[0] ? path : "the state", what);
    an__json_error(r->source, value->offset, r->err, message);
    return false;
}

/* `path` and `key` joined by a dot, into `out`. */
const char *an__json_join(char *out, const char *path, const char *key)
{
    an_format(out, AN__JSON_PATH_SIZE, "%s%s%s", path, path[0] ? "." : "", key);
    return out;
}

bool an__json_real(const an__json_reader *r, const an__json *value, const char *path, double *out)
{
    bool text = value->kind == AN__JSON_STRING;
    *out = value->number;
    if (text && strcmp(value->text, "nan") == 0)
        *out = NAN;
    else if (text && (strcmp(value->text, "inf") == 0 || strcmp(value->text, "-inf") == 0))
        *out = value->text[0] == '-' ? -INFINITY : INFINITY;
    else if (value->kind != AN__JSON_NUMBER)
        return an__json_wrong(r, value, path,
                              "must be a number, or one of \"inf\", \"-inf\" and \"nan\"");
    else if (isinf(value->number))
        return an__json_wrong(
            r, value, path,
            "is beyond the largest double; write \"inf\" or \"-inf\" if that is meant");
    return true;
}

bool an__json_count(const an__json_reader *r, const an__json *value, const char *path,
                    uint64_t *out)
{
    if (value->kind != AN__JSON_NUMBER || !value->whole || value->number < 0)
        return an__json_wrong(r, value, path, "must be a whole number from 0 to 2^53");
    *out = (uint64_t)value->number;
    return true;
}

static bool unknown_key(const an__json_reader *r, const an__json *value, const char *path,
                        const an__json_field *fields, size_t count)
{
    const char *names[AN__JSON_MAX_FIELDS], *near;
    char what[160];
    for (size_t i = 0; i < count; i++)
        names[i] = fields[i].key;
    near = an_nearest(value->key, strlen(value->key), names, count);
    an_format(what, sizeof what, "has no key '%.40s'%s%s%s", value->key,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return an__json_wrong(r, value, path, what);
}

/* Sorts an object's values to `fields`; each key at most once, none that is not among them. */
bool an__json_object(const an__json_reader *r, const an__json *object, const char *path,
                     an__json_field *fields, size_t count)
{
    char what[80];
    if (object->kind != AN__JSON_OBJECT)
        return an__json_wrong(r, object, path, "must be an object");
    for (const an__json *value = object->first; value; value = value->next) {
        size_t i = 0;
        while (i < count && strcmp(fields[i].key, value->key) != 0)
            i++;
        if (i == count)
            return unknown_key(r, value, path, fields, count);
        an_format(what, sizeof what, "has '%s' twice", fields[i].key);
        if (fields[i].value)
            return an__json_wrong(r, value, path, what);
        fields[i].value = value;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !fields[i].value) {
            an_format(what, sizeof what, "lacks '%s'", fields[i].key);
            return an__json_wrong(r, object, path, what);
        }
    return true;
}
