/* drive.c - Drive and Together: which schedule writes which slot of which groups. */
#include "lr/numeric.h"

#include "lr/node.h"
#include <string.h>

AN__COLD_BEGIN

/* They hold tracks and have no rate of their own. */
const an__lr_class an__lr_drive_class = {.start = an__lr_start_same};
const an__lr_class an__lr_together_class = {.start = an__lr_start_same};

size_t an__lr_track_count(const an_lr_desc *desc)
{
    desc = an__lr_unwrap(desc);
    return desc->kind == AN_LR_TOGETHER ? desc->together.schedules.count : 1;
}

/* A slot of the program's own counts under its name only. */
static bool covers(const an__lr_track *track, const an_lr_group *group, size_t index)
{
    if (!group->slot[track->slot].present ||
        (track->slot >= AN_USER0 && an_lr_group_find(group, track->name) != track->slot))
        return false;
    for (size_t i = 0; track->groups && i < track->groups->count; i++)
        if (track->groups->each[i] == (int64_t)index)
            return true;
    return !track->groups;
}

uint64_t an__lr_tracks_of(const an_lr_schedule *s, const an_lr_group *group, size_t index)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < s->track_count; i++)
        bits |= (uint64_t)covers(&s->tracks[i], group, index) << s->tracks[i].bit;
    return bits;
}

static bool no_slot(const char *name, an_error *err)
{
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "Drive: no group has a slot '%s'; an_lr_group_set gives it one of the "
                        "known slots, an_lr_group_name one with a name of the program's own",
                        name);
}

/* The slot that the groups have under the name. */
static bool find_slot(const char *name, an_lr_group *const *groups, size_t count, an_slot_id *id,
                      an_error *err)
{
    *id = AN_SLOT_COUNT;
    for (size_t i = 0; i < count; i++) {
        an_slot_id found = an_lr_group_find(groups[i], name);
        if (found == AN_SLOT_COUNT)
            continue;
        if (*id != AN_SLOT_COUNT && *id != found)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Drive: '%s' is another slot in group %zu than before; name the "
                                "slots of all groups in one order",
                                name, i);
        *id = found;
    }
    return *id != AN_SLOT_COUNT || no_slot(name, err);
}

static bool make_track(an__lr_track *track, an__lr_node *node, an_lr_group *const *groups,
                       size_t count, an_error *err)
{
    *track =
        (an__lr_track){.root = node, .slot = AN_LR, .base = NAN, .memo = {.e = AN__LR_NO_STEP}};
    if (node->desc.kind == AN_LR_DRIVE) {
        const an_lr_drive *drive = &node->desc.drive;
        track->root = node->children[0];
        track->base = drive->base;
        track->name = drive->slot;
        track->groups = drive->groups.count > 0 ? &drive->groups : NULL;
        if (!find_slot(drive->slot, groups, count, &track->slot, err))
            return false;
    }
    track->drives_momentum = track->slot == AN_LR && an__lr_has_momentum(track->root);
    track->holds_momentum = an__lr_has_rate(track->root);
    return true;
}

/* Every group that is named must be there and have the slot. */
static bool check_groups(const an__lr_track *track, an_lr_group *const *groups, size_t count,
                         an_error *err)
{
    const char *name = an_slot_name(track->slot);
    for (size_t i = 0; track->groups && i < track->groups->count; i++) {
        int64_t index = track->groups->each[i];
        if ((uint64_t)index >= count)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Drive: groups[%zu] must be from 0 to %zu, got %lld", i, count - 1,
                                (long long)index);
        if (!covers(track, groups[index], (size_t)index))
            return an_error_set(err, AN_ERROR_ARGUMENT, "Drive: group %lld has no slot '%s'",
                                (long long)index, track->name);
    }
    for (size_t i = 0; i < count; i++) {
        const an_slot *slot = &groups[i]->slot[track->slot];
        if (covers(track, groups[i], i) && !isfinite(slot->value))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Drive: %s of group %zu must be a finite number, got %g", name, i,
                                slot->value);
    }
    return true;
}

static const an_slot *written(const an__lr_track *track, an_lr_group *group, bool beside)
{
    if (!beside)
        return &group->slot[track->slot];
    return track->drives_momentum ? an__lr_momentum_slot(group) : NULL;
}

/* No slot may be written by two. */
static bool check_pair(const an__lr_track *a, const an__lr_track *b, an_lr_group *group,
                       size_t index, an_error *err)
{
    if (!covers(a, group, index) || !covers(b, group, index))
        return true;
    for (int i = 0; i < 4; i++) {
        const an_slot *slot = written(a, group, i & 1);
        if (slot && slot == written(b, group, i & 2))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "Together: two schedules drive %s of group %zu; multiply them in "
                                "a Product%s",
                                an_slot_name((an_slot_id)(slot - group->slot)), index,
                                i > 0 ? ", or set cycle_momentum=False" : "");
    }
    return true;
}

bool an__lr_make_tracks(an_lr_schedule *s, an_lr_group *const *groups, size_t count, an_error *err)
{
    bool together = s->root->desc.kind == AN_LR_TOGETHER;
    for (size_t i = 0; i < s->track_count; i++) {
        an__lr_node *node = together ? s->root->children[i] : s->root;
        if (!make_track(&s->tracks[i], node, groups, count, err))
            return false;
        s->tracks[i].bit = (unsigned)i;
        if (!check_groups(&s->tracks[i], groups, count, err))
            return false;
    }
    for (size_t i = 0; i < s->track_count; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t g = 0; g < count; g++)
                if (!check_pair(&s->tracks[i], &s->tracks[j], groups[g], g, err))
                    return false;
    return true;
}

AN__COLD_END
