/* What stands above and below the training's own lines. */
#include "cli/cli.h"

#include <anneal/term.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SPARK_CELLS 18
#define SPARK_LEAST 8
#define SPARK_VALUES 256

/* 60000 as "60,000", in a buffer of the caller's. */
static const char *count_text(char *buffer, size_t size, int64_t value)
{
    an_term_count(buffer, size, value);
    return buffer;
}

/* Images are kept as (channels, height, width) and shown as height x width x channels. */
static void print_shape(FILE *stream, an_shape shape, const char *times)
{
    bool image = shape.ndim == 3;
    for (int i = 0; i < shape.ndim; i++)
        fprintf(stream, "%s%lld", i ? times : "", (long long)shape.dim[image ? (i + 1) % 3 : i]);
}

/* The sets that go by their folder's usual name; any other is shown by its path. */
static const char *data_name(const char *path)
{
    static const char *const known[][2] = {{"mnist", "MNIST"},
                                           {"fashion-mnist", "Fashion-MNIST"},
                                           {"kmnist", "KMNIST"},
                                           {"emnist", "EMNIST"}};
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(slash ? slash + 1 : path, known[i][0]) == 0)
            return known[i][1];
    return path;
}

/* What is counted of data: samples, or the tokens of a text. */
static int64_t counted(const an_dataset *data)
{
    bool tokens = an_dataset_kind(data) == AN_DATA_TOKENS;
    return an_dataset_count(data) * (tokens ? an_dataset_shape(data).dim[0] : 1);
}

/* What a sample is. Only where bytes are the tokens, the last of 256 is a byte. */
static void print_kind(FILE *stream, const an_dataset *data, bool unicode)
{
    char token[4];
    const an_shape shape = an_dataset_shape(data);
    const int32_t classes = an_dataset_classes(data);
    if (an_dataset_kind(data) == AN_DATA_TOKENS) {
        bool bytes = classes == 256 && an_text_token(data, 255, token) == 1;
        fprintf(stream, "tokens of %d different %s, context %lld", (int)classes,
                bytes ? "bytes" : "characters", (long long)shape.dim[0]);
        return;
    }
    print_shape(stream, shape, unicode ? "×" : "x");
    if (an_dataset_kind(data) == AN_DATA_FLOATS)
        fputs(" floats", stream);
}

static void print_data(FILE *stream, const an_run *run, bool unicode)
{
    char count[32];
    const char *dot = unicode ? " · " : ", ";
    fprintf(stream, "data       %s  %s train", data_name(run->data_path),
            count_text(count, sizeof count, counted(run->train_data)));
    if (run->valid_data)
        fprintf(stream, "%s%s validation", dot,
                count_text(count, sizeof count, counted(run->valid_data)));
    fprintf(stream, "%s%s test  ", dot, count_text(count, sizeof count, counted(run->test_data)));
    print_kind(stream, run->train_data, unicode);
    fputc('\n', stream);
}

/* "Flatten()" as "Flatten". */
static int shown_length(const char *layer)
{
    size_t length = strlen(layer);
    return (int)(length > 2 && strcmp(layer + length - 2, "()") == 0 ? length - 2 : length);
}

/*
 * A line of the summary that is not wider than the window: what does not fit goes to the next one,
 * below the first value.
 */
typedef struct paragraph {
    FILE *stream;
    int width; /* of the window; 0: any width */
    int at;    /* columns written */
} paragraph;

#define INDENT 11
#define GAP_MOST 3

static bool has_room(const paragraph *p, int columns)
{
    return p->width == 0 || p->at + columns <= p->width;
}

static void add(paragraph *p, const char *text)
{
    fputs(text, p->stream);
    p->at += an_term_columns(text);
}

static void break_line(paragraph *p)
{
    fprintf(p->stream, "\n%*s", INDENT, "");
    p->at = INDENT;
}

/* The text after a gap of three columns, fewer where the line is short of them, or a new line. */
static void add_apart(paragraph *p, const char *text)
{
    int gap = GAP_MOST, columns = an_term_columns(text);
    while (gap > 0 && !has_room(p, gap + columns))
        gap--;
    if (gap > 1)
        fprintf(p->stream, "%*s", gap, "");
    else
        break_line(p);
    p->at += gap > 1 ? gap : 0;
    add(p, text);
}

