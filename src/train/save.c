/* Saving a running fit, and finding what was saved. */
#include "train/folder.h"
#include "train/sections.h"
#include "train/state.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ writing */

/* Weights that are not numbers are nothing to go back to; the average's vector has those that are
 * trained, or the other way round. */
static bool is_finite(const an__fit *f, const char **name)
{
    const an_params *params = an_model_params(f->options->model);
    const float *values = an_params_values(params), *others = NULL;
    if (an__shows_others(f) && f->options->average)
        others = an_average_state_get(f->options->average, 2).data;
    for (size_t i = 0; i < an_params_count(params); i++) {
        const an_param *p = an_params_get(params, i);
        *name = p->name;
        for (int64_t k = p->offset; k < p->offset + p->tensor->size; k++)
            if (!isfinite(values[k]) || (others && !isfinite(others[k])))
                return false;
    }
    return true;
}

static bool write_state(an__fit *f, const an__paths *paths, an_arena *arena, an_error *err)
{
    uint64_t size = 0;
    uint32_t crc = 0;
    an__state state = an__state_of(f);
    an__section *sections;
    size_t count = 0;
    if (!an__file_digest(paths->weights, &size, &crc, err))
        return false;
    state.weights_size = (int64_t)size;
    state.weights_crc = crc;
    sections = an__sections_of(f, &state, arena, &count, err);
    return sections && an__container_write(paths->state, sections, count, err);
}

/*
 * Both files, or none. Under an optimizer whose weights to evaluate are not those that it trains,
 * the file of weights gets the former, and the state the latter to the bit.
 */
static bool write_checkpoint(an__fit *f, const char *path, an_error *err)
{
    an__paths paths;
    an_arena arena;
    an_params *params = an_model_params(f->options->model);
    const char *name = "";
    if (!is_finite(f, &name))
        return an_error_set(err, AN_ERROR_NUMERIC, "'%s' holds a value that is NaN or infinite",
                            name);
    if (!an__paths_of(path, &paths, err) || !an_params_save(params, paths.weights, err))
        return false;
    an_arena_init(&arena, *an_context_allocator(an_params_context(params)));
    bool written = write_state(f, &paths, &arena, err);
    an_arena_free(&arena);
    if (!written) {
        (void)unlink(paths.state); /* it may have its name, and not be durable */
        (void)unlink(paths.weights);
    }
    return written;
}

static float *copy_values(an_params *params, an_error *err)
{
    size_t count = (size_t)an_params_length(params);
    const an_allocator *allocator = an_context_allocator(an_params_context(params));
    float *copy = an_alloc(allocator, count, sizeof *copy, err);
    if (copy)
        memcpy(copy, an_params_values(params), count * sizeof *copy);
    return copy;
}

/* write_checkpoint with the weights to evaluate in the model, for as long as it takes. */
static bool write_shown(an__fit *f, const char *path, an_error *err)
{
    an_params *params = an_model_params(f->options->model);
    size_t count = (size_t)an_params_length(params);
    const bool rounds = an_optim_has_modes(f->options->optim);
    if (f->shown || !an__shows_others(f))
        return write_checkpoint(f, path, err);
    if (rounds && !(f->trained = copy_values(params, err)))
        return false;
    an__show(f, true);
    bool written = write_checkpoint(f, path, err);
    an__show(f, false);
    if (!rounds)
        return written;
    memcpy(an_params_values(params), f->trained, count * sizeof *f->trained);
    an_release(an_context_allocator(an_params_context(params)), f->trained, count,
               sizeof *f->trained);
    f->trained = NULL;
    return written;
}

static bool save(an__fit *f, bool best, char path[AN__PATH_SIZE], an_error *err)
{
    const char *folder = f->options->checkpoints;
    an_checkpoint_kind kind = best ? AN_CHECKPOINT_BEST : AN_CHECKPOINT_LAST;
    if (f->saves < 0 && !an__folder_newest(folder, &f->saves, err))
        return false;
    if (!an__folder_path(folder, kind, f->saves + 1, path, AN__PATH_SIZE, err) ||
        !write_shown(f, path, err))
        return false;
    f->saves++;
    f->saved_step = f->record.step;
    f->saved_open = f->in_epoch;
    an__folder_prune(folder, f->saves, f->options->keep);
    return true;
}

