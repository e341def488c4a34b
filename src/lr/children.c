/* children.c - the schedules within a description, as the table of parameters has them. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

const an_lr_children *an__lr_children_of(const an_lr_desc *desc)
{
    size_t count;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    if (count == 0 || params[0].type != AN_LR_CHILDREN)
        return NULL;
    return (const an_lr_children *)(const void *)((const unsigned char *)desc + params[0].offset);
}

const an_lr_desc *an__lr_unwrap(const an_lr_desc *desc)
{
    const an_lr_children *children;
    while ((children = an__lr_children_of(desc)) && children->count == 1 &&
           desc->after_end == AN_END_DEFAULT)
        desc = children->each[0];
    return desc;
}

/*
 * One parameter's children: how many, and where the `index`-th is in *place. A list's elements are
 * read-only in descriptions of the user's; in a schedule's own memory build.c may write there.
 */
static size_t of_param(const an_lr_desc *desc, const an_lr_param *param, size_t index,
                       const an_lr_desc ***place)
{
    void *at = (unsigned char *)desc + param->offset;
    if (param->type == AN_LR_CHILDREN) {
        const an_lr_children *list = at;
        if (index < list->count)
            *place = (const an_lr_desc **)&list->each[index];
        return list->count;
    }
    if (param->type == AN_LR_CHILD) {
        *place = at;
        return 1;
    }
    an_lr_value *value = at;
    if (param->type != AN_LR_VALUE || !value->schedule)
        return 0;
    *place = &value->schedule;
    return 1;
}

const an_lr_desc **an__lr_child_place(const an_lr_desc *desc, size_t index)
{
    size_t count;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const an_lr_desc **place = NULL;
        size_t found = of_param(desc, &params[i], index, &place);
        if (index < found)
            return place;
        index -= found;
    }
    return NULL;
}

size_t an_lr_child_count(const an_lr_desc *desc)
{
    size_t count, found = 0;
    const an_lr_desc **place;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++)
        found += of_param(desc, &params[i], 0, &place);
    return found;
}

const an_lr_desc *an_lr_child(const an_lr_desc *desc, size_t index)
{
    const an_lr_desc **place = an__lr_child_place(desc, index);
    return place ? *place : NULL;
}

size_t an__lr_composed(const an_lr_desc *desc)
{
    size_t count;
    const an_lr_children *list = an__lr_children_of(desc);
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    if (list)
        return list->count;
    return count > 0 && params[0].type == AN_LR_CHILD ? 1 : 0;
}

AN__COLD_END
