/* A schedule in text, run over groups from the options. */
#include "cli/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RATE 0.1

/* ----------------------------------------------------------------- setting */

bool cli_setting_init(cli_setting *setting, int argc)
{
    *setting = (cli_setting){.momentum = NAN, .beta1 = NAN, .steps = -1};
    setting->rates = calloc((size_t)argc + 1, sizeof *setting->rates);
    if (!setting->rates)
        cli_no_memory();
    return setting->rates;
}

bool cli_take_rate(void *member, const char *value)
{
    cli_setting *setting = member;
    return cli_number("base-lr", value, 0, INFINITY, &setting->rates[setting->group_count++]);
}

bool cli_setting_finish(cli_setting *setting)
{
    if (setting->group_count == 0)
        setting->rates[setting->group_count++] = DEFAULT_RATE;
    if (!isnan(setting->momentum) && !isnan(setting->beta1)) {
        cli_wrong("--momentum and --beta1 exclude each other: an optimizer has one or the other");
        return false;
    }
    if (isnan(setting->momentum))
        setting->momentum = 0;
    return true;
}

void cli_setting_free(cli_setting *setting)
{
    free(setting->rates);
}

/* -------------------------------------------------------------------- text */

static bool read_table(void *user, const char *path, an_arena *arena, an_spec_source *file,
                       an_error *err)
{
    (void)user;
    size_t length;
    char *text = cli_read_file(path, "table", &length, err);
    if (!text)
        return false;
    *file = (an_spec_source){
        .file = path, .text = an_arena_text(arena, text, length), .length = length};
    free(text);
    return file->text || an_error_set(err, AN_ERROR_MEMORY, "memory ran out for '%s'", path);
}

an_lr_text *cli_parse_schedule(const char *text, const an_lr_run *run, an_error *err)
{
    an_arena arena;
    an_lr_text *parsed = NULL;
    an_spec_source source = an_spec_source_text(text), whole;
    an_arena_init(&arena, an_allocator_default());
    if (an_lr_expand(&source, read_table, NULL, &arena, &whole, err)) {
        an_spec *spec = an_spec_parse(&whole, NULL, err);
        if (spec)
            parsed = an_lr_parse(an_spec_where(spec), an_spec_root(spec), run, NULL, err);
        an_spec_free(spec);
    }
    an_arena_free(&arena);
    return parsed;
}

/* --------------------------------------------------------------------- run */

static char *canonical(const an_lr_text *text)
{
    size_t length = an_lr_print(NULL, 0, an_lr_text_desc(text));
    char *name = malloc(length + 1);
    if (name)
        an_lr_print(name, length + 1, an_lr_text_desc(text));
    return name;
}

/* A text takes its length from --steps if another number of steps makes another schedule of it. */
static bool takes_length(const cli_run *run, const char *text, const an_lr_run *fill)
{
    an_lr_run other = {.total_steps = fill->total_steps + 1};
    an_lr_text *longer = cli_parse_schedule(text, &other, NULL);
    char *name = longer ? canonical(longer) : NULL;
    bool differs = name && strcmp(name, run->name) != 0;
    free(name);
    an_lr_text_free(longer);
    return differs;
}

static bool parse(cli_run *run, const char *text, an_error *err)
{
    an_lr_run fill = {.total_steps = run->setting->steps};
    run->text = cli_parse_schedule(text, &fill, err);
    if (!run->text)
        return false;
    run->name = canonical(run->text);
    run->label = run->name ? cli_shortened(run->name) : NULL;
    if (!run->label)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a schedule");
    run->filled = takes_length(run, text, &fill);
    return true;
}

/* Groups as an SGD has them, or with beta1 an Adam. What else a schedule may drive starts from 1.
 */
static bool make_schedule(cli_run *run, an_error *err)
{
    const cli_setting *s = run->setting;
    run->groups = calloc(s->group_count, sizeof *run->groups);
    an_lr_group **groups = calloc(s->group_count, sizeof(an_lr_group *));
    if (!run->groups || !groups) {
        free(groups);
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu groups", s->group_count);
    }
    for (size_t i = 0; i < s->group_count; i++) {
        groups[i] = &run->groups[i];
        an_lr_group_init(groups[i], s->rates[i]);
        if (isnan(s->beta1))
            an_lr_group_set(groups[i], AN_MOMENTUM, s->momentum);
        else
            an_lr_group_set(groups[i], AN_BETA1, s->beta1);
        for (int slot = AN_WEIGHT_DECAY; slot < AN_USER0; slot++)
            an_lr_group_set(groups[i], (an_slot_id)slot, 1);
    }
    an_lr_run facts = {.total_steps = s->steps};
    run->schedule =
        an_lr_new_run(an_lr_text_desc(run->text), &facts, groups, s->group_count, NULL, err);
    free(groups);
    return run->schedule != NULL;
}

static bool read_metrics(cli_run *run, an_error *err)
{
    if (!an_lr_wants_metric(run->schedule))
        return true;
    if (!run->setting->metric_file)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s is stepped with a metric: give --metric-file FILE, with one number "
                            "a line",
                            an_lr_name(an_lr_text_desc(run->text)->kind));
    run->metrics = cli_read_metrics(run->setting->metric_file, (size_t)run->setting->steps, err);
    return run->metrics != NULL;
}

bool cli_run_make(cli_run *run, const char *text, const cli_setting *setting, an_error *err)
{
    *run = (cli_run){.setting = setting};
    return parse(run, text, err) && make_schedule(run, err);
}

bool cli_run_open(cli_run *run, const char *text, const cli_setting *setting, an_error *err)
{
    return cli_run_make(run, text, setting, err) && read_metrics(run, err);
}

void cli_run_close(cli_run *run)
{
    an_lr_free(run->schedule);
    an_lr_text_free(run->text);
    free(run->groups);
    free(run->name);
    free(run->label);
    free(run->metrics);
}

/* ------------------------------------------------------------------ values */

static void step_to(cli_run *run, int64_t step)
{
    for (int64_t at = an_lr_step_count(run->schedule); at < step; at++)
        an_lr_step_metric(run->schedule, run->metrics ? run->metrics[at] : 0);
}

void cli_run_values(cli_run *run, const cli_column *columns, size_t column_count, int64_t first,
                    size_t count, bool closed)
{
    for (size_t c = 0; closed && c < column_count; c++)
        an_lr_values(run->schedule, columns[c].group, columns[c].slot, first, columns[c].values,
                     count);
    for (size_t i = 0; !closed && i < count; i++) {
        step_to(run, first + (int64_t)i);
        for (size_t c = 0; c < column_count; c++)
            columns[c].values[i] = run->groups[columns[c].group].slot[columns[c].slot].value;
    }
}

bool cli_has_schedule(const cli_arguments *rest, const char *example)
{
    if (rest->count == 0)
        cli_wrong("%s needs a schedule, such as '%s'; anneal schedule list names them",
                  rest->command, example);
    return rest->count > 0;
}

const char *cli_one_schedule(const cli_arguments *rest, const char *example)
{
    if (!cli_has_schedule(rest, example))
        return NULL;
    if (rest->count == 1)
        return rest->each[0];
    cli_wrong("%s takes one schedule, got '%s' and '%s'; quote it if it has blanks", rest->command,
              rest->each[0], rest->each[1]);
    return NULL;
}
