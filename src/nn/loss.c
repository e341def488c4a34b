/* Losses by name, on class labels. */
#include <string.h>

#include "autograd/graph.h"
#include "nn/layer.h"
#include "nn/name.h"

/* By an_loss_kind. */
static const char *const names[] = {"CrossEntropyLoss", "MSELoss", NULL};

_Static_assert(AN_CROSS_ENTROPY_LOSS == 0 && AN_MSE_LOSS == 1, "names are in the enum's order");

bool an_loss_parse(const an_spec_source *source, const an_spec_node *call, an_loss *loss,
                   an_error *err)
{
    if (!an__name_call(source, call, "loss", "CrossEntropyLoss()", err)) {
        return false;
    }
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], call->text) == 0) {
            loss->kind = (an_loss_kind)i;
            return an_spec_bind(source, call, NULL, 0, NULL, err);
        }
    }
    return an__name_unknown(source, call, "loss", names, err);
}

const char *an_loss_name(an_loss loss)
{
    return names[loss.kind];
}

/* The labels as rows (n, classes) with a 1 at each label; poisoned where they do not fit. */
static an_tensor *one_hot(an_graph *graph, an_labels target, int64_t classes)
{
    an_tensor *rows = an_full(graph, an_shape_2(target.count, classes), 0);
    if (an__poisoned(rows)) {
        return rows;
    }
    for (int64_t i = 0; i < target.count; i++) {
        int32_t label = target.data[i];
        if (label < 0 || label >= classes) {
            an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                         "MSELoss: the label of row %lld is %d, but the output has %lld classes",
                         (long long)i, (int)label, (long long)classes);
            return &graph->poison;
        }
        rows->data[i * classes + label] = 1;
    }
    return rows;
}

static an_tensor *mse(an_graph *graph, an_tensor *output, an_labels target)
{
    if (an__poisoned(output)) {
        return output;
    }
    if (output->shape.ndim != 2 || output->shape.dim[0] != target.count) {
        an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                     "MSELoss: takes (%lld, classes) for %lld labels but gets %s",
                     (long long)target.count, (long long)target.count,
                     an__text(output->shape).text);
        return &graph->poison;
    }
    return an_mse_loss(graph, output, one_hot(graph, target, output->shape.dim[1]));
}

an_tensor *an_loss_apply(an_loss loss, an_graph *graph, an_tensor *output, an_labels target)
{
    return loss.kind == AN_MSE_LOSS ? mse(graph, output, target)
                                    : an_cross_entropy(graph, output, target);
}
