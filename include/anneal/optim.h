/*
 * anneal/optim.h - optimizers with parameter groups, clipping, weight averaging.
 *
 * Intended usage
 *
 *   an_sgd_options options = an_sgd_defaults();
 *   options.lr = 0.05;
 *   options.momentum = 0.9;
 *   an_optim *optim = an_sgd_new(an_model_params(model), &options, &err);
 *   ...
 *   an_backward(graph, loss, &err);
 *   an_optim_step(optim);          reads lr, momentum, ... from its groups' slots
 *   an_optim_zero_grad(optim);
 *
 * A group's hyper-parameters that a schedule may drive are slots of its an_lr_group (anneal/lr.h);
 * a schedule writes slots, the optimizer reads them, and that is the whole connection. Parameters
 * without a gradient since the last zero_grad are skipped, as in PyTorch: no decay, no step count.
 *
 * Contents: the options of every optimizer; making one from C or from text; groups; stepping;
 * LBFGS and its closure; Schedule-Free's two faces; state; clipping; averages of the weights.
 */
#ifndef ANNEAL_OPTIM_H
#define ANNEAL_OPTIM_H

#include <anneal/autograd.h>
#include <anneal/lr.h>
#include <anneal/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct an_optim an_optim;

/* ----------------------------------------------------------------- options */

/*
 * Each optimizer has a struct of options with PyTorch's names (betas are beta1 and beta2), a
 * function that gives the defaults, and one that makes an optimizer of all parameters in one group:
 *
 *   an_NAME_options an_NAME_defaults(void);
 *   an_optim *an_NAME_new(an_params *params, const an_NAME_options *options, an_error *err);
 *
 * The signatures in the comments are what an_optim_parse reads. In the formulas p is a value, g its
 * gradient (with `maximize` negated, with weight_decay plus weight_decay * p unless decay is
 * decoupled), t the updates of the parameter from 1. Decoupled decay is p *= 1 - lr * weight_decay
 * before the update. Options of PyTorch's that choose between implementations (foreach, fused,
 * capturable, differentiable) are read from text and ignored: updates are always fused.
 *
 * Errors (ARGUMENT) of the _new functions name the option and the allowed range: lr negative or
 * NaN, a beta outside [0, 1), nesterov without momentum, ... `params` must be built.
 */

/* SGD(lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False) */
typedef struct an_sgd_options {
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} an_sgd_options;

/*
 * Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False), and
 * AdamW, the same with decoupled weight_decay=0.01.
 */
typedef struct an_adam_options {
    double lr, beta1, beta2, eps, weight_decay;
    bool amsgrad, maximize;
} an_adam_options;

/*
 * NAdam(lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=0.004,
 * decoupled_weight_decay=False, maximize=False): Adam with Nesterov's momentum. PyTorch 1.13 has a
 * defect in it; this is what 2.x computes.
 */
typedef struct an_nadam_options {
    double lr, beta1, beta2, eps, weight_decay, momentum_decay;
    bool decoupled_weight_decay, maximize;
} an_nadam_options;

/* RAdam(lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False,
 * maximize=False): Adam that does without v until enough of it is known; warms up by itself. */
typedef struct an_radam_options {
    double lr, beta1, beta2, eps, weight_decay;
    bool decoupled_weight_decay, maximize;
} an_radam_options;

/* Adamax(lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, maximize=False) */
typedef struct an_adamax_options {
    double lr, beta1, beta2, eps, weight_decay;
    bool maximize;
} an_adamax_options;

/* Adagrad(lr=0.01, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10,
 * maximize=False) */
typedef struct an_adagrad_options {
    double lr, lr_decay, weight_decay, initial_accumulator_value, eps;
    bool maximize;
} an_adagrad_options;

/* Adadelta(lr=1, rho=0.9, eps=1e-6, weight_decay=0, maximize=False) */
typedef struct an_adadelta_options {
    double lr, rho, eps, weight_decay;
    bool maximize;
} an_adadelta_options;

