/* The numbers of a checkpoint: its section "run". */
#ifndef AN_TRAIN_STATE_H
#define AN_TRAIN_STATE_H

#include "train/container.h"
#include "train/fit.h"

typedef struct an__state {
    an_record record;
    an__tally epoch;
    int64_t full, in_epoch;
    double rate_scale;
    /* What the run was made with, for comparing. */
    int64_t epochs, steps, accumulate, interval;
    int64_t data; /* an_loader_fingerprint of the training loader */
    int64_t threads, vector_bits;
    int64_t weights_size, weights_crc; /* of the whole file of weights */
    int64_t random[3];                 /* the model's generator: seed, stream, counter */
} an__state;

#define AN__STATE_SIZE 1024

/* Everything but the digest of the weights. */
an__state an__state_of(const an__fit *f);

/* Into at most AN__STATE_SIZE bytes; returns how many. */
size_t an__state_encode(const an__state *state, unsigned char *bytes);
/* False when these are not the bytes of a state. */
bool an__state_decode(an__state *state, const unsigned char *bytes, size_t size);

/*
 * Reads the state of the checkpoint at `path`, and checks that its weights are the ones that were
 * saved with it. Errors: IO, DATA, MEMORY, ARGUMENT.
 */
bool an__state_read(const char *path, an_arena *arena, an__container *container, an__state *state,
                    an_error *err);

#endif
