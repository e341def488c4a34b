/* A call by a name that nothing has. */
#include <anneal/spec.h>

#include <string.h>

bool an_spec_unknown(const an_spec_source *source, const an_spec_node *call, const char *what,
                     const char *const *names, an_error *err)
{
    char list[AN_ERROR_MESSAGE_SIZE - 100];
    size_t count = 0;
    while (names[count])
        count++;
    const char *near = an_nearest(call->text, strlen(call->text), names, count);
    if (near)
        return an_spec_error(source, call->offset, err,
                             "there is no %s '%.40s'; did you mean '%s'?", what, call->text, near);
    an_names_print(list, sizeof list, names, count, " and ");
    return an_spec_error(source, call->offset, err, "there is no %s '%.40s'; there are %s", what,
                         call->text, list);
}
