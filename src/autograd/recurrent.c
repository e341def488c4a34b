/*
 * LSTM and GRU over whole sequences, one operation each. The parts of x are one product for all
 * steps; the steps themselves are tensor/kernels/recurrent.c; the way back ends in ordinary
 * products over all steps, with dg the gradient of the gates' sums:
 *
 *   dx = dg W_ih,   dW_ih = dg^T x,   dW_hh = dg^T h_before,   db = the sums of dg
 *
 * For GRU the parts of h have gradients of their own, since r stands before one of them.
 */
#include "tensor/kernels/recurrent.h"
#include "autograd/ops.h"
#include "tensor/kernels/gemm.h"

enum { X, W_IH, W_HH, B_IH, B_HH, WITH_BIAS };

/* Two biases or none come after the weights of the gates, then the weight of a projection. */
static bool has_bias(const an_node *node)
{
    return node->count >= WITH_BIAS;
}

/* W_hr, or NULL. */
static an_tensor *projection(const an_node *node)
{
    return node->count % 2 == 0 ? node->inputs[node->count - 1] : NULL;
}

static int64_t gate_count(const an_node *node)
{
    return node->op == &an__op_gru ? 3 : 4;
}

/* ------------------------------------------------------------------- shape */

static bool check_weight(an_graph *graph, const an_node *node, int input, const char *name,
                         an_shape want)
{
    const an_shape got = node->inputs[input]->shape;
    if (an_shape_equal(got, want))
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_SHAPE, "%s: %s must be %s but has shape %s",
                        node->op->name, name, an__text(want).text, an__text(got).text);
}

static bool recurrent_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_shape x = node->inputs[X]->shape, w = node->inputs[W_HH]->shape;
    const int64_t gates = gate_count(node);
    if (x.ndim != 3)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: takes (batch, time, features), got %s", node->op->name,
                            an__text(x).text);
    const an_tensor *hr = projection(node);
    if (w.ndim != 2 || (hr ? w.dim[0] % gates != 0 : w.dim[0] != gates * w.dim[1]))
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: weight_hh must be (%lld hidden, hidden) but has shape %s",
                            node->op->name, (long long)gates, an__text(w).text);
    if (hr && (w.dim[1] > w.dim[0] / gates ||
               !an_shape_equal(hr->shape, an_shape_2(w.dim[1], w.dim[0] / gates))))
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: weight_hr must be (out, hidden), with fewer values out than "
                            "hidden, but has shape %s beside weight_hh %s",
                            node->op->name, an__text(hr->shape).text, an__text(w).text);
    *shape = x;
    shape->dim[2] = w.dim[1];
    return check_weight(graph, node, W_IH, "weight_ih", an_shape_2(w.dim[0], x.dim[2])) &&
           (!has_bias(node) || (check_weight(graph, node, B_IH, "bias_ih", an_shape_1(w.dim[0])) &&
                                check_weight(graph, node, B_HH, "bias_hh", an_shape_1(w.dim[0]))));
}

/* ----------------------------------------------------------------- forward */

static float *floats(an_graph *graph, int64_t count)
{
    return an__scratch(graph, count, sizeof(float));
}

/* LSTM adds up all it gets, so its two biases are one; GRU's bias of h stays with h. */
static const float *input_bias(an_graph *graph, const an_node *node, bool *ok)
{
    *ok = true;
    if (!has_bias(node))
        return NULL;
    const float *a = node->inputs[B_IH]->data, *b = node->inputs[B_HH]->data;
    if (node->op == &an__op_gru)
        return a;
    const int64_t count = node->inputs[B_IH]->size;
    float *sum = floats(graph, count);
    *ok = sum != NULL;
    for (int64_t i = 0; sum && i < count; i++)
        sum[i] = a[i] + b[i];
    return sum;
}

static void describe(an_node *node)
{
    an_recurrent_call *call = node->as.recurrent.call;
    const an_shape shape = node->output.shape;
    *call = (an_recurrent_call){
        .gru = node->op == &an__op_gru,
        .reverse = node->as.recurrent.reverse,
        .samples = shape.dim[0],
        .time = shape.dim[1],
        .hidden = node->inputs[W_HH]->shape.dim[0] / gate_count(node),
        .out = shape.dim[2],
        .w = node->inputs[W_HH]->data,
        .w_hr = projection(node) ? projection(node)->data : NULL,
        .bias = has_bias(node) ? node->inputs[B_HH]->data : NULL,
        .y = node->output.data,
    };
}

/* All that the steps need; the transposed weight is still to be filled in. */
static float *allocate(an_graph *graph, an_node *node)
{
    an_recurrent_call *call = an__scratch(graph, 1, sizeof *call);
    if (!call)
        return NULL;
    node->as.recurrent.call = call;
    describe(node);
    const int64_t states = call->samples * call->time * call->hidden;
    const int64_t gates = gate_count(node) * states;
    call->gates = floats(graph, gates);
    call->before = floats(graph, node->output.size);
    call->wide = call->w_hr ? floats(graph, states) : NULL;
    call->d_out = call->w_hr ? floats(graph, node->output.size) : NULL;
    call->cells = floats(graph, states);
    call->room = floats(graph, an__recurrent_room(call));
    call->d_hidden = call->gru ? floats(graph, gates) : NULL;
    float *w_turned = floats(graph, node->inputs[W_HH]->size);
    call->w_turned = w_turned;
    const bool all = call->gates && call->before && call->cells && call->room &&
                     (!call->gru || call->d_hidden) && (!call->w_hr || (call->wide && call->d_out));
    return all ? w_turned : NULL;
}

