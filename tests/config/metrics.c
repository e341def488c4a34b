/* The key metrics: what is measured, against a plain count over all answers; what is refused. */
#include "world.h"

#include <math.h>

#define RUN BODY "validation: 30\nepochs: 3\n"
#define ALL "metrics: [TopK(1), TopK(3), F1(1), Precision(1), Recall(1), MacroF1(), Perplexity()]\n"

#define CLASSES 10
#define MOST 100

/* All answers of a model on a loader. */
typedef struct answers {
    float scores[MOST][CLASSES];
    int labels[MOST], best[MOST], count;
} answers;

static answers ask(an_run *run, an_loader *loader)
{
    static answers a;
    an_batch batch;
    a.count = 0;
    an_graph *graph = an_graph_new(run->context, NULL);
    an_model_set_training(run->model, false);
    an_loader_seek(loader, 0);
    while (an_loader_next(loader, &batch)) {
        const an_tensor *output = an_forward(run->model, graph, batch.x);
        for (int64_t i = 0; i < batch.size; i++, a.count++) {
            memcpy(a.scores[a.count], output->data + i * CLASSES, sizeof a.scores[0]);
            a.labels[a.count] = batch.y.data[i];
            a.best[a.count] = 0;
            for (int c = 1; c < CLASSES; c++)
                if (a.scores[a.count][c] > a.scores[a.count][a.best[a.count]])
                    a.best[a.count] = c;
        }
        assert_true(an_graph_reset(graph, NULL));
    }
    an_graph_free(graph);
    return a;
}

static double top(const answers *a, int k)
{
    int right = 0;
    for (int i = 0; i < a->count; i++) {
        int better = 0;
        for (int c = 0; c < CLASSES; c++)
            better += a->scores[i][c] > a->scores[i][a->labels[i]];
        right += better < k;
    }
    return (double)right / a->count;
}

/* Samples of a class that were taken for it; of the class; taken for it. */
static void tally(const answers *a, int class, double *hits, double *of, double *taken)
{
    *hits = *of = *taken = 0;
    for (int i = 0; i < a->count; i++) {
        *hits += a->labels[i] == class && a->best[i] == class;
        *of += a->labels[i] == class;
        *taken += a->best[i] == class;
    }
}

static double f1(const answers *a, int class)
{
    double hits, of, taken;
    tally(a, class, &hits, &of, &taken);
    return 2 * hits / (of + taken);
}

static double macro_f1(const answers *a)
{
    double sum = 0, count = 0;
    for (int c = 0; c < CLASSES; c++)
        if (!isnan(f1(a, c))) {
            sum += f1(a, c);
            count++;
        }
    return sum / count;
}

static double perplexity(const answers *a)
{
    double loss = 0;
    for (int i = 0; i < a->count; i++) {
        double total = 0;
        for (int c = 0; c < CLASSES; c++)
            total += exp((double)a->scores[i][c]);
        loss -= log(exp((double)a->scores[i][a->labels[i]]) / total);
    }
    return exp(loss / a->count);
}

static void check(const answers *a, const double *values)
{
    double hits, of, taken;
    tally(a, 1, &hits, &of, &taken);
    const double expected[] = {top(a, 1), top(a, 3),   f1(a, 1),     hits / taken,
                               hits / of, macro_f1(a), perplexity(a)};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true((isnan(values[i]) && isnan(expected[i])) ||
                    fabs(values[i] - expected[i]) < 1e-9);
}

/* Batches of 16 of 30 and 50 samples: the last ones are shorter. */
static void they_are_of_the_whole_set(void **state)
{
    (void)state;
    static const char *const names[] = {"valid_top1",        "valid_top3",     "valid_f1_1",
                                        "valid_precision_1", "valid_recall_1", "valid_macro_f1",
                                        "valid_perplexity"};
    an_config *config;
    an_fit_result result;
    an_eval_result test;
    double values[7];
    an_run *run = run_of(RUN ALL, "optimizer=Adam(lr=1)", &config);
    assert_true(an_fit(&run->fit, &result, NULL));
    assert_int_equal(result.last.metric_count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(result.last.metrics[i].name, names[i]);
        values[i] = result.last.metrics[i].value;
    }
    const answers valid = ask(run, run->valid), tested = ask(run, run->test);
    assert_int_equal(valid.count, 30);
    check(&valid, values);
    assert_true(values[0] == result.last.valid_accuracy);
    assert_true(values[0] > 0.2 && values[2] > 0.2 && values[5] > 0.2 && values[6] < 8);
    assert_true(an_evaluate_metrics(run->model, run->fit.loss, run->test, run->fit.metrics, 7,
                                    &test, NULL));
    check(&tested, test.metrics);
    an_run_free(run);
    an_config_free(config);
}

