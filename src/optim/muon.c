/*
 * Muon (Jordan and others: Muon: An optimizer for hidden layers in neural networks; 2024) as
 * torch.optim has it. The momentum of a matrix, u = lerp(g, buffer, momentum) with nesterov or the
 * buffer itself, is made nearly orthogonal by Newton and Schulz's iteration of the fifth order,
 *
 *   X = u / max(|u|, eps);  ns_steps times:  A = X X^T,  X = a X + (b A + c A A) X
 *
 * (with X^T X on the other side for tall matrices), and p -= lr k X after decoupled decay. k is
 * sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns)) to match the steps of AdamW.
 * PyTorch iterates in bfloat16 for its graphics cards; here everything is float32.
 *
 * What is no matrix goes into a group with use_muon=False, updated by AdamW (adam.c) as in the
 * authors' MuonWithAuxAdam.
 */
#include "optim/muon.h"

#include <float.h>
#include <math.h>

#include "optim/adam.h"

#define ROW(name, field, ...) AN_OPTION(name, an_muon_options, field, __VA_ARGS__)

AN_OPTION_IS_PAIR(an_muon_options, beta1, beta2);

static const char *const adjustments[] = {"original", "match_rms_adamw", NULL};

static const an_option table[] = {
    ROW("lr", lr, NUMBER, NOT_NEGATIVE, AN_LR, 1e-3),
    ROW("weight_decay", weight_decay, NUMBER, NOT_NEGATIVE, AN_WEIGHT_DECAY, 0.1),
    ROW("momentum", momentum, NUMBER, UNIT, AN_MOMENTUM, 0.95),
    ROW("nesterov", nesterov, FLAG, FINITE, AN_NO_SLOT, 1),
    ROW("ns_coefficients", ns_coefficients, TRIPLE, FINITE, AN_NO_SLOT, 3.4445, -4.775, 2.0315),
    ROW("eps", eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-7),
    ROW("ns_steps", ns_steps, INTEGER, NOT_NEGATIVE, AN_NO_SLOT, 5),
    AN_OPTION_CHOOSE("adjust_lr_fn", an_muon_options, adjust_lr_fn, adjustments),
    ROW("use_muon", use_muon, FLAG, FINITE, AN_NO_SLOT, 1),
    ROW("betas", beta1, PAIR, FRACTION, AN_NO_SLOT, 0.9, 0.95),
    ROW("adamw_eps", adamw_eps, NUMBER, POSITIVE, AN_NO_SLOT, 1e-8),
};

static bool check(const an_options *options, char *message, size_t size)
{
    if (options->muon.ns_steps < 100) {
        return true;
    }
    an_format(message, size, "Muon: ns_steps must be below 100, got %lld",
              (long long)options->muon.ns_steps);
    return false;
}

static bool fits(const an_optim *optim, an_error *err)
{
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        const an_param *param = an_params_get(optim->params, i);
        bool used = optim->group[optim->group_of[i]]->options.muon.use_muon;
        if (used && param->tensor->shape.ndim != 2) {
            char shape[80];
            an_shape_print(shape, sizeof shape, param->tensor->shape);
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Muon updates matrices, and '%s' is %s; put it into a group that "
                                "AdamW updates: Muon([dict(params='%s', use_muon=False)])",
                                param->name, shape, param->name);
        }
    }
    return true;
}

/* The second is AdamW's. */
static int vectors(const an_options *options)
{
    return options->muon.use_muon ? 1 : 2;
}

/* ------------------------------------------------------------------- scratch */

/* Room for the largest matrix: u and X of its size, A and B of its smaller side squared. */
typedef struct scratch {
    an_real *x, *next, *a, *b;
    size_t largest, square; /* how long x and next, a and b are */
} scratch;

/* The lengths that the matrices of Muon's groups need. */
static void measure(const an_optim *optim, scratch *out)
{
    out->largest = out->square = 1;
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        const an_tensor *tensor = an_params_get(optim->params, i)->tensor;
        if (!optim->group[optim->group_of[i]]->options.muon.use_muon) {
            continue;
        }
        int64_t rows = tensor->shape.dim[0], columns = tensor->shape.dim[1];
        size_t side = (size_t)(rows < columns ? rows : columns), size = (size_t)tensor->size;
        out->largest = size > out->largest ? size : out->largest;
        out->square = side * side > out->square ? side * side : out->square;
    }
}

static bool reserve(an_optim *optim, an_error *err)
{
    scratch *own = optim->own, made;
    measure(optim, &made);
    if (own && own->largest >= made.largest && own->square >= made.square) {
        return true;
    }
    if (!(own = own ? own : an__optim_take(optim, 1, sizeof *own, err)) ||
        !(made.x = an__optim_take(optim, made.largest, sizeof(an_real), err)) ||
        !(made.next = an__optim_take(optim, made.largest, sizeof(an_real), err)) ||
        !(made.a = an__optim_take(optim, made.square, sizeof(an_real), err)) ||
        !(made.b = an__optim_take(optim, made.square, sizeof(an_real), err))) {
        return false;
    }
    *own = made;
    optim->own = own;
    return true;
}

