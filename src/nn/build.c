/* Building a model: shapes through all layers, the parameters laid out, where they start. */
#include "nn/layer.h"

/* ------------------------------------------------------------------ shapes */

/* Follows `shape` through all layers. */
static bool check_shapes(an_model *model, an_shape shape, an_error *err)
{
    if (!an__sequence_shape(&model->root, shape, &shape, err)) {
        return false;
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

/* ----------------------------------------------------------- initial values */

/*
 * Streams of random numbers that a model's seed starts: one for Dropout, one for each parameter, so
 * that a layer more changes nothing in the others. The high half keeps them apart from the low
 * numbers that other users of the same seed take.
 */
#define DROPOUT_STREAM (UINT64_C(1) << 32)
#define PARAM_STREAM (UINT64_C(2) << 32)

static void fill(an_tensor *tensor, an_origin origin, an_rng *rng)
{
    const float scale = (float)origin.scale;
    switch (origin.start) {
    case AN_START_UNIFORM:
        an_rng_fill_uniform(rng, tensor->data, tensor->size, -scale, scale);
        break;
    case AN_START_NORMAL:
        an_rng_fill_normal(rng, tensor->data, tensor->size, 0, scale);
        break;
    case AN_START_ONES:
        for (int64_t i = 0; i < tensor->size; i++) {
            tensor->data[i] = 1;
        }
        break;
    case AN_START_ZEROS:
        break;
    }
}

/* What the kinds add to the initial values of their parameters and buffers. */
static void start_layers(const an_layer *layer)
{
    if (layer->kind->start) {
        layer->kind->start(layer);
    }
    for (size_t i = 0; i < layer->count; i++) {
        start_layers(layer->children[i]);
    }
}

static void initialise(an_model *model, uint64_t seed)
{
    for (size_t i = 0; i < an_params_count(model->params); i++) {
        an_rng rng = an_rng_init(seed, PARAM_STREAM + i);
        fill(an_params_get(model->params, i)->tensor, model->origins[i], &rng);
    }
    start_layers(&model->root);
    model->rng = an_rng_init(seed, DROPOUT_STREAM);
}

/* ---------------------------------------------------------------- building */

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
    if (model->depth > 1) {
        return an_error_set(err, AN_ERROR_STATE,
                            "%s is not closed: an_model_end is missing before an_model_build",
                            model->open[model->depth - 1]->kind->name);
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