/* The model breaks before an arrow. */
static void print_model(FILE *stream, const an_run *run, bool unicode, int width)
{
    char text[256], count[32];
    paragraph p = {.stream = stream, .width = width};
    add(&p, "model      ");
    for (size_t i = 0; i < an_model_layer_count(run->model); i++) {
        const char *layer = an_model_layer_text(run->model, i);
        const char *arrow = i == 0 ? "" : unicode ? "→ " : "-> ";
        an_format(text, sizeof text, "%s%.*s", arrow, shown_length(layer), layer);
        if (i > 0 && has_room(&p, 1 + an_term_columns(text)))
            add(&p, " ");
        else if (i > 0)
            break_line(&p);
        add(&p, text);
    }
    count_text(count, sizeof count, an_params_size(an_model_params(run->model)));
    an_format(text, sizeof text, "%s parameters", count);
    add_apart(&p, text);
    fputc('\n', stream);
}

/*
 * The rate of group 0 where `part` of the run is done, of which the last step is `last`. Under a
 * budget the steps that will be done by then are guessed from those of the time so far.
 */
static double rate_at(const an_lr_schedule *schedule, const an_fit_options *fit, int64_t last,
                      double part)
{
    if (fit->budget == 0)
        return an_lr_at_step(schedule, 0, (int64_t)((double)last * part));
    const double seconds = fit->budget * part;
    const an_lr_clock now = an_lr_now(schedule);
    const double times = now.seconds > 0 ? seconds / now.seconds : 0;
    const an_lr_clock then = {.steps = now.seconds > 0 ? now.steps * times : (double)last * part,
                              .epochs = now.epochs * times,
                              .samples = now.samples * times,
                              .tokens = now.tokens * times,
                              .seconds = seconds};
    return an_lr_at_clock(schedule, 0, AN_LR, &then);
}

/*
 * The rate of group 0 over the planned run, where it can be foretold. In a narrow window it has
 * fewer cells before it goes to the next line.
 */
static void add_spark(paragraph *p, const an_fit_options *fit, const an_lr_schedule *schedule,
                      bool unicode)
{
    double values[SPARK_VALUES];
    char text[4 * SPARK_CELLS + 1];
    int64_t each = an_fit_steps_per_epoch(fit), steps = an_fit_total_steps(fit);
    int64_t last = (fit->interval == AN_INTERVAL_STEP ? steps : (steps + each - 1) / each) - 1;
    if (an_lr_wants_metric(schedule) || last < 1)
        return;
    for (int i = 0; i < SPARK_VALUES; i++)
        values[i] = rate_at(schedule, fit, last, (double)i / (SPARK_VALUES - 1));
    int cells = SPARK_CELLS;
    while (cells > SPARK_LEAST && !has_room(p, GAP_MOST + cells))
        cells--;
    if (!has_room(p, 2 + cells))
        cells = SPARK_CELLS;
    an_term_sparkline(text, sizeof text, values, SPARK_VALUES, cells, unicode);
    add_apart(p, text);
}

/* The text word by word: it goes on below its beginning. */
static void add_words(paragraph *p, const char *text)
{
    char word[256];
    while (*text) {
        size_t length = strcspn(text, " ");
        an_format(word, sizeof word, "%.*s", (int)length, text);
        if (p->at > INDENT && has_room(p, 1 + an_term_columns(word)))
            add(p, " ");
        else if (p->at > INDENT)
            break_line(p);
        add(p, word);
        text += length + strspn(text + length, " ");
    }
}

/* What is probably not meant, and what was; remarks on what comes after the run are left out. */
static void print_warnings(FILE *stream, const an_lint *lint, int width)
{
    for (size_t i = 0; i < an_lint_count(lint); i++) {
        const an_lint_finding *f = an_lint_get(lint, i);
        paragraph p = {.stream = stream, .width = width};
        if (f->after_run)
            continue;
        fprintf(stream, "%*s", INDENT, "");
        p.at = INDENT;
        add_words(&p, "warning:");
        add_words(&p, f->text);
        char *fix = f->fix ? cli_shortened(f->fix) : NULL;
        if (fix) {
            break_line(&p);
            add_words(&p, "better:");
            add_words(&p, fix);
        }
        free(fix);
        fputc('\n', stream);
    }
}

/* What became of the schedule while the run trained. */
static void print_course(FILE *stream, const char *course, int width)
{
    paragraph p = {.stream = stream, .width = width};
    char *text = cli_shortened(course);
    add(&p, "course     ");
    add_words(&p, text ? text : "");
    free(text);
    fputc('\n', stream);
}

/* When the schedule goes on; under a budget, how long the steps of its plan take. */
static void add_pace(paragraph *p, const an_run *run, const an_lr_schedule *schedule)
{
    char text[96], count[32], seconds[32];
    const an_lr_run plan = an_lr_run_of(schedule);
    if (plan.seconds <= 0 || plan.total_steps <= 0) {
        add_apart(p, run->fit.interval == AN_INTERVAL_STEP ? "per step" : "per epoch");
        return;
    }
    an_term_duration(seconds, sizeof seconds, plan.seconds);
    an_format(text, sizeof text, "its %s steps stretched over %s",
              count_text(count, sizeof count, plan.total_steps), seconds);
    add_apart(p, text);
}

