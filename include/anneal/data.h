/*
 * anneal/data.h - datasets, readers, splits and the batch loader.
 *
 * Intended usage
 *
 *   an_dataset *train = an_mnist_open(NULL, "data/mnist", true, &err);
 *   an_loader_options options = an_loader_defaults();
 *   options.batch_size = 64;
 *   options.shuffle = true;
 *   an_loader *loader = an_loader_new(context, train, &options, &err);
 *   an_batch batch;
 *   while (an_loader_next(loader, &batch)) { ... batch.x, batch.y ... }      one epoch
 */
#ifndef ANNEAL_DATA_H
#define ANNEAL_DATA_H

#include <anneal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Samples of one shape. What they are made of, and what is to be predicted:
 *
 *   AN_DATA_BYTES    images: bytes, which stay bytes in memory; a class label each
 *   AN_DATA_FLOATS   features: floats; a class label each, or numbers (an_dataset_targets)
 *   AN_DATA_TOKENS   a text as a row of tokens: a sample is `context` tokens, to each of which the
 *                    next one is the label
 *
 * A dataset may be a view of another (a split): free views before what they look at.
 */
typedef struct an_dataset an_dataset;

typedef enum an_data_kind { AN_DATA_BYTES, AN_DATA_FLOATS, AN_DATA_TOKENS } an_data_kind;

AN_API an_data_kind an_dataset_kind(const an_dataset *dataset);
/* How many numbers are to be predicted for a sample; 0: class labels are. */
AN_API int64_t an_dataset_targets(const an_dataset *dataset);

AN_API void an_dataset_free(an_dataset *dataset);
AN_API int64_t an_dataset_count(const an_dataset *dataset);
/* The shape of one sample: (1, 28, 28) for MNIST: channels, height, width; (context) for tokens. */
AN_API an_shape an_dataset_shape(const an_dataset *dataset);
/* One more than the largest label allowed; of tokens, how many different ones there may be. */
AN_API int32_t an_dataset_classes(const an_dataset *dataset);
/*
 * Sample `index` (0-based): its label (of tokens, the one after the last), and its values into out:
 * bytes / 255, floats, or the tokens' numbers. Outside the dataset, or without labels, the label is
 * -1 and `out` is left alone.
 */
AN_API int32_t an_dataset_label(const an_dataset *dataset, int64_t index);
AN_API void an_dataset_sample(const an_dataset *dataset, int64_t index, float *out);

/* ----------------------------------------------------------------- readers */

/* In all of them an `allocator` of NULL is an_allocator_default. */

/*
 * IDX files (Y. LeCun's format for MNIST), plain or gzip by content:
 *
 *   +----+----+------+------+--------------------------+---------------+
 *   | 00 | 00 | type | rank | rank x 32-bit big-endian | values        |
 *   +----+----+------+------+--------------------------+---------------+
 *     type 08: unsigned byte; rank 3 for images, 1 for labels
 *
 * Magic, rank, dimensions and the file's length are checked before anything of that size is
 * allocated. Errors (DATA, IO) name the file, what was found, what was expected, and the remedy.
 * `classes`: labels must be below it; 0 takes the largest label + 1. `labels_path` NULL: images
 * alone, all labels 0.
 */
AN_API an_dataset *an_idx_open(const an_allocator *allocator, const char *images_path,
                               const char *labels_path, int32_t classes, an_error *err);

/*
 * The training or test part of MNIST, or any set with its file names, in `folder`:
 * train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., each plain or with .gz. 10 classes.
 */
AN_API an_dataset *an_mnist_open(const an_allocator *allocator, const char *folder, bool train,
                                 an_error *err);

/* Whether `path` leads to one of the four files that an_mnist_open takes from `folder`. */
AN_API bool an_mnist_reads(const char *folder, const char *path);

/*
 * The training or test part of CIFAR-10 or CIFAR-100 (with its 100 fine classes) in `folder`: the
 * binary version, data_batch_1.bin to data_batch_5.bin and test_batch.bin, or train.bin and
 * test.bin, each plain or gzip by content. Images of (3, 32, 32). Errors: IO, DATA, MEMORY.
 */
AN_API an_dataset *an_cifar_open(const an_allocator *allocator, const char *folder, bool train,
                                 an_error *err);

/* Whether `path` leads to one of the files that an_cifar_open takes from `folder`. */
AN_API bool an_cifar_reads(const char *folder, const char *path);

