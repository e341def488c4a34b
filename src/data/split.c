#include "data/dataset.h"

#include <stdlib.h>

/* A view of `count` samples of `whole`, its index still to be filled. */
static an_dataset *view_new(const an_dataset *whole, int64_t count, an_error *err)
{
    an_dataset *view = an_alloc(&whole->allocator, 1, sizeof *view, err);
    if (view == NULL)
        return NULL;
    *view = *whole;
    view->view = true;
    view->count = count;
    if (whole->kind == AN_DATA_TOKENS)
        return view;
    view->index = an_alloc(&whole->allocator, (size_t)count, sizeof *view->index, err);
    if (view->index == NULL) {
        an_release(&whole->allocator, view, 1, sizeof *view);
        return NULL;
    }
    return view;
}

/* ------------------------------------------------------------- classes' shares */

/* How many samples of a class are cut off, and what its share lost by being rounded down. */
typedef struct quota {
    int64_t count, remainder;
    int32_t label;
} quota;

/* Those of the classes that occur, by their labels: these may be any numbers, and few. */
typedef struct quotas {
    quota *class;
    int64_t count;
} quotas;

static int by_label(const void *a, const void *b)
{
    const int32_t x = ((const quota *)a)->label, y = ((const quota *)b)->label;
    return (x > y) - (x < y);
}

/* The greatest remainder first, of equal ones the lower label. */
static int by_loss(const void *a, const void *b)
{
    const int64_t x = ((const quota *)a)->remainder, y = ((const quota *)b)->remainder;
    return x != y ? (x < y) - (x > y) : by_label(a, b);
}

/* The classes that occur, each with how often; `class` has room for one a sample. */
static void count_classes(const an_dataset *whole, quotas *q)
{
    for (int64_t i = 0; i < whole->count; i++)
        q->class[i] = (quota){.label = whole->labels[an__dataset_row(whole, i)]};
    qsort(q->class, (size_t)whole->count, sizeof *q->class, by_label);
    q->count = 0;
    for (int64_t i = 0; i < whole->count; i++) {
        if (q->count == 0 || q->class[q->count - 1].label != q->class[i].label)
            q->class[q->count++] = (quota){.label = q->class[i].label};
        q->class[q->count - 1].count++;
    }
}

/*
 * How many samples of each class are cut off: its share of `count`, rounded down, and one more for
 * the classes that lost most by that, the lower number first (largest remainders).
 */
static void share(const an_dataset *whole, int64_t count, quotas *q)
{
    int64_t left = count;
    count_classes(whole, q);
    for (int64_t c = 0; c < q->count; c++) {
        const int64_t product = q->class[c].count * count;
        q->class[c].count = product / whole->count;
        q->class[c].remainder = product % whole->count;
        left -= q->class[c].count;
    }
    qsort(q->class, (size_t)q->count, sizeof *q->class, by_loss);
    for (int64_t c = 0; c < left; c++)
        q->class[c].count++;
    qsort(q->class, (size_t)q->count, sizeof *q->class, by_label);
}

/* Whether a sample of this label is still among those to be cut off. */
static bool take_share(const quotas *q, int32_t label)
{
    const quota key = {.label = label};
    quota *found = bsearch(&key, q->class, (size_t)q->count, sizeof *q->class, by_label);
    return found->count-- > 0;
}

/* --------------------------------------------------------------------- cutting */

/*
 * The first `count` samples of a random order are chosen; with quotas, of each class the first.
 * Both views keep the order of `whole`, so that going through one in its own order goes through
 * memory in order.
 */
static void choose(const an_dataset *whole, uint64_t seed, const quotas *q, int32_t *order,
                   bool *chosen, an_dataset *rest, an_dataset *cut)
{
    an_rng rng = an_rng_init(seed, AN_STREAM_SPLIT);
    an_rng_permutation(&rng, order, whole->count);
    for (int64_t i = 0; i < whole->count; i++)
        chosen[order[i]] =
            q ? take_share(q, whole->labels[an__dataset_row(whole, order[i])]) : i < cut->count;
    int32_t *next_cut = cut->index;
    int32_t *next_rest = rest->index;
    for (int64_t i = 0; i < whole->count; i++) {
        int32_t row = an__dataset_row(whole, i);
        if (chosen[i])
            *next_cut++ = row;
        else
            *next_rest++ = row;
    }
}

/*
 * Of a text: the first samples and the last ones, without one between them, into which the first
 * ones reach when an epoch begins at another place.
 */
static bool split_tokens(const an_dataset *whole, int64_t count, an_dataset **rest,
                         an_dataset **cut, an_error *err)
{
    if (count > whole->count - 2)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "cannot cut %lld of a text's %lld samples; cut less, since one between "
                            "the parts is left out",
                            (long long)count, (long long)whole->count);
    an_dataset *first = view_new(whole, whole->count - count - 1, err);
    an_dataset *last = first ? view_new(whole, count, err) : NULL;
    if (!last) {
        an_dataset_free(first);
        return false;
    }
    last->first_row += first->count + 1;
    *rest = first;
    *cut = last;
    return true;
}

static bool check_count(const an_dataset *whole, int64_t count, an_error *err)
{
    return (count >= 1 && count < whole->count) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "cannot cut %lld of %lld samples; cut at least 1 and leave at least 1",
                        (long long)count, (long long)whole->count);
}

static bool split_rows(const an_dataset *whole, int64_t count, uint64_t seed, const quotas *q,
                       an_dataset **rest, an_dataset **cut, an_error *err)
{
    size_t all = (size_t)whole->count;
    int32_t *order = an_alloc(&whole->allocator, all, sizeof *order, err);
    bool *chosen = order != NULL ? an_alloc(&whole->allocator, all, sizeof *chosen, err) : NULL;
    an_dataset *first = chosen != NULL ? view_new(whole, count, err) : NULL;
    an_dataset *second = first != NULL ? view_new(whole, whole->count - count, err) : NULL;
    if (second != NULL) {
        choose(whole, seed, q, order, chosen, second, first);
        *cut = first;
        *rest = second;
    } else {
        an_dataset_free(first);
    }
    an_release(&whole->allocator, chosen, all, sizeof *chosen);
    an_release(&whole->allocator, order, all, sizeof *order);
    return second != NULL;
}

bool an_dataset_split(const an_dataset *whole, int64_t count, uint64_t seed, an_dataset **rest,
                      an_dataset **cut, an_error *err)
{
    *rest = *cut = NULL;
    if (!check_count(whole, count, err))
        return false;
    return whole->kind == AN_DATA_TOKENS ? split_tokens(whole, count, rest, cut, err)
                                         : split_rows(whole, count, seed, NULL, rest, cut, err);
}

bool an_dataset_split_stratified(const an_dataset *whole, int64_t count, uint64_t seed,
                                 an_dataset **rest, an_dataset **cut, an_error *err)
{
    const size_t size = (size_t)whole->count;
    *rest = *cut = NULL;
    if (!an__dataset_check_classes(whole, "a stratified cut", err) ||
        !check_count(whole, count, err))
        return false;
    quotas q = {.class = an_alloc(&whole->allocator, size, sizeof *q.class, err)};
    if (!q.class)
        return false;
    share(whole, count, &q);
    const bool ok = split_rows(whole, count, seed, &q, rest, cut, err);
    an_release(&whole->allocator, q.class, size, sizeof *q.class);
    return ok;
}
