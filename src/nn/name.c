#include "nn/name.h"

#include <string.h>

bool an__name_call(const an_spec_source *source, const an_spec_node *node, const char *what,
                   const char *example, an_error *err)
{
    if (node->kind == AN_SPEC_CALL) {
        return true;
    }
    return an_spec_error(source, node->offset, err, "a %s is written as a call, as in %s", what,
                         example);
}

bool an__name_unknown(const an_spec_source *source, const an_spec_node *call, const char *what,
                      const char *const *names, an_error *err)
{
    char list[400] = "";
    size_t count = 0, at = 0;
    while (names[count]) {
        count++;
    }
    for (size_t i = 0; i < count && at < sizeof list; i++) {
        at += an_format(list + at, sizeof list - at, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    const char *nearest = an_nearest(call->text, strlen(call->text), names, count);
    return nearest
               ? an_spec_error(source, call->offset, err, "there is no %s '%s'; did you mean '%s'?",
                               what, call->text, nearest)
               : an_spec_error(source, call->offset, err, "there is no %s '%s'; there are %s", what,
                               call->text, list);
}
