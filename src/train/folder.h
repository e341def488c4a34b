/* The names of checkpoints in their folder: last-000007.state, best-000003.safetensors, ... */
#ifndef AN_TRAIN_FOLDER_H
#define AN_TRAIN_FOLDER_H

#include <anneal/train.h>

#define AN__PATH_SIZE 4096

/* The files of a checkpoint. */
typedef struct an__paths {
    char weights[AN__PATH_SIZE], state[AN__PATH_SIZE];
} an__paths;

/* From a checkpoint's path with or without an ending. Errors: ARGUMENT (too long). */
bool an__paths_of(const char *checkpoint, an__paths *paths, an_error *err);

/* "FOLDER/last-000007"; false with err (ARGUMENT) when it is too long. */
bool an__folder_path(const char *folder, an_checkpoint_kind kind, int64_t number, char *path,
                     size_t size, an_error *err);

/* The highest number that any file of a checkpoint has, 0 without. Errors: IO. */
bool an__folder_newest(const char *folder, int64_t *number, an_error *err);

/*
 * The highest number below `below` that a complete checkpoint has, of any kind or only of the best;
 * 0 without. `kind` becomes that checkpoint's. Errors: IO.
 */
bool an__folder_before(const char *folder, int64_t below, bool best_only, int64_t *number,
                       an_checkpoint_kind *kind, an_error *err);

/*
 * After checkpoint `number` became durable: removes all but the newest `keep` (0: removes none) of
 * the kind last and all but the newest of the kind best, and what broken saves have left. What
 * cannot be removed stays.
 */
void an__folder_prune(const char *folder, int64_t number, int64_t keep);

#endif
