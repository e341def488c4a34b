/*
 * anneal/optim.h - optimizers with parameter groups, and gradient clipping.
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

/* SGD(lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False) */
typedef struct an_sgd_options {
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} an_sgd_options;

/* Adam and AdamW(lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0 or 0.01, amsgrad=False) */
typedef struct an_adam_options {
    double lr, beta1, beta2, eps, weight_decay;
    bool amsgrad, maximize;
} an_adam_options;

/* PyTorch's defaults. */
AN_API an_sgd_options an_sgd_defaults(void);
AN_API an_adam_options an_adam_defaults(void);
AN_API an_adam_options an_adamw_defaults(void);

/*
 * An optimizer of all parameters of `params` (built) in one group. Errors (ARGUMENT) name the
 * option and the allowed range: lr negative or NaN, a beta outside [0, 1), nesterov without
 * momentum, ...
 */
AN_API an_optim *an_sgd_new(an_params *params, const an_sgd_options *options, an_error *err);
AN_API an_optim *an_adam_new(an_params *params, const an_adam_options *options, an_error *err);
/* Adam with decoupled weight decay: p *= 1 - lr * weight_decay before the moment update. */
AN_API an_optim *an_adamw_new(an_params *params, const an_adam_options *options, an_error *err);

/*
 * An optimizer from text: "SGD(lr=0.05, momentum=0.9)", or with groups
 * "SGD([dict(params='*.bias', weight_decay=0)], lr=0.1)". A pattern names parameters, with * for
 * any text and ? for any letter. Patterns are tried in order; parameters that none names form the
 * last group, with the call's own values. Errors (CONFIG) point at the place.
 */
AN_API an_optim *an_optim_parse(an_params *params, const char *text, an_error *err);
AN_API an_optim *an_optim_parse_spec(an_params *params, const an_spec_source *source,
                                     const an_spec_node *call, an_error *err);
AN_API void an_optim_free(an_optim *optim);

/*
 * Moves the parameters whose names match `pattern`, whatever group they are in, into a new group
 * with a copy of group 0's values; returns its index, or -1 with err (nothing matches). Change its
 * slots before making a schedule.
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

/* One update from the gradients that are there. Allocates nothing. */
AN_API void an_optim_step(an_optim *optim);
/* How many times an_optim_step was called. */
AN_API int64_t an_optim_step_count(const an_optim *optim);
AN_API void an_optim_zero_grad(an_optim *optim);

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

/*
 * The optimizer as it was made: "SGD(lr=0.05, momentum=0.9, weight_decay=0.0002)", lr and what
 * differs from the defaults. an_optim_parse reads it back to the same optimizer.
 */
AN_API const char *an_optim_text(const an_optim *optim);
/* The names of all optimizers, for help and documentation; NULL-terminated. */
AN_API const char *const *an_optim_names(void);

#ifdef __cplusplus
}
#endif
#endif