static void print_schedule(FILE *stream, const an_run *run, const an_lr_schedule *schedule,
                           bool unicode, int width)
{
    paragraph p = {.stream = stream, .width = width};
    char *text = cli_shortened(run->schedule_text);
    add(&p, "schedule   ");
    add(&p, text ? text : "");
    free(text);
    add_pace(&p, run, schedule);
    add_spark(&p, &run->fit, schedule, unicode);
    fputc('\n', stream);
    if (run->course_text)
        print_course(stream, run->course_text, width);
    if (run->schedule_lint)
        print_warnings(stream, run->schedule_lint, width);
}

static void print_average(FILE *stream, const an_run *run, int width)
{
    paragraph p = {.stream = stream, .width = width};
    add(&p, "average    ");
    add(&p, an_average_text(run->average));
    add_apart(&p, "evaluated and saved");
    fputc('\n', stream);
}

void cli_summary(FILE *stream, const an_run *run, const struct an_lr_schedule *schedule,
                 bool unicode, int width)
{
    print_data(stream, run, unicode);
    print_model(stream, run, unicode, width);
    fprintf(stream, "optimizer  %s\n", an_optim_text(run->optim));
    if (run->average)
        print_average(stream, run, width);
    if (schedule)
        print_schedule(stream, run, schedule, unicode, width);
    fflush(stream);
}

/* ------------------------------------------------------------------ results */

const char *cli_test_name(const an_metric *metric, char text[CLI_METRIC])
{
    an_format(text, CLI_METRIC, "test_%s", metric->valid + strlen("valid_"));
    return text + strlen("test_");
}

static void add_metrics(paragraph *p, const cli_result *result)
{
    char name[CLI_METRIC], number[40], text[CLI_METRIC + 48];
    for (size_t i = 0; i < result->metric_count; i++) {
        an_term_number(number, sizeof number, result->test.metrics[i]);
        an_format(text, sizeof text, "%s %s", cli_test_name(&result->metrics[i], name), number);
        add_apart(p, text);
    }
}

/* "runs/mnist-mlp-3f2a   (anneal report mnist-mlp-3f2a)" */
static void add_folder(paragraph *p, const char *folder)
{
    char text[512];
    const char *slash = strrchr(folder, '/'), *name = slash ? slash + 1 : folder;
    int length = slash ? (int)(slash - folder) : 0;
    bool usual = !slash || (length == 4 && memcmp(folder, "runs", 4) == 0);
    add_apart(p, folder);
    an_format(text, sizeof text, "(anneal report %s%s%.*s)", name, usual ? "" : " --runs ",
              usual ? 0 : length, folder);
    add_apart(p, text);
}

void cli_result_text(FILE *stream, const cli_result *result, int width)
{
    char text[96], seconds[32], loss[40];
    const double accuracy = result->test.accuracy;
    paragraph p = {.stream = stream, .width = width};
    an_term_duration(seconds, sizeof seconds, result->fit.last.seconds);
    an_term_number(loss, sizeof loss, result->test.loss);
    snprintf(text, sizeof text, "test accuracy %.1f %%", 100 * accuracy);
    if (accuracy != accuracy)
        an_format(text, sizeof text, "test loss %s", loss);
    add(&p, text);
    add_metrics(&p, result);
    add_apart(&p, seconds);
    if (result->folder)
        add_folder(&p, result->folder);
    fputc('\n', stream);
}

static void json_integer(const char *name, int64_t value)
{
    printf("\"%s\": %lld, ", name, (long long)value);
}

/* The most memory that the process has held, in bytes. */
static int64_t peak_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

void cli_result_json(const cli_result *r)
{
    char name[CLI_METRIC];
    putchar('{');
    cli_put_json_member("test_accuracy", r->test.accuracy);
    cli_put_json_member("test_loss", r->test.loss);
    for (size_t i = 0; i < r->metric_count; i++) {
        cli_test_name(&r->metrics[i], name);
        cli_put_json_member(name, r->test.metrics[i]);
    }
    json_integer("epochs", r->fit.last.epoch);
    json_integer("steps", r->fit.last.step);
    json_integer("parameters", r->parameters);
    cli_put_json_member("seconds", r->fit.last.seconds);
    cli_put_json_member("startup_seconds", r->startup_seconds);
    json_integer("peak_memory_bytes", peak_memory());
    json_integer("seed", r->seed);
    json_integer("threads", r->threads);
    fputs("\"run\": ", stdout);
    if (r->folder)
        cli_put_json(r->folder);
    else
        fputs("null", stdout);
    printf(", \"stopped\": %s}\n", r->fit.stopped ? "true" : "false");
}
