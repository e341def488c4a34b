/*
 * Going on from a checkpoint. Everything is compared before anything but rates is changed, but for
 * the weights' names and shapes, which the reading of the weights checks as a whole.
 */
#include "train/restore.h"

#include <string.h>
#include <sys/stat.h>

/* Where the next change is to be written, and how many bytes it may have. */
static char *free_room(an__restore *r, size_t *size)
{
    size_t used = strlen(r->changes);
    *size = sizeof r->changes - used;
    return r->changes + used;
}

static void note_text(an__restore *r, const char *what, const char *before, const char *now)
{
    size_t size;
    char *text = free_room(r, &size);
    an_format(text, size, "; %s %s -> %s", what, before, now);
}

static void note_number(an__restore *r, const char *what, int64_t before, int64_t now)
{
    size_t size;
    char *text = free_room(r, &size);
    if (before != now)
        an_format(text, size, "; %s %lld -> %lld", what, (long long)before, (long long)now);
}

/* A length that the run had, or has: 0 is none. */
static void note_length(an__restore *r, const char *what, int64_t before, int64_t now)
{
    char texts[2][32] = {"none", "none"};
    if (before > 0)
        an_format(texts[0], sizeof texts[0], "%lld", (long long)before);
    if (now > 0)
        an_format(texts[1], sizeof texts[1], "%lld", (long long)now);
    if (before != now)
        note_text(r, what, texts[0], texts[1]);
}

void an__note(an__restore *r, const char *what)
{
    size_t size;
    char *text = free_room(r, &size);
    an_format(text, size, "; %s", what);
}

/* A section as text. */
static const char *text_of(an__restore *r, const char *name)
{
    const an__section *s = an__container_find(&r->container, name);
    const char *text = s ? an_arena_text(&r->arena, s->bytes, s->size) : "";
    return text ? text : "";
}

/* ---------------------------------------------------------- is it this run? */

static bool other_run(an__restore *r, const char *what)
{
    return an_error_set(r->err, AN_ERROR_STATE,
                        "%s cannot be gone on from: %s; this can only be changed in a new run",
                        r->path, what);
}

static bool check_data(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    const an__state *s = &r->state;
    /* An epoch that is under way has the batches that it began with. */
    if (r->fit->sizes && s->in_epoch && !an_loader_set_batch_size(o->train, s->full, r->err))
        return false;
    if (r->fit->sizes)
        r->fit->record.batches = s->record.batches;
    if (s->accumulate != o->accumulate)
        return other_run(r, "accumulate is not the one of the saved run");
    if (s->data != (int64_t)an_loader_fingerprint(o->train) ||
        (!r->fit->sizes && s->record.batches != an_loader_batches(o->train)))
        return other_run(r, "the training data, the seed or the batch size are not those of the "
                            "saved run");
    return true;
}

static bool check_optimizer(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    const an__section *groups = an__container_find(&r->container, "groups");
    return (an__entries_fit(o, &r->container, &r->arena) && groups &&
            groups->size == an__slots_size(o->optim)) ||
           other_run(r, "the optimizer is of another kind, or the model or the groups are others");
}

static bool check_metrics(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    for (size_t i = 0; i < o->metric_count; i++) {
        const an__section *s = an__metric_section(o, i, &r->container);
        if (s && s->size != AN__METRIC_SIZE)
            return an_error_set(r->err, AN_ERROR_DATA, "%s is damaged: '%s' has %zu bytes, not %d",
                                r->path, s->name, s->size, AN__METRIC_SIZE);
    }
    return true;
}

const char an__resume_advice[] =
    "adopt the new, keep the saved, or stretch that to the new end (anneal resume --changes adopt, "
    "keep or extend)";

/* The rates and other numbers of the optimizer: what the policy allows. */
static bool compare_optimizer(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    const char *before = text_of(r, "optimizer"), *now = an_optim_text(o->optim);
    r->same_optimizer = strcmp(before, now) == 0;
    if (r->same_optimizer)
        return true;
    if (o->policy != AN_RESUME_ADOPT)
        return an_error_set(r->err, AN_ERROR_STATE,
                            "%s was trained by %s, not by %s; leave that as it was, or adopt the "
                            "new (anneal resume --changes adopt)",
                            r->path, before, now);
    note_text(r, "optimizer", before, now);
    return true;
}

/* Whether there is an average is the run's; its numbers are as the optimizer's. */
static bool compare_average(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    const char *before = text_of(r, "average"),
               *now = o->average ? an_average_text(o->average) : "";
    if (strcmp(before, now) == 0)
        return true;
    if (!before[0] || !now[0])
        return other_run(r, now[0] ? "it has no average of the weights"
                                   : "it has an average of the weights");
    if (o->policy != AN_RESUME_ADOPT)
        return an_error_set(r->err, AN_ERROR_STATE,
                            "%s was averaged by %s, not by %s; adopt the new (anneal resume "
                            "--changes adopt)",
                            r->path, before, now);
    note_text(r, "average", before, now);
    return true;
}

