#include "track/line.h"
#include "track/trail.h"

#include <anneal/term.h>

#include <math.h>

#define GAP "   "
#define GAP_NARROW "  "
#define BAR_MOST 27
#define BAR_LEAST 8
#define DRAW_EVERY 0.05 /* seconds */
#define ERASE_TO_END "\033[K"
#define FIELD_SIZE 64
#define SPARK_CELLS 8

/* What a line may show besides the epoch; it all is there where the window is wide enough. */
enum {
    BAR = 1 << 0,
    BATCHES = 1 << 1,
    LOSS = 1 << 2,
    ACCURACY = 1 << 3,
    VALID_LOSS = 1 << 4,
    VALID_ACCURACY = 1 << 5,
    RATE = 1 << 6,
    SPEED = 1 << 7,
    TIME = 1 << 8,    /* the epoch's, or how long the run will still take */
    WIDE = 1 << 9,    /* gaps of three columns, not of two */
    SPARKS = 1 << 10, /* curves behind loss and rate, of live lines */
    METRICS = 1 << 11,
    EVERYTHING = (1 << 12) - 1
};

/*
 * What goes first where the window is narrow, and so on. A finished line needs no bar and no count
 * of batches: both are full.
 */
static const unsigned gone_live[] = {SPARKS,   SPEED,          BAR,        WIDE, METRICS,
                                     ACCURACY, VALID_ACCURACY, VALID_LOSS, TIME, LOSS,
                                     BATCHES,  RATE,           0};
static const unsigned gone_finished[] = {
    SPEED, BAR, WIDE, BATCHES, METRICS, ACCURACY, VALID_ACCURACY, TIME, VALID_LOSS, LOSS, RATE, 0};

/* -------------------------------------------------------------------- the line's pieces */

static void add_batches(an_line *line, const an_record *record)
{
    char text[FIELD_SIZE];
    an_format(text, sizeof text, " %lld/%lld", (long long)record->batch,
              (long long)record->batches);
    an__line_add(line, text);
}

/* Of the whole run, at its speed so far. Unknown before the first update. */
static void add_eta(an_line *line, const char *gap, const an_record *record)
{
    int64_t left = record->steps - record->step;
    double seconds = record->budget - record->seconds;
    if (record->budget <= 0) {
        if (record->step < 1 || left < 0)
            return;
        seconds = record->seconds / (double)record->step * (double)left;
    }
    char text[FIELD_SIZE];
    an_term_duration(text, sizeof text, seconds > 0 ? seconds : 0);
    an__line_add(line, gap);
    an__line_add(line, "eta ");
    an__line_add(line, text);
}

static void add_epoch_time(an_line *line, const char *gap, const an_record *record)
{
    char text[FIELD_SIZE];
    an_term_duration(text, sizeof text, record->epoch_seconds);
    an__line_add(line, gap);
    an__line_add(line, text);
}

/* A curve takes two values. */
static void add_spark(an_line *line, const an_progress *progress, const double *values)
{
    char text[4 * SPARK_CELLS + 1];
    if (progress->trail.count < 2)
        return;
    an_term_sparkline(text, sizeof text, values, (size_t)progress->trail.count, SPARK_CELLS,
                      progress->unicode);
    an__line_add(line, " ");
    an__line_add(line, text);
}

/* What stands right of the bar. */
static void add_right(an_line *line, const an_progress *progress, const an_record *record,
                      bool finished, unsigned shown)
{
    static const struct {
        unsigned field;
        void (*add)(an_line *line, const char *gap, const an_record *record);
    } fields[] = {{LOSS, an__line_loss},
                  {ACCURACY, an__line_accuracy},
                  {VALID_LOSS, an__line_valid_loss},
                  {VALID_ACCURACY, an__line_valid_accuracy},
                  {METRICS, an__line_metrics},
                  {RATE, an__line_rates},
                  {SPEED, an__line_speed}};
    const char *gap = shown & WIDE ? GAP : GAP_NARROW;
    if (shown & BATCHES)
        add_batches(line, record);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!(shown & fields[i].field))
            continue;
        fields[i].add(line, gap, record);
        if ((shown & SPARKS) && fields[i].field == LOSS)
            add_spark(line, progress, progress->trail.loss);
        if ((shown & SPARKS) && fields[i].field == RATE && record->groups > 0)
            add_spark(line, progress, progress->trail.rate);
    }
    if (!(shown & TIME))
        return;
    if (finished)
        add_epoch_time(line, gap, record);
    else
        add_eta(line, gap, record);
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

