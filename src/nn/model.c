/* Models: described layer by layer, built, and run. */
#include <string.h>

#include "autograd/graph.h"
#include "nn/layer.h"

/*
 * Streams of random numbers that a model's seed starts: one for Dropout, one for each parameter, so
 * that a layer more changes nothing in the others. The high half keeps them apart from the low
 * numbers that other users of the same seed take.
 */
#define DROPOUT_STREAM (UINT64_C(1) << 32)
#define PARAM_STREAM (UINT64_C(2) << 32)

/* ------------------------------------------------------------ new and free */

an_model *an_model_new(an_context *context, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(context);
    an_model *model = an_alloc(allocator, 1, sizeof *model, err);
    if (!model) {
        return NULL;
    }
    model->context = context;
    model->training = true;
    an_arena_init(&model->arena, *allocator);
    model->params = an_params_new(context, err);
    if (!model->params) {
        an_model_free(model);
        return NULL;
    }
    return model;
}

void an_model_free(an_model *model)
{
    if (!model) {
        return;
    }
    const an_allocator *allocator = an_context_allocator(model->context);
    an_params_free(model->params);
    an_release(allocator, model->layers, model->room, sizeof(an_layer *));
    an_release(allocator, model->bound, model->bound_room, sizeof *model->bound);
    an_arena_free(&model->arena);
    an_release(allocator, model, 1, sizeof *model);
}

/* ------------------------------------------------------------ describing it */

bool an__model_fail(an_model *model, const an_error *err)
{
    if (model->error.code == AN_ERROR_OK) {
        model->error = *err;
    }
    return false;
}

/* A larger copy of an array of `room` elements, of which it frees the old one; NULL with err. */
static void *grow(an_model *model, void *array, size_t *room, size_t size, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(model->context);
    size_t larger = *room > 0 ? *room * 2 : 8;
    void *copy = an_alloc(allocator, larger, size, err);
    if (!copy) {
        return NULL;
    }
    if (array) {
        memcpy(copy, array, *room * size);
        an_release(allocator, array, *room, size);
    }
    *room = larger;
    return copy;
}

an_tensor *an__model_declare(an_model *model, const char *name, an_shape shape, double bound,
                             an_error *err)
{
    size_t index = an_params_count(model->params);
    if (index == model->bound_room) {
        double *larger = grow(model, model->bound, &model->bound_room, sizeof *larger, err);
        if (!larger) {
            return NULL;
        }
        model->bound = larger;
    }
    model->bound[index] = bound;
    return an_params_add(model->params, name, shape, err);
}

static an_layer *new_layer(an_model *model, const an_layer *from, an_error *err)
{
    if (model->count == model->room) {
        an_layer **larger = grow(model, model->layers, &model->room, sizeof(an_layer *), err);
        if (!larger) {
            return NULL;
        }
        model->layers = larger;
    }
    an_layer *layer = an_arena_alloc(&model->arena, sizeof *layer);
    if (!layer) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %s", from->text);
        return NULL;
    }
    *layer = *from;
    return layer;
}

static bool append(an_model *model, const an_layer *from, an_error *err)
{
    if (model->built) {
        return an_error_set(err, AN_ERROR_STATE,
                            "%s: the model is built already; add all layers before", from->text);
    }
    char message[160];
    for (size_t i = 0; i < from->kind->arg_count; i++) {
        if (!an__arg_check(from, i, message, sizeof message)) {
            return an_error_set(err, AN_ERROR_ARGUMENT, "layer %zu, %s", model->count + 1, message);
        }
    }
    an_layer *layer = new_layer(model, from, err);
    if (!layer) {
        return false;
    }
    if (layer->kind->declare && !layer->kind->declare(model, layer, model->count, err)) {
        an_error_prefix(err, "layer %zu, %s: ", model->count + 1, layer->text);
        return false;
    }
    model->layers[model->count++] = layer;
    return true;
}

bool an__model_append(an_model *model, const an_layer *layer, an_error *err)
{
    an_error error = {0};
    an_layer printed = *layer;
    an__layer_print(&printed);
    if (append(model, &printed, &error)) {
        return true;
    }
    if (err) {
        *err = error;
    }
    return an__model_fail(model, &error);
}

void an_model_linear(an_model *model, int64_t in, int64_t out, bool bias)
{
    an_layer layer = {.kind = &an__layer_Linear, .arg = {(double)in, (double)out, bias}};
    an__model_append(model, &layer, NULL);
}

static void add_default(an_model *model, const an_layer_kind *kind)
{
    an_layer layer = an__layer_defaults(kind);
    an__model_append(model, &layer, NULL);
}

void an_model_relu(an_model *model)
{
    add_default(model, &an__layer_ReLU);
}

void an_model_tanh(an_model *model)
{
    add_default(model, &an__layer_Tanh);
}

void an_model_sigmoid(an_model *model)
{
    add_default(model, &an__layer_Sigmoid);
}

void an_model_flatten(an_model *model)
{
    add_default(model, &an__layer_Flatten);
}

void an_model_dropout(an_model *model, double p)
{
    an_layer layer = {.kind = &an__layer_Dropout, .arg = {p}};
    an__model_append(model, &layer, NULL);
}

