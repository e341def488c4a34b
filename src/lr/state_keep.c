/* state_keep.c - the description out of a state, so that a schedule can be made from it again. */
#include "lr/numeric.h"

#include "lr/state.h"
#include "lr/text.h"
#include <string.h>

typedef struct reader {
    an__lr_source source;
    an_arena *arena;
    an_error *err;
    size_t nodes_left;
} reader;

static bool unknown(const reader *r)
{
    return an_error_set(r->err, AN_ERROR_DATA,
                        "the schedule's state describes no schedule that this library knows");
}

static void *room(const reader *r, uint64_t count, size_t size)
{
    void *memory = an_arena_alloc(r->arena, (size_t)(count > 0 ? count : 1) * size);
    if (!memory)
        an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a schedule's description");
    return memory;
}

/* A count of values of 4 bytes or more that are all there; otherwise the source is broken. */
static uint64_t get_list(an__lr_source *value)
{
    uint64_t count = an__lr_get(value, 8);
    if (count <= (uint64_t)(value->end - value->at) / 4)
        return count;
    value->broken = true;
    return 0;
}

static double nothing(void *user, double epoch)
{
    (void)user;
    return epoch;
}

static bool get_function(reader *r, an__lr_source *value, an_lr_function *out)
{
    uint64_t form = an__lr_get(value, 4);
    if (form == AN__NO_FUNCTION)
        return true;
    out->call = nothing; /* it is printed, never called */
    if (form == AN__HOST_FUNCTION)
        return true;
    uint64_t length = an__lr_get(value, 4);
    const unsigned char *text = form == AN__TEXT_FUNCTION ? an__lr_take(value, length) : NULL;
    if (!text)
        return unknown(r);
    out->text = an_arena_text(r->arena, (const char *)text, (size_t)length);
    return out->text || an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for an expression");
}

static bool get_reals(reader *r, an__lr_source *value, an_lr_reals *out)
{
    uint64_t count = get_list(value);
    double *each = room(r, count, sizeof *each);
    if (!each)
        return false;
    if (count == 0)
        out->value = an__lr_get_real(value);
    for (uint64_t i = 0; i < count; i++)
        each[i] = an__lr_get_real(value);
    out->each = each;
    out->count = (size_t)count;
    return true;
}

static bool get_integers(reader *r, an__lr_source *value, an_lr_integers *out)
{
    uint64_t count = get_list(value);
    int64_t *each = room(r, count, sizeof *each);
    if (!each)
        return false;
    for (uint64_t i = 0; i < count; i++)
        each[i] = (int64_t)an__lr_get(value, 8);
    out->each = each;
    out->count = (size_t)count;
    return true;
}

static bool get_functions(reader *r, an__lr_source *value, an_lr_functions *out)
{
    uint64_t count = get_list(value);
    if (count == 0)
        return get_function(r, value, &out->function);
    an_lr_function *each = room(r, count, sizeof *each);
    if (!each)
        return false;
    memset(each, 0, (size_t)count * sizeof *each);
    for (uint64_t i = 0; i < count; i++)
        if (!get_function(r, value, &each[i]))
            return false;
    out->each = each;
    out->count = (size_t)count;
    return true;
}

static bool get_numbers(reader *r, an__lr_source *value, an_lr_numbers *out)
{
    uint64_t count = get_list(value);
    double *each = room(r, count, sizeof *each);
    if (!each)
        return false;
    for (uint64_t i = 0; i < count; i++)
        each[i] = an__lr_get_real(value);
    out->each = each;
    out->count = (size_t)count;
    return true;
}

static bool get_length(reader *r, an__lr_source *value, an_lr_length *out)
{
    out->value = an__lr_get_real(value);
    uint64_t unit = an__lr_get(value, 4);
    out->unit = (an_lr_unit)unit;
    return unit < AN_UNIT_COUNT || unknown(r);
}

static bool get_lengths(reader *r, an__lr_source *value, an_lr_lengths *out)
{
    uint64_t count = get_list(value);
    an_lr_length *each = room(r, count, sizeof *each);
    if (!each)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!get_length(r, value, &each[i]))
            return false;
    out->each = each;
    out->count = (size_t)count;
    return true;
}

static bool get_name(reader *r, an__lr_source *value, const char **out)
{
    uint64_t length = an__lr_get(value, 4);
    const unsigned char *text = an__lr_take(value, length);
    if (!text)
        return unknown(r);
    *out = an_arena_text(r->arena, (const char *)text, (size_t)length);
    return *out || an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a name");
}

/* Stands where a schedule will be read. */
static const an_lr_desc expected = {.kind = AN_LR_KIND_COUNT};

