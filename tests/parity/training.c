/*
 * Whole trainings as PyTorch does them: from its initial weights and over its batches, the losses
 * of a hundred steps agree within 1e-4 of their size. training.py has recorded them; its files say
 * what is trained.
 *
 *   test_parity_training [FOLDER]        default: the folder of the stored recordings
 */
#include <anneal/data.h>
#include <anneal/lr_text.h>
#include <anneal/nn.h>
#include <anneal/optim.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cmocka_all.h"

enum { STEPS = 100, IMAGES = 1000, LONGEST_LINE = 4096, MOST_SAMPLES = 64, MOST_TEXT = 8192 };

static const double MOST_APART = 1e-4; /* of a loss's size */

static const char *folder = RECORDINGS;

typedef struct training {
    an_context *context;
    an_model *model;
    an_graph *graph;
    an_optim *optim;
    an_lr_text *text;
    an_lr_schedule *schedule;
    double clip; /* 0: none */
    /* The first images of MNIST, normalised; or a text of which a sample is `width` characters. */
    an_dataset *data;
    an_loader *loader;
    an_batch images;
    int32_t *tokens;
    int64_t width;
    int steps;
    double first, last, apart; /* losses, and the most that one differed by, of its size */
} training;

static void check(bool done, const char *what, const an_error *err)
{
    if (!done)
        fail_msg("%s: %s", what, err->message);
}

static void open_images(training *t)
{
    an_error err = {0};
    an_loader_options options = an_loader_defaults();
    options.batch_size = IMAGES;
    options.mean = 0.1307;
    options.deviation = 0.3081;
    t->data = an_mnist_open(NULL, MNIST_FOLDER, true, &err);
    check(t->data != NULL, MNIST_FOLDER, &err);
    t->loader = an_loader_new(t->context, t->data, &options, &err);
    check(t->loader && an_loader_next(t->loader, &t->images), "the loader", &err);
}

static void open_text(training *t, int64_t width)
{
    static char text[MOST_TEXT];
    an_error err = {0};
    FILE *file = fopen(TEXT, "rb");
    assert_non_null(file);
    const size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    t->width = width;
    t->data = an_text_open(NULL, TEXT, AN_TEXT_CHARACTERS, width, &err);
    check(t->data != NULL, TEXT, &err);
    t->tokens = calloc(length, sizeof *t->tokens);
    assert_non_null(t->tokens);
    assert_int_equal(an_text_encode(t->data, text, length, t->tokens, (int64_t)length, &err),
                     length);
}

/* What comes before the steps, once the layers are known. */
static void build(training *t, const char *name)
{
    char path[1024];
    an_error err = {0};
    const an_shape sample = t->tokens ? an_shape_1(t->width) : an_dataset_shape(t->data);
    check(an_model_build(t->model, sample, 1, &err), name, &err);
    snprintf(path, sizeof path, "%s/%s.weights", folder, name);
    check(an_params_load(an_model_params(t->model), path, &err), path, &err);
}

static void schedule(training *t, const char *text)
{
    an_error err = {0};
    t->text = an_lr_parse_text(text, NULL, NULL, &err);
    check(t->text != NULL, text, &err);
    t->schedule = an_lr_new(an_lr_text_desc(t->text), an_optim_groups(t->optim),
                            an_optim_group_count(t->optim), NULL, &err);
    check(t->schedule != NULL, text, &err);
}

/* The samples of those numbers, and their labels. */
static an_tensor *image_batch(training *t, const long *index, int count, int32_t *labels)
{
    const int64_t size = t->images.x->size / t->images.size;
    an_tensor *x = an_empty(t->graph, an_shape_4(count, 1, 28, 28));
    for (int i = 0; i < count; i++) {
        assert_in_range(index[i], 0, IMAGES - 1);
        memcpy(x->data + i * size, t->images.x->data + index[i] * size,
               (size_t)size * sizeof(float));
        labels[i] = t->images.y.data[index[i]];
    }
    return x;
}

static an_tensor *text_batch(training *t, const long *index, int count, int32_t *labels)
{
    an_tensor *x = an_empty(t->graph, an_shape_2(count, t->width));
    for (int i = 0; i < count; i++) {
        const int32_t *from = t->tokens + index[i];
        for (int64_t k = 0; k < t->width; k++) {
            x->data[i * t->width + k] = (float)from[k];
            labels[i * t->width + k] = from[k + 1];
        }
    }
    return x;
}