/* One call needs no list; without validation it is there for the test alone. */
static void one_without_validation(void **state)
{
    (void)state;
    an_config *config;
    an_fit_result result;
    an_eval_result test;
    an_run *run = run_of(BODY "epochs: 1\nmetrics: TopK(2)\n", NULL, &config);
    assert_true(an_fit(&run->fit, &result, NULL));
    assert_int_equal(result.last.metric_count, 0);
    assert_true(an_evaluate_metrics(run->model, run->fit.loss, run->test, run->fit.metrics,
                                    run->fit.metric_count, &test, NULL));
    const answers a = ask(run, run->test);
    assert_true(test.metrics[0] == top(&a, 2));
    an_run_free(run);
    an_config_free(config);
}

/* What a loss does not count is no surprise either: without label 3 it is another number. */
static void what_the_loss_ignores(void **state)
{
    (void)state;
    an_config *config;
    an_eval_result test;
    an_run *run = run_of(RUN "loss: CrossEntropyLoss(ignore_index=3)\nmetrics: [Perplexity()]\n",
                         NULL, &config);
    assert_true(an_evaluate_metrics(run->model, run->fit.loss, run->test, run->fit.metrics, 1,
                                    &test, NULL));
    answers all = ask(run, run->test), kept = {.count = 0};
    for (int i = 0; i < all.count; i++)
        if (all.labels[i] != 3) {
            memcpy(kept.scores[kept.count], all.scores[i], sizeof all.scores[i]);
            kept.labels[kept.count++] = all.labels[i];
        }
    assert_int_equal(kept.count, 45);
    assert_true(fabs(test.metrics[0] - perplexity(&kept)) < 1e-9);
    an_run_free(run);
    an_config_free(config);
}

/* A text has a label a token. */
static void every_token_counts(void **state)
{
    (void)state;
    char path[256];
    an_config *config;
    an_eval_result test;
    snprintf(path, sizeof path, "%s/t.txt", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 50; i++)
        fputs("abcabdabe\n", file);
    fclose(file);
    an_run *run = run_of("data: {format: text, path: t.txt, context: 8}\nmodel: ['Embedding(6, 4)',"
                         " 'Linear(4, 6)']\noptimizer: Adam(lr=0.1)\nepochs: 3\nbatch_size: 4\n"
                         "validation: 0.2\nmetrics: [TopK(1), Perplexity(), MacroF1()]\n",
                         NULL, &config);
    assert_true(an_fit(&run->fit, NULL, NULL));
    assert_true(an_evaluate_metrics(run->model, run->fit.loss, run->test, run->fit.metrics, 3,
                                    &test, NULL));
    assert_true(fabs(test.metrics[0] - test.accuracy) < 1e-12 && test.accuracy > 0.5);
    assert_true(fabs(test.metrics[1] - exp(test.loss)) < 1e-5);
    assert_true(test.metrics[2] > 0.1 && test.metrics[2] <= 1);
    unlink(path);
    an_run_free(run);
    an_config_free(config);
}

/* ------------------------------------------------------------------- numbers */

#define TABLE                                                                               \
    "data: {format: csv, path: n.csv, target: [y, z]}\nmodel: ['Linear(1, 2)']\n"           \
    "optimizer: Adam(lr=0.05)\nloss: MSELoss()\nepochs: 5\nbatch_size: 8\nvalidation: 21\n" \
    "threads: 1\n"

static void write_numbers(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/n.csv", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("x,y,z\n", file);
    for (int i = 0; i < 60; i++)
        fprintf(file, "%g,%g,%g\n", i / 60.0, i / 30.0 + i % 7 * 0.1, 1000 - i * 0.01);
    fclose(file);
}

