/*
 * A fit with a metric of its own: how often the right digit is among the best three. The lines show
 * it, the best checkpoint could go by it. Build it against an installed Anneal:
 *
 *   cc fit_metric.c $(pkg-config --cflags --libs anneal) -o fit_metric && ./fit_metric data/mnist
 * 900
 */
#include <anneal/anneal.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(const an_error *err)
{
    fprintf(stderr, "fit_metric: %s\n", err->message);
    return 1;
}

/* Adds a batch: the sum counts hits, the weight samples, so that a short batch is no trouble. */
static void top3(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    (void)user;
    an_top_k top = {.k = 3};
    an_top_k_add(&top, output->data, batch->y.data, batch->size, output->shape.dim[1]);
    sum->sum += (double)top.correct;
    sum->weight += (double)top.samples;
}

static an_loader *open_data(an_context *context, const char *folder, bool train, an_dataset **data,
                            an_error *err)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = 64;
    options.shuffle = train;
    *data = an_mnist_open(an_context_allocator(context), folder, train, err);
    return *data ? an_loader_new(context, *data, &options, err) : NULL;
}

int main(int argc, char **argv)
{
    an_error err = {0};
    an_dataset *train_data = NULL, *test_data = NULL;
    an_context *context = an_context_new(NULL, &err);
    if (!context)
        return fail(&err);
    const char *folder = argc > 1 ? argv[1] : "data/mnist";
    an_loader *train = open_data(context, folder, true, &train_data, &err);
    an_loader *test = train ? open_data(context, folder, false, &test_data, &err) : NULL;
    an_model *model = test ? an_model_new(context, &err) : NULL;
    if (!model)
        return fail(&err);
    an_model_flatten(model);
    an_model_linear(model, 784, 10, true);
    an_sgd_options sgd = an_sgd_defaults();
    sgd.lr = 0.05;
    if (!an_model_build(model, an_dataset_shape(train_data), 1, &err))
        return fail(&err);
    an_optim *optim = an_sgd_new(an_model_params(model), &sgd, &err);
    if (!optim)
        return fail(&err);

    const an_metric metric = {.name = "top3", .valid = "valid_top3", .add = top3};
    const an_callback lines = an_console_logger(stdout);
    an_fit_options fit = an_fit_defaults();
    fit.model = model;
    fit.loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    fit.optim = optim;
    fit.train = train;
    fit.valid = test;
    fit.steps = argc > 2 ? strtol(argv[2], NULL, 10) : 900;
    fit.metrics = &metric;
    fit.metric_count = 1;
    fit.callbacks = &lines;
    fit.callback_count = 1;
    if (!an_fit(&fit, NULL, &err))
        return fail(&err);

    an_optim_free(optim);
    an_model_free(model);
    an_loader_free(train);
    an_loader_free(test);
    an_dataset_free(train_data);
    an_dataset_free(test_data);
    an_context_free(context);
    return 0;
}
