/* Loss and accuracy of a model on a whole loader. */
#include "train/fit.h"

#include <math.h>

/* Adds one batch to the sums; false with the graph's error. */
static bool add_batch(an_model *model, an_loss loss, an_graph *graph, const an_batch *batch,
                      double *loss_sum, int64_t *correct, an_error *err)
{
    an_tensor *output = an_forward(model, graph, batch->x);
    an_tensor *mean = an_loss_apply(loss, graph, output, batch->y);
    if (!an_graph_error(graph, NULL)) {
        *loss_sum += an_item(mean) * (double)batch->size;
        *correct += an_count_correct(output, batch->y);
    }
    return an_graph_reset(graph, err);
}

bool an__evaluate(an_model *model, an_loss loss, an_loader *loader, an_graph *graph,
                  an_eval_result *result, an_error *err)
{
    bool training = an_model_set_training(model, false);
    bool recording = an_graph_set_grad(graph, false);
    double loss_sum = 0;
    int64_t correct = 0, samples = 0;
    bool ok = true;
    an_batch batch;
    an_loader_seek(loader, 0);
    while (ok && an_loader_next(loader, &batch)) {
        ok = add_batch(model, loss, graph, &batch, &loss_sum, &correct, err);
        samples += batch.size;
    }
    an_graph_set_grad(graph, recording);
    an_model_set_training(model, training);
    *result = (an_eval_result){.loss = samples ? loss_sum / (double)samples : NAN,
                               .accuracy = samples ? (double)correct / (double)samples : NAN,
                               .samples = samples};
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
