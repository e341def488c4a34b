/* Models: described layer by layer, and run. build.c has what lies between. */
#include <string.h>

#include "autograd/graph.h"
#include "nn/layer.h"

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
    model->root = (an_layer){.kind = &an__layer_Sequential, .name = "", .text = ""};
    model->open[0] = &model->root;
    model->depth = 1;
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
    an_release(allocator, model->origins, model->origin_room, sizeof *model->origins);
    an_arena_free(&model->arena);
    an_release(allocator, model, 1, sizeof *model);
}

/* -------------------------------------------------------------- parameters */

bool an__model_fail(an_model *model, const an_error *err)
{
    if (model->error.code == AN_ERROR_OK) {
        model->error = *err;
    }
    return false;
}

/* Room for the origin of one more parameter. */
static bool grow_origins(an_model *model, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(model->context);
    size_t room = model->origin_room, larger = room > 0 ? room * 2 : 8;
    if (an_params_count(model->params) < room) {
        return true;
    }
    an_origin *origins = an_alloc(allocator, larger, sizeof *origins, err);
    if (!origins) {
        return false;
    }
    if (room > 0) {
        memcpy(origins, model->origins, room * sizeof *origins);
    }
    an_release(allocator, model->origins, room, sizeof *origins);
    model->origins = origins;
    model->origin_room = larger;
    return true;
}

static an_tensor *declare(an_model *model, const char *name, an_shape shape, an_origin origin,
                          an_error *err)
{
    if (!grow_origins(model, err)) {
        return NULL;
    }
    model->origins[an_params_count(model->params)] = origin;
    return an_params_add(model->params, name, shape, err);
}

/* "3.1.weight", in the model's arena. NULL with err. */
static const char *full_name(an_model *model, const an_layer *layer, const char *name,
                             an_error *err)
{
    size_t size = strlen(layer->name) + strlen(name) + 2;
    char *text = an_arena_alloc(&model->arena, size);
    if (!text) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the parameter '%s'", name);
        return NULL;
    }
    an_format(text, size, "%s.%s", layer->name, name);
    return text;
}

an_tensor *an__layer_param(an_model *model, const an_layer *layer, const char *name, an_shape shape,
                           an_start start, double scale, an_error *err)
{
    const char *full = full_name(model, layer, name, err);
    return full ? declare(model, full, shape, (an_origin){start, scale}, err) : NULL;
}

an_tensor *an__layer_buffer(an_model *model, const an_layer *layer, const char *name,
                            an_shape shape, an_error *err)
{
    const char *full = full_name(model, layer, name, err);
    return full ? an_params_add_buffer(model->params, full, shape, err) : NULL;
}

const an_buffer *an__layer_counter(an_model *model, const an_layer *layer, const char *name,
                                   an_error *err)
{
    const char *full = full_name(model, layer, name, err);
    return full ? an_params_add_counter(model->params, full, err) : NULL;
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
        an_origin origin = {bound > 0 ? AN_START_UNIFORM : AN_START_ZEROS, bound};
        tensor = declare(model, name, shape, origin, &error);
    }
    if (!tensor) {
        an__model_fail(model, &error);
    }
    return tensor;
}

/* ------------------------------------------------------------------ layers */

/* The path of layer `index` of a container. */
static const char *path_of(an_model *model, const an_layer *container, size_t index)
{
    size_t size = strlen(container->name) + 24;
    char *path = an_arena_alloc(&model->arena, size);
    if (path) {
        an_format(path, size, "%s%s%zu", container->name, *container->name ? "." : "", index);
    }
    return path;
}

static const char *text_of(an_model *model, const an_layer *layer)
{
    size_t size = an__layer_print(layer, NULL, 0) + 1;
    char *text = an_arena_alloc(&model->arena, size);
    if (text) {
        an__layer_print(layer, text, size);
    }
    return text;
}

/* Room for one more layer in a container. */
static bool make_room(an_model *model, an_layer *container)
{
    if (container->count < container->room) {
        return true;
    }
    size_t room = container->room > 0 ? container->room * 2 : 8;
    an_layer **children = an_arena_alloc(&model->arena, room * sizeof(an_layer *));
    if (!children) {
        return false;
    }
    if (container->count > 0) {
        memcpy(children, container->children, container->count * sizeof(an_layer *));
    }
    container->children = children;
    container->room = room;
    return true;
}

/* A copy of `from` as the last layer of the open container. NULL with err. */
static an_layer *new_layer(an_model *model, const an_layer *from, an_error *err)
{
    an_layer *container = model->open[model->depth - 1];
    an_layer *layer = an_arena_alloc(&model->arena, sizeof *layer);
    if (!layer || !make_room(model, container)) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %s", from->kind->name);
        return NULL;
    }
    *layer = *from;
    layer->name = path_of(model, container, container->count);
    layer->text = text_of(model, layer);
    if (!layer->name || !layer->text) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %s", from->kind->name);
        return NULL;
    }
    return layer;
}

