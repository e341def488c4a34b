/*
 * Recurrent layers: LSTM (S. Hochreiter, J. Schmidhuber, 1997) and GRU (K. Cho and others, arXiv
 * 1406.1078), in PyTorch's form and order of the gates:
 *
 *   LSTM   i, f, o = sigmoid, g = tanh of (W_i* x + b_i* + W_h* h + b_h*)
 *          c' = f c + i g,   h' = o tanh(c')
 *          with a projection (H. Sak and others, arXiv 1402.1128) h' = W_hr (o tanh(c'))
 *   GRU    r, z = sigmoid(W_i* x + b_i* + W_h* h + b_h*)
 *          n = tanh(W_in x + b_in + r (W_hn h + b_hn)),   h' = (1 - z) n + z h
 *
 * Here is what depends on the step before; the products with x and the gradients of the weights are
 * ordinary matrix products over all steps at once. Samples do not depend on each other, so every
 * thread takes some of them through all steps, and nobody waits in between.
 */
#ifndef AN_RECURRENT_H
#define AN_RECURRENT_H

#include "tensor/kernels/kernels.h"

typedef struct an_recurrent_call {
    bool gru;     /* 3 gates: r, z, n; else LSTM with 4: i, f, g, o */
    bool reverse; /* from the last step to the first */
    int64_t samples, time, hidden;
    int64_t out;               /* values of h: hidden, or fewer with a projection */
    const float *w, *w_turned; /* of h: (gates hidden, out), and turned for forward */
    const float *bias;         /* of h, (gates hidden) or NULL; only for GRU */
    /* (samples, time, gates hidden): in, the part of x with its bias; out, the gates. Backward
     * leaves the gradient of that part there. */
    float *gates;
    float *before; /* (samples, time, out): the h that each step begins with */
    float *cells;  /* (samples, time, hidden); LSTM: c after each step; GRU: W_hn h + b_hn */
    float *y;      /* (samples, time, out): h after each step */
    /* LSTM with a projection, else NULL: W_hr (out, hidden); what it is applied to, (samples, time,
     * hidden); and backward's gradient of h, (samples, time, out). */
    const float *w_hr;
    float *wide, *d_out;
    /* Backward only. */
    const float *dy;
    float *d_hidden; /* GRU: (samples, time, 3 hidden), the gradient of W_h* h + b_h* */
    float *room;     /* of an__recurrent_room floats */
} an_recurrent_call;

int64_t an__recurrent_room(const an_recurrent_call *call);
void an__recurrent(an_context *context, const an_recurrent_call *call);
void an__recurrent_backward(an_context *context, const an_recurrent_call *call);

/* One sample's step; `hidden` values, gates one after another. */
struct an_cells_table {
    /* gates in: the sums; out: their values. c_before NULL: zeros. */
    void (*lstm)(int64_t hidden, float *gates, const float *c_before, float *c, float *h);
    /* gates in: values; out: gradients of the sums. dc comes from the step after, and goes on. */
    void (*lstm_backward)(int64_t hidden, float *gates, const float *c_before, const float *c,
                          const float *dh, float *dc);
    /* gates in: the part of x; from_h: the part of h, of which n's is kept. */
    void (*gru)(int64_t hidden, float *gates, const float *from_h, float *kept,
                const float *h_before, float *h);
    /* dh in: of this step; out: what goes straight to the step before. */
    void (*gru_backward)(int64_t hidden, float *gates, float *d_hidden, const float *kept,
                         const float *h_before, float *dh);
};

extern const an_cells_table an__cells_table_128, an__cells_table_256, an__cells_table_512;

#endif