/*
 * A dataset of values given in memory (copied): pixels are count x shape bytes; the shape has at
 * most AN_MAX_DIMS - 1 dimensions. Errors: ARGUMENT, SHAPE, DATA (a label outside), MEMORY.
 */
AN_API an_dataset *an_dataset_from_bytes(const an_allocator *allocator, const uint8_t *pixels,
                                         const int32_t *labels, int64_t count, an_shape shape,
                                         int32_t classes, an_error *err);

/*
 * The same of floats. Either `labels` (one a sample; `classes` as above) or `targets`
 * (`target_count` a sample) is not NULL.
 */
AN_API an_dataset *an_dataset_from_floats(const an_allocator *allocator, const float *values,
                                          int64_t count, an_shape shape, const int32_t *labels,
                                          int32_t classes, const float *targets,
                                          int64_t target_count, an_error *err);

/*
 * A row of tokens, each from 0 to classes - 1 (at most 65536 of them; 0: the largest + 1), seen as
 * samples of `context` tokens side by side. There must be at least 2 * context tokens: a loader
 * that shuffles begins each epoch's samples at another place. Errors: ARGUMENT, DATA, MEMORY.
 */
AN_API an_dataset *an_dataset_from_tokens(const an_allocator *allocator, const int32_t *tokens,
                                          int64_t count, int64_t context, int32_t classes,
                                          an_error *err);

/*
 * A text file (plain or gzip) as tokens: its bytes, 256 classes; or its characters, whose numbers
 * are their places among the different ones that occur, in order of their code points. Bytes that
 * are no UTF-8 are an error there (DATA), with the line.
 */
typedef enum an_text_unit { AN_TEXT_CHARACTERS, AN_TEXT_BYTES } an_text_unit;
AN_API an_dataset *an_text_open(const an_allocator *allocator, const char *path, an_text_unit unit,
                                int64_t context, an_error *err);

/* Token `token` of a text's dataset as bytes of the text (UTF-8, at most 4); how many there are,
 * 0 where there is no such token or the dataset is no text. */
AN_API size_t an_text_token(const an_dataset *dataset, int32_t token, char bytes[4]);
/*
 * A text as tokens of that dataset: at most `room` into `tokens` (NULL: none); how many there are.
 * -1 with err (DATA), naming the character, when one does not occur in the dataset's text.
 */
AN_API int64_t an_text_encode(const an_dataset *dataset, const char *text, size_t length,
                              int32_t *tokens, int64_t room, an_error *err);

/*
 * A table as a dataset of floats: lines of separated values, plain or gzip, the first of which
 * names the columns (RFC 4180: a field in double quotes may hold anything). One column is a class,
 * or some are numbers to predict; the others are the features, in their order. A column of texts is
 * one feature for each of its different texts (at most 256), in rising order of their bytes: 1 for
 * the row's own and 0 for the others. Classes are numbered in rising order of what stands there,
 * whole numbers or texts.
 *
 * A column of weights holds numbers from 0 on, and is no feature. A field that is empty or NA, N/A,
 * NaN, nan, null or ? is missing: an error, or NaN as a feature (all features of a column of
 * texts), which an_dataset_fill replaces. Errors (DATA) name the file, the line and the column.
 */
typedef enum an_csv_missing { AN_CSV_REFUSE, AN_CSV_KEEP } an_csv_missing;
typedef struct an_csv_options {
    char separator; /* default ',' */
    bool labels;    /* the one target is a class */
    an_csv_missing missing;
    const char *const *targets; /* names of columns */
    size_t target_count;        /* at least 1 */
    const char *const *ignored; /* columns that are neither target nor feature */
    size_t ignored_count;
    const char *weight; /* the column of the rows' weights (an_dataset_weights), or NULL */
} an_csv_options;
AN_API an_csv_options an_csv_defaults(void);
AN_API an_dataset *an_csv_open(const an_allocator *allocator, const char *path,
                               const an_csv_options *options, an_error *err);

/*
 * The rows of another table, to be predicted by what learned from `table`, which an_csv_open gave
 * or which looks at such a dataset. Columns go by their names, in any order: each that was a
 * feature must be there, the others, targets too, are not looked at. They are coded, filled and
 * scaled as those of `table` have been until now: its texts, what an_dataset_fill put for missing
 * values, the moments of an_dataset_scale; the separator is the same. Labels and targets are 0.
 * Errors (DATA) name the file, the line and the column: a text that `table` does not have, what is
 * not a number, a missing value where `table` was read with AN_CSV_REFUSE; ARGUMENT (no such
 * table).
 */