/*
 * RMSprop(lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False,
 * maximize=False): the variance of centered is at least 0; PyTorch's may be below by a rounding,
 * and its parameters NaN.
 */
typedef struct an_rmsprop_options {
    double lr, alpha, eps, weight_decay, momentum;
    bool centered, maximize;
} an_rmsprop_options;

/*
 * Rprop(lr=0.01, etas=(0.5, 1.2), step_sizes=(1e-6, 50), maximize=False): lr is where every value's
 * own step begins, so a schedule has no effect after the first update.
 */
typedef struct an_rprop_options {
    double lr, eta_minus, eta_plus, step_min, step_max;
    bool maximize;
} an_rprop_options;

/* ASGD(lr=0.01, lambd=0.0001, alpha=0.75, t0=1e6, weight_decay=0, maximize=False): a new rate acts
 * one update late, as in PyTorch. The average is the state "ax". */
typedef struct an_asgd_options {
    double lr, lambd, alpha, t0, weight_decay;
    bool maximize;
} an_asgd_options;

/*
 * Adafactor(lr=0.01, beta2_decay=-0.8, eps=(None, 0.001), d=1, weight_decay=0, maximize=False): the
 * second moments of a matrix as a row and a column. eps1 NaN (None) is float's unit 2^-23; decay is
 * decoupled.
 */
typedef struct an_adafactor_options {
    double lr, beta2_decay, eps1, eps2, d, weight_decay;
    bool maximize;
} an_adafactor_options;

typedef enum an_muon_adjust { AN_MUON_ORIGINAL, AN_MUON_MATCH_RMS_ADAMW } an_muon_adjust;

/*
 * Muon(lr=0.001, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775,
 * 2.0315), eps=1e-7, ns_steps=5, adjust_lr_fn=None, use_muon=True, betas=(0.9, 0.95),
 * adamw_eps=1e-8): the momentum of a matrix, made orthogonal by Newton and Schulz's iteration in
 * float32 (PyTorch: bfloat16). Takes matrices only. A model's other parameters go into groups with
 * use_muon=False, which AdamW updates with the group's lr, weight_decay, betas and adamw_eps:
 * Muon([dict(params='*.bias', use_muon=False, lr=3e-4)], lr=0.02). From C, an_optim_parse makes
 * such groups.
 */
typedef struct an_muon_options {
    double lr, weight_decay, momentum, ns_coefficients[3], eps, beta1, beta2, adamw_eps;
    int64_t ns_steps;
    int adjust_lr_fn; /* an an_muon_adjust: "original" (None) or "match_rms_adamw" */
    bool nesterov, use_muon;
} an_muon_options;

/* Lion(lr=0.0001, betas=(0.9, 0.99), weight_decay=0, maximize=False): the sign of a momentum;
 * decoupled decay. */
typedef struct an_lion_options {
    double lr, beta1, beta2, weight_decay;
    bool maximize;
} an_lion_options;

/*
 * LAMB(lr=0.001, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01, maximize=False): Adam's step plus
 * weight_decay * p, scaled tensor by tensor to the length of p times lr (by 1 where either is 0).
 */
typedef struct an_lamb_options {
    double lr, beta1, beta2, eps, weight_decay;
    bool maximize;
} an_lamb_options;

/*
 * LBFGS(lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9,
 * history_size=100, line_search_fn=None or 'strong_wolfe'): needs a closure (an_optim_step_closure)
 * and has one group only. max_eval 0 (None) is max_iter * 5 / 4, history_size at most 10000. Keeps
 * 2 * history_size + 5 vectors, and four more with a search.
 */
typedef struct an_lbfgs_options {
    double lr, tolerance_grad, tolerance_change;
    int64_t max_iter, max_eval, history_size;
    int line_search_fn; /* 0 none, 1 strong Wolfe */
} an_lbfgs_options;

/* ----------------------------------------------- options: without a schedule */

