/* Every allocation fails once: an error, no crash, nothing left behind. */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Makes and frees everything of one kind; true when it could be made. */
typedef bool (*attempt)(const an_allocator *allocator, void *arg, an_error *err);

static void fail_each(attempt try_it, void *arg)
{
    size_t calls = 0;
    for (size_t fail_at = 1;; fail_at++) {
        counter memory = {.fail_at = fail_at};
        an_allocator allocator = counting_allocator(&memory);
        an_error err = {0};
        bool made = try_it(&allocator, arg, &err);
        assert_int_equal(memory.live, 0);
        calls = memory.calls;
        if (calls < fail_at) {
            assert_true(made);
            assert_int_equal(err.code, AN_ERROR_OK);
            break;
        }
        assert_false(made);
        assert_int_equal(err.code, AN_ERROR_MEMORY);
        assert_true(strlen(err.message) > 0);
    }
    assert_true(calls > 1);
}

static bool open_gzip(const an_allocator *allocator, void *arg, an_error *err)
{
    const folder *f = arg;
    char images[PATH_LENGTH];
    char labels[PATH_LENGTH];
    folder_path(f, "images", images);
    folder_path(f, "labels", labels);
    an_dataset *set = an_idx_open(allocator, images, labels, 0, err);
    an_dataset_free(set);
    return set != NULL;
}

static void opening_gzip(void **state)
{
    (void)state;
    folder f;
    uint8_t zip[256];
    folder_make(&f);
    folder_write(&f, "images", zip, gzip_bytes(small_images, IMAGES_LENGTH, zip, sizeof zip));
    folder_write(&f, "labels", zip, gzip_bytes(small_labels, LABELS_LENGTH, zip, sizeof zip));
    fail_each(open_gzip, &f);
    folder_remove(&f);
}

static bool make_and_split(const an_allocator *allocator, void *arg, an_error *err)
{
    static const uint8_t pixels[12] = {0};
    static const int32_t labels[3] = {0};
    (void)arg;
    an_dataset *rest = NULL;
    an_dataset *cut = NULL;
    an_dataset *set = an_dataset_from_bytes(allocator, pixels, labels, 3, an_shape_1(4), 1, err);
    bool made = set != NULL && an_dataset_split(set, 1, 1, &rest, &cut, err);
    assert_true(made || (rest == NULL && cut == NULL));
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(set);
    return made;
}

static void making_and_splitting(void **state)
{
    (void)state;
    fail_each(make_and_split, NULL);
}

static bool load(const an_allocator *allocator, void *arg, an_error *err)
{
    const an_dataset *set = arg;
    an_context_options options = {.threads = 1, .allocator = *allocator};
    an_context *context = an_context_new(&options, err);
    if (context == NULL)
        return false;
    an_loader_options how = an_loader_defaults();
    how.batch_size = 2;
    how.shuffle = true;
    an_loader *loader = an_loader_new(context, set, &how, err);
    an_batch batch;
    for (int i = 0; loader != NULL && i < 10; i++)
        an_loader_next(loader, &batch);
    an_loader_free(loader);
    an_context_free(context);
    return loader != NULL;
}

static void loading(void **state)
{
    static const uint8_t pixels[12] = {0};
    static const int32_t labels[3] = {0};
    (void)state;
    an_allocator plain = an_allocator_default();
    an_dataset *set = an_dataset_from_bytes(&plain, pixels, labels, 3, an_shape_1(4), 1, NULL);
    assert_non_null(set);
    fail_each(load, set);
    an_dataset_free(set);
}

/* After its construction a loader allocates nothing. */
static void epochs_allocate_nothing(void **state)
{
    static const uint8_t pixels[12] = {0};
    static const int32_t labels[3] = {0};
    (void)state;
    counter memory = {0};
    an_context_options options = {.threads = 2, .allocator = counting_allocator(&memory)};
    an_context *context = an_context_new(&options, NULL);
    an_dataset *set =
        an_dataset_from_bytes(&options.allocator, pixels, labels, 3, an_shape_1(4), 1, NULL);
    an_loader_options how = {.batch_size = 2, .shuffle = true, .deviation = 1};
    an_loader *loader = an_loader_new(context, set, &how, NULL);
    assert_non_null(loader);
    size_t calls = memory.calls;
    an_batch batch;
    for (int i = 0; i < 20; i++)
        an_loader_next(loader, &batch);
    assert_int_equal(memory.calls, calls);
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
    assert_int_equal(memory.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_gzip),
        cmocka_unit_test(making_and_splitting),
        cmocka_unit_test(loading),
        cmocka_unit_test(epochs_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
