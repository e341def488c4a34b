/* See dnnl_plan.h. */
#include "dnnl_plan.h"

#include <stdlib.h>
#include <string.h>

#define IS(call) ((call) == dnnl_success)
#define EPS 1e-5f
#define NORM_FLAGS ((unsigned)dnnl_use_scale | (unsigned)dnnl_use_shift)

bool plan_init(plan *p)
{
    memset(p, 0, sizeof *p);
    return IS(dnnl_engine_create(&p->engine, dnnl_cpu, 0)) &&
           IS(dnnl_primitive_attr_create(&p->attr)) &&
           IS(dnnl_primitive_attr_set_scratchpad_mode(p->attr, dnnl_scratchpad_mode_user)) &&
           IS(dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags));
}

void plan_free(plan *p)
{
    for (int i = 0; i < p->step_count; i++)
        dnnl_primitive_destroy(p->steps[i].primitive);
    for (int i = 0; i < p->memory_count; i++)
        dnnl_memory_destroy(p->memories[i]);
    for (int i = 0; i < p->description_count; i++)
        dnnl_primitive_desc_destroy(p->descriptions[i]);
    for (int i = 0; i < p->form_count; i++)
#if DNNL_VERSION_MAJOR >= 3
        dnnl_memory_desc_destroy((dnnl_memory_desc_t)p->forms[i]);
#else
        free((void *)p->forms[i]);
#endif
    dnnl_primitive_attr_destroy(p->attr);
    dnnl_stream_destroy(p->stream);
    dnnl_engine_destroy(p->engine);
}

void plan_run(const plan *p, bool bare)
{
    for (int i = 0; i < p->step_count; i++)
        if (!bare || !p->steps[i].reorder)
            dnnl_primitive_execute(p->steps[i].primitive, p->stream, p->steps[i].count,
                                   p->steps[i].args);
    dnnl_stream_wait(p->stream);
}

plan_form plan_layout(plan *p, int ndims, const int64_t *dims, const int64_t *strides)
{
    bool made;
    if (p->form_count == PLAN_OBJECTS)
        return NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t form = NULL;
    made = strides ? IS(dnnl_memory_desc_create_with_strides(&form, ndims, dims, dnnl_f32, strides))
                   : IS(dnnl_memory_desc_create_with_tag(&form, ndims, dims, dnnl_f32,
                                                         dnnl_format_tag_any));
#else
    dnnl_memory_desc_t *form = malloc(sizeof *form);
    made =
        form &&
        (strides
             ? IS(dnnl_memory_desc_init_by_strides(form, ndims, dims, dnnl_f32, strides))
             : IS(dnnl_memory_desc_init_by_tag(form, ndims, dims, dnnl_f32, dnnl_format_tag_any)));
#endif
    if (form)
        p->forms[p->form_count++] = form;
    return made ? form : NULL;
}

plan_form plan_rows(plan *p, int ndims, const int64_t *dims, bool any)
{
    int64_t strides[DNNL_MAX_NDIMS] = {0};
    int64_t step = 1;
    for (int i = ndims - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dims[i];
    }
    return plan_layout(p, ndims, dims, any ? NULL : strides);
}

/* ------------------------------------------------------------ descriptions */

static dnnl_primitive_desc_t keep(plan *p, bool made, dnnl_primitive_desc_t description)
{
    if (!made)
        return NULL;
    p->descriptions[p->description_count++] = description;
    return description;
}

const char *plan_method(dnnl_primitive_desc_t description)
{
    const char *text = NULL;
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)&text);
    return text ? text : "?";
}

/* Adds a ReLU to what the plan's primitives do. */
static void attach_relu(const plan *p)
{
    dnnl_post_ops_t ops = NULL;
    if (!IS(dnnl_post_ops_create(&ops)))
        return;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0);
#else
    dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
#endif
    dnnl_primitive_attr_set_post_ops(p->attr, ops);
    dnnl_post_ops_destroy(ops);
}

#if DNNL_VERSION_MAJOR >= 3

dnnl_primitive_desc_t plan_product(plan *p, plan_form a, plan_form b, plan_form bias, plan_form c,
                                   bool relu)
{
    dnnl_primitive_desc_t d = NULL;
    if (relu)
        attach_relu(p);
    return keep(p, IS(dnnl_matmul_primitive_desc_create(&d, p->engine, a, b, bias, c, p->attr)), d);
}

