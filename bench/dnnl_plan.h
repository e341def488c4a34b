/*
 * oneDNN's primitives as short lists of steps, for versions 2 and 3 of its C interface, which
 * differ in how descriptors are made. For bench/onednn.c.
 *
 * A plan is what one thread executes: a primitive, before it a reorder for each input whose layout
 * the primitive wants otherwise, behind it one for each such output. The primitives are made for
 * one OpenMP thread. Their working memory is the plan's: the library's own belongs to the thread
 * that made a primitive, and on another thread version 2.6 crashes.
 */
#ifndef BENCH_DNNL_PLAN_H
#define BENCH_DNNL_PLAN_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdint.h>

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t plan_form;
#else
typedef const dnnl_memory_desc_t *plan_form;
#endif

enum { PLAN_STEPS = 16, PLAN_ARGS = 10, PLAN_OBJECTS = 64 };

typedef struct plan_step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[PLAN_ARGS];
    int count;
    bool reorder;
} plan_step;

typedef struct plan {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attr; /* of all primitives */
    dnnl_stream_t stream;
    plan_step steps[PLAN_STEPS];
    int step_count;
    plan_form forms[PLAN_OBJECTS];
    int form_count;
    dnnl_memory_t memories[PLAN_OBJECTS];
    int memory_count;
    dnnl_primitive_desc_t descriptions[PLAN_STEPS];
    int description_count;
} plan;

/* What a primitive takes, and where it lies. `data` NULL: memory of the plan, in the primitive's
 * layout, the same for all primitives that name the same `arg`. */
typedef struct operand {
    int arg;
    float *data;
    plan_form form;
    bool output;
} operand;

typedef enum plan_direction { PLAN_FORWARD, PLAN_DATA, PLAN_WEIGHT } plan_direction;

/* A window's way over an image, for convolutions and pooling; `dilation` counts from 0. */
typedef struct plan_window {
    dnnl_dims_t kernel, stride, dilation, before, after;
} plan_window;

bool plan_init(plan *p);
void plan_free(plan *p);
/* All steps; with `bare`, without the reorders. */
void plan_run(const plan *p, bool bare);

/* Floats of dims[0..ndims) in rows of strides[]; strides NULL: any layout. NULL: no memory. */
plan_form plan_layout(plan *p, int ndims, const int64_t *dims, const int64_t *strides);
/* The same, row after row without gaps; `any`: any layout. */
plan_form plan_rows(plan *p, int ndims, const int64_t *dims, bool any);

/* Descriptions of primitives: NULL where this version has none for these layouts. */
dnnl_primitive_desc_t plan_product(plan *p, plan_form a, plan_form b, plan_form bias, plan_form c,
                                   bool relu);
dnnl_primitive_desc_t plan_convolution(plan *p, plan_direction direction, dnnl_alg_kind_t kind,
                                       plan_form x, plan_form w, plan_form y, const plan_window *at,
                                       dnnl_primitive_desc_t forward);
dnnl_primitive_desc_t plan_pooling(plan *p, plan_direction direction, dnnl_alg_kind_t kind,
                                   plan_form x, plan_form y, const plan_window *at,
                                   dnnl_primitive_desc_t forward);
dnnl_primitive_desc_t plan_batch_norm(plan *p, plan_direction direction, plan_form x,
                                      dnnl_primitive_desc_t forward);
dnnl_primitive_desc_t plan_layer_norm(plan *p, plan_direction direction, plan_form x,
                                      plan_form moments, dnnl_primitive_desc_t forward);

/* Adds the primitive and its reorders to the steps. */
bool plan_add(plan *p, dnnl_primitive_desc_t description, const operand *operands, int count);
/* The library's name for what computes it. */
const char *plan_method(dnnl_primitive_desc_t description);

#endif
