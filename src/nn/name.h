/* Errors about names in calls, the same for layers and losses. */
#ifndef AN_NN_NAME_H
#define AN_NN_NAME_H

#include <anneal/spec.h>

/* Whether `node` is a call; the error says how a `what` is written: "a layer is a call, as in
 * ReLU()". */
bool an__name_call(const an_spec_source *source, const an_spec_node *node, const char *what,
                   const char *example, an_error *err);

#endif
