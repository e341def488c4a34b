/*
 * replay.c - runs cases of schedules, written by scripts/parity-lr.py.
 *
 *   replay FILE   compares with the values that FILE records (the stored vectors)
 *   replay        reads cases from standard input and writes every value, as raw doubles
 *
 * A line of a case is one of
 *
 *   libm TEXT             what the values were computed with; other libms may differ by 4 ulp
 *   group LR MOMENTUM BETA1   one more group; '-' where it has no such slot
 *   schedule SPEC         one more schedule over all groups so far
 *   run N                 N times: step every schedule
 *   to N                  set every schedule to step N
 *   metric X              step every schedule, with metric X
 *   edit GROUP SLOT X     the user writes a slot
 *   = X X ...             what the groups hold now: rates, then momenta (or beta1) where they are
 *   end                   of the case
 *
 * Numbers are hexadecimal floats ("0x1.8p+1", "nan", "inf").
 */
#include <anneal/lr_text.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#define MAX_GROUPS 8
#define MAX_SCHEDULES 4
#define LINE_SIZE 8192

typedef struct run {
    an_lr_group group[MAX_GROUPS];
    an_lr_group *groups[MAX_GROUPS];
    size_t group_count;
    an_lr_text *text[MAX_SCHEDULES];
    an_lr_schedule *schedule[MAX_SCHEDULES];
    size_t schedule_count;
    bool write; /* every value to standard output */
    int64_t ulp, line, wrong, compared;
} run;

static void stop(const run *r, const char *why)
{
    fprintf(stderr, "replay: line %" PRId64 ": %s\n", r->line, why);
    exit(2);
}

static const an_slot *momentum_of(const an_lr_group *group)
{
    const an_slot *momentum = &group->slot[AN_MOMENTUM], *beta1 = &group->slot[AN_BETA1];
    return momentum->present ? momentum : beta1->present ? beta1 : NULL;
}

static size_t values(const run *r, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < r->group_count; i++)
        out[count++] = r->group[i].slot[AN_LR].value;
    for (size_t i = 0; i < r->group_count; i++)
        if (momentum_of(&r->group[i]))
            out[count++] = momentum_of(&r->group[i])->value;
    return count;
}

static void report(const run *r)
{
    double out[2 * MAX_GROUPS];
    if (r->write && fwrite(out, sizeof *out, values(r, out), stdout) == 0)
        stop(r, "cannot write");
}

static void add_group(run *r, char *line)
{
    char lr[64], momentum[64], beta1[64];
    if (sscanf(line, "group %63s %63s %63s", lr, momentum, beta1) != 3 ||
        r->group_count == MAX_GROUPS)
        stop(r, "bad group");
    an_lr_group *group = &r->group[r->group_count];
    an_lr_group_init(group, strtod(lr, NULL));
    if (momentum[0] != '-')
        an_lr_group_set(group, AN_MOMENTUM, strtod(momentum, NULL));
    if (beta1[0] != '-')
        an_lr_group_set(group, AN_BETA1, strtod(beta1, NULL));
    r->groups[r->group_count++] = group;
}

static void add_schedule(run *r, const char *spec)
{
    an_error err = {0};
    if (r->schedule_count == MAX_SCHEDULES)
        stop(r, "too many schedules");
    an_lr_text *text = an_lr_parse_text(spec, NULL, NULL, &err);
    if (!text)
        stop(r, err.message);
    an_lr_schedule *schedule =
        an_lr_new(an_lr_text_desc(text), r->groups, r->group_count, NULL, &err);
    if (!schedule)
        stop(r, err.message);
    r->text[r->schedule_count] = text;
    r->schedule[r->schedule_count++] = schedule;
    report(r);
}

static void step_all(run *r, double metric)
{
    for (size_t i = 0; i < r->schedule_count; i++)
        an_lr_step_metric(r->schedule[i], metric);
    report(r);
}

