#include "data/dataset.h"

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

/*
 * How many samples of each class are cut off: its share of `count`, rounded down, and one more for
 * the classes that lost most by that, the lower number first (largest remainders). `quota` has room
 * for two numbers a class.
 */
static void share(const an_dataset *whole, int64_t count, int64_t *quota)
{
    int64_t *remainder = quota + whole->classes, left = count;
    for (int64_t i = 0; i < whole->count; i++)
        quota[whole->labels[an__dataset_row(whole, i)]]++;
    for (int32_t c = 0; c < whole->classes; c++) {
        const int64_t product = quota[c] * count;
        quota[c] = product / whole->count;
        remainder[c] = product % whole->count;
        left -= quota[c];
    }
    for (; left > 0; left--) {
        int32_t most = 0;
        for (int32_t c = 1; c < whole->classes; c++)
            most = remainder[c] > remainder[most] ? c : most;
        quota[most]++;
        remainder[most] = -1;
    }
}

/*
 * The first `count` samples of a random order are chosen; with a quota, of each class the first.
 * Both views keep the order of `whole`, so that going through one in its own order goes through
 * memory in order.
 */
static void choose(const an_dataset *whole, uint64_t seed, int64_t *quota, int32_t *order,
                   bool *chosen, an_dataset *rest, an_dataset *cut)
{
    an_rng rng = an_rng_init(seed, AN_STREAM_SPLIT);
    an_rng_permutation(&rng, order, whole->count);
    for (int64_t i = 0; i < whole->count; i++)
        chosen[order[i]] =
            quota ? quota[whole->labels[an__dataset_row(whole, order[i])]]-- > 0 : i < cut->count;
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

static bool split_rows(const an_dataset *whole, int64_t count, uint64_t seed, int64_t *quota,
                       an_dataset **rest, an_dataset **cut, an_error *err)
{
    size_t all = (size_t)whole->count;
    int32_t *order = an_alloc(&whole->allocator, all, sizeof *order, err);
    bool *chosen = order != NULL ? an_alloc(&whole->allocator, all, sizeof *chosen, err) : NULL;
    an_dataset *first = chosen != NULL ? view_new(whole, count, err) : NULL;
    an_dataset *second = first != NULL ? view_new(whole, whole->count - count, err) : NULL;
    if (second != NULL) {
        choose(whole, seed, quota, order, chosen, second, first);
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
    const size_t size = 2 * (size_t)whole->classes;
    *rest = *cut = NULL;
    if (!an__dataset_check_classes(whole, "a stratified cut", err) ||
        !check_count(whole, count, err))
        return false;
    int64_t *quota = an_alloc(&whole->allocator, size, sizeof *quota, err);
    if (!quota)
        return false;
    share(whole, count, quota);
    const bool ok = split_rows(whole, count, seed, quota, rest, cut, err);
    an_release(&whole->allocator, quota, size, sizeof *quota);
    return ok;
}
