/* anneal schedule plot: schedules as lines, in the terminal or to a picture. */
#include "cli/schedule.h"

#include <anneal/report.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_STEPS 10000000
#define DEFAULT_STEPS 100

/* Sizes of text that --width and --height take. */
#define LEAST_COLUMNS 20
#define MOST_COLUMNS 500
#define LEAST_ROWS 5
#define MOST_ROWS 100

/* What says that total_steps was filled in, and the lines that it takes. */
#define FILLED_NOTE "total_steps is the number of steps"
#define NOTE_ROWS 2

typedef struct request {
    cli_setting setting;
    an_slot_id slot;
    const char *output;
    long long width, height; /* 0: not said */
    char **specs;
    size_t spec_count;
} request;

/* One schedule with its lines, one for each group. */
typedef struct drawing {
    cli_run *runs;
    size_t run_count;
    an_series *series;
    char **names;
    size_t series_count;
    double *values;
} drawing;

/* --------------------------------------------------------------- arguments */

static bool take_slot(void *member, const char *value)
{
    request *r = member;
    const char *names[AN_SLOT_COUNT];
    for (int i = 0; i < AN_SLOT_COUNT; i++)
        names[i] = an_slot_name((an_slot_id)i);
    int slot = cli_choice("slot", value, names, AN_SLOT_COUNT);
    r->slot = (an_slot_id)slot;
    return slot >= 0;
}

static const cli_option options[] = {
    CLI_SETTING_OPTIONS(request, MOST_STEPS),
    {"slot", "SLOT", "draw momentum or beta1 instead of lr", CLI_SET_BY(take_slot)},
    {"output", "FILE", "or -o FILE: draw to FILE, an .svg, .png or .pdf",
     CLI_SET_TEXT(request, output)},
    {"width", "COLUMNS", "of the text, 20 to 500 (the window's; elsewhere 80)",
     CLI_SET_INTEGER(request, width, LEAST_COLUMNS, MOST_COLUMNS)},
    {"height", "LINES", "of the text, 5 to 100 (the window's; elsewhere 24)",
     CLI_SET_INTEGER(request, height, LEAST_ROWS, MOST_ROWS)},
};

static const cli_usage usage = {
    .command = "anneal schedule plot",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .letters = "o",
    .about = "Usage: anneal schedule plot SCHEDULE... [OPTION]...\n"
             "Draws one or several schedules, in the terminal or to a picture.\n",
    .more =
        "\nWithout --steps it draws 100. A schedule that needs total_steps and has none gets the\n"
        "number of steps. Text fits the window; it is coloured on a terminal unless NO_COLOR is\n"
        "set, and plain ASCII if the locale has no UTF-8.\n"
        "\nExamples:\n"
        "  anneal schedule plot 'CosineAnnealingLR(T_max=100)' 'LinearLR(total_iters=20)'\n"
        "  anneal schedule plot 'OneCycleLR(max_lr=0.1)' --steps 500 -o one-cycle.svg\n"
        "  anneal schedule plot 'OneCycleLR(max_lr=0.1)' --slot momentum",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (!cli_has_schedule(&rest, "CosineAnnealingLR(T_max=100)"))
        return CLI_WRONG;
    if (r->output && (r->width > 0 || r->height > 0))
        return cli_wrong("--%s is for text; pictures, as --output draws them, have one size",
                         r->width > 0 ? "width" : "height");
    r->specs = rest.each;
    r->spec_count = (size_t)rest.count;
    if (r->setting.steps < 0)
        r->setting.steps = DEFAULT_STEPS;
    return cli_setting_finish(&r->setting) ? CLI_TAKEN : CLI_WRONG;
}

/* ----------------------------------------------------------------- drawing */

static bool open_drawing(drawing *d, const request *r, an_error *err)
{
    size_t groups = r->setting.group_count, points = (size_t)r->setting.steps + 1;
    size_t most = r->spec_count * groups;
    d->runs = calloc(r->spec_count, sizeof *d->runs);
    d->series = calloc(most, sizeof *d->series);
    d->names = calloc(most, sizeof *d->names);
    d->values = calloc(most, points * sizeof *d->values);
    if (!d->runs || !d->series || !d->names || !d->values)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu lines of %zu steps", most,
                            points - 1);
    bool driven = r->slot == AN_LR;
    while (d->run_count < r->spec_count) {
        cli_run *run = &d->runs[d->run_count++];
        if (!cli_run_open(run, r->specs[d->run_count - 1], &r->setting, err))
            return false;
        driven = driven || an_lr_drives(run->schedule, r->slot);
    }
    return driven ||
           an_error_set(err, AN_ERROR_ARGUMENT, "--slot %s: no schedule here drives it%s",
                        an_slot_name(r->slot),
                        r->slot == AN_BETA1 ? "; --beta1 X makes the optimizer an Adam" : "");
}

