#include "config/errors.h"

#include <string.h>

bool an__place(const an__node *node, an_error *err)
{
    an_error there = {0};
    if (!err)
        return false;
    AN__FAIL(node, &there, "%s", err->message);
    memcpy(err->message, there.message, sizeof err->message);
    memcpy(err->excerpt, there.excerpt, sizeof err->excerpt);
    return false;
}

bool an__hand_on(const an__node *node, const char *owner, const an_error *why, an_error *err)
{
    if (why->code == AN_ERROR_ARGUMENT)
        return AN__FAIL(node, err, "%s%s", owner, why->message);
    if (err)
        *err = *why;
    return false;
}