/* The mean of both targets' own: z lies far from y, which a common mean would make a good fit. */
static void r2_is_the_mean_of_each_targets(void **state)
{
    (void)state;
    an_config *config;
    an_fit_result result;
    double p[2][MOST], t[2][MOST], mean[2] = {0}, r2 = 0;
    int count = 0;
    an_batch batch;
    write_numbers();
    an_run *run = run_of(TABLE "metrics: R2()\nmonitor: valid_r2\n", NULL, &config);
    assert_true(an_fit(&run->fit, &result, NULL));
    an_graph *graph = an_graph_new(run->context, NULL);
    an_loader_seek(run->valid, 0);
    while (an_loader_next(run->valid, &batch)) {
        const an_tensor *output = an_forward(run->model, graph, batch.x);
        for (int64_t i = 0; i < batch.size; i++, count++)
            for (int j = 0; j < 2; j++) {
                p[j][count] = (double)output->data[2 * i + j];
                t[j][count] = (double)batch.target->data[2 * i + j];
                mean[j] += t[j][count] / 21;
            }
        assert_true(an_graph_reset(graph, NULL));
    }
    assert_int_equal(count, 21);
    for (int j = 0; j < 2; j++) {
        double wrong = 0, spread = 0;
        for (int i = 0; i < count; i++) {
            wrong += (p[j][i] - t[j][i]) * (p[j][i] - t[j][i]);
            spread += (t[j][i] - mean[j]) * (t[j][i] - mean[j]);
        }
        r2 += (1 - wrong / spread) / 2;
    }
    assert_string_equal(result.last.metrics[0].name, "valid_r2");
    assert_true(fabs(result.last.metrics[0].value / r2 - 1) < 1e-6);
    an_graph_free(graph);
    an_run_free(run);
    an_config_free(config);
}

/* ------------------------------------------------------------------- watched */

static void they_are_watched(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(RUN ALL "monitor: valid_macro_f1\n"
                                 "checkpoint: {best: true, monitor: valid_perplexity}\n"
                                 "early_stopping: {monitor: valid_top3}\n",
                         NULL, &config);
    assert_int_equal(run->fit.monitor, AN_MONITOR_METRIC_MAX);
    assert_string_equal(run->fit.metric, "valid_macro_f1");
    assert_int_equal(run->checkpointer.monitor, AN_MONITOR_METRIC_MIN);
    assert_string_equal(run->checkpointer.metric, "valid_perplexity");
    assert_int_equal(run->early_stopping.monitor, AN_MONITOR_METRIC_MAX);
    assert_string_equal(run->early_stopping.metric, "valid_top3");
    for (size_t i = 0; i < run->param_count; i++)
        if (strcmp(run->params[i].name, "metrics") == 0)
            assert_memory_equal(run->params[i].text, "TopK(1), TopK(3), F1(1), ", 25);
    assert_non_null(strstr(run->resolved_text, "\nmetrics:\n  - TopK(1)\n  - TopK(3)\n"));
    an_run_free(run);
    an_config_free(config);
}

typedef struct trail {
    double value[16], rate[16];
    int count;
} trail;

static void note(void *user, const an_record *record, an_control *control)
{
    trail *t = user;
    (void)control;
    t->value[t->count] = record->metrics[0].value;
    t->rate[t->count++] = record->lr[0];
}

/* A plateau halves the rate after every epoch that the metric was not better in than ever. */
static void a_schedule_follows_one(void **state)
{
    (void)state;
    an_config *config;
    trail t = {.count = 0};
    double best = 0;
    int halved = 0;
    const an_callback callback = {.epoch_end = note, .user = &t};
    an_run *run = run_of(RUN "metrics: TopK(3)\nmonitor: valid_top3\n"
                             "schedule: ReduceLROnPlateau(mode='max', patience=0, factor=0.5)\n",
                         "epochs=12", &config);
    run->fit.callbacks = &callback;
    run->fit.callback_count = 1;
    assert_true(an_fit(&run->fit, NULL, NULL));
    assert_int_equal(t.count, 12);
    for (int i = 0; i + 1 < t.count; i++) {
        const bool better = t.value[i] > best;
        best = better ? t.value[i] : best;
        halved += !better;
        assert_true(t.rate[i + 1] == t.rate[i] * (better ? 1 : 0.5));
    }
    assert_true(halved > 0 && halved < 11);
    an_run_free(run);
    an_config_free(config);
}