AN_API an_dataset *an_csv_open_like(const an_allocator *allocator, const char *path,
                                    const an_dataset *table, an_error *err);

/*
 * What stands in a table for class `index`, or the name of the column of number `index` to predict;
 * NULL where there is none, or the dataset is from no table. It lives as long as the dataset.
 */
AN_API const char *an_dataset_name(const an_dataset *dataset, int64_t index);

/*
 * Arrays that NumPy saved: in a file each (numpy.save; plain or gzip), or as members of one archive
 * (numpy.savez, savez_compressed), where `x` and `y` are their names. Of `x` the first index counts
 * the samples:
 *
 *   uint8 (N, H, W)        images of one channel: bytes, as they are; samples of (1, H, W)
 *   uint8 (N, C, H, W)     images; with channels_last (N, H, W, C), which are turned
 *   uint8 of other shapes, bool, other integers, float32, float64:
 *   (N), (N, D), (N, ...)  floats; samples of (1), (D), (...); with channels_last as above
 *
 * `y` has a number for each sample, (N) or (N, 1): integers or bools as classes, or anything as
 * numbers to predict, (N, K) for K of them. NULL: samples alone, all labels 0. Both byte orders
 * and both orders of indices are read. Errors (DATA, IO, MEMORY) name the file, the array and what
 * to do.
 */
typedef struct an_npy_options {
    bool labels;         /* y holds classes (the default), else numbers */
    int32_t classes;     /* labels must be below it; 0 takes the largest label + 1 */
    bool channels_last;  /* images are (N, H, W, C) */
    bool keep_missing;   /* NaN may stand in x, for an_dataset_fill; otherwise it is an error */
    const char *weights; /* an array of N weights (an_dataset_weights), or NULL */
} an_npy_options;
AN_API an_npy_options an_npy_defaults(void);
/* `options` NULL: the defaults. */
AN_API an_dataset *an_npy_open(const an_allocator *allocator, const char *x, const char *y,
                               const an_npy_options *options, an_error *err);
AN_API an_dataset *an_npz_open(const an_allocator *allocator, const char *path, const char *x,
                               const char *y, const an_npy_options *options, an_error *err);
/*
 * New samples, filled and scaled as those of `like`, a dataset of floats from an_npy_open or
 * an_npz_open, have been until now (an_csv_open_like does it for tables). Labels are 0. Errors as
 * of an_npy_open, also for samples of another shape (DATA); ARGUMENT (no such dataset).
 */
AN_API an_dataset *an_npy_open_like(const an_allocator *allocator, const char *path,
                                    const an_dataset *like, an_error *err);

/*
 * The weight of every sample, as the data have it (an_csv_options, an_npy_options), into `weights`,
 * one each; and weights by which all classes that occur are drawn equally often: 1 / (the samples
 * of its class). Errors: ARGUMENT (the data have no weights; they have no labels, or are a text),
 * MEMORY.
 */
AN_API bool an_dataset_weights(const an_dataset *dataset, double *weights, an_error *err);
AN_API bool an_dataset_balance(const an_dataset *dataset, double *weights, an_error *err);

/*
 * Puts values[j] in the place of every NaN of feature j, in all of a dataset of floats (no view).
 * Errors: ARGUMENT (not floats, a view), DATA (the value itself is not finite: a feature of which
 * nothing is known).
 */
AN_API bool an_dataset_fill(an_dataset *dataset, const double *values, an_error *err);

/*
 * The mean and the standard deviation of every feature over a dataset of floats; and the scaling of
 * all of a dataset's values (no view's) in place: (value - mean) / deviation, with 1 for a
 * deviation of 0. Take the moments of the training samples alone, and scale all with them. NaN
 * values do not count in moments, which are NaN where there is nothing else. The arrays have a
 * value for each of a sample's. Errors: ARGUMENT (not floats, a view).
 */
AN_API bool an_dataset_moments(const an_dataset *dataset, double *mean, double *deviation,
                               an_error *err);
AN_API bool an_dataset_scale(an_dataset *dataset, const double *mean, const double *deviation,
                             an_error *err);

/*
 * Cuts `count` samples, chosen by `seed`, off `whole`: *rest gets the others. Both are views of
 * `whole`, in its order. Of a text, the last samples are cut off, and one
 * before them is left out, so that no token is in both parts. 0 < count < the number of samples
 * (ARGUMENT).
 */
AN_API bool an_dataset_split(const an_dataset *whole, int64_t count, uint64_t seed,
                             an_dataset **rest, an_dataset **cut, an_error *err);