static bool get_value(reader *r, an__lr_source value, an_lr_desc *desc, const an_lr_param *param)
{
    void *at = (unsigned char *)desc + param->offset;
    bool good = true;
    uint64_t index;
    switch (param->type) {
    case AN_LR_INTEGER:
        *(int64_t *)at = (int64_t)an__lr_get(&value, 8);
        break;
    case AN_LR_REAL:
        *(double *)at = an__lr_get_real(&value);
        break;
    case AN_LR_BOOL:
        *(bool *)at = an__lr_get(&value, 8) != 0;
        break;
    case AN_LR_CHOICE:
        index = an__lr_get(&value, 8);
        if (strcmp(an__lr_choice_name(param, index), "?") == 0)
            return unknown(r);
        an__lr_choice_set(desc, param, (int)index);
        break;
    case AN_LR_REALS:
        good = get_reals(r, &value, at);
        break;
    case AN_LR_INTEGERS:
        good = get_integers(r, &value, at);
        break;
    case AN_LR_FUNCTION:
        good = get_function(r, &value, at);
        break;
    case AN_LR_FUNCTIONS:
        good = get_functions(r, &value, at);
        break;
    case AN_LR_NUMBERS:
        good = get_numbers(r, &value, at);
        break;
    case AN_LR_LENGTH:
        good = get_length(r, &value, at);
        break;
    case AN_LR_LENGTHS:
        good = get_lengths(r, &value, at);
        break;
    case AN_LR_VALUE:
        if (value.at == value.end)
            ((an_lr_value *)at)->schedule = &expected;
        else
            ((an_lr_value *)at)->value = an__lr_get_real(&value);
        break;
    case AN_LR_NAME:
        good = get_name(r, &value, at);
        break;
    case AN_LR_CHILDREN:
    case AN_LR_CHILD:
        break;
    }
    return good && ((!value.broken && value.at == value.end) || unknown(r));
}

static bool get_desc(reader *r, an_lr_desc *desc, int depth);

/* `count` children, the list's and those that are parameters. */
static bool get_children(reader *r, an_lr_desc *desc, size_t count, int depth)
{
    an_lr_children *list = (an_lr_children *)an__lr_children_of(desc);
    size_t others = an_lr_child_count(desc);
    if (list ? count < others : count != others)
        return unknown(r);
    if (list) {
        list->each = room(r, count - others, sizeof(void *));
        list->count = count - others;
    }
    an_lr_desc *children = room(r, count, sizeof *children);
    if (!children || (list && !list->each))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!get_desc(r, &children[i], depth + 1))
            return false;
        *an__lr_child_place(desc, i) = &children[i];
    }
    return true;
}

static bool get_desc(reader *r, an_lr_desc *desc, int depth)
{
    an_lr_kind kind;
    an__lr_saved_param params[AN__LR_MAX_PARAMS];
    size_t children, count;
    if (r->nodes_left-- == 0 || depth > AN__LR_MAX_DEPTH ||
        !an__lr_get_node(&r->source, &kind, params, &children))
        return unknown(r);
    *desc = an_lr_defaults(kind);
    const an_lr_param *table = an_lr_params(kind, &count);
    for (size_t i = 0; i < count; i++)
        if (params[i].value.at && !get_value(r, params[i].value, desc, &table[i]))
            return false;
    if ((children == 0 && an__lr_children_of(desc)) || children > r->nodes_left)
        return unknown(r);
    return get_children(r, desc, children, depth);
}

/* The description within the bytes of a state, as text. */
static const char *text_of_bytes(const void *state, size_t size, an_arena *arena, an_error *err)
{
    reader r = {.arena = arena, .err = err, .nodes_left = AN__LR_MAX_NODES};
    r.source = (an__lr_source){.at = state, .end = (const unsigned char *)state + size};
    an__lr_head head;
    an_lr_desc desc;
    if (!an__lr_state_open(&r.source, &head, err))
        return NULL;
    r.source.end = r.source.at + head.desc_size;
    if (!get_desc(&r, &desc, 1))
        return NULL;
    size_t length = an_lr_print(NULL, 0, &desc);
    char *text = room(&r, length + 1, 1);
    if (text)
        an_lr_print(text, length + 1, &desc);
    return text;
}

static an_lr_text *parse(const char *text, const an_allocator *allocator, an_error *err)
{
    if (strstr(text, "\"" AN__LR_HOST_FUNCTION "\"")) {
        an_error_set(err, AN_ERROR_STATE,
                     "the state is of a schedule with a function of the program's (%.100s); make "
                     "the schedule as the program does, then load the state",
                     text);
        return NULL;
    }
    an_error found = {0};
    an_lr_text *result = an_lr_parse_text(text, NULL, allocator, &found);
    if (!result)
        an_error_set(err, found.code == AN_ERROR_MEMORY ? AN_ERROR_MEMORY : AN_ERROR_DATA,
                     "the description in the state, %.100s: %s", text, found.message);
    return result;
}

an_lr_text *an_lr_state_desc(const void *state, size_t size, const an_allocator *allocator,
                             an_error *err)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_arena arena;
    an_arena_init(&arena, own);
    bool bytes = size >= 4 && state && memcmp(state, "ANLR", 4) == 0;
    if (!state)
        size = 0;
    const char *text = bytes ? text_of_bytes(state, size, &arena, err)
                             : an__lr_state_schedule(size > 0 ? state : "", size, &arena, err);
    an_lr_text *result = text ? parse(text, &own, err) : NULL;
    an_arena_free(&arena);
    return result;
}
