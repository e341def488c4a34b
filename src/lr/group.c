#include <anneal/lr.h>

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