/* Ends the text before column `columns` + 1. */
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
 * The line with the fields of `shown`; true if it fits. The bar takes the columns that the rest
 * leaves, from BAR_LEAST to BAR_MOST.
 */
static bool compose(an_line *line, const an_progress *progress, const an_record *record,
                    bool finished, unsigned shown, int columns)
{
    an_line right = {.length = 0};
    line->length = 0;
    an__line_epoch(line, record);
    add_right(&right, progress, record, finished, shown);
    int left = columns - an_term_columns(line->text) - an_term_columns(right.text);
    if (shown & BAR) {
        int bar = left - 1 > BAR_LEAST ? left - 1 : BAR_LEAST;
        add_bar(line, progress, record, bar < BAR_MOST ? bar : BAR_MOST);
        left -= 1 + BAR_LEAST;
    }
    an__line_add(line, right.text);
    return left >= 0;
}

/*
 * Fields go whole until the line fits; only the epoch itself is ever cut. The last column stays
 * free: a terminal that has written it may erase or wrap it.
 */
static void fit(an_line *line, const an_progress *progress, const an_record *record, bool finished)
{
    int columns = progress->width > 1 ? progress->width - 1 : 0;
    const unsigned *gone = finished ? gone_finished : gone_live;
    unsigned shown = finished ? EVERYTHING & ~(unsigned)SPARKS : EVERYTHING;
    while (!compose(line, progress, record, finished, shown, columns) && *gone)
        shown &= ~*gone++;
    cut(line, columns);
}

static void draw(an_progress *progress, const an_record *record, bool finished)
{
    an_line line = {.length = 0};
    fit(&line, progress, record, finished);
    fprintf(progress->stream, "\r%s" ERASE_TO_END "%s", line.text, finished ? "\n" : "");
    fflush(progress->stream);
    progress->open = !finished;
    progress->drawn_at = record->seconds;
}

/* ------------------------------------------------------------------------- the callbacks */

static void train_begin(void *user, const an_record *record, an_control *control)
{
    (void)record;
    (void)control;
    an_progress *progress = user;
    progress->drawn_at = -INFINITY;
    progress->open = false;
    an__trail_begin(&progress->trail);
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    (void)control;
    an_progress *progress = user;
    an__trail_add(&progress->trail, record);
    if (record->seconds - progress->drawn_at >= DRAW_EVERY)
        draw(progress, record, false);
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    (void)control;
    draw(user, record, true);
}

/* A run that was stopped within an epoch leaves its last state as a line. */
static void train_end(void *user, const an_record *record, an_control *control)
{
    (void)control;
    an_progress *progress = user;
    if (progress->open)
        draw(progress, record, true);
}

/* The event takes the live line's place, which is drawn again below it. */
static void event(void *user, const an_record *record, const an_event *event)
{
    an_progress *progress = user;
    an_line line = {.length = 0};
    an__line_event(&line, event);
    fprintf(progress->stream, "%s%s\n", progress->open ? "\r" ERASE_TO_END : "", line.text);
    if (progress->open)
        draw(progress, record, false);
    fflush(progress->stream);
}

void an_progress_init(an_progress *progress, FILE *stream, int width, bool unicode)
{
    *progress =
        (an_progress){.stream = stream, .width = width, .unicode = unicode, .drawn_at = -INFINITY};
    an__trail_begin(&progress->trail);
}

an_callback an_progress_callback(an_progress *progress)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = batch_end,
                         .epoch_end = epoch_end,
                         .train_end = train_end,
                         .event = event,
                         .user = progress};
}
