/*
 * One step of LSTM and GRU for one sample, forward and backward. Plain loops over the hidden
 * values, for the compiler to turn into vectors. See recurrent.h for the formulas.
 */
#include "tensor/kernels/recurrent.h"

#include "tensor/kernels/elementary.h"

static void lstm(int64_t hidden, float *gates, const float *restrict c_before, float *restrict c,
                 float *restrict h)
{
    float *restrict i = gates, *restrict f = gates + hidden;
    float *restrict g = gates + 2 * hidden, *restrict o = gates + 3 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        i[j] = an__logistic(i[j]);
        f[j] = an__logistic(f[j]);
        g[j] = an__tanh(g[j]);
        o[j] = an__logistic(o[j]);
    }
    for (int64_t j = 0; j < hidden; j++)
        c[j] = i[j] * g[j];
    for (int64_t j = 0; c_before && j < hidden; j++)
        c[j] += f[j] * c_before[j];
    for (int64_t j = 0; j < hidden; j++)
        h[j] = o[j] * an__tanh(c[j]);
}

static void lstm_backward(int64_t hidden, float *gates, const float *restrict c_before,
                          const float *restrict c, const float *restrict dh, float *restrict dc)
{
    float *restrict i = gates, *restrict f = gates + hidden;
    float *restrict g = gates + 2 * hidden, *restrict o = gates + 3 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        const float top = an__tanh(c[j]);
        const float d = dc[j] + dh[j] * o[j] * (1.0f - top * top);
        const float di = d * g[j], dg = d * i[j], df = d * (1.0f - f[j]);
        dc[j] = d * f[j];
        o[j] = dh[j] * top * o[j] * (1.0f - o[j]);
        f[j] = df * f[j];
        g[j] = dg * (1.0f - g[j] * g[j]);
        i[j] = di * i[j] * (1.0f - i[j]);
    }
    if (c_before)
        for (int64_t j = 0; j < hidden; j++)
            f[j] *= c_before[j];
    else
        memset(f, 0, (size_t)hidden * sizeof *f);
}

static void gru(int64_t hidden, float *gates, const float *restrict from_h, float *restrict kept,
                const float *restrict h_before, float *restrict h)
{
    float *restrict r = gates, *restrict z = gates + hidden, *restrict n = gates + 2 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        r[j] = an__logistic(r[j] + from_h[j]);
        z[j] = an__logistic(z[j] + from_h[hidden + j]);
        kept[j] = from_h[2 * hidden + j];
    }
    for (int64_t j = 0; j < hidden; j++) {
        n[j] = an__tanh(n[j] + r[j] * kept[j]);
        h[j] = (1.0f - z[j]) * n[j] + z[j] * h_before[j];
    }
}

static void gru_backward(int64_t hidden, float *gates, float *restrict d_hidden,
                         const float *restrict kept, const float *restrict h_before,
                         float *restrict dh)
{
    float *restrict r = gates, *restrict z = gates + hidden, *restrict n = gates + 2 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        const float dn = dh[j] * (1.0f - z[j]) * (1.0f - n[j] * n[j]);
        const float dz = dh[j] * (h_before[j] - n[j]) * z[j] * (1.0f - z[j]);
        const float dr = dn * kept[j] * r[j] * (1.0f - r[j]);
        d_hidden[j] = dr;
        d_hidden[hidden + j] = dz;
        d_hidden[2 * hidden + j] = dn * r[j];
        dh[j] *= z[j];
        r[j] = dr;
        z[j] = dz;
        n[j] = dn;
    }
}

const an_cells_table AN_KERNEL_NAME(an__cells_table) = {
    .lstm = lstm,
    .lstm_backward = lstm_backward,
    .gru = gru,
    .gru_backward = gru_backward,
};
