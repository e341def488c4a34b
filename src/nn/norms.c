/* Normalisation: BatchNorm1d, BatchNorm2d, LayerNorm, GroupNorm, RMSNorm. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "nn/layer.h"

/* weight, all ones, and bias, all zeros, as wanted. */
static bool declare_affine(an_model *model, an_layer *layer, an_shape shape, bool weight, bool bias,
                           an_error *err)
{
    if (weight) {
        layer->weight = an__layer_param(model, layer, "weight", shape, AN_START_ONES, 0, err);
    }
    if (bias && layer->weight) {
        layer->bias = an__layer_param(model, layer, "bias", shape, AN_START_ZEROS, 0, err);
    }
    return (!weight || layer->weight) && (!bias || layer->bias);
}

/* --------------------------------------------------------------- batch norm */

enum { BATCH_FEATURES, BATCH_EPS, BATCH_MOMENTUM, BATCH_AFFINE, BATCH_TRACK };

/* Running statistics, and the number of batches that they have seen. */
typedef struct running {
    an_tensor *mean, *variance;
    const an_buffer *batches;
} running;

static bool declare_running(an_model *model, an_layer *layer, an_shape shape, an_error *err)
{
    running *r = an_arena_alloc(&model->arena, sizeof *r);
    if (!r) {
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the running statistics");
    }
    *r = (running){0};
    r->mean = an__layer_buffer(model, layer, "running_mean", shape, err);
    if (r->mean) {
        r->variance = an__layer_buffer(model, layer, "running_var", shape, err);
    }
    if (r->variance) {
        r->batches = an__layer_counter(model, layer, "num_batches_tracked", err);
    }
    layer->own = r;
    return r->batches != NULL;
}

static bool batch_declare(an_model *model, an_layer *layer, an_error *err)
{
    const an_shape shape = an_shape_1(an__whole(layer, BATCH_FEATURES));
    const bool affine = layer->arg[BATCH_AFFINE].number != 0;
    return declare_affine(model, layer, shape, affine, affine, err) &&
           (layer->arg[BATCH_TRACK].number == 0 || declare_running(model, layer, shape, err));
}

static void batch_start(const an_layer *layer)
{
    const running *r = layer->own;
    for (int64_t i = 0; r && i < r->variance->size; i++) {
        r->variance->data[i] = 1;
    }
}

static bool batch_fits(const an_layer *layer, an_shape in, bool dims, const char *want,
                       an_error *err)
{
    const int64_t features = an__whole(layer, BATCH_FEATURES);
    return (dims && in.dim[1] == features) ||
           an_error_set(err, AN_ERROR_SHAPE, "takes (batch, %lld%s but gets %s",
                        (long long)features, want, an__batch_text(in).text);
}

static bool batch_1d_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    return batch_fits(layer, in, in.ndim == 2 || in.ndim == 3, ") or with a length behind", err);
}

static bool batch_2d_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    return batch_fits(layer, in, in.ndim == 4, ", height, width)", err);
}

/* momentum=None means the mean over all batches so far: the n-th moves the statistics by 1 / n. */
static an_tensor *batch_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                an_tensor *x)
{
    const running *r = layer->own;
    const double momentum = layer->arg[BATCH_MOMENTUM].number;
    an_batch_norm_options options = {
        .running_mean = r ? r->mean : NULL,
        .running_variance = r ? r->variance : NULL,
        .training = model->training,
        .momentum = momentum,
        .eps = layer->arg[BATCH_EPS].number,
    };
    if (r && model->training) {
        const bool mean = isnan(momentum) || model->gathers;
        options.momentum = mean ? 1 / (double)(*r->batches->counter + 1) : momentum;
    }
    an_tensor *y = an_batch_norm(graph, x, layer->weight, layer->bias, &options);
    if (r && model->training && !an_graph_error(graph, NULL)) {
        ++*r->batches->counter;
    }
    return y;
}

#define BATCH_NORM_ARGS                                                                  \
    {                                                                                    \
        {"num_features", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},       \
            {"eps", AN_ARG_NUMBER, false, 1e-5, 0, 1e30, "at least 0", NULL},            \
            {"momentum",    AN_ARG_OPTIONAL,       false, 0.1, 0,                        \
             AN_UNIT_BELOW, "from 0 to 1 or None", NULL},                                \
            {"affine", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},              \
            {"track_running_stats", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL}, \
    }

const an_layer_kind an__layer_BatchNorm1d = {
    .name = "BatchNorm1d",
    .args = BATCH_NORM_ARGS,
    .arg_count = 5,
    .declare = batch_declare,
    .start = batch_start,
    .shape = batch_1d_shape,
    .forward = batch_forward,
};

const an_layer_kind an__layer_BatchNorm2d = {
    .name = "BatchNorm2d",
    .args = BATCH_NORM_ARGS,
    .arg_count = 5,
    .declare = batch_declare,
    .start = batch_start,
    .shape = batch_2d_shape,
    .forward = batch_forward,
};

