/*
 * Going on from a checkpoint. Everything is compared before anything but rates is changed, but for
 * the weights' names and shapes, which the reading of the weights checks as a whole.
 */
#include "train/folder.h"
#include "train/sections.h"

#include <anneal/lr_text.h>

#include <string.h>
#include <sys/stat.h>

/* One reading of a checkpoint. */
typedef struct restore {
    an__fit *fit;
    const char *path;
    an__state state;
    an__container container;
    an_arena arena;
    bool same_optimizer;
    bool back;         /* in the middle of the run: a rollback */
    char changes[320]; /* what is different from the saved run, "; epochs 2 -> 3; ..." */
    an_error *err;
} restore;

/* Where the next change is to be written, and how many bytes it may have. */
static char *free_room(restore *r, size_t *size)
{
    size_t used = strlen(r->changes);
    *size = sizeof r->changes - used;
    return r->changes + used;
}

static void note_text(restore *r, const char *what, const char *before, const char *now)
{
    size_t size;
    char *text = free_room(r, &size);
    an_format(text, size, "; %s %s -> %s", what, before, now);
}

static void note_number(restore *r, const char *what, int64_t before, int64_t now)
{
    size_t size;
    char *text = free_room(r, &size);
    if (before != now)
        an_format(text, size, "; %s %lld -> %lld", what, (long long)before, (long long)now);
}

/* A length that the run had, or has: 0 is none. */
static void note_length(restore *r, const char *what, int64_t before, int64_t now)
{
    char texts[2][32] = {"none", "none"};
    if (before > 0)
        an_format(texts[0], sizeof texts[0], "%lld", (long long)before);
    if (now > 0)
        an_format(texts[1], sizeof texts[1], "%lld", (long long)now);
    if (before != now)
        note_text(r, what, texts[0], texts[1]);
}

static void note(restore *r, const char *what)
{
    size_t size;
    char *text = free_room(r, &size);
    an_format(text, size, "; %s", what);
}

/* A section as text. */
static const char *text_of(restore *r, const char *name)
{
    const an__section *s = an__container_find(&r->container, name);
    const char *text = s ? an_arena_text(&r->arena, s->bytes, s->size) : "";
    return text ? text : "";
}

/* ---------------------------------------------------------- is it this run? */

static bool other_run(restore *r, const char *what)
{
    return an_error_set(r->err, AN_ERROR_STATE,
                        "%s cannot be gone on from: %s; this can only be changed in a new run",
                        r->path, what);
}

static bool check_data(restore *r)
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

static bool check_optimizer(restore *r)
{
    const an_fit_options *o = r->fit->options;
    const an__section *groups = an__container_find(&r->container, "groups");
    return (an__entries_fit(o, &r->container, &r->arena) && groups &&
            groups->size == an__slots_size(o->optim)) ||
           other_run(r, "the optimizer is of another kind, or the model or the groups are others");
}

static bool check_metrics(restore *r)
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

static const char advice[] =
    "adopt the new or keep the saved (anneal resume --changes adopt, or keep)";

/* The rates and other numbers of the optimizer: what the policy allows. */
static bool compare_optimizer(restore *r)
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
static bool compare_average(restore *r)
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

/* ------------------------------------------------------------- the schedule */

/* The groups' values as they were, unless the optimizer has new ones. */
static bool load_slots(restore *r)
{
    const an__section *groups = an__container_find(&r->container, "groups");
    if (r->same_optimizer)
        an__slots_load(r->fit->options->optim, groups->bytes);
    return true;
}

/* How often the schedule had been stepped. */
static int64_t schedule_steps(const restore *r)
{
    const an_record *record = &r->state.record;
    bool by_step = r->fit->options->interval == AN_INTERVAL_STEP;
    return by_step ? record->step : record->epoch - (r->state.in_epoch != 0);
}

/* The new schedule, as if it had been there from the beginning; one with a clock is told later. */
static bool adopt_fresh(restore *r)
{
    struct an_lr_schedule *schedule = r->fit->options->schedule;
    note(r, schedule ? "another schedule" : "no schedule any more");
    if (!schedule || an_lr_wants_metric(schedule) || an_lr_wants_clock(schedule))
        return true;
    return an_lr_step_to(schedule, schedule_steps(r), r->err);
}

