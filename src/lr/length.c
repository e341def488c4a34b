/* length.c - lengths with units from text: 500, 500st, 5ep, 1_000_000sa, 90s, 10min, 0.3run. */
#include "lr/node.h"
#include "lr/text.h"
#include <math.h>
#include <string.h>

/* Units that are written, and what one of them is. */
static const struct {
    const char *text;
    an_lr_unit unit;
    double factor;
} written[] = {
#define UNIT(constant, name, text) {#text, constant, 1},
    AN_LR_UNIT_MAP(UNIT)
#undef UNIT
        {"min", AN_SECONDS, 60},
    {"h", AN_SECONDS, 3600},
};

#define WRITTEN (sizeof written / sizeof written[0])

static bool bad_length(const an_spec_source *source, const char *name, const an_spec_node *node,
                       an_error *err)
{
    return an_spec_error(source, node->offset, err,
                         "%s must be a length, such as 500, 500st (steps), 5ep (epochs), 1e6sa "
                         "(samples), 2e9tok (tokens), 90s, 10min, 2h or 0.3run",
                         name);
}

bool an__lr_read_length(const an_spec_source *source, const char *name, const an_spec_node *node,
                        an_lr_length *out, an_error *err)
{
    if (node->kind != AN_SPEC_NUMBER)
        return bad_length(source, name, node, err);
    *out = (an_lr_length){node->number, AN_STEPS};
    for (size_t i = 0; i < WRITTEN; i++)
        if (strcmp(node->unit, written[i].text) == 0) {
            *out = (an_lr_length){node->number * written[i].factor, written[i].unit};
            return true;
        }
    return node->unit[0] == '\0' || bad_length(source, name, node, err);
}

bool an__lr_read_steps(const an_spec_source *source, const char *name, const an_spec_node *node,
                       const an_lr_run *run, int64_t *out, an_error *err)
{
    an_lr_length length;
    if (node->kind != AN_SPEC_NUMBER || node->unit[0] == '\0')
        return an_spec_integer(source, name, node, out, err);
    if (!an__lr_read_length(source, name, node, &length, err))
        return false;
    double one = run ? an__lr_steps_of(run, length.unit) : length.unit == AN_STEPS;
    double steps = floor(length.value * one + 0.5);
    if (one <= 0)
        return an_spec_error(source, node->offset, err,
                             "%s counts steps, and how many steps are %g%s is not known %s", name,
                             length.value, an__lr_unit_text(length.unit),
                             length.unit == AN_SECONDS
                                 ? "beforehand; Anneal's own schedules (anneal schedule list) "
                                   "take seconds"
                                 : "here; the run's facts would tell");
    if (!(fabs(steps) < 9007199254740992.0))
        return an_spec_error(source, node->offset, err, "%s must be below 2^53 steps, got %g", name,
                             steps);
    *out = (int64_t)steps;
    return true;
}