dnnl_primitive_desc_t plan_convolution(plan *p, plan_direction direction, dnnl_alg_kind_t kind,
                                       plan_form x, plan_form w, plan_form y, const plan_window *at,
                                       dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t d = NULL;
    dnnl_status_t status;
    if (direction == PLAN_FORWARD)
        status = dnnl_convolution_forward_primitive_desc_create(
            &d, p->engine, dnnl_forward_training, kind, x, w, NULL, y, at->stride, at->dilation,
            at->before, at->after, p->attr);
    else if (direction == PLAN_DATA)
        status = dnnl_convolution_backward_data_primitive_desc_create(
            &d, p->engine, kind, x, w, y, at->stride, at->dilation, at->before, at->after, forward,
            p->attr);
    else
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            &d, p->engine, kind, x, w, NULL, y, at->stride, at->dilation, at->before, at->after,
            forward, p->attr);
    return keep(p, IS(status), d);
}

dnnl_primitive_desc_t plan_pooling(plan *p, plan_direction direction, dnnl_alg_kind_t kind,
                                   plan_form x, plan_form y, const plan_window *at,
                                   dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t d = NULL;
    dnnl_status_t status;
    if (direction == PLAN_FORWARD)
        status = dnnl_pooling_forward_primitive_desc_create(
            &d, p->engine, dnnl_forward_training, kind, x, y, at->stride, at->kernel, at->dilation,
            at->before, at->after, p->attr);
    else
        status = dnnl_pooling_backward_primitive_desc_create(&d, p->engine, kind, x, y, at->stride,
                                                             at->kernel, at->dilation, at->before,
                                                             at->after, forward, p->attr);
    return keep(p, IS(status), d);
}

dnnl_primitive_desc_t plan_batch_norm(plan *p, plan_direction direction, plan_form x,
                                      dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t d = NULL;
    dnnl_status_t status;
    if (direction == PLAN_FORWARD)
        status = dnnl_batch_normalization_forward_primitive_desc_create(
            &d, p->engine, dnnl_forward_training, x, x, EPS, NORM_FLAGS, p->attr);
    else
        status = dnnl_batch_normalization_backward_primitive_desc_create(
            &d, p->engine, dnnl_backward, x, x, x, EPS, NORM_FLAGS, forward, p->attr);
    return keep(p, IS(status), d);
}

dnnl_primitive_desc_t plan_layer_norm(plan *p, plan_direction direction, plan_form x,
                                      plan_form moments, dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t d = NULL;
    dnnl_status_t status;
    if (direction == PLAN_FORWARD)
        status = dnnl_layer_normalization_forward_primitive_desc_create(
            &d, p->engine, dnnl_forward_training, x, x, moments, EPS, NORM_FLAGS, p->attr);
    else
        status = dnnl_layer_normalization_backward_primitive_desc_create(
            &d, p->engine, dnnl_backward, x, x, x, moments, EPS, NORM_FLAGS, forward, p->attr);
    return keep(p, IS(status), d);
}

#else

/* Version 2 has two steps: an operation's description, then the primitive's. */
static dnnl_primitive_desc_t finish(plan *p, dnnl_status_t status, const void *operation,
                                    dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t d = NULL;
    const bool made =
        IS(status) && IS(dnnl_primitive_desc_create(&d, operation, p->attr, p->engine, forward));
    return keep(p, made, d);
}

dnnl_primitive_desc_t plan_product(plan *p, plan_form a, plan_form b, plan_form bias, plan_form c,
                                   bool relu)
{
    dnnl_matmul_desc_t o;
    if (relu)
        attach_relu(p);
    return finish(p, dnnl_matmul_desc_init(&o, a, b, bias, c), &o, NULL);
}

