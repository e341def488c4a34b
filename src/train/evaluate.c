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
    an_metric_sum metrics[AN_RECORD_METRICS];
} sums;

static void add_metrics(const an__evaluation *e, const an_tensor *output, const an_batch *batch,
                        sums *sum)
{
    for (size_t i = 0; i < e->metric_count; i++) {
        const an_metric *m = &e->metrics[i];
        if (m->valid)
            m->add(m->user, output, batch, &sum->metrics[i]);
    }
}

/* Adds one batch to the sums; false with the graph's error. */
static bool add_batch(const an__evaluation *e, const an_batch *batch, sums *sum, an_error *err)
{
    an_tensor *output = an_forward(e->model, e->graph, batch->x);
    an_tensor *mean = an__batch_loss(e->graph, e->loss, output, batch);
    if (!an_graph_error(e->graph, NULL)) {
        sum->loss += an_item(mean) * (double)batch->size;
        sum->correct += batch->y.count > 0 ? an_count_correct(output, batch->y) : 0;
        sum->labels += batch->y.count;
        sum->samples += batch->size;
        add_metrics(e, output, batch, sum);
    }
    return an_graph_reset(e->graph, err);
}

static void begin_metrics(const an__evaluation *e)
{
    for (size_t i = 0; i < e->metric_count; i++)
        if (e->metrics[i].valid && e->metrics[i].begin)
            e->metrics[i].begin(e->metrics[i].user);
}

static double value_of(const an_metric *metric, const an_metric_sum *sum)
{
    return metric->valid && metric->value ? metric->value(metric->user)
                                          : an__metric_value(metric, sum);
}

static an_eval_result result_of(const an__evaluation *e, const sums *sum)
{
    an_eval_result result = {.loss = sum->samples ? sum->loss / (double)sum->samples : NAN,
                             .accuracy =
                                 sum->labels ? (double)sum->correct / (double)sum->labels : NAN,
                             .samples = sum->samples};
    for (size_t i = 0; i < AN_RECORD_METRICS; i++)
        result.metrics[i] = i < e->metric_count ? value_of(&e->metrics[i], &sum->metrics[i]) : NAN;
    return result;
}

bool an__evaluate(const an__evaluation *e, an_eval_result *result, an_error *err)
{
    bool training = an_model_set_training(e->model, false);
    bool recording = an_graph_set_grad(e->graph, false);
    sums sum = {0};
    bool ok = true;
    an_batch batch;
    begin_metrics(e);
    an_loader_seek(e->loader, 0);
    while (ok && an_loader_next(e->loader, &batch))
        ok = add_batch(e, &batch, &sum, err);
    an_graph_set_grad(e->graph, recording);
    an_model_set_training(e->model, training);
    *result = result_of(e, &sum);
    return ok;
}

bool an_evaluate_metrics(an_model *model, an_loss loss, an_loader *loader, const an_metric *metrics,
                         size_t count, an_eval_result *result, an_error *err)
{
    if (count > AN_RECORD_METRICS)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "metrics: at most %d can be evaluated at once, got %zu",
                            AN_RECORD_METRICS, count);
    an_graph *graph = an_graph_new(an_params_context(an_model_params(model)), err);
    if (!graph)
        return false;
    const an__evaluation evaluation = {model, loss, loader, graph, metrics, count};
    bool ok = an__evaluate(&evaluation, result, err);
    an_graph_free(graph);
    return ok;
}

bool an_evaluate(an_model *model, an_loss loss, an_loader *loader, an_eval_result *result,
                 an_error *err)
{
    return an_evaluate_metrics(model, loss, loader, NULL, 0, result, err);
}
