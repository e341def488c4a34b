/* The steps of a recurrent layer: who takes which samples, and the product with h at each step. */
#include "tensor/kernels/recurrent.h"

#include "tensor/context.h"
#include "tensor/kernels/gemm.h"

#include <string.h>

/* One thread's samples: `count` of them from `first` on. */
typedef struct share {
    const an_recurrent_call *call;
    const an_context *context;
    int64_t first, count;
    float *packed;
    float *dh, *dc; /* (count, out), (count, hidden); forward of GRU: (count, 3 hidden) at dh */
    float *d_wide;  /* (count, hidden): of what is projected */
} share;

static int64_t width(const an_recurrent_call *call)
{
    return (call->gru ? 3 : 4) * call->hidden;
}

/* Where sample `i` of the share and step `t` stand in a block with `columns` values a step. */
static int64_t at(const share *s, int64_t i, int64_t t, int64_t columns)
{
    return ((s->first + i) * s->call->time + t) * columns;
}

/* The step that is done before `t`, or -1. */
static int64_t step_before(const an_recurrent_call *call, int64_t t)
{
    return !call->reverse ? t - 1 : t + 1 < call->time ? t + 1 : -1;
}

static void multiply(const share *s, an_gemm call)
{
    s->context->kernels->gemm->run(&call, s->packed);
}

/* The hidden state that step `t` begins with, for all samples of the share. */
static void hand_on(const share *s, int64_t t)
{
    const int64_t out = s->call->out, before = step_before(s->call, t);
    for (int64_t i = 0; i < s->count; i++) {
        float *to = s->call->before + at(s, i, t, out);
        if (before < 0)
            memset(to, 0, (size_t)out * sizeof *to);
        else
            memcpy(to, s->call->y + at(s, i, before, out), (size_t)out * sizeof *to);
    }
}

/* y = wide W_hr^T of one step. */
static void project(const share *s, int64_t t)
{
    const an_recurrent_call *c = s->call;
    multiply(s, (an_gemm){.transpose_b = true,
                          .m = s->count,
                          .n = c->out,
                          .k = c->hidden,
                          .a = c->wide + at(s, 0, t, c->hidden),
                          .lda = c->time * c->hidden,
                          .b = c->w_hr,
                          .ldb = c->hidden,
                          .c = c->y + at(s, 0, t, c->out),
                          .ldc = c->time * c->out});
}

static void lstm_step(const share *s, int64_t t)
{
    const an_recurrent_call *c = s->call;
    const int64_t hidden = c->hidden, columns = width(c), before = step_before(c, t);
    float *h = c->w_hr ? c->wide : c->y;
    if (before >= 0)
        multiply(s, (an_gemm){.m = s->count,
                              .n = columns,
                              .k = c->out,
                              .a = c->before + at(s, 0, t, c->out),
                              .lda = c->time * c->out,
                              .b = c->w_turned,
                              .ldb = columns,
                              .c = c->gates + at(s, 0, t, columns),
                              .ldc = c->time * columns,
                              .accumulate = true});
    for (int64_t i = 0; i < s->count; i++)
        s->context->kernels->cells->lstm(hidden, c->gates + at(s, i, t, columns),
                                         before < 0 ? NULL : c->cells + at(s, i, before, hidden),
                                         c->cells + at(s, i, t, hidden), h + at(s, i, t, hidden));
    if (c->w_hr)
        project(s, t);
}

static void gru_step(const share *s, int64_t t)
{
    const an_recurrent_call *c = s->call;
    const int64_t hidden = c->hidden, columns = width(c);
    multiply(s, (an_gemm){.m = s->count,
                          .n = columns,
                          .k = hidden,
                          .a = c->before + at(s, 0, t, hidden),
                          .lda = c->time * hidden,
                          .b = c->w_turned,
                          .ldb = columns,
                          .c = s->dh,
                          .ldc = columns,
                          .bias = c->bias});
    for (int64_t i = 0; i < s->count; i++)
        s->context->kernels->cells->gru(hidden, c->gates + at(s, i, t, columns),
                                        s->dh + i * columns, c->cells + at(s, i, t, hidden),
                                        c->before + at(s, i, t, hidden),
                                        c->y + at(s, i, t, hidden));
}

static void forward(const share *s)
{
    const an_recurrent_call *c = s->call;
    for (int64_t step = 0; step < c->time; step++) {
        const int64_t t = c->reverse ? c->time - 1 - step : step;
        hand_on(s, t);
        if (c->gru)
            gru_step(s, t);
        else
            lstm_step(s, t);
    }
}