an_tensor *an_model_param(an_model *model, const char *name, an_shape shape, double bound)
{
    an_error error = {0};
    an_tensor *tensor = NULL;
    if (!(bound >= 0 && bound <= 3e38)) {
        char got[40];
        an_number_print_short(got, sizeof got, bound);
        an_error_set(&error, AN_ERROR_ARGUMENT,
                     "parameter '%s': bound must be a number of at least 0, got %s", name, got);
    } else {
        tensor = an__model_declare(model, name, shape, bound, &error);
    }
    if (!tensor) {
        an__model_fail(model, &error);
    }
    return tensor;
}

/* ---------------------------------------------------------------- building */

/* Follows `shape` through all layers. */
static bool check_shapes(an_model *model, an_shape shape, an_error *err)
{
    for (size_t i = 0; i < model->count; i++) {
        const an_layer *layer = model->layers[i];
        an_shape out = shape;
        if (layer->kind->shape && !layer->kind->shape(layer, shape, &out, err)) {
            an_error_prefix(err, "layer %zu, %s: ", i + 1, layer->text);
            return false;
        }
        if (an_shape_size(out) < 0) {
            return an_error_set(err, AN_ERROR_SHAPE, "layer %zu, %s: gives more than 2^60 values",
                                i + 1, layer->text);
        }
        shape = out;
    }
    model->output.ndim = shape.ndim - 1;
    for (int i = 1; i < shape.ndim; i++) {
        model->output.dim[i - 1] = shape.dim[i];
    }
    return true;
}

/* `sample` behind a batch of one. */
static bool with_batch(an_shape sample, an_shape *shape, an_error *err)
{
    if (an_shape_size(sample) < 0 || sample.ndim >= AN_MAX_DIMS) {
        return an_error_set(err, AN_ERROR_SHAPE,
                            "the sample's shape is not possible: up to %d dimensions of 0 or more",
                            AN_MAX_DIMS - 1);
    }
    *shape = (an_shape){.ndim = sample.ndim + 1, .dim = {1}};
    for (int i = 0; i < sample.ndim; i++) {
        shape->dim[i + 1] = sample.dim[i];
    }
    return true;
}

static void initialise(an_model *model, uint64_t seed)
{
    for (size_t i = 0; i < an_params_count(model->params); i++) {
        an_tensor *tensor = an_params_get(model->params, i)->tensor;
        float bound = (float)model->bound[i];
        an_rng rng = an_rng_init(seed, PARAM_STREAM + i);
        if (bound > 0) {
            an_rng_fill_uniform(&rng, tensor->data, tensor->size, -bound, bound);
        }
    }
    model->rng = an_rng_init(seed, DROPOUT_STREAM);
}

bool an_model_build(an_model *model, an_shape sample, uint64_t seed, an_error *err)
{
    if (model->error.code != AN_ERROR_OK) {
        if (err) {
            *err = model->error;
        }
        return false;
    }
    if (model->built) {
        return an_error_set(err, AN_ERROR_STATE, "the model is built already");
    }
    an_shape shape = sample;
    if (!with_batch(sample, &shape, err) || !check_shapes(model, shape, err) ||
        !an_params_build(model->params, err)) {
        return false;
    }
    initialise(model, seed);
    model->built = true;
    return true;
}

/* ----------------------------------------------------------------- using it */

static an_tensor *activate(an_graph *graph, an_tensor *x, an_activation activation)
{
    switch (activation) {
    case AN_RELU:
        return an_relu(graph, x);
    case AN_TANH:
        return an_tanh(graph, x);
    case AN_SIGMOID:
        return an_sigmoid(graph, x);
    case AN_IDENTITY:
        break;
    }
    return x;
}

an_tensor *an_forward(an_model *model, an_graph *graph, an_tensor *x)
{
    if (!model->built) {
        an_error_set(an__failure(graph), AN_ERROR_STATE,
                     "the model is not built; call an_model_build before an_forward");
        return &graph->poison;
    }
    for (size_t i = 0; i < model->count; i++) {
        const an_layer *layer = model->layers[i];
        const an_layer_kind *kind = layer->kind;
        const size_t number = i + 1;
        const bool failed = graph->error.code != AN_ERROR_OK;
        if (kind == &an__layer_Linear) {
            bool fused =
                i + 1 < model->count && model->layers[i + 1]->kind->activation != AN_IDENTITY;
            an_activation next = fused ? model->layers[++i]->kind->activation : AN_IDENTITY;
            x = an_linear(graph, x, layer->weight, layer->bias, next);
        } else if (kind->forward) {
            x = kind->forward(layer, model, graph, x);
        } else {
            x = activate(graph, x, kind->activation);
        }
        if (!failed && graph->error.code != AN_ERROR_OK) {
            an_error_prefix(&graph->error, "layer %zu, %s: ", number, layer->text);
        }
    }
    return x;
}

bool an_model_set_training(an_model *model, bool training)
{
    bool was = model->training;
    model->training = training;
    return was;
}

an_params *an_model_params(const an_model *model)
{
    return model->params;
}

size_t an_model_layer_count(const an_model *model)
{
    return model->count;
}

const char *an_model_layer_text(const an_model *model, size_t index)
{
    return index < model->count ? model->layers[index]->text : NULL;
}

an_shape an_model_output_shape(const an_model *model)
{
    return model->output;
}

an_rng *an_model_rng(an_model *model)
{
    return &model->rng;
}
