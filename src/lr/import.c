/*
 * import.c - schedules from the configurations of other systems. An object of JSON is written as
 * the call that it stands for, and that is read as any call is: all that is known of the systems'
 * schedules is in alias_rows.c; here is only how they write calls as objects.
 */
#include "lr/json.h"
#include "lr/text.h"
#include <math.h>
#include <string.h>

typedef struct importer {
    const an_spec_source *source;
    const an_lr_run *run;
    an_error *err;
    an__lr_writer w;
} importer;

static bool write_object(importer *im, const an__json *object);

static bool wrong(importer *im, const an__json *at, const char *message)
{
    return an__json_error(im->source, at->offset, im->err, message);
}

static const an__json *find(const an__json *object, const char *key)
{
    for (const an__json *at = object->first; at; at = at->next)
        if (strcmp(at->key, key) == 0)
            return at;
    return NULL;
}

/* --------------------------------------------------------------- arguments */

/* As the grammar has strings; what it cannot hold becomes a blank. */
static void write_string(importer *im, const char *text)
{
    char letter[3] = "";
    an__lr_write(&im->w, "'");
    for (; *text; text++) {
        bool quoted = *text == '\'' || *text == '\\';
        letter[0] = quoted ? '\\' : *text;
        letter[1] = quoted ? *text : '\0';
        if ((unsigned char)letter[0] < ' ')
            letter[0] = ' ';
        an__lr_write(&im->w, letter);
    }
    an__lr_write(&im->w, "'");
}

static bool write_value(importer *im, const an__json *value);

static bool write_list(importer *im, const an__json *list)
{
    an__lr_write(&im->w, "[");
    for (const an__json *at = list->first; at; at = at->next) {
        if (!write_value(im, at))
            return false;
        an__lr_write(&im->w, at->next ? ", " : "");
    }
    an__lr_write(&im->w, "]");
    return true;
}

static bool write_value(importer *im, const an__json *value)
{
    switch (value->kind) {
    case AN__JSON_NULL:
        an__lr_write(&im->w, "None");
        return true;
    case AN__JSON_BOOL:
        an__lr_write(&im->w, value->number != 0 ? "True" : "False");
        return true;
    case AN__JSON_NUMBER:
        if (!isfinite(value->number))
            return wrong(im, value, "the number is beyond the largest double");
        an__lr_write_number(&im->w, value->number);
        return true;
    case AN__JSON_STRING:
        if (strcmp(value->text, "auto") == 0)
            return wrong(im, value, "'auto' is filled in by DeepSpeed's caller; give the value");
        write_string(im, value->text);
        return true;
    case AN__JSON_ARRAY:
        return write_list(im, value);
    case AN__JSON_OBJECT:
        break;
    }
    return write_object(im, value);
}

/* Names of calls have dots, those of arguments have none. */
static bool is_name(const char *text, bool dots)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    while (*text && strchr(letters, *text)) {
        text += strspn(text, letters);
        text += strspn(text, "0123456789");
        text += strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        if (*text == '\0')
            return true;
        if (*text != '.' || !dots)
            return false;
        text++;
    }
    return false;
}

/* Keys that say nothing of the schedule, and what a key is called as an argument. */
typedef struct renaming {
    const char *key, *argument; /* NULL: left out */
} renaming;

static const char *argument_of(const renaming *renamings, const char *key)
{
    for (; renamings && renamings->key; renamings++)
        if (strcmp(renamings->key, key) == 0)
            return renamings->argument;
    return key;
}

/* The values of an object as arguments, after those that are there. */
static bool write_arguments(importer *im, const an__json *object, const renaming *renamings,
                            bool *first)
{
    for (const an__json *at = object->first; at; at = at->next) {
        const char *name = argument_of(renamings, at->key);
        if (!name)
            continue;
        if (!is_name(name, false))
            return wrong(im, at, "the key is no name of an argument");
        an__lr_write(&im->w, *first ? "" : ", ");
        an__lr_write(&im->w, name);
        an__lr_write(&im->w, "=");
        if (!write_value(im, at))
            return false;
        *first = false;
    }
    return true;
}

static bool write_call(importer *im, const char *name, const an__json *object,
                       const renaming *renamings)
{
    bool first = true;
    an__lr_write(&im->w, name);
    an__lr_write(&im->w, "(");
    if (object && !write_arguments(im, object, renamings, &first))
        return false;
    an__lr_write(&im->w, ")");
    return true;
}