/* ------------------------------------------------------------------- refused */

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"metrics=TopK(10)", "k must be from 1 to 9, below the 10 classes, got 10"},
        {"metrics=TopK(0)", "k must be from 1"},
        {"metrics=TopK()", "'k'"},
        {"metrics=TopK(2.5)", "whole number"},
        {"metrics=F1(10)", "label must be from 0 to 9"},
        {"metrics=Recall(-1)", "label must be from 0 to 9"},
        {"metrics=MacroF1(3)", "no arguments"},
        {"metrics=MacroF1", "write 'MacroF1()'"},
        {"metrics=[top3]", "metrics takes calls: for 'top3' write 'TopK(3)'"},
        {"metrics=valid_top3", "for 'valid_top3' write 'TopK(3)'"},
        {"metrics=top3()", "for 'top3' write 'TopK(3)'"},
        {"metrics=TopK", "for 'TopK' write 'TopK(5)'"},
        {"metrics=Recall", "for 'Recall' write 'Recall(0)'"},
        {"metrics=[TopK(3), precision_7]", "for 'precision_7' write 'Precision(7)'"},
        {"metrics=test_macro_f1", "for 'test_macro_f1' write 'MacroF1()'"},
        {"metrics=top", "there is no metric 'top'; "},
        {"metrics=macro_f15", "did you mean 'MacroF1'?"},
        {"metrics=auc", "there is no metric 'auc'; there are F1, MacroF1, Perplexity, Precision, "
                        "R2, Recall and TopK"},
        {"metrics=valid_loss", "are always there; leave out 'valid_loss'"},
        {"metrics=3", "metrics takes a call"},
        {"metrics=MacrF1()", "did you mean 'MacroF1'?"},
        {"metrics=Accuracy()", "accuracy and loss are always there; leave out 'Accuracy'"},
        {"metrics=R2()", "the data have classes; take MacroF1()"},
        {"metrics=[TopK(3), TopK(k=3)]", "there twice"},
        {"metrics=[]", "1 to 16 calls"},
        {"metrics={top: 5}", "got a map"},
        {"monitor=valid_top4", "valid_accuracy or valid_top3, got 'valid_top4'"},
        {"checkpoint={monitor: top3}", "valid_accuracy or valid_top3, got 'top3'"},
        {"early_stopping={monitor: valid_r2}", "valid_accuracy or valid_top3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(RUN "metrics: TopK(3)\n", cases[i][0], AN_ERROR_CONFIG, cases[i][1], "--set ");
    refuse(RUN "metrics: Perplexity()\nloss: MSELoss()\n", NULL, AN_ERROR_CONFIG,
           "c.yaml:9: ", "the loss is MSELoss");
    write_numbers();
    refuse(TABLE "metrics: [R2(), MacroF1()]\n", NULL, AN_ERROR_CONFIG, "c.yaml:9: MacroF1",
           "numbers are predicted; take R2()");
    refuse(TABLE "metrics: R2()\n", "monitor=r2", AN_ERROR_CONFIG,
           "must be auto, train_loss, loss, valid_loss or valid_r2", "got 'r2'");
}

static void signatures_name_the_parameter(void **state)
{
    (void)state;
    char text[40], cut[4];
    size_t count = 0;
    while (an_metric_signature(count, text, sizeof text) > 0)
        count++;
    assert_int_equal(count, 7);
    assert_string_equal(text, "TopK(k)");
    assert_int_equal(an_metric_signature(1, text, sizeof text), strlen("MacroF1()"));
    assert_string_equal(text, "MacroF1()");
    assert_int_equal(an_metric_signature(1, cut, sizeof cut), strlen("MacroF1()"));
    assert_string_equal(cut, "Mac");
}

/* Metrics are of the validation. */
static void without_validation_nothing_watches_them(void **state)
{
    (void)state;
    static const char *const sets[] = {"monitor=valid_top3",
                                       "checkpoint={best: true, monitor: valid_top3}",
                                       "early_stopping={monitor: valid_top3}"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        refuse(BODY "epochs: 1\nmetrics: TopK(3)\n", sets[i], AN_ERROR_CONFIG,
               "watches the validation, but there is none", "add the key 'validation'");
    refuse(BODY "epochs: 1\nmetrics: TopK(3)\n", "monitor=top3", AN_ERROR_CONFIG,
           "must be auto, train_loss, loss, train_accuracy or accuracy, got 'top3'", "");
    refuse(RUN "metrics: TopK(3)\ninterval: step\nschedule: ReduceLROnPlateau()\n",
           "monitor=valid_top3", AN_ERROR_CONFIG, "happens once an epoch", "interval epoch");
}

static int remove_all(void **state)
{
    char path[256];
    snprintf(path, sizeof path, "%s/n.csv", folder);
    unlink(path);
    return remove_data(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_of_the_whole_set),
        cmocka_unit_test(one_without_validation),
        cmocka_unit_test(what_the_loss_ignores),
        cmocka_unit_test(every_token_counts),
        cmocka_unit_test(r2_is_the_mean_of_each_targets),
        cmocka_unit_test(they_are_watched),
        cmocka_unit_test(a_schedule_follows_one),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(signatures_name_the_parameter),
        cmocka_unit_test(without_validation_nothing_watches_them),
    };
    return cmocka_run_group_tests(tests, make_data, remove_all);
}