/*
 * SGDScheduleFree(lr=1, momentum=0.9, weight_decay=0, warmup_steps=0, r=0, weight_lr_power=2) and
 * AdamWScheduleFree(lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, warmup_steps=0, r=0,
 * weight_lr_power=2) need no decay of the rate: gradients are taken at y, between the sequence z
 * and its average x, and x is the model. See an_optim_eval. Momentum lies strictly between 0 and 1.
 */
typedef struct an_sgd_schedule_free_options {
    double lr, momentum, weight_decay, r, weight_lr_power;
    int64_t warmup_steps;
} an_sgd_schedule_free_options;

typedef struct an_adamw_schedule_free_options {
    double lr, beta1, beta2, eps, weight_decay, r, weight_lr_power;
    int64_t warmup_steps;
} an_adamw_schedule_free_options;

/*
 * The next three estimate d, the distance to a solution, and scale lr with it: leave lr at 1 and
 * let a schedule shape it (from 1 to 0). d and what it is made from are shared by all groups; a
 * group's lr of 0 keeps its parameters out. growth_rate bounds how fast d grows in a step.
 *
 * Prodigy(lr=1, betas=(0.9, 0.999), beta3=None, eps=1e-8, weight_decay=0, decouple=True,
 * use_bias_correction=False, safeguard_warmup=False, d0=1e-6, d_coef=1, growth_rate=inf); beta3 NaN
 * (None) is the root of beta2.
 */
typedef struct an_prodigy_options {
    double lr, beta1, beta2, beta3, eps, weight_decay, d0, d_coef, growth_rate;
    bool decouple, use_bias_correction, safeguard_warmup;
} an_prodigy_options;

/* DAdaptSGD(lr=1, momentum=0, weight_decay=0, d0=1e-6, growth_rate=inf) */
typedef struct an_dadapt_sgd_options {
    double lr, momentum, weight_decay, d0, growth_rate;
} an_dadapt_sgd_options;

/* DAdaptAdam(lr=1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decouple=False,
 * use_bias_correction=False, d0=1e-6, growth_rate=inf) */
typedef struct an_dadapt_adam_options {
    double lr, beta1, beta2, eps, weight_decay, d0, growth_rate;
    bool decouple, use_bias_correction;
} an_dadapt_adam_options;

/*
 * DoG(reps_rel=1e-6, lr=1, weight_decay=0, eps=1e-8, init_eta=None), and LDoG, the same for each
 * parameter by itself: the rate is the largest distance from the start over the root of the sum of
 * squared gradients. Evaluate an average of the weights (AN_AVERAGE_POLYNOMIAL): it is part of the
 * method. reps_rel 1e-4 with batch norm; init_eta NaN (None), or the first rate.
 */
typedef struct an_dog_options {
    double reps_rel, lr, weight_decay, eps, init_eta;
} an_dog_options;

/*
 * Mechanic(SGD(lr=1, momentum=0.9), weight_decay=0.01, eps=1e-8, s_init=1e-6, num_betas=6) around
 * an optimizer: keeps its schedule and finds the scale. The weight_decay here keeps the scale in
 * check; it is not that of the optimizer. Not around LBFGS, nor around those that find their own
 * rate (this section).
 */
typedef struct an_mechanic_options {
    double weight_decay, eps, s_init;
    int64_t num_betas;
} an_mechanic_options;

/* ------------------------------------------------------------------- making */

/* Every optimizer of C's: X(prefix, options) for an_<prefix>_defaults and an_<prefix>_new. */
#define AN_OPTIM_MAP(X)                                    \
    X(sgd, an_sgd_options)                                 \
    X(adam, an_adam_options)                               \
    X(adamw, an_adam_options)                              \
    X(nadam, an_nadam_options)                             \
    X(radam, an_radam_options)                             \
    X(adamax, an_adamax_options)                           \
    X(adagrad, an_adagrad_options)                         \
    X(adadelta, an_adadelta_options)                       \
    X(rmsprop, an_rmsprop_options)                         \
    X(rprop, an_rprop_options)                             \
    X(asgd, an_asgd_options)                               \
    X(adafactor, an_adafactor_options)                     \
    X(muon, an_muon_options)                               \
    X(lion, an_lion_options)                               \
    X(lamb, an_lamb_options)                               \
    X(lbfgs, an_lbfgs_options)                             \
    X(sgd_schedule_free, an_sgd_schedule_free_options)     \
    X(adamw_schedule_free, an_adamw_schedule_free_options) \
    X(prodigy, an_prodigy_options)                         \
    X(dadapt_sgd, an_dadapt_sgd_options)                   \
    X(dadapt_adam, an_dadapt_adam_options)                 \
    X(dog, an_dog_options)                                 \
    X(ldog, an_dog_options)