/* --------------------------------------------------------------------- steps */

/* to = keep * to + pull * from */
static void combine(const an_optim *optim, an_real *to, double keep, const an_real *from,
                    double pull, int64_t count)
{
    an_scalars s = {.linear = {keep, pull}};
    an_vectors all = {.p = to, .g = from};
    an__update(optim, AN_UPDATE_AXPY, &s, &all, count);
}

/* The buffer takes the gradient in; scratch x becomes the direction, and its norm is returned. */
static double direction(const an_optim *optim, const an_param_run *run, const an_muon_options *o)
{
    const scratch *own = optim->own;
    const an_real *grad = optim->grads + run->begin;
    an_real *buffer = optim->vector[0] + run->begin;
    an_scalars s = {.linear = {.pull = 1 - o->momentum}};
    an_vectors all = {.g = grad, .s = {buffer}};
    an__update(optim, AN_UPDATE_LERP, &s, &all, run->count);
    s.linear.pull = 1;
    all = (an_vectors){.g = buffer, .s = {own->x}};
    an__update(optim, AN_UPDATE_LERP, &s, &all, run->count);
    if (o->nesterov) {
        combine(optim, own->x, o->momentum, grad, 1 - o->momentum, run->count);
    }
    return sqrt(optim->kernels->square_sum(run->count, own->x));
}

/* One round of the iteration on scratch x (rows x columns). */
static void iterate(const an_optim *optim, const double *coefficients, int64_t rows,
                    int64_t columns)
{
    scratch *own = optim->own;
    an_context *context = an_params_context(optim->params);
    bool tall = rows > columns;
    int64_t side = tall ? columns : rows, count = rows * columns;
    an__muon_gram(context, own->a, own->x, rows, columns, tall);
    an__muon_product(context, own->b, own->a, own->a, side, side, side);
    combine(optim, own->b, coefficients[2], own->a, coefficients[1], side * side);
    if (tall) {
        an__muon_product(context, own->next, own->x, own->b, rows, columns, columns);
    } else {
        an__muon_product(context, own->next, own->b, own->x, rows, columns, rows);
    }
    combine(optim, own->next, 1, own->x, coefficients[0], count);
    an_real *x = own->x;
    own->x = own->next;
    own->next = x;
}

static double adjustment(const an_muon_options *o, double rows, double columns)
{
    return o->adjust_lr_fn == AN_MUON_MATCH_RMS_ADAMW ? 0.2 * sqrt(fmax(rows, columns))
                                                      : sqrt(fmax(1, rows / columns));
}

static void update(an_optim *optim, const an_param_run *run, const an_muon_options *o)
{
    const an_shape shape = an_params_get(optim->params, run->first)->tensor->shape;
    int64_t rows = shape.dim[0], columns = shape.dim[1];
    double norm = direction(optim, run, o);
    scratch *own = optim->own;
    optim->kernels->scale(run->count, own->x, 1 / fmax(norm, o->eps > 0 ? o->eps : DBL_MIN));
    for (int64_t i = 0; i < o->ns_steps; i++) {
        iterate(optim, o->ns_coefficients, rows, columns);
    }
    double k = adjustment(o, (double)rows, (double)columns);
    combine(optim, optim->values + run->begin, 1 - o->lr * o->weight_decay, own->x, -o->lr * k,
            run->count);
}

static void update_adamw(an_optim *optim, const an_param_run *run, const an_muon_options *o)
{
    const an_adam_moments moments = {o->lr,           o->beta1, o->beta2, o->adamw_eps,
                                     o->weight_decay, false,    true};
    an_scalars s = {.adam = an__adam_scalars(&moments, optim->steps[run->first] + 1)};
    an_vectors all = an__vectors_at(optim, run->begin, AN_FIRST(2));
    an__update(optim, AN_UPDATE_ADAM, &s, &all, run->count);
}

static void whole(an_optim *optim)
{
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        if (!options.muon.use_muon) {
            update_adamw(optim, &run, &options.muon);
        } else if (run.count > 0) {
            update(optim, &run, &options.muon);
        }
        an__count_step(optim, &run);
    }
}

const an_rule an__rule_Muon = {
    .name = "Muon",
    AN_RULE_OPTIONS(table),
    .by_tensor = true,
    .check = check,
    .vectors = vectors,
    .vector_names = {"momentum_buffer", "exp_avg_sq"},
    .fits = fits,
    .reserve = reserve,
    .whole = whole,
};

AN_RULE_DOOR(muon, an_muon_options, Muon, muon)