/* ----------------------------------------------------------- what it must be */

static const char *text_of(importer *im, const an__json *value)
{
    if (value->kind == AN__JSON_STRING && is_name(value->text, true))
        return value->text;
    wrong(im, value, "the name of a schedule must be a text of letters, digits and dots");
    return NULL;
}

static bool object_of(importer *im, const an__json *value)
{
    return value->kind == AN__JSON_OBJECT || wrong(im, value, "this must be an object");
}

/* A number of the object's; `fallback` if it has none. */
static bool number_of(importer *im, const an__json *object, const char *key, double fallback,
                      double *out)
{
    const an__json *value = find(object, key);
    *out = fallback;
    if (!value || value->kind == AN__JSON_NULL)
        return true;
    *out = value->number;
    return (value->kind == AN__JSON_NUMBER && isfinite(value->number)) ||
           wrong(im, value, "this must be a number");
}

/* ------------------------------------------------------------- Keras, DeepSpeed */

static bool write_keras(importer *im, const an__json *name, const an__json *config)
{
    const char *text = text_of(im, name);
    if (!text || (config && !object_of(im, config)))
        return false;
    if (!strchr(text, '.'))
        an__lr_write(&im->w, "keras.");
    return write_call(im, text, config, NULL);
}

static bool write_deepspeed(importer *im, const an__json *type, const an__json *params)
{
    const char *text = text_of(im, type);
    if (!text || !object_of(im, params))
        return false;
    if (!strchr(text, '.'))
        an__lr_write(&im->w, "deepspeed.");
    return write_call(im, text, params, NULL);
}

/* ---------------------------------------------------------------- transformers */

/* get_scheduler's names; whether the function takes the warm-up, and the training's length. */
static const struct {
    const char *name, *function;
    bool warmup, training;
} transformers[] = {
    {"constant", "get_constant_schedule", false, false},
    {"constant_with_warmup", "get_constant_schedule_with_warmup", true, false},
    {"inverse_sqrt", "get_inverse_sqrt_schedule", true, false},
    {"linear", "get_linear_schedule_with_warmup", true, true},
    {"cosine", "get_cosine_schedule_with_warmup", true, true},
    {"cosine_with_restarts", "get_cosine_with_hard_restarts_schedule_with_warmup", true, true},
    {"polynomial", "get_polynomial_decay_schedule_with_warmup", true, true},
    {"cosine_with_min_lr", "get_cosine_with_min_lr_schedule_with_warmup", true, true},
    {"cosine_warmup_with_min_lr", "get_cosine_with_min_lr_schedule_with_warmup_lr_rate", true,
     true},
    {"warmup_stable_decay", "get_wsd_schedule", true, true},
    {"reduce_lr_on_plateau", "ReduceLROnPlateau", false, false},
};

#define TRANSFORMERS (sizeof transformers / sizeof *transformers)

static size_t transformers_row(const char *name)
{
    size_t i = 0;
    while (i < TRANSFORMERS && strcmp(transformers[i].name, name) != 0)
        i++;
    return i;
}

static bool write_count(importer *im, const char *name, double value, const an__json *at,
                        bool *first)
{
    if (isnan(value) || value < 0)
        return wrong(im, at, "the lengths of the warm-up and of the training must be given");
    an__lr_write(&im->w, *first ? "" : ", ");
    an__lr_write(&im->w, name);
    an__lr_write(&im->w, "=");
    an__lr_write_number(&im->w, value);
    *first = false;
    return true;
}

static bool write_transformers(importer *im, const an__json *name, double warmup, double training,
                               const an__json *more)
{
    bool first = true;
    size_t row = transformers_row(name->text);
    an__lr_write(&im->w, transformers[row].function);
    an__lr_write(&im->w, "(");
    if (transformers[row].warmup && !write_count(im, "num_warmup_steps", warmup, name, &first))
        return false;
    if (transformers[row].training &&
        !write_count(im, "num_training_steps", training, name, &first))
        return false;
    if (more && more->kind != AN__JSON_NULL &&
        (!object_of(im, more) || !write_arguments(im, more, NULL, &first)))
        return false;
    an__lr_write(&im->w, ")");
    return true;
}