static bool adopt_schedule(restore *r, const an__section *saved)
{
    an_lr_changes changes = {0};
    struct an_lr_schedule *schedule = r->fit->options->schedule;
    bool same_interval = r->state.interval == (int64_t)r->fit->options->interval;
    if (!saved && !schedule)
        return load_slots(r);
    if (!saved || !schedule || !same_interval || !r->same_optimizer ||
        !an_lr_state_load(schedule, saved->bytes, saved->size, AN_LR_ADOPT, &changes, NULL))
        return adopt_fresh(r);
    if (changes.count > 0)
        note(r, changes.text);
    return true;
}

static bool refuse_schedule(restore *r, const an__section *saved)
{
    struct an_lr_schedule *schedule = r->fit->options->schedule;
    if (!saved && !schedule)
        return true;
    if (!saved || !schedule)
        return an_error_set(r->err, AN_ERROR_STATE, "%s was trained %s schedule; %s", r->path,
                            saved ? "under a" : "without a", advice);
    if (r->state.interval != (int64_t)r->fit->options->interval)
        return an_error_set(r->err, AN_ERROR_STATE,
                            "%s: the schedule was stepped at the other interval; %s", r->path,
                            advice);
    an_lr_changes changes = {0};
    if (an_lr_state_load(schedule, saved->bytes, saved->size, AN_LR_REFUSE, &changes, r->err))
        return true;
    if (changes.count > 0)
        return an_error_set(r->err, AN_ERROR_STATE, "%s: the schedule has changed, %s; %s", r->path,
                            changes.text, advice);
    an_error_prefix(r->err, "%s: ", r->path);
    return false;
}

/* How often going on under these options edits the schedule: see an_lr_run.edits. */
static int edits_to_come(const an_fit_options *o)
{
    return (o->policy == AN_RESUME_EXTEND) + (o->landing.length.value > 0);
}

/* The saved schedule, made anew from its own description. */
static bool keep_schedule(restore *r, const an__section *saved)
{
    an__fit *f = r->fit;
    an_optim *optim = f->options->optim;
    const an_allocator *allocator =
        an_context_allocator(an_params_context(an_model_params(f->options->model)));
    f->interval = (an_interval)r->state.interval;
    f->schedule = NULL;
    if (!saved)
        return true;
    an_lr_run run;
    if (!an_lr_state_run(saved->bytes, saved->size, &run, r->err))
        return false;
    run.edits += edits_to_come(f->options);
    if (run.edits > AN_LR_MOST_EDITS)
        run.edits = AN_LR_MOST_EDITS;
    an_lr_text *text = an_lr_state_desc(saved->bytes, saved->size, allocator, r->err);
    if (!text)
        return false;
    an_lr_free(f->kept);
    an_lr_text_free(f->kept_text);
    f->kept_text = text; /* the schedule uses its lambdas */
    f->kept = an_lr_new_run(an_lr_text_desc(text), &run, an_optim_groups(optim),
                            an_optim_group_count(optim), allocator, r->err);
    f->schedule = f->kept;
    return f->kept &&
           an_lr_state_load(f->kept, saved->bytes, saved->size, AN_LR_REFUSE, NULL, r->err);
}

/* The saved schedule arrives where the present run ends. */
static bool extend_schedule(restore *r)
{
    const an__fit *f = r->fit;
    const an_fit_options *o = f->options;
    const bool by_step = f->interval == AN_INTERVAL_STEP;
    const int64_t steps = by_step ? an_fit_total_steps(o) : f->record.epochs;
    const an_lr_length total = o->budget > 0 ? (an_lr_length){o->budget, AN_SECONDS}
                                             : (an_lr_length){(double)steps, AN_STEPS};
    if (!f->schedule)
        return true;
    if (!an_lr_extend(f->schedule, total, r->err)) {
        an_error_prefix(r->err, "%s: ", r->path);
        return false;
    }
    note(r, "the schedule is stretched to the new end");
    return true;
}

/* The tail that the options ask for; what is saved at once, since the checkpoint knows no tail. */
static bool land_schedule(restore *r)
{
    const an_landing *landing = &r->fit->options->landing;
    if (!(landing->length.value > 0))
        return true;
    if (!r->fit->schedule)
        return an_error_set(r->err, AN_ERROR_STATE, "%s has no schedule that could land", r->path);
    if (!an_lr_land(r->fit->schedule, landing->length, landing->tail, landing->end, r->err)) {
        an_error_prefix(r->err, "%s: ", r->path);
        return false;
    }
    note(r, "the schedule lands");
    return true;
}

