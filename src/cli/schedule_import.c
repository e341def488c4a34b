/* anneal schedule import: a schedule of another system in Anneal's own text. */
#include "cli/schedule.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 1000000000000

typedef struct request {
    const char *input;
    long long steps, steps_per_epoch;
} request;

static const cli_option options[] = {
    {"steps", "N", "the run steps the schedule N times",
     CLI_SET_INTEGER(request, steps, 1, MOST_STEPS)},
    {"steps-per-epoch", "M", "an epoch has M updates",
     CLI_SET_INTEGER(request, steps_per_epoch, 1, MOST_STEPS)},
};

static const cli_usage usage = {
    .command = "anneal schedule import",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule import CALL|FILE|- [OPTION]...\n"
        "Prints a schedule of transformers, timm, optax, Keras, DeepSpeed, Composer and others in\n"
        "Anneal's own text, with the conventions of the system. CALL is what stands in a program "
        "of\n"
        "theirs; FILE, or - for the standard input, holds a call or a JSON object: Keras's\n"
        "get_config, DeepSpeed's configuration, get_scheduler's arguments, timm's options, or\n"
        "{\"_target_\": NAME} with the arguments beside it.\n",
    .more = "\nExamples:\n"
            "  anneal schedule import 'get_cosine_schedule_with_warmup(optimizer, 100, 1000)'\n"
            "  anneal schedule import '{\"class_name\": \"CosineDecay\", \"config\": "
            "{\"initial_learning_rate\": 0.1, \"decay_steps\": 1000}}'\n"
            "  echo '{\"type\": \"WarmupLR\", \"params\": {\"warmup_num_steps\": 100}}' | anneal "
            "schedule import -",
};

static int parse(request *r, int argc, char **argv)
{
    return cli_take_one(&usage, argc, argv, r,
                        "one schedule: a call, a file, or - for the standard input", &r->input);
}

/* A call has a bracket and an object a brace; any other word is a file. */
static char *read_input(const char *input, size_t *length, an_error *err)
{
    if (strcmp(input, "-") == 0)
        return cli_read_stdin("schedule", length, err);
    if (!strpbrk(input, "({"))
        return cli_read_file(input, "schedule", length, err);
    *length = strlen(input);
    char *copy = malloc(*length + 1);
    if (!copy)
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a schedule");
    else
        memcpy(copy, input, *length + 1);
    return copy;
}

static bool import(const request *r, an_error *err)
{
    size_t length;
    const an_lr_run run = {.total_steps = r->steps, .steps_per_epoch = r->steps_per_epoch};
    char *input = read_input(r->input, &length, err);
    an_lr_text *text = input ? an_lr_import(input, length, &run, NULL, err) : NULL;
    free(input);
    if (!text)
        return false;
    size_t size = an_lr_print(NULL, 0, an_lr_text_desc(text)) + 1;
    char *name = malloc(size);
    if (name) {
        an_lr_print(name, size, an_lr_text_desc(text));
        puts(name);
    } else {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a schedule");
    }
    free(name);
    an_lr_text_free(text);
    return name && cli_flush(err);
}

int cli_schedule_import(int argc, char **argv)
{
    request r = {.input = "-"};
    an_error err = {0};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = import(&r, &err) ? CLI_DONE : cli_fail(&err);
    return status;
}