/* "StepLR(step_size=30)", of several groups with "group 0: " before it. */
static char *line_name(const cli_run *run, size_t group)
{
    size_t size = strlen(run->label) + 40;
    char *name = malloc(size);
    if (name && run->setting->group_count > 1)
        an_format(name, size, "group %zu: %s", group, run->label);
    else if (name)
        an_format(name, size, "%s", run->label);
    return name;
}

static bool add_lines(drawing *d, cli_run *run, an_slot_id slot, an_error *err)
{
    size_t points = (size_t)run->setting->steps + 1, first = d->series_count;
    for (size_t g = 0; g < run->setting->group_count; g++) {
        size_t i = d->series_count++;
        double *values = d->values + i * points;
        d->names[i] = line_name(run, g);
        if (!d->names[i])
            return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a name");
        d->series[i] = (an_series){d->names[i], values, points};
    }
    for (size_t step = 0; step < points; step++)
        for (size_t g = 0; g < run->setting->group_count; g++) {
            cli_column column = {g, slot, d->values + (first + g) * points + step};
            cli_run_values(run, &column, 1, (int64_t)step, 1, false);
        }
    return true;
}

static bool any_filled(const drawing *d)
{
    for (size_t i = 0; i < d->run_count; i++)
        if (d->runs[i].filled)
            return true;
    return false;
}

/*
 * As wide as the window, and as high less a line for the prompt. Lines are about twice as high as
 * columns are wide: in a high and narrow window the plot stays wider than high.
 */
static an_term_canvas canvas_for(const request *r)
{
    int columns = (int)r->width, rows = (int)r->height;
    if (columns == 0)
        columns = an_term_width(STDOUT_FILENO, 80);
    int most = columns * 3 / 8;
    if (rows == 0)
        rows = an_term_height(STDOUT_FILENO, 24) - 1;
    if (r->height == 0 && rows > most)
        rows = most;
    return (an_term_canvas){
        .columns = columns, .rows = rows, .unicode = cli_unicode(), .colour = cli_colour()};
}

static bool draw_in_terminal(const drawing *d, const request *r, const an_plot *plot, an_error *err)
{
    an_term_canvas canvas = canvas_for(r);
    bool note = any_filled(d) && canvas.columns >= (int)strlen(FILLED_NOTE) &&
                canvas.rows >= LEAST_ROWS + NOTE_ROWS;
    canvas.rows -= note ? NOTE_ROWS : 0;
    size_t size = an_term_plot(NULL, 0, plot, &canvas) + 1;
    char *text = malloc(size);
    if (!text)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a plot");
    an_term_plot(text, size, plot, &canvas);
    fputs(text, stdout);
    free(text);
    if (note)
        puts("\n" FILLED_NOTE);
    return cli_flush(err);
}

/* A signal in the middle would leave a temporary file. */
static bool draw_to_file(const an_plot *plot, const char *path, an_error *err)
{
    cli_catch_signals();
    cli_enter(CLI_SAVING);
    bool drawn = an_report_plot(plot, path, NULL, err);
    cli_enter(CLI_FREE);
    return drawn;
}

static bool draw(drawing *d, const request *r, an_error *err)
{
    an_picture kind;
    if (r->output && !an_picture_of(r->output, &kind, err))
        return false;
    if (!open_drawing(d, r, err))
        return false;
    for (size_t i = 0; i < d->run_count; i++)
        if (!add_lines(d, &d->runs[i], r->slot, err))
            return false;
    an_plot plot = {"step", an_slot_name(r->slot), d->series, d->series_count};
    return r->output ? draw_to_file(&plot, r->output, err) : draw_in_terminal(d, r, &plot, err);
}

static void close_drawing(drawing *d)
{
    for (size_t i = 0; i < d->run_count; i++)
        cli_run_close(&d->runs[i]);
    for (size_t i = 0; i < d->series_count; i++)
        free(d->names[i]);
    free(d->runs);
    free(d->series);
    free(d->names);
    free(d->values);
}

int cli_schedule_plot(int argc, char **argv)
{
    request r = {.slot = AN_LR};
    drawing d = {0};
    an_error err = {0};
    if (!cli_setting_init(&r.setting, argc))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = draw(&d, &r, &err) ? CLI_DONE : cli_fail(&err);
    close_drawing(&d);
    cli_setting_free(&r.setting);
    return status;
}
