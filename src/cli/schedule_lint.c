/* anneal schedule lint: what in a schedule is probably not meant, and what was meant instead. */
#include "cli/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 1000000000000

enum {
    OPTION_STEPS,
    OPTION_EPOCH,
    OPTION_INTERVAL,
    OPTION_BASE_LR,
    OPTION_MOMENTUM,
    OPTION_BETA1,
    OPTION_OPTIMIZER,
    OPTION_FORMAT,
    OPTION_HELP
};

static const cli_option options[] = {
    [OPTION_STEPS] = {"steps", "N", "the run steps the schedule N times"},
    [OPTION_EPOCH] = {"steps-per-epoch", "M", "an epoch has M updates"},
    [OPTION_INTERVAL] = {"interval", "step|epoch",
                         "the schedule is stepped after every update (step) or epoch"},
    [OPTION_BASE_LR] = {"base-lr", "X", "the optimizer's lr; once for each parameter group"},
    [OPTION_MOMENTUM] = {"momentum", "X", "the optimizer's momentum"},
    [OPTION_BETA1] = {"beta1", "X", "the optimizer is an Adam with this beta1"},
    [OPTION_OPTIMIZER] = {"optimizer", "NAME", "the optimizer's name, such as Rprop"},
    [OPTION_FORMAT] = {"format", "text|json", "how to print the findings (text)"},
    [OPTION_HELP] = {"help", NULL, "this text"},
};

#define OPTION_COUNT (sizeof options / sizeof *options)

static const char *const intervals[] = {"step", "epoch"};
enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json"};

typedef struct request {
    cli_setting setting;
    const char *spec, *optimizer;
    long long steps_per_epoch;
    int interval, format;
    bool help;
} request;

static void print_help(void)
{
    puts("Usage: anneal schedule lint SCHEDULE --steps N [OPTION]...\n"
         "Says what in a schedule is probably not meant, for a run that steps it N times, and "
         "writes\nit as it was probably meant. Without --base-lr, --momentum or --beta1 it is not "
         "asked\nwhether the optimizer's own values are used. A remark is about what happens only "
         "if the\nrun goes on after its N steps. The exit status is 0 without warnings, 1 with.\n");
    cli_print_options(stdout, options, OPTION_COUNT);
    puts("\nExamples:\n"
         "  anneal schedule lint 'CosineAnnealingLR(T_max=100)' --steps 100\n"
         "  anneal schedule lint 'OneCycleLR(max_lr=0.1)' --steps 9380 --steps-per-epoch 938 "
         "--base-lr 0.1");
}

/* --------------------------------------------------------------- arguments */

static bool take_option(void *user, int option, const char *value)
{
    request *r = user;
    switch (option) {
    case OPTION_STEPS:
        return cli_setting_take(&r->setting, CLI_STEPS, value);
    case OPTION_BASE_LR:
        return cli_setting_take(&r->setting, CLI_BASE_LR, value);
    case OPTION_MOMENTUM:
        return cli_setting_take(&r->setting, CLI_MOMENTUM, value);
    case OPTION_BETA1:
        return cli_setting_take(&r->setting, CLI_BETA1, value);
    case OPTION_EPOCH:
        return cli_integer("steps-per-epoch", value, 1, MOST_STEPS, &r->steps_per_epoch);
    case OPTION_INTERVAL:
        r->interval = cli_choice("interval", value, intervals, 2);
        return r->interval >= 0;
    case OPTION_OPTIMIZER:
        r->optimizer = value;
        return true;
    case OPTION_FORMAT:
        r->format = cli_choice("format", value, formats, 2);
        return r->format >= 0;
    default:
        r->help = true;
        return true;
    }
}

static int parse(request *r, int argc, char **argv)
{
    cli_arguments arguments = {argc, argv, options, OPTION_COUNT, "anneal schedule lint", ""};
    int rest;
    if (!cli_take_options(&arguments, take_option, r, &rest))
        return CLI_WRONG;
    if (r->help)
        return CLI_DONE;
    r->spec = cli_one_schedule(&arguments, rest, "CosineAnnealingLR(T_max=100)");
    if (!r->spec)
        return CLI_WRONG;
    if (r->setting.steps < 1)
        return cli_wrong("anneal schedule lint needs --steps N, how often the schedule is stepped "
                         "in the run");
    if (r->setting.has_momentum && !isnan(r->setting.beta1))
        return cli_wrong("--momentum and --beta1 exclude each other: an optimizer has one or the "
                         "other");
    return CLI_DONE;
}

/* ------------------------------------------------------------------ looking */