static double train_step(training *t, const long *index, int count)
{
    static int32_t labels[MOST_SAMPLES * MOST_SAMPLES];
    an_error err = {0};
    an_tensor *x = (t->tokens ? text_batch : image_batch)(t, index, count, labels);
    const an_labels y = {labels, t->tokens ? count * t->width : count};
    an_tensor *loss = an_cross_entropy(t->graph, an_forward(t->model, t->graph, x), y);
    const double value = an_item(loss);
    check(an_backward(t->graph, loss, &err), "backward", &err);
    if (t->clip > 0)
        an_clip_grad_norm(an_model_params(t->model), t->clip);
    assert_true(an_optim_step(t->optim));
    an_optim_zero_grad(t->optim);
    an_lr_step(t->schedule);
    assert_true(an_graph_reset(t->graph, NULL));
    return value;
}

/* A line "LOSS SAMPLE...". */
static void replay(training *t, char *line)
{
    long index[MOST_SAMPLES];
    int count = 0;
    char *at = line, *end;
    const double want = strtod(at, &at);
    for (long value; value = strtol(at, &end, 10), end != at; at = end) {
        assert_true(count < MOST_SAMPLES);
        index[count++] = value;
    }
    const double got = train_step(t, index, count), apart = fabs(got - want) / want;
    if (!(apart <= MOST_APART))
        fail_msg("the loss of step %d is %.9g, PyTorch's %.9g", t->steps, got, want);

    t->apart = fmax(t->apart, apart);
    t->first = t->steps++ == 0 ? got : t->first;
    t->last = got;
}

/* One line of a recording: a word and what follows it. */
static void obey(training *t, const char *name, const char *word, char *rest)
{
    an_error err = {0};
    if (!strcmp(word, "data")) {
        long width = 0;
        if (sscanf(rest, "text %ld", &width) == 1)
            open_text(t, width);
        else
            open_images(t);
    } else if (!strcmp(word, "layer")) {
        check(an_model_add(t->model, rest, &err), rest, &err);
    } else if (!strcmp(word, "optimizer")) {
        build(t, name);
        t->optim = an_optim_parse(an_model_params(t->model), rest, &err);
        check(t->optim != NULL, rest, &err);
    } else if (!strcmp(word, "schedule")) {
        schedule(t, rest);
    } else if (!strcmp(word, "clip")) {
        t->clip = strtod(rest, NULL);
    } else {
        assert_string_equal(word, "step");
        replay(t, rest);
    }
}

static void clean_up(training *t)
{
    an_lr_free(t->schedule);
    an_lr_text_free(t->text);
    an_optim_free(t->optim);
    an_graph_free(t->graph);
    an_model_free(t->model);
    an_loader_free(t->loader);
    an_dataset_free(t->data);
    an_context_free(t->context);
    free(t->tokens);
}

static void train(const char *name, int threads)
{
    char line[LONGEST_LINE];
    training t = {.context = an_context_new(&(an_context_options){.threads = threads}, NULL)};
    assert_non_null(t.context);
    t.model = an_model_new(t.context, NULL);
    t.graph = an_graph_new(t.context, NULL);
    assert_true(t.model && t.graph);
    snprintf(line, sizeof line, "%s/%s.txt", folder, name);
    FILE *file = fopen(line, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *space = strchr(line, ' ');
        if (line[0] == '#' || !space)
            continue;
        *space = '\0';
        obey(&t, name, line, space + 1);
    }
    fclose(file);
    assert_int_equal(t.steps, STEPS);
    assert_true(t.last < 0.8 * t.first);
    print_message("%s, %d thread%s: losses from %.3f to %.3f, at most %.1e apart\n", name, threads,
                  threads == 1 ? "" : "s", t.first, t.last, t.apart);
    clean_up(&t);
}

static void mlp(void **state)
{
    (void)state;
    train("mlp", 1);
    train("mlp", 2);
}

static void cnn(void **state)
{
    (void)state;
    train("cnn", 1);
    train("cnn", 2);
}

static void transformer(void **state)
{
    (void)state;
    train("transformer", 1);
    train("transformer", 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp),
        cmocka_unit_test(cnn),
        cmocka_unit_test(transformer),
    };
    if (argc > 1)
        folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
