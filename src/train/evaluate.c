/* Loss and accuracy of a model on a whole loader. */
#include "train/fit.h"

#include <math.h>

an_tensor *an__batch_loss(an_graph *graph, an_loss loss, an_tensor *output, const an_batch *batch)
{
    return batch->target ? an_loss_between(loss, graph, output, batch->target)
                         : an_loss_apply(loss, graph, output, batch->y);
}

/* Sums over all batches. `labels` are as many as samples, or one a token, or none. */
typedef struct sums {
    double loss;
    int64_t correct, samples, labels;
} sums;

/* Adds one batch to the sums; false with the graph's error. */
static bool add_batch(an_model *model, an_loss loss, an_graph *graph, const an_batch *batch,
                      sums *sum, an_error *err)
{
    an_tensor *output = an_forward(model, graph, batch->x);
    an_tensor *mean = an__batch_loss(graph, loss, output, batch);
    if (!an_graph_error(graph, NULL)) {
        sum->loss += an_item(mean) * (double)batch->size;
        sum->correct += batch->y.count > 0 ? an_count_correct(output, batch->y) : 0;
        sum->labels += batch->y.count;
    }
    return an_graph_reset(graph, err);
}

bool an__evaluate(an_model *model, an_loss loss, an_loader *loader, an_graph *graph,
                  an_eval_result *result, an_error *err)
{
    bool training = an_model_set_training(model, false);
    bool recording = an_graph_set_grad(graph, false);
    sums sum = {0};
    bool ok = true;
    an_batch batch;
    an_loader_seek(loader, 0);
    while (ok && an_loader_next(loader, &batch)) {
        ok = add_batch(model, loss, graph, &batch, &sum, err);
        sum.samples += batch.size;
    }
    an_graph_set_grad(graph, recording);
    an_model_set_training(model, training);
    *result =
        (an_eval_result){.loss = sum.samples ? sum.loss / (double)sum.samples : NAN,
                         .accuracy = sum.labels ? (double)sum.correct / (double)sum.labels : NAN,
                         .samples = sum.samples};
    return ok;
}

bool an_evaluate(an_model *model, an_loss loss, an_loader *loader, an_eval_result *result,
                 an_error *err)
{
    an_graph *graph = an_graph_new(an_params_context(an_model_params(model)), err);
    if (!graph)
        return false;
    bool ok = an__evaluate(model, loss, loader, graph, result, err);
    an_graph_free(graph);
    return ok;
}