static void tell_failure(an__fit *f, const an_error *failure)
{
    char text[AN_ERROR_MESSAGE_SIZE];
    an_format(text, sizeof text, "no checkpoint was written at step %lld: %s; the training %s",
              (long long)f->record.step, failure->message,
              f->options->must_save ? "ends" : "goes on");
    an__tell(f, "save_failed", text);
}

bool an__save(an__fit *f, bool best, an_error *err)
{
    char path[AN__PATH_SIZE];
    an_error failure = {0};
    double t = an__now();
    an__call_back(f, AN__save_begin);
    bool saved = save(f, best, path, &failure);
    if (saved)
        an__call_back(f, AN__save_end);
    else
        tell_failure(f, &failure);
    an__pause_since(f, t);
    return saved || !f->options->must_save || an__deliver(&failure, err);
}

/* ------------------------------------------------------------------ finding */

static an_checkpoint_info info_of(const an__state *state)
{
    const an_record *r = &state->record;
    return (an_checkpoint_info){
        .step = r->step,
        .epoch = r->epoch,
        .batch = r->batch,
        .in_epoch = state->in_epoch != 0,
        .seconds = r->seconds,
        .loss = r->loss,
        .accuracy = r->accuracy,
        .valid_loss = r->valid_loss,
        .valid_accuracy = r->valid_accuracy,
        .threads = (int)state->threads,
        .vector_bits = (int)state->vector_bits,
    };
}

static bool check(const char *path, an_checkpoint_info *info, an_error *err)
{
    an_arena arena;
    an__container container;
    an__state state;
    an_arena_init(&arena, an_allocator_default());
    bool ok = an__state_read(path, &arena, &container, &state, err);
    if (ok && info)
        *info = info_of(&state);
    an_arena_free(&arena);
    return ok;
}

bool an_checkpoint_check(const char *path, an_checkpoint_info *info, an_error *err)
{
    an_error failure = {0};
    if (check(path, info, &failure))
        return true;
    return an_error_set(err, failure.code,
                        failure.code == AN_ERROR_DATA ? "%s; go on from an earlier checkpoint"
                                                      : "%s",
                        failure.message);
}

/* Of `damaged` checkpoints, the newest with the error `first`, none can be gone on from. */
static bool fail_to_find(const char *folder, bool best_only, int64_t damaged, const an_error *first,
                         an_error *err)
{
    const char *what = best_only ? " of the best" : "";
    if (damaged == 0)
        return an_error_set(err, AN_ERROR_STATE, "there is no checkpoint%s in '%s'", what, folder);
    return an_error_set(err, first->code,
                        "no checkpoint%s in '%s' can be used, of %lld: bring one back from a copy, "
                        "or begin a new run; %s",
                        what, folder, (long long)damaged, first->message);
}

bool an_checkpoint_find(const char *folder, an_checkpoint_kind kind, char *path, size_t size,
                        an_checkpoint_info *info, an_error *err)
{
    an_error first = {0}; /* of the newest that is damaged */
    int64_t number = INT64_MAX, damaged = 0;
    bool best_only = kind == AN_CHECKPOINT_BEST;
    for (;;) {
        an_error failure = {0};
        an_checkpoint_kind found = AN_CHECKPOINT_LAST;
        if (!an__folder_before(folder, number, best_only, &number, &found, err))
            return false;
        if (number == 0)
            break;
        if (!an__folder_path(folder, found, number, path, size, err))
            return false;
        if (check(path, info, &failure)) {
            if (info)
                an_format(info->passed_over, sizeof info->passed_over, "%s", first.message);
            return true;
        }
        if (damaged++ == 0)
            first = failure;
    }
    return fail_to_find(folder, best_only, damaged, &first, err);
}