/*
 * The same, with as many samples of each class as its share of `whole` asks for: rounded down, and
 * what is then missing by largest remainders. Errors: ARGUMENT (also where samples have no
 * classes), MEMORY.
 */
AN_API bool an_dataset_split_stratified(const an_dataset *whole, int64_t count, uint64_t seed,
                                        an_dataset **rest, an_dataset **cut, an_error *err);

/* ------------------------------------------------------------------ loader */

/*
 * What happens to images, of (channels, height, width), before they are in a batch: for each of
 * them drawn anew in every epoch, from the seed, the epoch and its place in it, so that neither
 * threads nor going on elsewhere change anything.
 *
 * An image moves by up to `shift` pixels up or down, and left or right; 0 comes in, black before
 * mean and deviation are applied. That is also a random crop, of the image's own size, of the image
 * padded by `shift`. It is mirrored, left to right, with the probability `flip`.
 */
typedef struct an_augment {
    int64_t shift; /* 0 (the default: none) to less than height and width */
    double flip;   /* 0 (the default: never) to 1 */
} an_augment;

/* x = (byte / 255 - mean) / deviation; of floats x = (value - mean) / deviation; tokens stay. */
typedef struct an_loader_options {
    int64_t batch_size; /* at least 1 */
    /* A new order every epoch, from `seed` and the epoch's number; of a text, also another place
     * where the first sample begins. */
    bool shuffle;
    bool drop_last; /* leave out a last batch that is not full; default: it is delivered */
    uint64_t seed;
    double mean, deviation; /* default 0 and 1 */
    an_augment augment;     /* for training alone */
    /*
     * One a sample, finite, from 0 on and not all 0: samples are drawn with replacement, each as
     * often as its weight says, instead of each once. NULL: none. Not needed after an_loader_new.
     */
    const double *weights;
    /* Drawn in an epoch by weights, at most AN_MOST_DRAWN: an epoch's order is drawn whole when it
     * begins. 0: as many as there are. */
    int64_t samples;
} an_loader_options;

#define AN_MOST_DRAWN 100000000

typedef struct an_loader an_loader;

/*
 * Owned by the loader, valid until its next call. x is (size, sample shape...); of tokens, (size,
 * context) numbers. What is to be predicted is in y, one label a sample (of tokens, size * context:
 * one a token), or in `target`, (size, numbers).
 */
typedef struct an_batch {
    an_tensor *x;
    an_labels y;       /* data NULL where there are numbers */
    an_tensor *target; /* NULL where there are labels */
    int64_t size;
    int64_t index; /* of the batch within the epoch, from 0 */
} an_batch;

AN_API an_loader_options an_loader_defaults(void);
/*
 * Allocates all that it will need. `options` NULL: the defaults. The dataset must outlive the
 * loader. Errors: ARGUMENT, MEMORY.
 */
AN_API an_loader *an_loader_new(an_context *context, const an_dataset *dataset,
                                const an_loader_options *options, an_error *err);
AN_API void an_loader_free(an_loader *loader);
/* The next batch; false at the end of an epoch, after which the next call begins the next epoch. */
AN_API bool an_loader_next(an_loader *loader, an_batch *batch);
/* Goes to the beginning of epoch `epoch` (0-based), abandoning the present one. */
AN_API void an_loader_seek(an_loader *loader, int64_t epoch);
/*
 * Goes to batch `batch` (0-based) of epoch `epoch`: what comes then is what would have come there.
 * From the number of batches on it is the epoch's end, which the next call tells.
 */
AN_API void an_loader_seek_batch(an_loader *loader, int64_t epoch, int64_t batch);
/*
 * Other batches from here on, of `size` samples; the present epoch begins anew. Larger ones than
 * ever before take memory. False with err (ARGUMENT: below 1; MEMORY), and nothing has changed.
 */
AN_API bool an_loader_set_batch_size(an_loader *loader, int64_t size, an_error *err);
/*
 * A number that tells loaders apart: it is another one when the options that decide what comes in
 * which order are others, or the data (their size, their labels, some of their values).
 */
AN_API uint64_t an_loader_fingerprint(const an_loader *loader);
/* Batches in an epoch. */
AN_API int64_t an_loader_batches(const an_loader *loader);
/* Samples in an epoch (all or those drawn; with drop_last those delivered). */
AN_API int64_t an_loader_samples(const an_loader *loader);

#ifdef __cplusplus
}
#endif
#endif
