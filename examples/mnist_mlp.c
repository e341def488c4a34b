/*
 * The network of mnist-mlp.yaml with the loop written out. Build it against an installed Anneal:
 *
 *   cc mnist_mlp.c $(pkg-config --cflags --libs anneal) -o mnist_mlp && ./mnist_mlp data/mnist 10
 */
#include <anneal/anneal.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(const an_error *err)
{
    fprintf(stderr, "mnist_mlp: %s\n", err->message);
    return 1;
}

static an_loader *open_data(an_context *context, const char *folder, bool train, an_dataset **data,
                            an_error *err)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = train ? 64 : 500;
    options.shuffle = train;
    options.seed = 1;
    options.mean = 0.1307;
    options.deviation = 0.3081;
    *data = an_mnist_open(an_context_allocator(context), folder, train, err);
    return *data ? an_loader_new(context, *data, &options, err) : NULL;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "data/mnist";
    int epochs = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 10;
    an_error err = {0};
    an_context *context = an_context_new(NULL, &err);
    if (!context)
        return fail(&err);
    an_dataset *train_data, *test_data = NULL;
    an_loader *train = open_data(context, folder, true, &train_data, &err);
    an_loader *test = train ? open_data(context, folder, false, &test_data, &err) : NULL;
    if (!test)
        return fail(&err);

    an_model *model = an_model_new(context, &err);
    an_model_flatten(model);
    an_model_linear(model, 784, 128, true);
    an_model_relu(model);
    an_model_linear(model, 128, 10, true);
    if (!an_model_build(model, an_dataset_shape(train_data), 1, &err))
        return fail(&err);

    an_sgd_options sgd = an_sgd_defaults();
    sgd.momentum = 0.9;
    sgd.weight_decay = 5e-4;
    an_optim *optim = an_sgd_new(an_model_params(model), &sgd, &err);
    if (!optim)
        return fail(&err);

    an_lr_desc desc = an_lr_defaults(AN_ONE_CYCLE_LR);
    desc.one_cycle.max_lr.value = 0.1;
    desc.one_cycle.total_steps = epochs * an_loader_batches(train);
    an_lr_schedule *schedule =
        an_lr_new(&desc, an_optim_groups(optim), an_optim_group_count(optim), NULL, &err);
    an_graph *graph = schedule ? an_graph_new(context, &err) : NULL;
    if (!graph)
        return fail(&err);

    for (int epoch = 1; epoch <= epochs; epoch++) {
        double sum = 0;
        an_batch batch;
        while (an_loader_next(train, &batch)) {
            an_tensor *logits = an_forward(model, graph, batch.x);
            an_tensor *loss = an_cross_entropy(graph, logits, batch.y);
            sum += an_item(loss) * (double)batch.size;
            if (!an_backward(graph, loss, &err)) /* any earlier error of the step arrives here */
                return fail(&err);
            an_optim_step(optim);
            an_optim_zero_grad(optim);
            an_lr_step(schedule);
            an_graph_reset(graph, NULL); /* the step's tensors go at once */
        }
        printf("epoch %d  loss %.4f\n", epoch, sum / (double)an_loader_samples(train));
    }
    an_eval_result result;
    if (!an_evaluate(model, an_loss_defaults(AN_CROSS_ENTROPY_LOSS), test, &result, &err))
        return fail(&err);
    printf("test accuracy %.2f %%\n", 100 * result.accuracy);

    an_graph_free(graph);
    an_lr_free(schedule);
    an_optim_free(optim);
    an_model_free(model);
    an_loader_free(train);
    an_loader_free(test);
    an_dataset_free(train_data);
    an_dataset_free(test_data);
    an_context_free(context);
    return 0;
}
