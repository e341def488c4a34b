/* A folder for checkpoints, emptied and removed with the test; and what a run has told. */
#ifndef AN_TESTS_TRAIN_FOLDER_H
#define AN_TESTS_TRAIN_FOLDER_H

#include "world.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void folder_make(char path[64])
{
    strcpy(path, "/tmp/anneal-train-XXXXXX");
    assert_non_null(mkdtemp(path));
}

/* Calls `each` with every name in the folder; gives their number. */
static inline int folder_each(const char *folder, void (*each)(const char *path))
{
    char path[512];
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (each)
            each(path);
        count++;
    }
    closedir(dir);
    return count;
}

static inline void folder_unlink(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

static inline void folder_remove(const char *folder)
{
    folder_each(folder, folder_unlink);
    assert_int_equal(rmdir(folder), 0);
}

static inline bool folder_has(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* The newest checkpoint, which must be there. */
static inline void folder_newest(const char *folder, char path[512])
{
    an_error err = {0};
    if (!an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, 512, NULL, &err))
        fail_msg("%s", err.message);
}

/* What was told: "kind: text\n" after each other. */
typedef struct told {
    char text[8192];
} told;

static inline void told_event(void *user, const an_record *record, const an_event *event)
{
    (void)record;
    told *t = user;
    size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "%s: %s\n", event->kind, event->text);
}

static inline an_callback told_callback(told *t)
{
    return (an_callback){.event = told_event, .user = t};
}

#endif