dnnl_primitive_desc_t plan_convolution(plan *p, plan_direction direction, dnnl_alg_kind_t kind,
                                       plan_form x, plan_form w, plan_form y, const plan_window *at,
                                       dnnl_primitive_desc_t forward)
{
    dnnl_convolution_desc_t o;
    dnnl_status_t status;
    if (direction == PLAN_FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(&o, dnnl_forward_training, kind, x, w,
                                                            NULL, y, at->stride, at->dilation,
                                                            at->before, at->after);
    else if (direction == PLAN_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &o, kind, x, w, y, at->stride, at->dilation, at->before, at->after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &o, kind, x, w, NULL, y, at->stride, at->dilation, at->before, at->after);
    return finish(p, status, &o, forward);
}

dnnl_primitive_desc_t plan_pooling(plan *p, plan_direction direction, dnnl_alg_kind_t kind,
                                   plan_form x, plan_form y, const plan_window *at,
                                   dnnl_primitive_desc_t forward)
{
    dnnl_pooling_desc_t o;
    const dnnl_status_t status =
        direction == PLAN_FORWARD
            ? dnnl_pooling_forward_desc_init(&o, dnnl_forward_training, kind, x, y, at->stride,
                                             at->kernel, at->before, at->after)
            : dnnl_pooling_backward_desc_init(&o, kind, x, y, at->stride, at->kernel, at->before,
                                              at->after);
    return finish(p, status, &o, forward);
}

dnnl_primitive_desc_t plan_batch_norm(plan *p, plan_direction direction, plan_form x,
                                      dnnl_primitive_desc_t forward)
{
    dnnl_batch_normalization_desc_t o;
    const dnnl_status_t status =
        direction == PLAN_FORWARD
            ? dnnl_batch_normalization_forward_desc_init(&o, dnnl_forward_training, x, EPS,
                                                         NORM_FLAGS)
            : dnnl_batch_normalization_backward_desc_init(&o, dnnl_backward, x, x, EPS, NORM_FLAGS);
    return finish(p, status, &o, forward);
}

dnnl_primitive_desc_t plan_layer_norm(plan *p, plan_direction direction, plan_form x,
                                      plan_form moments, dnnl_primitive_desc_t forward)
{
    dnnl_layer_normalization_desc_t o;
    const dnnl_status_t status = direction == PLAN_FORWARD
                                     ? dnnl_layer_normalization_forward_desc_init(
                                           &o, dnnl_forward_training, x, moments, EPS, NORM_FLAGS)
                                     : dnnl_layer_normalization_backward_desc_init(
                                           &o, dnnl_backward, x, x, moments, EPS, NORM_FLAGS);
    return finish(p, status, &o, forward);
}

#endif

/* ------------------------------------------------------------------- steps */

static dnnl_memory_t memory_of(plan *p, plan_form form, void *data)
{
    dnnl_memory_t memory = NULL;
    if (p->memory_count == PLAN_OBJECTS || !IS(dnnl_memory_create(&memory, form, p->engine, data)))
        return NULL;
    p->memories[p->memory_count++] = memory;
    return memory;
}

/* Gives a step its working memory. */
static bool add_scratchpad(plan *p, dnnl_primitive_desc_t description, plan_step *step)
{
    plan_form form = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    dnnl_memory_t memory = memory_of(p, form, DNNL_MEMORY_ALLOCATE);
    step->args[step->count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, memory};
    return memory != NULL;
}

static bool add_reorder(plan *p, plan_form from_form, dnnl_memory_t from, plan_form to_form,
                        dnnl_memory_t to)
{
    dnnl_primitive_desc_t d = NULL;
    plan_step step = {.count = 2, .reorder = true};
    if (p->step_count == PLAN_STEPS || !IS(dnnl_reorder_primitive_desc_create(
                                           &d, from_form, p->engine, to_form, p->engine, p->attr)))
        return false;
    step.args[0] = (dnnl_exec_arg_t){DNNL_ARG_FROM, from};
    step.args[1] = (dnnl_exec_arg_t){DNNL_ARG_TO, to};
    const bool made = add_scratchpad(p, d, &step) && IS(dnnl_primitive_create(&step.primitive, d));
    dnnl_primitive_desc_destroy(d);
    if (made)
        p->steps[p->step_count++] = step;
    return made;
}

/* The memory that an earlier primitive of the plan has for `arg`. */
static dnnl_memory_t find_memory(const plan *p, int arg)
{
    for (int i = 0; i < p->step_count; i++)
        for (int j = 0; j < p->steps[i].count; j++)
            if (!p->steps[i].reorder && p->steps[i].args[j].arg == arg)
                return p->steps[i].args[j].memory;
    return NULL;
}

bool plan_add(plan *p, dnnl_primitive_desc_t description, const operand *operands, int count)
{
    plan_step step = {.count = count};
    dnnl_memory_t user[PLAN_ARGS] = {NULL};
    plan_form wanted[PLAN_ARGS] = {NULL};
    for (int i = 0; i < count; i++) {
        const operand *o = &operands[i];
        wanted[i] = dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, o->arg);
        const bool same = !o->data || dnnl_memory_desc_equal(wanted[i], o->form);
        dnnl_memory_t inside = o->data ? NULL : find_memory(p, o->arg);
        if (!inside)
            inside = memory_of(p, wanted[i], same && o->data ? o->data : DNNL_MEMORY_ALLOCATE);
        user[i] = same ? NULL : memory_of(p, o->form, o->data);
        if (!inside || (!same && !user[i]))
            return false;
        step.args[i] = (dnnl_exec_arg_t){o->arg, inside};
        if (user[i] && !o->output && !add_reorder(p, o->form, user[i], wanted[i], inside))
            return false;
    }
    if (p->step_count == PLAN_STEPS || !add_scratchpad(p, description, &step) ||
        !IS(dnnl_primitive_create(&step.primitive, description)))
        return false;
    p->steps[p->step_count++] = step;
    for (int i = 0; i < count; i++)
        if (user[i] && operands[i].output &&
            !add_reorder(p, wanted[i], step.args[i].memory, operands[i].form, user[i]))
            return false;
    return true;
}