/* get_scheduler's own arguments. */
static bool write_get_scheduler(importer *im, const an__json *object, const an__json *name)
{
    static const char *const known[] = {"name", "optimizer", "num_warmup_steps",
                                        "num_training_steps", "scheduler_specific_kwargs"};
    double warmup, training;
    for (const an__json *at = object->first; at; at = at->next) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], at->key) != 0)
            i++;
        if (i == sizeof known / sizeof *known)
            return wrong(im, at,
                         "get_scheduler takes name, num_warmup_steps, num_training_steps and "
                         "scheduler_specific_kwargs; what a schedule takes besides stands in the "
                         "last");
    }
    return number_of(im, object, "num_warmup_steps", 0, &warmup) &&
           number_of(im, object, "num_training_steps",
                     im->run && im->run->total_steps > 0 ? (double)im->run->total_steps : NAN,
                     &training) &&
           write_transformers(im, name, warmup, training,
                              find(object, "scheduler_specific_kwargs"));
}

/* TrainingArguments; warmup_steps below 1 and warmup_ratio are parts of the training. */
static bool write_training_arguments(importer *im, const an__json *object, const an__json *name)
{
    double warmup, ratio, training;
    if (name->kind != AN__JSON_STRING || transformers_row(name->text) == TRANSFORMERS)
        return wrong(im, name, "there is no lr_scheduler_type of this name");
    if (!number_of(im, object, "max_steps", -1, &training) ||
        !number_of(im, object, "warmup_steps", 0, &warmup) ||
        !number_of(im, object, "warmup_ratio", 0, &ratio))
        return false;
    if (training <= 0)
        training = im->run && im->run->total_steps > 0 ? (double)im->run->total_steps : NAN;
    if (warmup > 0 && warmup < 1)
        ratio = warmup;
    if (warmup < 1)
        warmup = ratio > 0 ? ceil(ratio * training) : 0;
    return write_transformers(im, name, warmup, training, find(object, "lr_scheduler_kwargs"));
}

/* --------------------------------------------------------------- Composer, timm */

static const char *const composer[][2] = {
    {"cosine_with_warmup", "CosineAnnealingWithWarmupScheduler"},
    {"linear_decay_with_warmup", "LinearWithWarmupScheduler"},
    {"polynomial_with_warmup", "PolynomialWithWarmupScheduler"},
};

/* The options of timm's scripts, and what its schedulers call them. */
static const renaming timm_options[] = {
    {"sched", NULL},
    {"epochs", "t_initial"},
    {"num_epochs", "t_initial"},
    {"min_lr", "lr_min"},
    {"warmup_epochs", "warmup_t"},
    {"warmup_lr", "warmup_lr_init"},
    {"lr", NULL},
    {"cooldown_epochs", NULL},
    {"decay_epochs", NULL},
    {"decay_milestones", NULL},
    {"decay_rate", NULL},
    {"patience_epochs", NULL},
    {"lr_cycle_mul", "cycle_mul"},
    {"lr_cycle_decay", "cycle_decay"},
    {"lr_cycle_limit", "cycle_limit"},
    {"lr_k_decay", "k_decay"},
    {NULL, NULL},
};
static const renaming timm_step_options[] = {
    {"sched", NULL},
    {"epochs", NULL},
    {"num_epochs", NULL},
    {"min_lr", NULL},
    {"warmup_epochs", "warmup_t"},
    {"warmup_lr", "warmup_lr_init"},
    {"lr", NULL},
    {"cooldown_epochs", NULL},
    {"decay_epochs", "decay_t"},
    {"decay_milestones", "decay_t"},
    {"patience_epochs", NULL},
    {NULL, NULL},
};

/* In timm's scripts the warm-up begins at 1e-5, unlike in its classes. */
static bool write_timm(importer *im, const an__json *object, const an__json *sched)
{
    static const struct {
        const char *name, *class;
        const renaming *options;
    } kinds[] = {
        {"cosine", "timm.CosineLRScheduler", timm_options},
        {"tanh", "timm.TanhLRScheduler", timm_options},
        {"poly", "timm.PolyLRScheduler", timm_options},
        {"step", "timm.StepLRScheduler", timm_step_options},
        {"multistep", "timm.MultiStepLRScheduler", timm_step_options},
    };
    bool first = true;
    for (size_t i = 0; sched->kind == AN__JSON_STRING && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, sched->text) != 0)
            continue;
        an__lr_write(&im->w, kinds[i].class);
        an__lr_write(&im->w, "(");
        if (!write_arguments(im, object, kinds[i].options, &first))
            return false;
        if (!find(object, "warmup_lr")) {
            an__lr_write(&im->w, first ? "" : ", ");
            an__lr_write(&im->w, "warmup_lr_init=1e-5");
        }
        an__lr_write(&im->w, ")");
        return true;
    }
    return wrong(im, sched, "sched must be 'cosine', 'tanh', 'poly', 'step' or 'multistep'");
}