/* "layer 3.1, Dropout: p must be ..." where an argument is out of range. */
static bool check_args(an_model *model, const an_layer *layer, an_error *err)
{
    const an_layer *container = model->open[model->depth - 1];
    char message[160];
    for (size_t i = 0; i < layer->kind->arg_count; i++) {
        if (!an__arg_check(layer, i, message, sizeof message)) {
            const char *path = path_of(model, container, container->count);
            return an_error_set(err, AN_ERROR_ARGUMENT, "layer %s, %s", path ? path : "", message);
        }
    }
    return true;
}

static an_layer *append(an_model *model, const an_layer *from, an_error *err)
{
    if (model->built) {
        an_error_set(err, AN_ERROR_STATE, "%s: the model is built already; add all layers before",
                     from->kind->name);
        return NULL;
    }
    if (!check_args(model, from, err)) {
        return NULL;
    }
    an_layer *layer = new_layer(model, from, err);
    if (!layer) {
        return NULL;
    }
    if (layer->kind->declare && !layer->kind->declare(model, layer, err)) {
        an__layer_blame(layer, err);
        return NULL;
    }
    an_layer *container = model->open[model->depth - 1];
    container->children[container->count++] = layer;
    return layer;
}

/* Hands an error on to the caller and to an_model_build. */
static bool failed(an_model *model, const an_error *error, an_error *err)
{
    if (err) {
        *err = *error;
    }
    return an__model_fail(model, error);
}

bool an__model_append(an_model *model, const an_layer *layer, an_error *err)
{
    an_error error = {0};
    return append(model, layer, &error) || failed(model, &error, err);
}

bool an__model_open(an_model *model, const an_layer_kind *kind, an_error *err)
{
    an_error error = {0};
    const an_layer from = {.kind = kind};
    if (model->depth == AN_SPEC_MAX_DEPTH) {
        an_error_set(&error, AN_ERROR_ARGUMENT, "%s: layers nest at most %d deep", kind->name,
                     AN_SPEC_MAX_DEPTH - 1);
        return failed(model, &error, err);
    }
    an_layer *layer = append(model, &from, &error);
    if (!layer) {
        return failed(model, &error, err);
    }
    model->open[model->depth++] = layer;
    return true;
}

bool an__model_close(an_model *model, an_error *err)
{
    an_error error = {0};
    if (model->depth < 2) {
        an_error_set(&error, AN_ERROR_STATE, "an_model_end without an_model_begin");
        return failed(model, &error, err);
    }
    an_layer *layer = model->open[--model->depth];
    layer->text = text_of(model, layer);
    if (layer->text) {
        return true;
    }
    layer->text = layer->kind->name;
    an_error_set(&error, AN_ERROR_MEMORY, "memory ran out for %s", layer->kind->name);
    return failed(model, &error, err);
}

/* ------------------------------------------------------------ describing it */

void an_model_begin(an_model *model, const char *name)
{
    const an_layer_kind *kind = an__layer_find(name);
    an_error error = {0};
    if (kind && kind->holds) {
        an__model_open(model, kind, NULL);
        return;
    }
    an_error_set(&error, AN_ERROR_ARGUMENT,
                 "an_model_begin: '%s' holds no layers; Sequential and Residual do", name);
    an__model_fail(model, &error);
}

void an_model_end(an_model *model)
{
    an__model_close(model, NULL);
}

void an_model_linear(an_model *model, int64_t in, int64_t out, bool bias)
{
    an_layer layer = {.kind = &an__layer_Linear,
                      .arg = {{.number = (double)in}, {.number = (double)out}, {.number = bias}}};
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
    an_layer layer = {.kind = &an__layer_Dropout, .arg = {{.number = p}}};
    an__model_append(model, &layer, NULL);
}

/* ----------------------------------------------------------------- using it */

an_tensor *an_forward(an_model *model, an_graph *graph, an_tensor *x)
{
    if (!model->built) {
        an_error_set(an__failure(graph), AN_ERROR_STATE,
                     "the model is not built; call an_model_build before an_forward");
        return &graph->poison;
    }
    if (!an__input_fits(graph, "forward", 0, x)) {
        return &graph->poison;
    }
    return an__sequence_forward(&model->root, model, graph, x);
}

bool an_model_set_training(an_model *model, bool training)
{
    bool was = model->training;
    model->training = training;
    return was;
}

static void set_dropout(an_layer *layer, double p)
{
    if (layer->kind == &an__layer_Dropout || layer->kind == &an__layer_Dropout2d) {
        layer->arg[0].number = p;
    }
    for (size_t i = 0; i < layer->count; i++) {
        set_dropout(layer->children[i], p);
    }
}

void an_model_set_dropout(an_model *model, double p)
{
    set_dropout(&model->root, p);
}

an_params *an_model_params(const an_model *model)
{
    return model->params;
}

size_t an_model_layer_count(const an_model *model)
{
    return model->root.count;
}

const char *an_model_layer_text(const an_model *model, size_t index)
{
    return index < model->root.count ? model->root.children[index]->text : NULL;
}

an_shape an_model_output_shape(const an_model *model)
{
    return model->output;
}

an_rng *an_model_rng(an_model *model)
{
    return &model->rng;
}
