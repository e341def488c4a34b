#include "config/loaders.h"

#include "config/errors.h"

/*
 * The most samples in a batch of evaluation: enough to fill the kernels. There are no more than in
 * a batch of training either, so that no run that trained runs out of memory when it is tested.
 */
#define EVAL_BATCH 512

/* What happens to images can happen to these. */
static bool check_augment(const an_config *c, const an_dataset *data, an_error *err)
{
    const an__samples *s = &c->samples;
    const an_shape shape = an_dataset_shape(data);
    if (!s->augment_node)
        return true;
    if (an_dataset_kind(data) == AN_DATA_TOKENS || shape.ndim != 3)
        return AN__FAIL(s->augment_node->key, err,
                        "augment is for images, of (channels, height, width), and these samples "
                        "are none");
    const int64_t height = shape.dim[1], width = shape.dim[2], shift = s->augment.shift;
    if (s->crop_node && (s->crop[0] != height || s->crop[1] != width))
        return AN__FAIL(s->crop_node, err,
                        "RandomCrop: images that are learned from have the size of those that are "
                        "tested with, %lld x %lld, got %lld x %lld; let padding move them",
                        (long long)height, (long long)width, (long long)s->crop[0],
                        (long long)s->crop[1]);
    return !s->shift_node || (shift < height && shift < width) ||
           AN__FAIL(s->shift_node, err,
                    "images of %lld x %lld pixels cannot be moved by %lld; move them by less",
                    (long long)height, (long long)width, (long long)shift);
}

/* The weights that samples are drawn by. */
static bool take_weights(const an_config *c, const an_dataset *data, double *weights, an_error *err)
{
    an_error why = {0};
    double sum = 0;
    const bool balanced = c->samples.sampling == AN__BALANCED;
    if (balanced ? !an_dataset_balance(data, weights, &why)
                 : !an_dataset_weights(data, weights, &why))
        return an__hand_on(c->samples.sampling_node->key, "sampling: ", &why, err);
    for (int64_t i = 0; i < an_dataset_count(data); i++)
        sum += weights[i];
    return sum > 0 || AN__FAIL(c->samples.sampling_node->key, err,
                               "sampling: the weights of all training samples are 0");
}

static an_loader *training_loader(const an_config *c, an_context *context, const an_dataset *data,
                                  an_loader_options *options, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(context);
    const size_t count = (size_t)an_dataset_count(data);
    if (!check_augment(c, data, err))
        return NULL;
    options->shuffle = true;
    options->augment = c->samples.augment;
    if (c->samples.sampling == AN__EACH_ONCE)
        return an_loader_new(context, data, options, err);
    double *weights = an_alloc(allocator, count, sizeof *weights, err);
    if (!weights)
        return NULL;
    options->weights = weights;
    options->samples = c->samples.count;
    an_loader *loader =
        take_weights(c, data, weights, err) ? an_loader_new(context, data, options, err) : NULL;
    an_release(allocator, weights, count, sizeof *weights);
    return loader;
}

an_loader *an__loader_new(const an_config *config, an_context *context, const an_dataset *data,
                          bool training, an_error *err)
{
    const an_config *c = config;
    an_loader_options options = an_loader_defaults();
    const bool drawn = training && c->samples.count > 0;
    const int64_t count = drawn ? c->samples.count : an_dataset_count(data);
    const int64_t size = !training && c->batch_size > EVAL_BATCH ? EVAL_BATCH : c->batch_size;
    options.batch_size = size < count ? size : count;
    options.seed = (uint64_t)c->seed;
    options.mean = c->data.mean;
    options.deviation = c->data.deviation;
    return training ? training_loader(c, context, data, &options, err)
                    : an_loader_new(context, data, &options, err);
}
