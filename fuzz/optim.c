/*
 * Fuzzing optimizers as text, and averages of the weights. What parses is stepped over a small
 * model, with gradients that come and go; its text must parse and print the same.
 */
#include <anneal/optim.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static an_params *make_params(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    if (!params || !an_params_add(params, "0.weight", an_shape_2(3, 5), NULL) ||
        !an_params_add(params, "0.bias", an_shape_1(3), NULL) ||
        !an_params_add(params, "2.weight", an_shape_2(4, 1), NULL) ||
        !an_params_build(params, NULL))
        abort();
    return params;
}

/* A model that is evaluated at most so many times: a step of LBFGS may be told to go on forever. */
typedef struct model {
    an_params *params;
    int left;
} model;

static bool closure(void *user, double *loss, an_error *err)
{
    model *m = user;
    an_params *params = m->params;
    if (m->left-- == 0)
        return an_error_set(err, AN_ERROR_STATE, "enough");
    *loss = 0;
    for (size_t i = 0; i < an_params_count(params); i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        tensor->has_grad = i != 1 || *loss > 1;
        for (int64_t k = 0; k < tensor->size; k++) {
            tensor->grad[k] = tensor->data[k] - (float)k;
            *loss += (double)tensor->grad[k] * (double)tensor->grad[k] / 2;
        }
    }
    return true;
}

static void try_optim(an_params *params, const char *text)
{
    an_error err = {0};
    an_optim *optim = an_optim_parse(params, text, &err);
    if (!optim) {
        if (err.code == AN_ERROR_OK || err.message[0] == 0)
            abort();
        return;
    }
    an_optim *again = an_optim_parse(params, an_optim_text(optim), &err);
    if (!again || strcmp(an_optim_text(optim), an_optim_text(again)) != 0)
        abort();
    model m = {params, 200};
    for (int i = 0; i < 4 && m.left > 0; i++)
        if (!an_optim_step_closure(again, closure, &m, NULL, &err) && m.left >= 0)
            abort();
    an_optim_eval(again);
    an_optim_train(again);
    an_optim_free(again);
    an_optim_free(optim);
}

static void try_average(an_params *params, const char *text)
{
    an_error err = {0};
    an_average *average = an_average_parse(params, text, &err);
    if (average) {
        an_average *again = an_average_parse(params, an_average_text(average), &err);
        if (!again || strcmp(an_average_text(average), an_average_text(again)) != 0)
            abort();
        for (int64_t step = 1; step < 4; step++)
            if (an_average_is_due(again, step, 1, step == 3))
                an_average_update(again);
        an_average_swap(again);
        an_average_free(again);
    } else if (err.code == AN_ERROR_OK) {
        abort();
    }
    an_average_free(average);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    an_context_options options = {.threads = 1};
    an_context *context = an_context_new(&options, NULL);
    if (!text || !context)
        abort();
    memcpy(text, data, size);
    an_params *params = make_params(context);
    try_optim(params, text);
    try_average(params, text);
    an_params_free(params);
    an_context_free(context);
    free(text);
    return 0;
}
