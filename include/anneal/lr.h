/*
 * anneal/lr.h - learning-rate schedules: groups, descriptions, schedules.
 *
 * This header and its library, libanneal-lr, stand alone: libm only, no allocation after
 * construction, no stdio, no global state.
 */
#ifndef ANNEAL_LR_H
#define ANNEAL_LR_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ groups */

/* The hyper-parameters that a schedule can drive: X(constant, name). */
#define AN_SLOT_MAP(X)       \
    X(AN_LR, lr)             \
    X(AN_MOMENTUM, momentum) \
    X(AN_BETA1, beta1)       \
    X(AN_WEIGHT_DECAY, weight_decay)

typedef enum an_slot_id {
#define AN_SLOT_ENUM(constant, name) constant,
    AN_SLOT_MAP(AN_SLOT_ENUM)
#undef AN_SLOT_ENUM
        AN_SLOT_COUNT
} an_slot_id;

/*
 * One hyper-parameter of a group. `value` is what the optimizer uses now; `initial` is what the
 * first schedule found (PyTorch's initial_lr), set once `has_initial`. An optimizer that lacks the
 * hyper-parameter leaves `present` false.
 */
typedef struct an_slot {
    double value, initial;
    bool present, has_initial;
} an_slot;

/* A parameter group as a schedule sees it. The optimizer owns it; it must not move. */
typedef struct an_lr_group {
    an_slot slot[AN_SLOT_COUNT];
} an_lr_group;

/* A group whose only slot is the learning rate `lr`. */
AN_API void an_lr_group_init(an_lr_group *group, double lr);
/* Makes slot `id` present with `value`. */
AN_API void an_lr_group_set(an_lr_group *group, an_slot_id id, double value);
/* "lr", "momentum", ... */
AN_API const char *an_slot_name(an_slot_id id);

#ifdef __cplusplus
}
#endif
#endif