/* A group as far as the options tell of it. */
static void make_group(an_lr_group *group, const request *r, size_t index)
{
    const cli_setting *s = &r->setting;
    *group = (an_lr_group){0};
    if (index < s->group_count)
        an_lr_group_set(group, AN_LR, s->rates[index]);
    if (s->has_momentum)
        an_lr_group_set(group, AN_MOMENTUM, s->momentum);
    if (!isnan(s->beta1))
        an_lr_group_set(group, AN_BETA1, s->beta1);
}

static an_lr_run facts(const request *r)
{
    an_lr_run run = {.total_steps = r->setting.steps};
    if (r->interval == 1) {
        run.epochs = run.total_steps;
        run.steps_per_epoch = 1;
    } else if (r->steps_per_epoch > 0) {
        run.epochs = (run.total_steps + r->steps_per_epoch - 1) / r->steps_per_epoch;
        run.steps_per_epoch = r->steps_per_epoch;
    }
    return run;
}

static an_lint *look(const request *r, an_error *err)
{
    size_t count = r->setting.group_count > 0 ? r->setting.group_count : 1;
    bool known = r->setting.group_count > 0 || r->setting.has_momentum || !isnan(r->setting.beta1);
    an_lr_group *groups = calloc(count, sizeof *groups);
    an_lr_group **list = calloc(count, sizeof(an_lr_group *));
    const an_lint_options o = {.run = facts(r),
                               .per_epoch = r->interval == 1,
                               .updates_per_epoch = r->steps_per_epoch,
                               .groups = known ? list : NULL,
                               .group_count = count,
                               .optimizer = r->optimizer};
    an_lr_text *text = NULL;
    an_lint *lint = NULL;
    if (!groups || !list)
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu groups", count);
    else
        text = cli_parse_schedule(r->spec, &o.run, err);
    for (size_t i = 0; text && i < count; i++) {
        list[i] = &groups[i];
        make_group(list[i], r, i);
    }
    if (text)
        lint = an_lint_new(an_lr_text_desc(text), &o, NULL, err);
    an_lr_text_free(text);
    free(groups);
    free(list);
    return lint;
}

/* ----------------------------------------------------------------- printing */

static void print_text(const an_lint *lint)
{
    for (size_t i = 0; i < an_lint_count(lint); i++) {
        const an_lint_finding *f = an_lint_get(lint, i);
        printf("%s: %s\n", f->after_run ? "remark" : "warning", f->text);
        if (f->param[0])
            printf("  parameter %s\n", f->param);
        if (f->fix)
            printf("  better    %s\n", f->fix);
    }
    if (an_lint_count(lint) == 0)
        puts("no warnings");
}

static void print_json(const an_lint *lint)
{
    putchar('[');
    for (size_t i = 0; i < an_lint_count(lint); i++) {
        const an_lint_finding *f = an_lint_get(lint, i);
        printf("%s{\"kind\": \"%s\", \"after_run\": %s, \"step\": %lld, \"group\": ",
               i > 0 ? ",\n" : "\n", an_lint_name(f->kind), f->after_run ? "true" : "false",
               (long long)f->step);
        if (f->group < 0)
            fputs("null", stdout);
        else
            printf("%lld", (long long)f->group);
        fputs(", \"parameter\": ", stdout);
        cli_print_json_string(stdout, f->param);
        fputs(", \"text\": ", stdout);
        cli_print_json_string(stdout, f->text);
        fputs(", \"fix\": ", stdout);
        if (f->fix)
            cli_print_json_string(stdout, f->fix);
        else
            fputs("null", stdout);
        putchar('}');
    }
    fputs("\n]\n", stdout);
}

/* Whether anything of it is more than a remark. */
static bool has_warnings(const an_lint *lint)
{
    for (size_t i = 0; i < an_lint_count(lint); i++)
        if (!an_lint_get(lint, i)->after_run)
            return true;
    return false;
}

static int run(const request *r)
{
    an_error err = {0};
    an_lint *lint = look(r, &err);
    if (!lint)
        return cli_fail(&err);
    if (r->format == FORMAT_JSON)
        print_json(lint);
    else
        print_text(lint);
    int status = has_warnings(lint) ? CLI_FAILED : CLI_DONE;
    an_lint_free(lint);
    return cli_flush(&err) ? status : cli_fail(&err);
}

int cli_schedule_lint(int argc, char **argv)
{
    request r = {0};
    if (!cli_setting_init(&r.setting, argc, MOST_STEPS))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_DONE && r.help)
        print_help();
    else if (status == CLI_DONE)
        status = run(&r);
    cli_setting_free(&r.setting);
    return status;
}