/* What reaches h after step `t`: from the output, and (already in dh) from the step after. */
static void add_output(const share *s, int64_t t)
{
    const int64_t out = s->call->out;
    for (int64_t i = 0; i < s->count; i++) {
        const float *dy = s->call->dy + at(s, i, t, out);
        float *dh = s->dh + i * out;
        for (int64_t j = 0; j < out; j++)
            dh[j] += dy[j];
    }
}

/* d_wide = dh W_hr; dh is kept for the gradient of W_hr. */
static void project_backward(const share *s, int64_t t)
{
    const an_recurrent_call *c = s->call;
    for (int64_t i = 0; i < s->count; i++)
        memcpy(c->d_out + at(s, i, t, c->out), s->dh + i * c->out,
               (size_t)c->out * sizeof *c->d_out);
    multiply(s, (an_gemm){.m = s->count,
                          .n = c->hidden,
                          .k = c->out,
                          .a = s->dh,
                          .lda = c->out,
                          .b = c->w_hr,
                          .ldb = c->hidden,
                          .c = s->d_wide,
                          .ldc = c->hidden});
}

static void cells_backward(const share *s, int64_t t)
{
    const an_recurrent_call *c = s->call;
    const an_cells_table *cells = s->context->kernels->cells;
    const int64_t hidden = c->hidden, columns = width(c), before = step_before(c, t);
    for (int64_t i = 0; i < s->count; i++) {
        float *gates = c->gates + at(s, i, t, columns);
        float *dh = (c->w_hr ? s->d_wide : s->dh) + i * hidden;
        const float *kept = c->cells + at(s, i, t, hidden);
        if (c->gru)
            cells->gru_backward(hidden, gates, c->d_hidden + at(s, i, t, columns), kept,
                                c->before + at(s, i, t, hidden), dh);
        else
            cells->lstm_backward(hidden, gates,
                                 before < 0 ? NULL : c->cells + at(s, i, before, hidden), kept, dh,
                                 s->dc + i * hidden);
    }
}

static void backward(const share *s)
{
    const an_recurrent_call *c = s->call;
    const int64_t hidden = c->hidden, columns = width(c);
    const float *gradients = c->gru ? c->d_hidden : c->gates;
    memset(s->dh, 0, (size_t)(s->count * c->out) * sizeof *s->dh);
    memset(s->dc, 0, (size_t)(s->count * hidden) * sizeof *s->dc);
    for (int64_t step = c->time - 1; step >= 0; step--) {
        const int64_t t = c->reverse ? c->time - 1 - step : step;
        add_output(s, t);
        if (c->w_hr)
            project_backward(s, t);
        cells_backward(s, t);
        if (step > 0)
            multiply(s, (an_gemm){.m = s->count,
                                  .n = c->out,
                                  .k = columns,
                                  .a = gradients + at(s, 0, t, columns),
                                  .lda = c->time * columns,
                                  .b = c->w,
                                  .ldb = c->out,
                                  .c = s->dh,
                                  .ldc = c->out,
                                  .accumulate = c->gru});
    }
}

typedef struct job {
    an_context *context;
    const an_recurrent_call *call;
    void (*steps)(const share *s);
    int parts;
} job;

static void run_parts(void *arg, int64_t begin, int64_t end)
{
    const job *j = arg;
    const an_recurrent_call *c = j->call;
    for (int64_t part = begin; part < end; part++) {
        share s = {.call = c,
                   .context = j->context,
                   .first = c->samples * part / j->parts,
                   .packed = an__scratch_part(j->context, part)};
        s.count = c->samples * (part + 1) / j->parts - s.first;
        s.dh = c->room + s.first * 3 * c->hidden;
        s.dc = s.dh + s.count * c->hidden;
        s.d_wide = s.dc + s.count * c->hidden;
        if (s.count > 0)
            j->steps(&s);
    }
}

static void run(an_context *context, const an_recurrent_call *call, void (*steps)(const share *s))
{
    const double operations =
        (double)call->samples * (double)call->time * (double)width(call) * (double)call->hidden;
    job j = {context, call, steps, an__worth_threads(context, call->samples, operations)};
    if (call->samples > 0 && call->time > 0 && call->hidden > 0)
        an__parallel(context, j.parts, 1, run_parts, &j);
}

int64_t an__recurrent_room(const an_recurrent_call *call)
{
    return call->samples * 3 * call->hidden;
}

void an__recurrent(an_context *context, const an_recurrent_call *call)
{
    run(context, call, forward);
}

void an__recurrent_backward(an_context *context, const an_recurrent_call *call)
{
    run(context, call, backward);
}
