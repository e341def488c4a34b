/* A data set in a temporary folder, and configurations that use it. */
#ifndef AN_TESTS_CONFIG_WORLD_H
#define AN_TESTS_CONFIG_WORLD_H

#include "../base/cmocka_all.h"

#include <anneal/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY                                 \
    "data: {path: set}\n"                    \
    "model:\n"                               \
    "  - Flatten()\n"                        \
    "  - Linear(12, 10)\n"                   \
    "optimizer: SGD(lr=0.1, momentum=0.9)\n" \
    "batch_size: 16\n"

static char folder[] = "/tmp/anneal-config-XXXXXX";

static inline void write_file(const char *name, const unsigned char *head, size_t head_size,
                              int count, int each)
{
    char path[256];
    snprintf(path, sizeof path, "%s/set/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(head, 1, head_size, file);
    for (int i = 0; i < count * each; i++)
        fputc(i % 10, file);
    fclose(file);
}

/* 100 training and 50 test images of 3 x 4 pixels. */
static inline int make_data(void **state)
{
    (void)state;
    char path[256];
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/set", folder);
    if (mkdir(path, 0700) != 0)
        return -1;
    const unsigned char train[] = {0, 0, 8, 3, 0, 0, 0, 100, 0, 0, 0, 3, 0, 0, 0, 4};
    const unsigned char test[] = {0, 0, 8, 3, 0, 0, 0, 50, 0, 0, 0, 3, 0, 0, 0, 4};
    const unsigned char train_labels[] = {0, 0, 8, 1, 0, 0, 0, 100};
    const unsigned char test_labels[] = {0, 0, 8, 1, 0, 0, 0, 50};
    write_file("train-images-idx3-ubyte", train, sizeof train, 100, 12);
    write_file("t10k-images-idx3-ubyte", test, sizeof test, 50, 12);
    write_file("train-labels-idx1-ubyte", train_labels, sizeof train_labels, 100, 1);
    write_file("t10k-labels-idx1-ubyte", test_labels, sizeof test_labels, 50, 1);
    return 0;
}

static inline int remove_data(void **state)
{
    (void)state;
    static const char *const names[] = {"set/train-images-idx3-ubyte",
                                        "set/t10k-images-idx3-ubyte",
                                        "set/train-labels-idx1-ubyte",
                                        "set/t10k-labels-idx1-ubyte",
                                        "set",
                                        ""};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    return 0;
}

static inline an_config *parse(const char *text, const char *set, an_error *err)
{
    char name[256];
    snprintf(name, sizeof name, "%s/c.yaml", folder);
    return an_config_parse(name, text, strlen(text), &set, set ? 1 : 0, err);
}

/* The run of a good text; `config` must be freed after it. */
static inline an_run *run_of(const char *text, const char *set, an_config **config)
{
    an_error err = {0};
    *config = parse(text, set, &err);
    an_run *run = *config ? an_run_new(*config, &err) : NULL;
    if (!run)
        print_error("%s\n%s\n", err.message, err.excerpt);
    assert_non_null(run);
    return run;
}

/* Refused while reading or while making the run, with all of these parts in the message. */
static inline void refuse(const char *text, const char *set, an_error_code code, const char *a,
                          const char *b)
{
    an_error err = {0};
    an_config *config = parse(text, set, &err);
    assert_null(config ? an_run_new(config, &err) : NULL);
    if (err.code != code || !strstr(err.message, a) || !strstr(err.message, b))
        print_error("%d %s\n%s\n", (int)err.code, err.message, err.excerpt);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, a));
    assert_non_null(strstr(err.message, b));
    an_config_free(config);
}

#endif