#define AN_OPTIM_DECLARE(prefix, options)        \
    AN_API options an_##prefix##_defaults(void); \
    AN_API an_optim *an_##prefix##_new(an_params *params, const options *values, an_error *err);
AN_OPTIM_MAP(AN_OPTIM_DECLARE)
#undef AN_OPTIM_DECLARE

AN_API an_mechanic_options an_mechanic_defaults(void);
/*
 * Puts Mechanic around `inner`, which it changes in place and returns; before the first step. NULL
 * with err (ARGUMENT, STATE, MEMORY) where it does not go; `inner` is then as it was.
 */
AN_API an_optim *an_mechanic_wrap(an_optim *inner, const an_mechanic_options *options,
                                  an_error *err);

/*
 * An optimizer from text: "SGD(lr=0.05, momentum=0.9)", or with groups
 * "SGD([dict(params='*.bias', weight_decay=0)], lr=0.1)", or "Mechanic(AdamW(lr=1))". A pattern
 * names parameters, with * for any text and ? for any letter. Patterns are tried in order;
 * parameters that none names form the last group, with the call's own values. Errors (CONFIG) point
 * at the place.
 */
AN_API an_optim *an_optim_parse(an_params *params, const char *text, an_error *err);
AN_API an_optim *an_optim_parse_spec(an_params *params, const an_spec_source *source,
                                     const an_spec_node *call, an_error *err);
AN_API void an_optim_free(an_optim *optim);

/*
 * Moves the parameters whose names match `pattern`, whatever group they are in, into a new group
 * with a copy of group 0's values; returns its index. -1 with err (ARGUMENT, MEMORY), and no
 * change, where nothing matches or the optimizer cannot work on what does. Change its slots before
 * making a schedule.
 */
AN_API int an_optim_add_group(an_optim *optim, const char *pattern, an_error *err);

AN_API size_t an_optim_group_count(const an_optim *optim);
/*
 * Group `index`: its slots (AN_LR, AN_MOMENTUM or AN_BETA1, AN_WEIGHT_DECAY), which you may write
 * between steps. Never moves. NULL beyond the last group.
 */
AN_API an_lr_group *an_optim_group(an_optim *optim, size_t index);
/* All groups, for an_lr_new. The array is valid until a group is added. */
AN_API an_lr_group *const *an_optim_groups(an_optim *optim);
/* How many trainable values are in group `index`. */
AN_API int64_t an_optim_group_size(const an_optim *optim, size_t index);

/* ---------------------------------------------------------------- stepping */

/*
 * One update from the gradients that are there. Allocates nothing. False, and nothing happens,
 * where that is not possible (an_optim_error says why): LBFGS without a closure, Schedule-Free
 * while it shows its average.
 */
AN_API bool an_optim_step(an_optim *optim);
/* True, and err filled (STATE), where the last an_optim_step or _step_closure did nothing. */
AN_API bool an_optim_error(const an_optim *optim, an_error *err);
/* How many updates were made. */
AN_API int64_t an_optim_step_count(const an_optim *optim);
AN_API void an_optim_zero_grad(an_optim *optim);

/*
 * The loss and its gradients at the present values of the parameters: clears the gradients, goes
 * forward and backward, sets *loss. False with err ends the step.
 */
typedef bool (*an_closure)(void *user, double *loss, an_error *err);

