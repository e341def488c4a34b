/* The context: allocator, kernels for this processor, threads, scratch memory. */
#include "tensor/context.h"

#include "tensor/kernels/conv.h"

static bool choose_kernels(an_context *context, int bits, an_error *err)
{
    if (bits != 0 && bits != 128 && bits != 256 && bits != 512)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "vector_bits must be 128, 256, 512 or 0 for the widest, got %d", bits);
    context->kernels = an__kernels_find(bits);
    if (!context->kernels)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "vector_bits is %d, but this processor has at most %d", bits,
                            an__kernels_find(0)->bits);
    return true;
}

static bool start_pool(an_context *context, int threads, an_error *err)
{
    if (threads < 0 || threads > AN_MAX_THREADS)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "threads must be 1 to %d, or 0 for one per core, got %d",
                            AN_MAX_THREADS, threads);
    if (threads == 0)
        threads = an__pool_cores() < AN_MAX_THREADS ? an__pool_cores() : AN_MAX_THREADS;
    context->pool = an__pool_new(&context->allocator, threads, err);
    return context->pool != NULL;
}

static bool make_scratch(an_context *context, an_error *err)
{
    context->scratch_floats = context->kernels->gemm->scratch_floats + AN_CONV_SCRATCH;
    context->scratch_bytes =
        (size_t)context->scratch_floats * (size_t)an_context_threads(context) * sizeof(float) + 64;
    context->scratch_block = an_alloc(&context->allocator, context->scratch_bytes, 1, err);
    if (!context->scratch_block)
        return false;
    char *block = context->scratch_block;
    context->scratch = (float *)(block + (64 - (uintptr_t)block % 64) % 64);
    return true;
}

an_context *an_context_new(const an_context_options *options, an_error *err)
{
    const an_context_options defaults = {0};
    if (!options)
        options = &defaults;
    const an_allocator allocator =
        options->allocator.resize ? options->allocator : an_allocator_default();
    an_context *context = an_alloc(&allocator, 1, sizeof *context, err);
    if (!context)
        return NULL;
    context->allocator = allocator;
    if (!choose_kernels(context, options->vector_bits, err) ||
        !start_pool(context, options->threads, err) || !make_scratch(context, err)) {
        an_context_free(context);
        return NULL;
    }
    return context;
}

void an_context_free(an_context *context)
{
    if (!context)
        return;
    const an_allocator allocator = context->allocator;
    an__pool_free(&allocator, context->pool);
    an_release(&allocator, context->scratch_block, context->scratch_bytes, 1);
    an_release(&allocator, context, 1, sizeof *context);
}

int an_context_threads(const an_context *context)
{
    return an__pool_threads(context->pool);
}

int an_context_vector_bits(const an_context *context)
{
    return context->kernels->bits;
}

const an_allocator *an_context_allocator(const an_context *context)
{
    return &context->allocator;
}

int an__worth_threads(const an_context *context, int64_t items, double operations)
{
    const double most = operations / 0.25e6;
    const int threads = an_context_threads(context);
    const int64_t parts = items < threads ? items : threads;
    return most < 1 ? 1 : (double)parts > most ? (int)most : (int)parts;
}

const an_kernels *an__kernels(const an_context *context)
{
    return context->kernels;
}

void an__parallel(an_context *context, int64_t count, int64_t grain, an_task task, void *arg)
{
    an__pool_run(context->pool, count, grain, task, arg);
}

bool an__later(an_context *context, int64_t count, int64_t grain, an_task task, void *arg)
{
    return an__pool_later(context->pool, count, grain, task, arg);
}

void an__later_finish(an_context *context)
{
    an__pool_later_finish(context->pool);
}
