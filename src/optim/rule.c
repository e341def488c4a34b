#include "optim/rule.h"

#include <string.h>

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
