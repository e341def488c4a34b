/*
 * anneal/tensor.h - the context, tensors and random numbers.
 *
 * A tensor is a small struct with a shape and a pointer to contiguous row-major float32 values. It
 * is made by a graph (anneal/autograd.h), by a loader, or by an_tensor_new; its maker owns it.
 */
#ifndef ANNEAL_TENSOR_H
#define ANNEAL_TENSOR_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- context */

/*
 * The context owns what would otherwise be global: the allocator, the pool of threads and the table
 * of kernels for this processor. Make one, pass it to graphs, models, optimizers and loaders, and
 * free it after them. One context is used by one thread at a time.
 */
typedef struct an_context an_context;

#define AN_MAX_THREADS 64

typedef struct an_context_options {
    int threads; /* that compute, the caller's included, up to AN_MAX_THREADS; 0: one per core */
    int vector_bits; /* kernel width: 128, 256 or 512; 0: the widest that the processor has */
    an_allocator allocator; /* all zero: an_allocator_default() */
} an_context_options;

/*
 * `options` may be NULL: all zero. The threads are started here and sleep while there is nothing to
 * compute. Errors: ARGUMENT (threads outside 0..AN_MAX_THREADS, a width that the processor lacks),
 * MEMORY, STATE (the system refuses a thread).
 */
AN_API an_context *an_context_new(const an_context_options *options, an_error *err);
AN_API void an_context_free(an_context *context);
AN_API int an_context_threads(const an_context *context);
AN_API int an_context_vector_bits(const an_context *context);
AN_API const an_allocator *an_context_allocator(const an_context *context);

/* ------------------------------------------------------------------ shapes */

#define AN_MAX_DIMS 6

/* ndim 0 is a scalar. Every dimension is at least 0. */
typedef struct an_shape {
    int ndim;
    int64_t dim[AN_MAX_DIMS];
} an_shape;

/* Shapes as they are written: an_shape_1(10), an_shape_2(64, 784), ... */
AN_API an_shape an_shape_0(void);
AN_API an_shape an_shape_1(int64_t a);
AN_API an_shape an_shape_2(int64_t a, int64_t b);
AN_API an_shape an_shape_3(int64_t a, int64_t b, int64_t c);
AN_API an_shape an_shape_4(int64_t a, int64_t b, int64_t c, int64_t d);

/* The product of the dimensions (1 for a scalar), or -1 when negative or beyond 2^60. */
AN_API int64_t an_shape_size(an_shape shape);
AN_API bool an_shape_equal(an_shape a, an_shape b);
/* "(64, 784)"; "()" for a scalar, "(3,)" for one dimension. Returns the length as an_format does.
 */
AN_API size_t an_shape_print(char *buffer, size_t size, an_shape shape);
/* The shape of a op b under broadcasting: dimensions align from the right and are equal or 1. */
AN_API bool an_shape_broadcast(an_shape a, an_shape b, an_shape *out);

/* ----------------------------------------------------------------- tensors */

/*
 * Read `shape`, `size` and `data`; write `data[0..size)` of a tensor that is yours. `grad` is the
 * gradient after an_backward: NULL, or not meaningful, unless `has_grad` (use an_tensor_grad).
 */
typedef struct an_tensor {
    an_shape shape;
    int64_t size;
    float *data;
    float *grad;
    bool requires_grad;
    bool has_grad;
    struct an_node *node; /* the operation that made it; NULL for leaves */
} an_tensor;

/* A tensor of its own, zeroed, not part of any graph; data is aligned to 64 bytes. Free with
 * an_tensor_free. Errors: SHAPE (a negative or too large size), MEMORY. */
AN_API an_tensor *an_tensor_new(an_context *context, an_shape shape, an_error *err);
AN_API void an_tensor_free(an_context *context, an_tensor *tensor);
/* A copy of `tensor`'s values that outlives the graph. Free with an_tensor_free. */
AN_API an_tensor *an_tensor_keep(an_context *context, const an_tensor *tensor, an_error *err);
/* The gradient, of the tensor's shape, or NULL where none has arrived since the last zero_grad. */
AN_API const float *an_tensor_grad(const an_tensor *tensor);

/* Class labels, one a row: a view, owned by whoever made it (usually the loader). */
typedef struct an_labels {
    const int32_t *data;
    int64_t count;
} an_labels;

/* ---------------------------------------------------------- random numbers */

/*
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3; SC 2011).
 * Counter-based: the n-th number depends on the seed, the stream and n alone, so the state is three
 * integers and any part of a sequence can be made by any thread.
 */
typedef struct an_rng {
    uint64_t seed, stream, counter;
} an_rng;

AN_API an_rng an_rng_init(uint64_t seed, uint64_t stream);
AN_API uint32_t an_rng_u32(an_rng *rng);
/* Uniform in [0, n), without bias; n from 1 to 2^32. */
AN_API uint64_t an_rng_below(an_rng *rng, uint64_t n);
/* Uniform in [0, 1), 24 bits (float) and 53 bits (double). */
AN_API float an_rng_float(an_rng *rng);
AN_API double an_rng_double(an_rng *rng);
/* Standard normal, by the method of Box and Muller; takes four numbers of the sequence. */
AN_API double an_rng_normal(an_rng *rng);
/* Fills `data` uniformly in [low, high). */
AN_API void an_rng_fill_uniform(an_rng *rng, float *data, int64_t count, float low, float high);
AN_API void an_rng_fill_normal(an_rng *rng, float *data, int64_t count, float mean,
                               float deviation);
/* A random order of 0..count-1 (Fisher and Yates); count at most 2^31 - 1. */
AN_API void an_rng_permutation(an_rng *rng, int32_t *order, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
