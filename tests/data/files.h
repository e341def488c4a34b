/* Folders and files that come and go with a test, and an allocator that keeps count. */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <anneal/data.h>

#define PATH_LENGTH 512

typedef struct folder {
    char path[64];
} folder;

void folder_make(folder *f);
/* With all that is in it (no folders in folders). */
void folder_remove(const folder *f);
/* "folder/name" */
void folder_path(const folder *f, const char *name, char path[PATH_LENGTH]);
void folder_write(const folder *f, const char *name, const void *bytes, size_t length);

/* The folder of a group of tests: cmocka's setup and teardown. */
extern folder home;
int home_make(void **state);
int home_remove(void **state);

/* The bytes as a gzip file; returns its length. */
size_t gzip_bytes(const void *bytes, size_t length, uint8_t *out, size_t size);

/* Three images of 2 x 2, values 0, 10, ..., 110, and their labels 0, 2, 1. */
#define IMAGES_LENGTH 28
#define LABELS_LENGTH 11
extern const uint8_t small_images[IMAGES_LENGTH], small_labels[LABELS_LENGTH];

/* Counts what is allocated; fails the call number `fail_at` (1 for the first; 0: none). */
typedef struct counter {
    size_t live, peak, calls, fail_at;
} counter;

an_allocator counting_allocator(counter *c);

#endif