/* -------------------------------------------------------------- the rest */

/* The buffers of the weights that are not in the file of weights. */
static bool restore_statistics(an__restore *r)
{
    an__fit *f = r->fit;
    const an__section *s = an__container_find(&r->container, "statistics");
    f->gathered = s && f->statistics;
    if (!f->gathered)
        return true;
    if (s->size != f->statistics_size)
        return other_run(r, "its running statistics are others");
    memcpy(f->statistics, s->bytes, s->size);
    return true;
}

/* What was saved are the weights to evaluate. */
static bool restore_trained(an__restore *r)
{
    an__fit *f = r->fit;
    an_params *params = an_model_params(f->options->model);
    const an__section *s = an__container_find(&r->container, "trained");
    if (!restore_statistics(r))
        return false;
    f->shown = true;
    an__show(f, false);
    if (!s)
        return true;
    if (s->size != (size_t)an_params_length(params) * sizeof(float))
        return other_run(r, "its parameters are others");
    memcpy(an_params_values(params), s->bytes, s->size);
    return true;
}

/*
 * What has happened is the saved record's; what is planned, the present run's. One that has come
 * further than that ends with the epoch that it is in.
 */
static void restore_record(an__restore *r)
{
    an_record planned = r->fit->record, *record = &r->fit->record;
    *record = r->state.record;
    record->steps = planned.steps;
    record->epochs =
        planned.epochs > 0 && planned.epochs < record->epoch ? record->epoch : planned.epochs;
    record->batches = planned.batches;
    record->budget = planned.budget;
    record->train_samples = planned.train_samples;
    record->valid_samples = planned.valid_samples;
    record->memory = planned.memory;
    r->fit->seconds = record->seconds;
}

/* A metric that the checkpoint does not know counts from here on. */
static void restore_metrics(an__restore *r)
{
    an__fit *f = r->fit;
    const an_fit_options *o = f->options;
    an__forget_validated(f);
    for (size_t i = 0; i < o->metric_count; i++) {
        const an__section *s = an__metric_section(o, i, &r->container);
        if (s)
            an__metric_load(f, i, s->bytes);
        else
            an__note(r, "a metric is new");
    }
    an__show_metrics(f);
}

/* How many labels a sample has: the state does not tell, but any batch. */
static int64_t count_labels(an_loader *loader)
{
    an_batch batch;
    an_loader_seek(loader, 0);
    return an_loader_next(loader, &batch) ? batch.y.count / batch.size : 0;
}

static void restore_position(an__restore *r)
{
    an__fit *f = r->fit;
    const an__state *s = &r->state;
    an_loader *loader = f->options->train;
    *an_model_rng(f->options->model) =
        (an_rng){(uint64_t)s->random[0], (uint64_t)s->random[1], (uint64_t)s->random[2]};
    f->epoch = s->epoch;
    f->window = (an__tally){0};
    f->full = s->full;
    f->in_epoch = s->in_epoch != 0;
    f->rate_scale = r->same_optimizer ? s->rate_scale : 1;
    f->labels = count_labels(loader);
    if (f->in_epoch)
        an_loader_seek_batch(loader, f->record.epoch - 1, f->record.batch);
    else
        an_loader_seek(loader, f->record.epoch);
}

static bool restore_callbacks(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    for (size_t i = 0; i < o->callback_count; i++) {
        const an_callback *c = &o->callbacks[i];
        if (!c->name || !c->load_state)
            continue;
        const char *name = an__section_name("callback/", c->name, &r->arena);
        const an__section *s = name ? an__container_find(&r->container, name) : NULL;
        if (!c->load_state(c->user, &r->fit->record, s ? s->bytes : NULL, s ? s->size : 0, r->err))
            return false;
    }
    return true;
}

static void note_changes(an__restore *r)
{
    const an_fit_options *o = r->fit->options;
    const an_context *context = an_params_context(an_model_params(o->model));
    int threads = an_context_threads(context), bits = an_context_vector_bits(context);
    note_length(r, "epochs", r->state.epochs, o->epochs);
    note_length(r, "steps", r->state.steps, o->steps);
    note_number(r, "threads", r->state.threads, threads);
    note_number(r, "vector bits", r->state.vector_bits, bits);
    if (r->state.threads != threads || r->state.vector_bits != bits)
        an__note(r, "the last bits may differ");
}

