/*
 * Adafactor (Shazeer, Stern: Adafactor: Adaptive Learning Rates with Sublinear Memory Cost; ICML
 * 2018) as torch.optim has it. The second moments of the matrix that a tensor's last two dimensions
 * make are a row and a column of means, v[i][j] = row[i] column[j] / mean(row); those of a vector
 * are kept one by one. With update t, beta = 1 - t^beta2_decay and alpha = max(eps2, rms(p))
 * min(lr, 1 / sqrt(t)):
 *
 *   p -= lr weight_decay p
 *   u = g / sqrt(max(v, eps1^2))
 *   p -= alpha / max(1, rms(u) / d) u
 *
 * u is computed twice, for its length and for the step, instead of being kept.
 */
#include <float.h>
#include <math.h>

#include "optim/rule.h"

AN_OPTION_IS_PAIR(an_adafactor_options, eps1, eps2);

#define ROW(name, field, ...) AN_OPTION(name, an_adafactor_options, field, __VA_ARGS__)

static const an_option table[] = {
    ROW("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-2),
    ROW("beta2_decay", beta2_decay, NUMBER, NOT_POSITIVE, AN_NO_SLOT, -0.8),
    AN_OPTION_OR_NONE("eps", an_adafactor_options, eps1, PAIR, NOT_NEGATIVE, NAN, 1e-3),
    ROW("d", d, NUMBER, FROM_ONE, AN_NO_SLOT, 1),
    ROW("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0),
    AN_OPTION_IGNORE("foreach"),
    ROW("maximize", maximize, FLAG, FINITE, AN_NO_SLOT, 0),
};

/* A tensor as `count` matrices of rows x columns; a vector is one row, kept one by one. */
typedef struct matrices {
    int64_t count, rows, columns;
    bool factored;
} matrices;

typedef struct moments {
    an_real *factor; /* of parameter i from offset[i] on: rows and columns of all its matrices */
    int64_t *offset;
    double *sums; /* of the columns of one matrix, or of its rows */
} moments;

static matrices matrices_of(const an_tensor *tensor)
{
    int n = tensor->shape.ndim;
    if (n < 2) {
        return (matrices){1, 1, tensor->size, false};
    }
    int64_t rows = tensor->shape.dim[n - 2], columns = tensor->shape.dim[n - 1];
    return (matrices){rows > 0 && columns > 0 ? tensor->size / (rows * columns) : 0, rows, columns,
                      true};
}

static int64_t factors_of(matrices m)
{
    return m.factored ? m.count * (m.rows + m.columns) : m.columns;
}

static bool make(an_optim *optim, an_error *err)
{
    size_t params = an_params_count(optim->params);
    moments *own = an__optim_take(optim, 1, sizeof *own, err);
    optim->own = own;
    if (!own || !(own->offset = an__optim_take(optim, params, sizeof *own->offset, err))) {
        return false;
    }
    int64_t length = 0, widest = 1;
    for (size_t i = 0; i < params; i++) {
        matrices m = matrices_of(an_params_get(optim->params, i)->tensor);
        own->offset[i] = length;
        length += factors_of(m);
        widest = m.factored && m.columns > widest ? m.columns : widest;
    }
    own->factor = an__optim_take(optim, (size_t)length, sizeof *own->factor, err);
    own->sums = an__optim_take(optim, (size_t)widest, sizeof *own->sums, err);
    if (!own->factor || !own->sums) {
        return false;
    }
    an__optim_list(
        optim, (an_optim_state){"variance", AN_STATE_PLAIN, AN_STATE_FLOAT, length, own->factor});
    return true;
}

/* ------------------------------------------------------------------- moments */

/* A sum over a matrix is cut in at most this many parts, by its shape alone. */
#define MAX_PARTS 64

/* One matrix of a tensor under update. */
typedef struct matrix {
    const an_update_table *kernels;
    const an_real *g;
    an_real *p, *row, *column;
    int64_t rows, columns;
    double take; /* of the new mean: t^beta2_decay */
    double *sums;
    an_factors factors;
    double shrink, rate;
    int64_t part; /* rows whose squares are one sum */
    double part_sums[MAX_PARTS];
} matrix;

static an_real mean_with(an_real mean, double fresh, double take)
{
    return (an_real)((double)mean + take * (fresh - (double)mean));
}

static void row_task(void *arg, int64_t begin, int64_t end)
{
    const matrix *m = arg;
    for (int64_t i = begin; i < end; i++) {
        double sum = m->kernels->square_sum(m->columns, m->g + i * m->columns);
        m->row[i] = mean_with(m->row[i], sum / (double)m->columns, m->take);
    }
}

static void column_task(void *arg, int64_t begin, int64_t end)
{
    const matrix *m = arg;
    for (int64_t j = begin; j < end; j++) {
        m->sums[j] = 0;
    }
    m->kernels->column_squares(m->rows, end - begin, m->columns, m->g + begin, m->sums + begin);
    for (int64_t j = begin; j < end; j++) {
        m->column[j] = mean_with(m->column[j], m->sums[j] / (double)m->rows, m->take);
    }
}

/* Rows, or columns, so that a thread has some AN_UPDATE_GRAIN values. */
static int64_t grain(int64_t other)
{
    return AN_UPDATE_GRAIN / (other > 0 ? other : 1) + 1;
}

/* Takes the gradient of a matrix into its moments. */
static void gather(an_context *context, matrix *m)
{
    an__parallel(context, m->rows, grain(m->columns), row_task, m);
    an__parallel(context, m->columns, grain(m->rows), column_task, m);
}

static void gather_vector(matrix *m)
{
    for (int64_t j = 0; j < m->columns; j++) {
        double g = (double)m->g[j];
        m->column[j] = mean_with(m->column[j], g * g, m->take);
    }
}

static const an_real one = 1;

/* How the moments are read: v = row column / mean(row), or the vector itself. */
static void read_moments(matrix *m, double eps1)
{
    double sum = 0;
    for (int64_t i = 0; m->row && i < m->rows; i++) {
        sum += (double)m->row[i];
    }
    double mean = sum / (double)m->rows;
    double scale = m->row ? 1 / (mean < eps1 ? eps1 : mean) : 1;
    m->factors = (an_factors){m->columns, m->row ? m->row : &one, m->column, scale, eps1 * eps1};
}

static void squares_task(void *arg, int64_t begin, int64_t end)
{
    matrix *m = arg;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i * m->part, last = first + m->part;
        m->part_sums[i] =
            m->kernels->factored_squares(&m->factors, first, last < m->rows ? last : m->rows, m->g);
    }
}

/* The sum of u^2. */
static double squares(an_context *context, matrix *m)
{
    m->part = (m->rows + MAX_PARTS - 1) / MAX_PARTS;
    m->part = m->part < grain(m->columns) ? grain(m->columns) : m->part;
    int64_t parts = (m->rows + m->part - 1) / m->part;
    an__parallel(context, parts, 1, squares_task, m);
    double sum = 0;
    for (int64_t i = 0; i < parts; i++) {
        sum += m->part_sums[i];
    }
    return sum;
}

static void apply_task(void *arg, int64_t begin, int64_t end)
{
    const matrix *m = arg;
    m->kernels->factored_apply(&m->factors, begin, end, m->p, m->g, m->shrink, m->rate);
}

/* ---------------------------------------------------------------------- step */

/* Matrix `k` of parameter `i`. */
static matrix matrix_at(const an_optim *optim, size_t i, matrices shape, int64_t k)
{
    const moments *own = optim->own;
    int64_t at = an_params_get(optim->params, i)->offset + k * shape.rows * shape.columns;
    an_real *factor = own->factor + own->offset[i];
    return (matrix){
        .kernels = optim->kernels,
        .g = optim->grads + at,
        .p = optim->values + at,
        .row = shape.factored ? factor + k * shape.rows : NULL,
        .column = shape.factored ? factor + shape.count * shape.rows + k * shape.columns : factor,
        .rows = shape.rows,
        .columns = shape.columns,
        .sums = own->sums,
    };
}

static double epsilon(const an_adafactor_options *o)
{
    double unit = sizeof(an_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
    return isnan(o->eps1) ? unit : o->eps1;
}

/* The sum of u^2 of a parameter, whose moments take its gradient in. */
static double update_length(const an_optim *optim, const an_param_run *run, matrices shape,
                            const an_adafactor_options *o)
{
    an_context *context = an_params_context(optim->params);
    double t = (double)(optim->steps[run->first] + 1), sum = 0;
    for (int64_t k = 0; k < shape.count; k++) {
        matrix m = matrix_at(optim, run->first, shape, k);
        m.take = pow(t, o->beta2_decay);
        if (shape.factored) {
            gather(context, &m);
        } else {
            gather_vector(&m);
        }
        read_moments(&m, epsilon(o));
        sum += squares(context, &m);
    }
    return sum;
}

static void update(an_optim *optim, const an_param_run *run, const an_adafactor_options *o)
{
    matrices shape = matrices_of(an_params_get(optim->params, run->first)->tensor);
    double t = (double)(optim->steps[run->first] + 1), size = (double)run->count;
    double values = optim->kernels->square_sum(run->count, optim->values + run->begin);
    double alpha = fmax(o->eps2, sqrt(values / size)) * fmin(o->lr, 1 / sqrt(t));
    double length = sqrt(update_length(optim, run, shape, o) / size);
    for (int64_t k = 0; k < shape.count; k++) {
        matrix m = matrix_at(optim, run->first, shape, k);
        read_moments(&m, epsilon(o));
        m.shrink = 1 - o->lr * o->weight_decay;
        m.rate = (o->maximize ? -alpha : alpha) / fmax(1, length / o->d);
        an__parallel(an_params_context(optim->params), m.rows, grain(m.columns), apply_task, &m);
    }
}

static void whole(an_optim *optim)
{
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        if (run.count > 0) {
            update(optim, &run, &options.adafactor);
        }
        an__count_step(optim, &run);
    }
}

const an_rule an__rule_Adafactor = {
    .name = "Adafactor",
    AN_RULE_OPTIONS(table),
    .by_tensor = true,
    .make = make,
    .whole = whole,
};

AN_RULE_DOOR(adafactor, an_adafactor_options, Adafactor, adafactor)