/* -------------------------------------------------------------------- any of them */

static bool write_named(importer *im, const an__json *object, const an__json *name)
{
    const renaming without[] = {{name->key, NULL}, {NULL, NULL}};
    const char *text = text_of(im, name);
    if (!text)
        return false;
    if (strcmp(name->key, "name") == 0 && transformers_row(text) < TRANSFORMERS)
        return write_get_scheduler(im, object, name);
    for (size_t i = 0; i < sizeof composer / sizeof *composer; i++)
        if (strcmp(composer[i][0], text) == 0)
            text = composer[i][1];
    if (find(object, "by_epoch") && !strchr(text, '.'))
        an__lr_write(&im->w, "mmengine.");
    return write_call(im, text, object, without);
}

static bool write_object(importer *im, const an__json *object)
{
    static const char *const names[] = {"_target_", "name", "type"};
    static const char *const within[] = {"scheduler", "lr_scheduler"};
    const an__json *at, *config = find(object, "config"), *params = find(object, "params");
    if ((at = find(object, "class_name")))
        return write_keras(im, at, config);
    if ((at = find(object, "type")) && params)
        return write_deepspeed(im, at, params);
    if ((at = find(object, "lr_scheduler_type")))
        return write_training_arguments(im, object, at);
    if ((at = find(object, "sched")))
        return write_timm(im, object, at);
    for (size_t i = 0; i < sizeof within / sizeof *within; i++)
        if ((at = find(object, within[i])))
            return object_of(im, at) && write_object(im, at);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((at = find(object, names[i])))
            return write_named(im, object, at);
    return wrong(im, object,
                 "this object is no schedule: it has none of the keys class_name, type, "
                 "lr_scheduler_type, sched, scheduler, _target_ and name");
}

/* ------------------------------------------------------------------------- door */

/* The call that an object stands for, in `arena`: its length is counted first. */
static char *call_of(importer *im, const an__json *object, an_arena *arena)
{
    im->w = (an__lr_writer){0};
    if (!write_object(im, object))
        return NULL;
    size_t size = an__lr_write_end(&im->w) + 1;
    char *text = an_arena_alloc(arena, size);
    if (!text) {
        an_error_set(im->err, AN_ERROR_MEMORY, "memory ran out for a schedule");
        return NULL;
    }
    im->w = (an__lr_writer){.buffer = text, .size = size};
    write_object(im, object);
    an__lr_write_end(&im->w);
    return text;
}

static an_lr_text *import_json(importer *im, const an_allocator *allocator, an_arena *arena)
{
    const an__json *root = an__json_parse(im->source, arena, im->err);
    if (!root || !object_of(im, root))
        return NULL;
    char *call = call_of(im, root, arena);
    return call ? an_lr_parse_text(call, im->run, allocator, im->err) : NULL;
}

an_lr_text *an_lr_import(const char *text, size_t length, const an_lr_run *run,
                         const an_allocator *allocator, an_error *err)
{
    size_t begin = 0;
    an_arena arena;
    an_lr_text *result = NULL;
    while (begin < length && strchr(" \t\r\n", text[begin]) && text[begin])
        begin++;
    if (memchr(text, '\0', length)) {
        an_error_set(err, AN_ERROR_DATA, "a schedule is text, but there is a zero byte in it");
        return NULL;
    }
    an_arena_init(&arena, allocator ? *allocator : an_allocator_default());
    char *copy = an_arena_text(&arena, text, length);
    if (!copy) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a schedule");
    } else if (begin < length && text[begin] == '{') {
        an_spec_source source = an_spec_source_text(copy);
        importer im = {.source = &source, .run = run, .err = err};
        result = import_json(&im, allocator, &arena);
    } else {
        result = an_lr_parse_text(copy, run, allocator, err);
    }
    an_arena_free(&arena);
    return result;
}
