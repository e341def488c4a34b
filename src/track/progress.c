#include "track/line.h"

#include <anneal/term.h>

#include <math.h>

#define GAP "   "
#define BAR_MOST 27
#define BAR_LEAST 8
#define DRAW_EVERY 0.05 /* seconds */
#define ERASE_TO_END "\033[K"
#define FIELD_SIZE 64

/* -------------------------------------------------------------------- the line's pieces */

static void add_batches(an_line *line, const an_record *record)
{
    char text[FIELD_SIZE];
    an_format(text, sizeof text, " %lld/%lld", (long long)record->batch,
              (long long)record->batches);
    an__line_add(line, text);
}

/* Of the whole run, at its speed so far. Unknown before the first update. */
static void add_eta(an_line *line, const an_progress *progress, const an_record *record)
{
    int64_t left = progress->info.steps - record->step;
    if (record->step < 1 || left < 0)
        return;
    char text[FIELD_SIZE];
    an_term_duration(text, sizeof text, record->seconds / (double)record->step * (double)left);
    an__line_add(line, GAP "eta ");
    an__line_add(line, text);
}

static void add_epoch_time(an_line *line, const an_record *record)
{
    char text[FIELD_SIZE];
    an_term_duration(text, sizeof text, record->epoch_seconds);
    an__line_add(line, GAP);
    an__line_add(line, text);
}

/* What stands right of the bar. The speed is the first to go when the window is narrow. */
static void add_right(an_line *line, const an_progress *progress, const an_record *record,
                      bool finished, bool speed)
{
    add_batches(line, record);
    an__line_metrics(line, GAP, record);
    an__line_rates(line, GAP, record);
    if (speed)
        an__line_speed(line, GAP, record);
    if (finished)
        add_epoch_time(line, record);
    else
        add_eta(line, progress, record);
}

static void add_bar(an_line *line, const an_progress *progress, const an_record *record,
                    int columns)
{
    char text[4 * BAR_MOST];
    double fraction = record->batches > 0 ? (double)record->batch / (double)record->batches : 0;
    an_term_bar(text, sizeof text, columns, fraction, progress->unicode);
    an__line_add(line, " ");
    an__line_add(line, text);
}

/* Ends the text before column `columns` + 1, and never inside a character. */
static void cut(an_line *line, int columns)
{
    size_t at = 0;
    for (int seen = 0; at < line->length; at++) {
        bool begins = ((unsigned char)line->text[at] & 0xC0) != 0x80;
        if (begins && ++seen > columns)
            break;
    }
    line->text[at] = '\0';
    line->length = at;
}

/*
 * The bar takes the columns that the rest leaves, up to BAR_MOST. The last column stays free:
 * a terminal that has written it may erase or wrap it.
 */
static void compose(an_line *line, const an_progress *progress, const an_record *record,
                    bool finished)
{
    int columns = progress->width - 1;
    an_line right = {.length = 0};
    an__line_epoch(line, record);
    int left = columns - an_term_columns(line->text) - 1;
    add_right(&right, progress, record, finished, true);
    if (left - an_term_columns(right.text) < BAR_LEAST) {
        right = (an_line){.length = 0};
        add_right(&right, progress, record, finished, false);
    }
    int bar = left - an_term_columns(right.text);
    bar = bar < BAR_LEAST ? BAR_LEAST : bar;
    add_bar(line, progress, record, bar < BAR_MOST ? bar : BAR_MOST);
    an__line_add(line, right.text);
    cut(line, columns > 0 ? columns : 0);
}

static void draw(an_progress *progress, const an_record *record, bool finished)
{
    an_line line = {.length = 0};
    compose(&line, progress, record, finished);
    fprintf(progress->stream, "\r%s" ERASE_TO_END "%s", line.text, finished ? "\n" : "");
    fflush(progress->stream);
    progress->open = !finished;
    progress->drawn_at = record->seconds;
}

/* ------------------------------------------------------------------------- the callbacks */

static void train_begin(void *user, const an_run_info *info)
{
    an_progress *progress = user;
    progress->info = *info;
    progress->drawn_at = -INFINITY;
    progress->open = false;
}

static void batch_end(void *user, const an_record *record)
{
    an_progress *progress = user;
    if (record->seconds - progress->drawn_at >= DRAW_EVERY)
        draw(progress, record, false);
}

static void epoch_end(void *user, const an_record *record)
{
    draw(user, record, true);
}

/* A run that was stopped within an epoch leaves its last state as a line. */
static void train_end(void *user, const an_record *record)
{
    an_progress *progress = user;
    if (progress->open)
        draw(progress, record, true);
}

void an_progress_init(an_progress *progress, FILE *stream, int width, bool unicode)
{
    *progress =
        (an_progress){.stream = stream, .width = width, .unicode = unicode, .drawn_at = -INFINITY};
}

an_callback an_progress_callback(an_progress *progress)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = batch_end,
                         .epoch_end = epoch_end,
                         .train_end = train_end,
                         .user = progress};
}