static bool apply(an__restore *r)
{
    an__paths paths;
    an_params *params = an_model_params(r->fit->options->model);
    if (!an__state_read(r->path, &r->arena, &r->container, &r->state, r->err))
        return false;
    if (!compare_average(r) || !check_optimizer(r) || !compare_optimizer(r) ||
        !an__restore_kept(r) || !check_data(r) || !check_metrics(r))
        return false;
    if (!an__paths_of(r->path, &paths, r->err) || !an_params_load(params, paths.weights, r->err))
        return false;
    note_changes(r);
    if (!an__entries_load(r->fit->options, &r->container, &r->arena, r->err))
        return false;
    an_optim_zero_grad(r->fit->options->optim);
    restore_record(r);
    restore_position(r);
    restore_metrics(r);
    return restore_trained(r) && an__restore_schedule(r) && an__edit_schedule(r) &&
           restore_callbacks(r);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat s, t;
    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

/* Whether a checkpoint is what this run would be found at: the newest of its own folder. */
static bool is_newest(const an__fit *f, const char *path)
{
    char newest[AN__PATH_SIZE];
    int64_t number = 0;
    an_checkpoint_kind kind = AN_CHECKPOINT_LAST;
    an__paths given, found;
    const char *folder = f->options->checkpoints;
    return folder && an__folder_before(folder, INT64_MAX, false, &number, &kind, NULL) &&
           number > 0 && an__folder_path(folder, kind, number, newest, sizeof newest, NULL) &&
           an__paths_of(newest, &found, NULL) && an__paths_of(path, &given, NULL) &&
           is_same_file(found.state, given.state);
}

/* Does all of it; `changes` (NULL: not wanted) gets what is different. */
static bool restore_from(an__fit *f, const char *path, char *changes, size_t size, an_error *err)
{
    const an_params *params = an_model_params(f->options->model);
    an__restore r = {.fit = f, .path = path, .back = !changes, .err = err};
    an_arena_init(&r.arena, *an_context_allocator(an_params_context(params)));
    bool ok = apply(&r);
    if (ok && changes)
        an_format(changes, size, "%s", r.changes);
    if (ok && !r.changes[0] && is_newest(f, path)) {
        f->saved_step = f->record.step;
        f->saved_open = f->in_epoch;
    }
    an_arena_free(&r.arena);
    return ok;
}

/* ------------------------------------------------------------- both ways of it */

/* From the beginning, after what an earlier attempt may have left behind. */
static bool begin_again(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    for (size_t i = 0; i < o->callback_count; i++) {
        const an_callback *c = &o->callbacks[i];
        if (c->name && c->load_state && !c->load_state(c->user, &f->record, NULL, 0, err))
            return false;
    }
    return true;
}

bool an__resume(an__fit *f, char *news, size_t size, an_error *err)
{
    char changes[AN_ERROR_MESSAGE_SIZE];
    if (!f->options->resume[0])
        return begin_again(f, err);
    if (!restore_from(f, f->options->resume, changes, sizeof changes, err))
        return false;
    char planned[32] = "";
    if (f->record.epochs > 0) /* else as many as the budget lets */
        an_format(planned, sizeof planned, " of %lld", (long long)f->record.epochs);
    an_format(news, size, "at step %lld, epoch %lld%s, from %s%s", (long long)f->record.step,
              (long long)f->record.epoch, planned, f->options->resume, changes);
    return true;
}

/* The clock goes on: what was lost has taken its time. */
bool an__roll_back(an__fit *f, double factor, an_error *err)
{
    char path[AN__PATH_SIZE], news[160];
    an_checkpoint_info info;
    const an_record left = f->record;
    double scale = f->rate_scale * factor;
    if (!f->options->checkpoints)
        return an_error_set(err, AN_ERROR_STATE,
                            "a callback asks to roll back at step %lld, but the run saves no "
                            "checkpoints; give it a folder for them",
                            (long long)left.step);
    if (!an_checkpoint_find(f->options->checkpoints, AN_CHECKPOINT_LAST, path, sizeof path, &info,
                            err) ||
        !restore_from(f, path, NULL, 0, err)) {
        an_error_prefix(err, "cannot roll back at step %lld: ", (long long)left.step);
        return false;
    }
    if (info.passed_over[0])
        an__tell(f, "passed_over", info.passed_over);
    f->rate_scale = scale;
    f->went_back = true;
    f->record.seconds = f->seconds = left.seconds;
    f->record.epoch_seconds = left.epoch == f->record.epoch ? left.epoch_seconds : 0;
    an_format(news, sizeof news, "from step %lld to step %lld; rates times %g",
              (long long)left.step, (long long)f->record.step, scale);
    an__tell(f, "rolled_back", news);
    return true;
}
