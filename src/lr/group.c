/* group.c - the slots of a group, and their names. */
#include "lr/numeric.h"

#include <anneal/lr.h>

#include <math.h>
#include <string.h>

AN__COLD_BEGIN

void an_lr_group_init(an_lr_group *group, double lr)
{
    *group = (an_lr_group){0};
    an_lr_group_set(group, AN_LR, lr);
}

void an_lr_group_set(an_lr_group *group, an_slot_id id, double value)
{
    group->slot[id].value = value;
    group->slot[id].present = true;
}

const char *an_slot_name(an_slot_id id)
{
    static const char *const names[] = {
#define SLOT_NAME(constant, name) #name,
        AN_SLOT_MAP(SLOT_NAME)
#undef SLOT_NAME
    };
    return (unsigned)id < AN_SLOT_COUNT ? names[id] : "";
}

AN__SMALL an_slot_id an_lr_group_find(const an_lr_group *group, const char *name)
{
    for (int i = 0; name && i < AN_USER_SLOTS; i++)
        if (group->user_name[i] && strcmp(group->user_name[i], name) == 0)
            return (an_slot_id)(AN_USER0 + i);
    for (int id = 0; name && id < AN_SLOT_COUNT; id++)
        if (group->slot[id].present && strcmp(an_slot_name((an_slot_id)id), name) == 0)
            return (an_slot_id)id;
    return AN_SLOT_COUNT;
}

AN__SMALL an_slot_id an_lr_group_name(an_lr_group *group, const char *name, double value)
{
    an_slot_id id = an_lr_group_find(group, name);
    for (int i = 0; id == AN_SLOT_COUNT && name && i < AN_USER_SLOTS; i++)
        if (!group->user_name[i] && !group->slot[AN_USER0 + i].present) {
            group->user_name[i] = name;
            id = (an_slot_id)(AN_USER0 + i);
        }
    if (id != AN_SLOT_COUNT)
        an_lr_group_set(group, id, value);
    return id;
}

AN__SMALL void an_lr_layer_decay(an_lr_group *const *groups, size_t count, double decay,
                                 double least)
{
    for (size_t i = 0; i < count; i++)
        groups[i]->slot[AN_LR].value *= fmax(least, pow(decay, (double)(count - 1 - i)));
}

AN__COLD_END
