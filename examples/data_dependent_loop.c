/*
 * Control flow decides the graph: an ordinary C loop whose length depends on the data.
 *
 * A layer that settles: h <- tanh(x U + h W + b), repeated until h stops moving, and then y = h V.
 * How many rounds that takes depends on the batch and on the weights, so the graph is a different
 * one in every step; the gradient flows back through as many rounds as there were. The network
 * learns y = sin(2 x) on [-2, 2].
 */
#include <anneal/autograd.h>
#include <anneal/nn.h>
#include <anneal/optim.h>

#include <math.h>
#include <stdio.h>

#define BATCH 32
#define WIDTH 24
#define MOST_ROUNDS 30
#define STEPS 1000

typedef struct settling_layer {
    an_tensor *u, *w, *b, *v; /* (1, WIDTH), (WIDTH, WIDTH), (WIDTH), (WIDTH, 1) */
} settling_layer;

/* The largest |a - b|: plain C on the values, outside of the graph. */
static double distance(const an_tensor *a, const an_tensor *b)
{
    double most = 0;
    for (int64_t i = 0; i < a->size; i++)
        most = fmax(most, fabs((double)a->data[i] - (double)b->data[i]));
    return most;
}

/* x is (BATCH, 1); so is the result. A poisoned tensor has no data: then the loop must end. */
static an_tensor *settle(const settling_layer *l, an_graph *g, an_tensor *x, int *rounds)
{
    an_tensor *drive = an_add(g, an_matmul(g, x, l->u), l->b);
    an_tensor *h = an_tanh(g, drive), *before;
    *rounds = 0;
    do {
        before = h;
        h = an_tanh(g, an_add(g, drive, an_matmul(g, h, l->w)));
        ++*rounds;
    } while (!an_graph_error(g, NULL) && distance(h, before) > 1e-3 && *rounds < MOST_ROUNDS);
    return an_matmul(g, h, l->v);
}

static void draw_batch(an_rng *rng, float *x, float *y)
{
    an_rng_fill_uniform(rng, x, BATCH, -2, 2);
    for (int i = 0; i < BATCH; i++)
        y[i] = sinf(2 * x[i]);
}

static int fail(const an_error *err)
{
    fprintf(stderr, "data_dependent_loop: %s\n", err->message);
    return 1;
}

int main(void)
{
    an_error err = {0};
    an_context_options one_thread = {.threads = 1};
    an_context *context = an_context_new(&one_thread, &err);
    an_model *model = context ? an_model_new(context, &err) : NULL;
    if (!model)
        return fail(&err);
    settling_layer layer = {
        .u = an_model_param(model, "u", an_shape_2(1, WIDTH), 2),
        .w = an_model_param(model, "w", an_shape_2(WIDTH, WIDTH), 0.1),
        .b = an_model_param(model, "b", an_shape_1(WIDTH), 2),
        .v = an_model_param(model, "v", an_shape_2(WIDTH, 1), 0.2),
    };
    if (!an_model_build(model, an_shape_1(1), 1, &err))
        return fail(&err);
    an_adam_options adam = an_adam_defaults();
    adam.lr = 0.003;
    an_optim *optim = an_adam_new(an_model_params(model), &adam, &err);
    an_graph *graph = optim ? an_graph_new(context, &err) : NULL;
    if (!graph)
        return fail(&err);

    an_rng rng = an_rng_init(1, 0);
    double value = NAN;
    int fewest = MOST_ROUNDS, most = 0;
    for (int step = 1; step <= STEPS; step++) {
        float x[BATCH], y[BATCH];
        int rounds;
        draw_batch(&rng, x, y);
        an_tensor *out = settle(&layer, graph, an_from(graph, x, an_shape_2(BATCH, 1)), &rounds);
        an_tensor *loss = an_mse_loss(graph, out, an_from(graph, y, an_shape_2(BATCH, 1)));
        value = an_item(loss);
        if (!an_backward(graph, loss, &err))
            return fail(&err);
        an_optim_step(optim);
        an_optim_zero_grad(optim);
        an_graph_reset(graph, NULL);
        fewest = rounds < fewest ? rounds : fewest;
        most = rounds > most ? rounds : most;
        if (step == 1 || step % 200 == 0)
            printf("step %4d  loss %.1e  rounds %d\n", step, value, rounds);
    }
    printf("between %d and %d rounds a step\n", fewest, most);
    an_graph_free(graph);
    an_optim_free(optim);
    an_model_free(model);
    an_context_free(context);
    return value < 0.001 && most > fewest ? 0 : 1;
}
