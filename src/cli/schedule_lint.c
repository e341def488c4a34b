/* anneal schedule lint: what in a schedule is probably not meant, and what was meant instead. */
#include "cli/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 1000000000000

typedef struct request {
    cli_setting setting;
    const char *spec, *optimizer;
    long long steps_per_epoch;
    int interval, format;
} request;

/* --------------------------------------------------------------- arguments */

static const cli_option options[] = {
    {"steps", "N", "the run steps the schedule N times",
     CLI_SET_INTEGER(request, setting.steps, 0, MOST_STEPS)},
    {"steps-per-epoch", "M", "an epoch has M updates",
     CLI_SET_INTEGER(request, steps_per_epoch, 1, MOST_STEPS)},
    {"interval", "step|epoch", "the schedule is stepped after every update (step) or epoch",
     CLI_SET_CHOICE(request, interval)},
    {"base-lr", "X", "the optimizer's lr; once for each parameter group",
     CLI_SET_PART(request, setting, cli_take_rate)},
    {"momentum", "X", "the optimizer's momentum", CLI_SET_NUMBER(request, setting.momentum, 0, 1)},
    {"beta1", "X", "the optimizer is an Adam with this beta1",
     CLI_SET_NUMBER(request, setting.beta1, 0, 1)},
    {"optimizer", "NAME", "the optimizer's name, such as Rprop", CLI_SET_TEXT(request, optimizer)},
    {"format", "text|json", "how to print the findings (text)", CLI_SET_CHOICE(request, format)},
};

static const cli_usage usage = {
    .command = "anneal schedule lint",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule lint SCHEDULE --steps N [OPTION]...\n"
        "Says what in a schedule is probably not meant, for a run that steps it N times, and "
        "writes\nit as it was probably meant. Without --base-lr, --momentum or --beta1 it is not "
        "asked\nwhether the optimizer's own values are used. A remark is about what happens only "
        "if the\nrun goes on after its N steps. The exit status is 0 without warnings, 1 with.\n",
    .more = "\nExamples:\n"
            "  anneal schedule lint 'CosineAnnealingLR(T_max=100)' --steps 100\n"
            "  anneal schedule lint 'OneCycleLR(max_lr=0.1)' --steps 9380 --steps-per-epoch 938 "
            "--base-lr 0.1",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    r->spec = cli_one_schedule(&rest, "CosineAnnealingLR(T_max=100)");
    if (!r->spec)
        return CLI_WRONG;
    if (r->setting.steps < 1)
        return cli_wrong("anneal schedule lint needs --steps N, how often the schedule is stepped "
                         "in the run");
    if (!isnan(r->setting.momentum) && !isnan(r->setting.beta1))
        return cli_wrong("--momentum and --beta1 exclude each other: an optimizer has one or the "
                         "other");
    return CLI_TAKEN;
}

/* ------------------------------------------------------------------ looking */

/* A group as far as the options tell of it. */
static void make_group(an_lr_group *group, const request *r, size_t index)
{
    const cli_setting *s = &r->setting;
    *group = (an_lr_group){0};
    if (index < s->group_count)
        an_lr_group_set(group, AN_LR, s->rates[index]);
    if (!isnan(s->momentum))
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
    bool known =
        r->setting.group_count > 0 || !isnan(r->setting.momentum) || !isnan(r->setting.beta1);
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
        cli_put_json(f->param);
        fputs(", \"text\": ", stdout);
        cli_put_json(f->text);
        fputs(", \"fix\": ", stdout);
        if (f->fix)
            cli_put_json(f->fix);
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
    if (r->format == CLI_JSON)
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
    if (!cli_setting_init(&r.setting, argc))
        return CLI_FAILED;
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = run(&r);
    cli_setting_free(&r.setting);
    return status;
}