static bool recurrent_forward(an_graph *graph, an_node *node)
{
    const an_tensor *x = node->inputs[X], *w_hh = node->inputs[W_HH];
    const int64_t columns = w_hh->shape.dim[0], in = x->shape.dim[2];
    bool ok;
    const float *bias = input_bias(graph, node, &ok);
    float *w_turned = ok ? allocate(graph, node) : NULL;
    if (!w_turned)
        return false;
    an__kernels(graph->context)
        ->rows->transpose(columns, w_hh->shape.dim[1], w_turned, w_hh->data, false);
    an__gemm(graph->context, &(an_gemm){.transpose_b = true,
                                        .m = x->shape.dim[0] * x->shape.dim[1],
                                        .n = columns,
                                        .k = in,
                                        .a = x->data,
                                        .lda = in,
                                        .b = node->inputs[W_IH]->data,
                                        .ldb = in,
                                        .c = node->as.recurrent.call->gates,
                                        .ldc = columns,
                                        .bias = bias});
    an__recurrent(graph->context, node->as.recurrent.call);
    return true;
}

/* ---------------------------------------------------------------- backward */

/* dW (+)= dg^T x over all steps. */
static void weight_gradient(an_graph *graph, an_tensor *weight, int64_t steps, const float *dg,
                            const float *x)
{
    bool fresh;
    const int64_t columns = weight->shape.dim[0], in = weight->shape.dim[1];
    float *dw = an_grad_of(graph, weight, &fresh);
    if (dw)
        an__gemm(graph->context, &(an_gemm){.transpose_a = true,
                                            .m = columns,
                                            .n = in,
                                            .k = steps,
                                            .a = dg,
                                            .lda = columns,
                                            .b = x,
                                            .ldb = in,
                                            .c = dw,
                                            .ldc = in,
                                            .accumulate = !fresh});
}

static void bias_gradient(an_graph *graph, an_tensor *bias, int64_t steps, const float *dg)
{
    bool fresh;
    float *db = an_grad_of(graph, bias, &fresh);
    const an_around around = {.outer = 1, .block = {.count = steps, .inner = bias->size}};
    if (db)
        an__sum_around(graph, around, db, dg, 1, !fresh);
}

static void recurrent_backward(an_graph *graph, an_node *node)
{
    an_recurrent_call *call = node->as.recurrent.call;
    an_tensor *x = node->inputs[X], *w_ih = node->inputs[W_IH];
    const int64_t columns = w_ih->shape.dim[0], in = w_ih->shape.dim[1];
    const int64_t steps = call->samples * call->time;
    bool fresh;
    call->dy = node->output.grad;
    an__recurrent_backward(graph->context, call);
    const float *d_hidden = call->gru ? call->d_hidden : call->gates;
    weight_gradient(graph, w_ih, steps, call->gates, x->data);
    weight_gradient(graph, node->inputs[W_HH], steps, d_hidden, call->before);
    if (call->w_hr)
        weight_gradient(graph, projection(node), steps, call->d_out, call->wide);
    if (has_bias(node)) {
        bias_gradient(graph, node->inputs[B_IH], steps, call->gates);
        bias_gradient(graph, node->inputs[B_HH], steps, d_hidden);
    }
    float *dx = an_grad_of(graph, x, &fresh);
    if (dx)
        an__gemm(graph->context, &(an_gemm){.m = steps,
                                            .n = in,
                                            .k = columns,
                                            .a = call->gates,
                                            .lda = columns,
                                            .b = w_ih->data,
                                            .ldb = in,
                                            .c = dx,
                                            .ldc = in,
                                            .accumulate = !fresh});
}

const an_op an__op_lstm = {"lstm", recurrent_shape, recurrent_forward, recurrent_backward};
const an_op an__op_gru = {"gru", recurrent_shape, recurrent_forward, recurrent_backward};

/* -------------------------------------------------------------- the public */

static an_tensor *record(an_graph *graph, const an_op *op, an_tensor *x, an_recurrent_weights w,
                         bool reverse)
{
    if (!w.bias_ih != !w.bias_hh) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                     "%s: bias_ih and bias_hh come together, one of them is NULL", op->name);
        return &graph->poison;
    }
    if (w.weight_hr && op == &an__op_gru) {
        an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                     "gru: has no projection, but weight_hr is given");
        return &graph->poison;
    }
    an_tensor *inputs[] = {x, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_hr};
    int count = w.bias_ih ? WITH_BIAS : B_IH;
    if (w.weight_hr)
        inputs[count++] = w.weight_hr;
    return an__record(graph, op, inputs, count,
                      &(an_attributes){.recurrent = {.reverse = reverse}});
}

an_tensor *an_lstm(an_graph *graph, an_tensor *x, an_recurrent_weights weights, bool reverse)
{
    return record(graph, &an__op_lstm, x, weights, reverse);
}

an_tensor *an_gru(an_graph *graph, an_tensor *x, an_recurrent_weights weights, bool reverse)
{
    return record(graph, &an__op_gru, x, weights, reverse);
}