/* How many running statistics a layer and those in it have; with `restart` they begin anew. */
static size_t visit_running(const an_layer *layer, bool restart)
{
    const bool batch =
        layer->kind == &an__layer_BatchNorm1d || layer->kind == &an__layer_BatchNorm2d;
    const running *r = batch ? layer->own : NULL;
    size_t count = r != NULL;
    if (r && restart) {
        memset(r->mean->data, 0, (size_t)r->mean->size * sizeof(float));
        batch_start(layer);
        *r->batches->counter = 0;
    }
    for (size_t i = 0; i < layer->count; i++) {
        count += visit_running(layer->children[i], restart);
    }
    return count;
}

bool an_model_has_statistics(const an_model *model)
{
    return visit_running(&model->root, false) > 0;
}

void an_model_gather_statistics(an_model *model, bool gather)
{
    model->gathers = gather;
    if (gather && model->built) {
        visit_running(&model->root, true);
    }
}

/* -------------------------------------------------- LayerNorm and RMSNorm */

enum { ROW_SHAPE, ROW_EPS, ROW_AFFINE, ROW_BIAS };

static bool row_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const an_shape last = layer->arg[ROW_SHAPE].list;
    bool fits = in.ndim > last.ndim;
    char text[100];
    *out = in;
    for (int i = 0; fits && i < last.ndim; i++) {
        fits = in.dim[in.ndim - last.ndim + i] == last.dim[i];
    }
    an_shape_print(text, sizeof text, last);
    return fits ||
           an_error_set(err, AN_ERROR_SHAPE, "normalises over last dimensions %s but gets %s", text,
                        an__batch_text(in).text);
}

static bool layer_norm_declare(an_model *model, an_layer *layer, an_error *err)
{
    const bool affine = layer->arg[ROW_AFFINE].number != 0;
    return declare_affine(model, layer, layer->arg[ROW_SHAPE].list, affine,
                          affine && layer->arg[ROW_BIAS].number != 0, err);
}

static an_tensor *layer_norm_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                     an_tensor *x)
{
    (void)model;
    return an_layer_norm(graph, x, layer->arg[ROW_SHAPE].list.ndim, layer->weight, layer->bias,
                         layer->arg[ROW_EPS].number);
}

const an_layer_kind an__layer_LayerNorm = {
    .name = "LayerNorm",
    .args = {{"normalized_shape", AN_ARG_SIZES, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"eps", AN_ARG_NUMBER, false, 1e-5, 0, 1e30, "at least 0", NULL},
             {"elementwise_affine", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL},
             {"bias", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL}},
    .arg_count = 4,
    .declare = layer_norm_declare,
    .shape = row_shape,
    .forward = layer_norm_forward,
};

static bool rms_norm_declare(an_model *model, an_layer *layer, an_error *err)
{
    return declare_affine(model, layer, layer->arg[ROW_SHAPE].list,
                          layer->arg[ROW_AFFINE].number != 0, false, err);
}

/* eps=None is the distance from 1 to the next float, as in PyTorch. */
static an_tensor *rms_norm_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                   an_tensor *x)
{
    (void)model;
    const double eps = layer->arg[ROW_EPS].number;
    return an_rms_norm(graph, x, layer->arg[ROW_SHAPE].list.ndim, layer->weight,
                       isnan(eps) ? (double)FLT_EPSILON : eps);
}

const an_layer_kind an__layer_RMSNorm = {
    .name = "RMSNorm",
    .args = {{"normalized_shape", AN_ARG_SIZES, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"eps", AN_ARG_OPTIONAL, false, NAN, 0, 1e30, "at least 0 or None", NULL},
             {"elementwise_affine", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL}},
    .arg_count = 3,
    .declare = rms_norm_declare,
    .shape = row_shape,
    .forward = rms_norm_forward,
};

/* --------------------------------------------------------------- GroupNorm */

enum { GROUP_COUNT, GROUP_CHANNELS, GROUP_EPS, GROUP_AFFINE };

static bool group_declare(an_model *model, an_layer *layer, an_error *err)
{
    const int64_t groups = an__whole(layer, GROUP_COUNT);
    const int64_t channels = an__whole(layer, GROUP_CHANNELS);
    const bool affine = layer->arg[GROUP_AFFINE].number != 0;
    if (channels % groups != 0) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "num_groups must divide num_channels %lld, got %lld",
                            (long long)channels, (long long)groups);
    }
    return declare_affine(model, layer, an_shape_1(channels), affine, affine, err);
}

static bool group_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const int64_t channels = an__whole(layer, GROUP_CHANNELS);
    *out = in;
    return (in.ndim >= 2 && in.dim[1] == channels) ||
           an_error_set(err, AN_ERROR_SHAPE, "takes (batch, %lld, ...) but gets %s",
                        (long long)channels, an__batch_text(in).text);
}

static an_tensor *group_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                an_tensor *x)
{
    (void)model;
    return an_group_norm(graph, x, an__whole(layer, GROUP_COUNT), layer->weight, layer->bias,
                         layer->arg[GROUP_EPS].number);
}

const an_layer_kind an__layer_GroupNorm = {
    .name = "GroupNorm",
    .args = {{"num_groups", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"num_channels", AN_ARG_INTEGER, true, 0, 1, AN_MANY, "at least 1", NULL},
             {"eps", AN_ARG_NUMBER, false, 1e-5, 0, 1e30, "at least 0", NULL},
             {"affine", AN_ARG_FLAG, false, 1, 0, 2, "True or False", NULL}},
    .arg_count = 4,
    .declare = group_declare,
    .shape = group_shape,
    .forward = group_forward,
};