/* The saved schedule comes first where it goes on: what it drives decides which data fit. */
static bool restore_kept(restore *r)
{
    const an__section *saved = an__container_find(&r->container, "schedule");
    const an_resume_policy policy = r->fit->options->policy;
    if (r->back || (policy != AN_RESUME_KEEP && policy != AN_RESUME_EXTEND))
        return true;
    if (!load_slots(r) || !keep_schedule(r, saved))
        return false;
    an__look_at_schedule(r->fit);
    return true;
}

/* The groups' values, and the schedule that goes on with them. */
static bool restore_schedule(restore *r)
{
    const an__section *saved = an__container_find(&r->container, "schedule");
    if (r->back)
        return load_slots(r) &&
               (!saved || !r->fit->schedule ||
                an_lr_roll_back(r->fit->schedule, saved->bytes, saved->size, r->err));
    switch (r->fit->options->policy) {
    case AN_RESUME_KEEP:
    case AN_RESUME_EXTEND:
        return true; /* it is there */
    case AN_RESUME_ADOPT:
        return adopt_schedule(r, saved);
    case AN_RESUME_REFUSE:
        break;
    }
    return load_slots(r) && refuse_schedule(r, saved);
}

/* A run whose rates have landed at 0 has nothing more to learn. */
static bool check_landed(restore *r)
{
    const an__fit *f = r->fit;
    return !f->schedule || !an_lr_has_landed(f->schedule) ||
           r->state.record.step >= an_fit_total_steps(f->options) ||
           an_error_set(r->err, AN_ERROR_STATE,
                        "%s: the schedule of this run has landed, and every further rate would be "
                        "0; go on from a checkpoint before that (anneal resume --checkpoint FILE)",
                        r->path);
}

/* What the policy and a landing make of the schedule, at the time that the run has come to. */
static bool edit_schedule(restore *r)
{
    if (r->back)
        return true;
    an__tell_time(r->fit);
    return check_landed(r) && (r->fit->options->policy != AN_RESUME_EXTEND || extend_schedule(r)) &&
           land_schedule(r);
}

/* -------------------------------------------------------------- the rest */

/* The buffers of the weights that are not in the file of weights. */
static bool restore_statistics(restore *r)
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
static bool restore_trained(restore *r)
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

/* What has happened is the saved record's; what is planned, the present run's. */
static void restore_record(restore *r)
{
    an_record planned = r->fit->record, *record = &r->fit->record;
    *record = r->state.record;
    record->steps = planned.steps;
    record->epochs = planned.epochs;
    record->batches = planned.batches;
    record->budget = planned.budget;
    record->train_samples = planned.train_samples;
    record->valid_samples = planned.valid_samples;
    record->memory = planned.memory;
    r->fit->seconds = record->seconds;
}

/* A metric that the checkpoint does not know counts from here on. */
static void restore_metrics(restore *r)
{
    an__fit *f = r->fit;
    const an_fit_options *o = f->options;
    an__forget_validated(f);
    for (size_t i = 0; i < o->metric_count; i++) {
        const an__section *s = an__metric_section(o, i, &r->container);
        if (s)
            an__metric_load(f, i, s->bytes);
        else
            note(r, "a metric is new");
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

static void restore_position(restore *r)
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

static bool restore_callbacks(restore *r)
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

static void note_changes(restore *r)
{
    const an_fit_options *o = r->fit->options;
    const an_context *context = an_params_context(an_model_params(o->model));
    int threads = an_context_threads(context), bits = an_context_vector_bits(context);
    note_length(r, "epochs", r->state.epochs, o->epochs);
    note_length(r, "steps", r->state.steps, o->steps);
    note_number(r, "threads", r->state.threads, threads);
    note_number(r, "vector bits", r->state.vector_bits, bits);
    if (r->state.threads != threads || r->state.vector_bits != bits)
        note(r, "the last bits may differ");
}

static bool apply(restore *r)
{
    an__paths paths;
    an_params *params = an_model_params(r->fit->options->model);
    if (!an__state_read(r->path, &r->arena, &r->container, &r->state, r->err))
        return false;
    if (!compare_average(r) || !check_optimizer(r) || !compare_optimizer(r) || !restore_kept(r) ||
        !check_data(r) || !check_metrics(r))
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
    return restore_trained(r) && restore_schedule(r) && edit_schedule(r) && restore_callbacks(r);
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
    restore r = {.fit = f, .path = path, .back = !changes, .err = err};
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