static void step_to(run *r, int64_t step)
{
    for (size_t i = 0; i < r->schedule_count; i++)
        if (!an_lr_step_to(r->schedule[i], step, NULL))
            stop(r, "the step cannot be set");
    report(r);
}

static void edit(run *r, const char *line)
{
    char *end, slot[32], value[64];
    size_t group = strtoul(line + 5, &end, 10);
    if (sscanf(end, "%31s %63s", slot, value) != 2 || group >= r->group_count)
        stop(r, "bad edit");
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        if (strcmp(slot, an_slot_name((an_slot_id)id)) == 0)
            an_lr_group_set(&r->group[group], (an_slot_id)id, strtod(value, NULL));
}

/* How many doubles lie between two numbers of one sign. */
static int64_t distance(double a, double b)
{
    int64_t x, y;
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    if (isnan(a) || isnan(b) || signbit(a) != signbit(b))
        return INT64_MAX;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x > y ? x - y : y - x;
}

static void compare(run *r, const char *line)
{
    double out[2 * MAX_GROUPS];
    size_t count = values(r, out);
    const char *at = line + 1;
    for (size_t i = 0; i < count; i++) {
        char *end;
        double expected = strtod(at, &end);
        if (end == at)
            stop(r, "too few values");
        at = end;
        r->compared++;
        if (distance(out[i], expected) > r->ulp) {
            r->wrong++;
            fprintf(stderr, "replay: line %" PRId64 ": value %zu is %.17g, expected %.17g\n",
                    r->line, i, out[i], expected);
        }
    }
}

static void end_case(run *r)
{
    for (size_t i = 0; i < r->schedule_count; i++) {
        an_lr_free(r->schedule[i]);
        an_lr_text_free(r->text[i]);
    }
    r->group_count = r->schedule_count = 0;
}

/* What cos and pow come from here, in the words of the script that wrote the file. */
static const char *libm_here(void)
{
    static char text[80] = "unknown";
#if defined(__GLIBC__) && defined(__x86_64__)
    snprintf(text, sizeof text, "glibc %s x86_64 %s", gnu_get_libc_version(),
             __builtin_cpu_supports("fma") ? "fma" : "sse2");
#elif defined(__GLIBC__) && defined(__aarch64__)
    snprintf(text, sizeof text, "glibc %s aarch64", gnu_get_libc_version());
#endif
    return text;
}

static void line_of_case(run *r, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "group ", 6) == 0)
        add_group(r, line);
    else if (strncmp(line, "schedule ", 9) == 0)
        add_schedule(r, line + 9);
    else if (strncmp(line, "run ", 4) == 0)
        for (long i = strtol(line + 4, NULL, 10); i > 0; i--)
            step_all(r, NAN);
    else if (strncmp(line, "to ", 3) == 0)
        step_to(r, strtoll(line + 3, NULL, 10));
    else if (strncmp(line, "metric ", 7) == 0)
        step_all(r, strtod(line + 7, NULL));
    else if (strncmp(line, "edit ", 5) == 0)
        edit(r, line);
    else if (line[0] == '=')
        compare(r, line);
    else if (strcmp(line, "end") == 0)
        end_case(r);
    else if (strncmp(line, "libm ", 5) == 0)
        r->ulp = strcmp(line + 5, libm_here()) == 0 ? 0 : 4;
    else if (line[0] != '#' && line[0] != '\0')
        stop(r, "unknown line");
}

int main(int argc, char **argv)
{
    static run r;
    static char line[LINE_SIZE];
    FILE *in = argc > 1 ? fopen(argv[1], "r") : stdin;
    if (!in) {
        fprintf(stderr, "replay: cannot open %s\n", argv[1]);
        return 2;
    }
    r.write = argc == 1;
    while (fgets(line, sizeof line, in)) {
        r.line++;
        line_of_case(&r, line);
    }
    end_case(&r);
    if (in != stdin)
        fclose(in);
    if (argc > 1 && r.compared == 0)
        stop(&r, "the file holds no values");
    return r.wrong > 0;
}