/*
 * One step of an optimizer that evaluates the loss several times (LBFGS: up to max_eval). Others
 * call the closure once and make their update. `loss`, NULL allowed, is that of the first call.
 * False with err: the closure's error, or a step that is not possible (STATE). After a failed
 * closure the parameters are where it failed, and LBFGS begins anew from there.
 */
AN_API bool an_optim_step_closure(an_optim *optim, an_closure closure, void *user, double *loss,
                                  an_error *err);
/* Whether it wants an_optim_step_closure, so that an_optim_step does nothing. */
AN_API bool an_optim_needs_closure(const an_optim *optim);

/*
 * Schedule-Free trains at y and is evaluated and saved at x. an_optim_eval puts x into the
 * parameters, an_optim_train y back (up to a rounding); both do nothing when it is so already, and
 * for other optimizers. Call them around every evaluation. Normalisation statistics belong to x:
 * refresh them there.
 */
AN_API void an_optim_eval(an_optim *optim);
AN_API void an_optim_train(an_optim *optim);
/* Whether an_optim_eval and an_optim_train do anything. */
AN_API bool an_optim_has_modes(const an_optim *optim);
/* The factor that an optimizer has found for its rate: Prodigy's and D-Adaptation's d, Mechanic's
 * scale, DoG's rate in group 0; 1 for others. */
AN_API double an_optim_found(const an_optim *optim);

/* ------------------------------------------------------------------- state */

/* How the numbers of a state entry belong to the parameters. */
typedef enum an_state_layout {
    AN_STATE_PER_VALUE, /* a flat vector: that of parameter i begins at an_param.offset */
    AN_STATE_PER_PARAM, /* one number for each parameter, in the order of an_params_get */
    AN_STATE_PLAIN      /* numbers of the optimizer as a whole */
} an_state_layout;

typedef enum an_state_kind { AN_STATE_FLOAT, AN_STATE_DOUBLE, AN_STATE_INT64 } an_state_kind;

/* One array of the state: `count` numbers of `kind` at `data`, which you may read and write. */
typedef struct an_optim_state {
    const char *name; /* "step", "exp_avg": unique in its optimizer, PyTorch's where it has one */
    an_state_layout layout;
    an_state_kind kind;
    int64_t count; /* PER_VALUE: an_params_length; PER_PARAM: an_params_count */
    void *data;    /* float, double or int64_t; stays where it is */
} an_optim_state;

/*
 * Everything that an optimizer carries from one step to the next, as a table of arrays. To save it,
 * write every entry. To go on exactly, make the same optimizer over the same parameters, copy the
 * parameters' values, the groups' slots and every entry back; no other call is needed. Names,
 * layouts, kinds and counts depend on an_optim_text and the parameters alone.
 */
AN_API size_t an_optim_state_count(const an_optim *optim);
/* Entry `index`; all zero beyond the last. */
AN_API an_optim_state an_optim_state_get(an_optim *optim, size_t index);

/* ---------------------------------------------------------------- clipping */

/*
 * Scales all gradients by max_norm / (norm + 1e-6) where that is below 1, as
 * torch.nn.utils.clip_grad_norm_ does; `norm` is their joint 2-norm. Returns the norm before
 * clipping. Only measures when max_norm is not above 0 or is infinite, and when the norm is NaN or
 * infinite: gradients stay as they are for the caller to look at.
 */
AN_API double an_clip_grad_norm(an_params *params, double max_norm);
/* Limits every value of all gradients to [-limit, limit], as clip_grad_value_; NaN stays NaN. Does
 * nothing unless limit is at least 0. */
AN_API void an_clip_grad_value(an_params *params, double limit);

/* ---------------------------------------------------- averages of the weights */

