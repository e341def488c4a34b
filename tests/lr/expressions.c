/*
 * expressions.c FILE - random expressions have the values that Python gives them, to the last bit
 * and the sign of 0. vectors/expressions.py writes the file and says what is in it.
 */
#include <anneal/lr_text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#define MAX_EPOCHS 16
#define LINE_SIZE 1024

typedef struct run {
    double epochs[MAX_EPOCHS];
    size_t epoch_count;
    char expression[LINE_SIZE];
    bool same_libm, bound; /* whether the expression calls libm */
    int line, compared, wrong;
} run;

/* What cos and pow come from here, in the words of the script. */
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

static void read_epochs(run *r, char *list)
{
    for (char *end; r->epoch_count < MAX_EPOCHS; list = end) {
        double epoch = strtod(list, &end);
        if (end == list)
            return;
        r->epochs[r->epoch_count++] = epoch;
    }
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

static void compare_value(run *r, const an_lr_function *function, double epoch, double expected)
{
    double value = function->call(function->user, epoch);
    r->compared++;
    if (same(value, expected))
        return;
    r->wrong++;
    fprintf(stderr, "line %d: %s at %g is %.17g, in Python %.17g\n", r->line, r->expression, epoch,
            value, expected);
}

static void compare(run *r, const char *at)
{
    char spec[LINE_SIZE + 20];
    an_error err = {0};
    snprintf(spec, sizeof spec, "LambdaLR(\"%s\")", r->expression);
    an_lr_text *text = an_lr_parse_text(spec, NULL, NULL, &err);
    if (!text) {
        r->wrong++;
        fprintf(stderr, "line %d: %s: %s\n", r->line, r->expression, err.message);
        return;
    }
    const an_lr_function *function = &an_lr_text_desc(text)->lambda.lr_lambda.function;
    for (size_t i = 0; i < r->epoch_count; i++) {
        at += strspn(at, " ");
        if (at[0] != '-' || at[1] > ' ')
            compare_value(r, function, r->epochs[i], strtod(at, NULL));
        at += strcspn(at, " ");
    }
    an_lr_text_free(text);
}

static void take_line(run *r, char *line)
{
    char *rest = line + strcspn(line, " ");
    r->line++;
    rest += strspn(rest, " ");
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "libm ", 5) == 0)
        r->same_libm = strcmp(rest, libm_here()) == 0;
    else if (strncmp(line, "epochs ", 7) == 0)
        read_epochs(r, rest);
    else if (line[0] == '=' && (r->same_libm || !r->bound))
        compare(r, rest);
    else if (strncmp(line, "plain ", 6) == 0 || strncmp(line, "libm-bound ", 11) == 0)
        snprintf(r->expression, sizeof r->expression, "%s", rest);
    r->bound = line[0] == 'l';
}

int main(int argc, char **argv)
{
    static run r;
    static char line[LINE_SIZE];
    FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!in) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    while (fgets(line, sizeof line, in))
        take_line(&r, line);
    fclose(in);
    printf("%d values\n", r.compared);
    return r.wrong > 0 || r.compared == 0;
}
