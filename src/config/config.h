/* A configuration as read: values, and the nodes of what is built only when a run is made. */
#ifndef AN_CONFIG_CONFIG_H
#define AN_CONFIG_CONFIG_H

#include "config/tree.h"

#include <anneal/config.h>

/* A parsed call that must be freed with the configuration. */
typedef struct an__held {
    an_spec *spec;
    struct an__held *next;
} an__held;

/* A call and the node that it was written in; or the layers that a layer called `holds` holds. */
typedef struct an__call {
    const an__node *node;
    const an_spec_node *call;
    const char *holds; /* NULL for a call */
    const struct an__call *layers;
    size_t layer_count;
} an__call;

/* A call of `metrics`, by its place in the table of metrics.c. */
typedef struct an__metric {
    const an__node *node;
    size_t form;
    int64_t argument; /* k, or a label; 0 without */
    const char *name; /* over the validation: "valid_top5" */
} an__metric;

/* What is watched; of a metric, which one. */
typedef struct an__watched {
    an_monitor monitor;
    const char *metric;
} an__watched;

typedef enum an__data_format {
    AN__DATA_IDX,
    AN__DATA_CIFAR,
    AN__DATA_TEXT,
    AN__DATA_CSV,
    AN__DATA_NPY,
    AN__DATA_NPZ
} an__data_format;

/* The keys that name files; of an archive, arrays in it; or a column. */
typedef enum an__spot {
    AN__PATH,
    AN__X,
    AN__Y,
    AN__WEIGHT,
    AN__TEST_X,
    AN__TEST_Y,
    AN__SPOTS
} an__spot;

/* What fills the missing values of a table: nothing, the training set's mean, or a value. */
typedef enum an__missing { AN__REFUSE, AN__FILL_MEAN, AN__FILL_VALUE } an__missing;

/* What the data are and how they are cut. A part is below 1 a fraction, else a count; 0: none. */
typedef struct an__data {
    an__data_format format;
    an_text_unit unit;
    struct {
        const char *text; /* NULL: not there */
        const an__node *node;
    } at[AN__SPOTS];
    double mean, deviation; /* of images */
    int64_t context;
    an_csv_options table;
    double fill, validation, test;
    an__missing missing;
    bool standardize, channels_last, stratify;
    /* NULL: not there; scaling: standardize, or missing values that are filled */
    const an__node *context_node, *target_node, *scaling_node, *validation_node, *test_node,
        *stratify_node;
} an__data;

/* How the samples of an epoch are chosen, and what happens to images. */
typedef enum an__sampling { AN__EACH_ONCE, AN__BALANCED, AN__WEIGHTED } an__sampling;

typedef struct an__samples {
    an__sampling sampling;
    int64_t count; /* drawn in an epoch; 0: as many as there are */
    an_augment augment;
    int64_t crop[2]; /* height and width that a RandomCrop was given */
    /* NULL: not there; shift: the call that moves images */
    const an__node *sampling_node, *augment_node, *crop_node, *shift_node;
} an__samples;

struct an_config {
    an_arena arena;
    an__document document;
    an__node *root;
    an__held *held;
    const char *folder; /* of the file, with a slash at the end; "" for the current one */

    an__data data;
    an__samples samples;
    const an__node *model_node, *monitor_node;
    const an__call *layers;
    size_t layer_count;
    an_loss loss;
    an__call optimizer, schedule, course, average; /* but for the first with node NULL: none */
    an_interval interval;
    const an__metric *metrics;
    size_t metric_count;
    an__watched monitor;
    int64_t epochs, steps, batch_size, accumulate, threads, seed;
    double clip_grad_norm;
    double budget; /* seconds; 0: none */
    const an__node *budget_node;

    const char *runs; /* the folder of the runs; NULL: nothing is kept */
    bool must_write;  /* on_write_error: stop */
    an_log_options log;
    bool log_csv, log_tensorboard, log_histograms;
    const an__node *log_node;     /* NULL: not there */
    int64_t keep;                 /* checkpoints */
    an_checkpointer checkpointer; /* but for what it watches */
    an__watched checkpoint_monitor;
    const an__node *early_stopping_node, *guard_node, *checkpoint_node; /* NULL: not there */
    int64_t patience;
    double min_delta;
    an__watched stopping_monitor;
    bool restore_best;
    an_guard guard;
};

/* The error of a node: CONFIG at its place. Gives false. */
#define AN__FAIL(node, err, ...)                                                         \
    an__blame(node,                                                                      \
              an_spec_error(&(const an_spec_source){.file = (node)->document->file,      \
                                                    .text = (node)->document->text,      \
                                                    .length = (node)->document->length}, \
                            (node)->begin, err, __VA_ARGS__),                            \
              err)

/* IDX and CIFAR files come as a folder of several, with a test set. */
bool an__in_folder(an__data_format format);
/* Whether there is a test set: in all else one is cut off, unless it is named. */
bool an__has_test(const an_config *config);
/* The name of the key; which one `name` is, or AN__SPOTS; whether there it names a file. */
const char *an__spot_name(an__spot place);
an__spot an__spot_of(const char *name);
bool an__is_path(an__data_format format, an__spot place);

/* Reads all keys of the tree's root into `config`. */
bool an__config_read(an_config *config, an_error *err);

#endif