/*
 * An average of the parameters along the training, in a vector of its own:
 *
 *   SWA()                      the mean of all updates: a += (p - a) / n
 *   EMA(decay=0.999)           a = decay * a + (1 - decay) * p; the first update copies
 *   PolynomialDecay(gamma=8)   a += (gamma + 1) / (gamma + n) * (p - a): what DoG wants
 *
 *   an_average *average = an_average_parse(params, "EMA(decay=0.999)", &err);
 *   ...
 *   an_optim_step(optim);
 *   an_average_update(average);       after each step (EMA), or at the end of each epoch (SWA)
 *   ...
 *   an_average_swap(average);         the parameters are the average now: evaluate, save
 *   an_average_swap(average);         and here they are back, to the bit
 *
 * When to update may stand in it, for a loop that asks an_average_is_due (an_fit does):
 * SWA(start=5ep, every=2ep), EMA(decay=0.999, start=1000st). Times are whole numbers of epochs (ep)
 * or of the optimizer's updates (st); without a unit SWA counts epochs and the others updates.
 * Averages begin after `start` (default 0), so start=5ep with the sixth epoch, and are updated at
 * every `every`th (default 1): at the ends of epochs, or after updates of the optimizer.
 *
 * Running statistics of batch norm are not parameters: refresh them while swapped
 * (an_model_gather_statistics).
 */
typedef struct an_average an_average;

typedef enum an_average_kind {
    AN_AVERAGE_SWA,
    AN_AVERAGE_EMA,
    AN_AVERAGE_POLYNOMIAL
} an_average_kind;

/* A number of epochs, or of the optimizer's updates. */
typedef struct an_average_time {
    int64_t count;
    bool epochs;
} an_average_time;

typedef struct an_average_options {
    an_average_kind kind;
    double decay;          /* EMA: at least 0, below 1 */
    double gamma;          /* POLYNOMIAL: at least 0 */
    an_average_time start; /* at least 0 */
    an_average_time every; /* at least 1 */
} an_average_options;

/* {kind, 0.999, 8}, from the beginning; SWA every epoch, the others every update. */
AN_API an_average_options an_average_defaults(an_average_kind kind);
/* Errors: ARGUMENT (the option and its range), STATE (params not built), MEMORY. */
AN_API an_average *an_average_new(an_params *params, const an_average_options *options,
                                  an_error *err);
/* From text as above. Errors (CONFIG) point at the place. */
AN_API an_average *an_average_parse(an_params *params, const char *text, an_error *err);
AN_API an_average *an_average_parse_spec(an_params *params, const an_spec_source *source,
                                         const an_spec_node *call, an_error *err);
AN_API void an_average_free(an_average *average);
/* Takes the parameters into the average: one pass, no allocation. Does nothing while swapped. */
AN_API void an_average_update(an_average *average);
/*
 * Whether the options ask for an update now: after update `step` of the optimizer, which is in
 * epoch `epoch` (both counted from 1); or, with `epoch_ends`, at that epoch's end.
 */
AN_API bool an_average_is_due(const an_average *average, int64_t step, int64_t epoch,
                              bool epoch_ends);
AN_API an_average_options an_average_options_of(const an_average *average);
/* Exchanges the parameters and the average. Does nothing before the first update. */
AN_API void an_average_swap(an_average *average);
AN_API bool an_average_swapped(const an_average *average);
/* How many updates it holds. */
AN_API int64_t an_average_count(const an_average *average);
/* "EMA(decay=0.999)" */
AN_API const char *an_average_text(const an_average *average);
/* Its state, as an_optim_state_count and an_optim_state_get. */
AN_API size_t an_average_state_count(const an_average *average);
AN_API an_optim_state an_average_state_get(an_average *average, size_t index);

/* ------------------------------------------------------------------- text */

/*
 * The optimizer as it was made: "SGD(lr=0.05, momentum=0.9, weight_decay=0.0002)", lr and what
 * differs from the defaults. an_optim_parse reads it back to the same optimizer.
 */
AN_API const char *an_optim_text(const an_optim *optim);
/* The names of all optimizers, for help and documentation; NULL-terminated. */
AN_API const char *const *an_optim_names(void);
/*
 * How an optimizer is called, with its defaults: "SGD(lr=0.001, momentum=0, ...)", into `text` of
 * `size` bytes, cut off at its end. Returns the whole length; 0 for an unknown name.
 */
AN_API size_t an_optim_signature(const char *name, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
