#include "optim/rule.h"

#include <string.h>

#include "optim/print.h"

#define RULE_ADDRESS(name) &an__rule_##name,
#define RULE_NAME(name) #name,

static const an_rule *const rules[] = {AN_RULE_MAP(RULE_ADDRESS)};
/* The rules in order, then Mechanic, which is none. */
static const char *const names[] = {AN_RULE_MAP(RULE_NAME) AN_MECHANIC, NULL};

const an_rule *an__rule_find(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return rules[i];
        }
    }
    return NULL;
}

const char *const *an_optim_names(void)
{
    return names;
}

size_t an_optim_signature(const char *name, char *text, size_t size)
{
    const an_rule *rule = an__rule_find(name);
    const bool mechanic = !rule && strcmp(name, AN_MECHANIC) == 0;
    const an_option *table = mechanic ? an__mechanic_table : rule ? rule->options : NULL;
    const size_t count = mechanic ? an__mechanic_options : rule ? rule->option_count : 0;
    an_options defaults = {0};
    if (!table) {
        return an_format(text, size, "%s", "");
    }
    an__options_default(table, count, &defaults);
    size_t at = an__put(text, size, 0, name);
    at = an__put(text, size, at, mechanic ? "(optimizer, " : "(");
    at = an__options_print(table, count, &defaults, NULL, false, text, size, at);
    return an__put(text, size, at, ")");
}
