#include "nn/name.h"

bool an__name_call(const an_spec_source *source, const an_spec_node *node, const char *what,
                   const char *example, an_error *err)
{
    if (node->kind == AN_SPEC_CALL) {
        return true;
    }
    return an_spec_error(source, node->offset, err, "a %s is written as a call, as in %s", what,
                         example);
}
