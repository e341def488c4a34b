/*
 * anneal/metric.h - measures of a model's answers, added up batch by batch.
 *
 * An accumulator gets plain arrays: scores row by row (n, classes), or values. It counts samples,
 * not batches, so that batches of different sizes give what one batch of everything would give.
 *
 *   an_top_k top5 = {.k = 5};
 *   while (an_loader_next(loader, &batch)) {
 *       an_tensor *scores = an_forward(model, graph, batch.x);
 *       an_top_k_add(&top5, scores->data, batch.y.data, batch.size, 10);
 *   }
 *   printf("%g\n", an_top_k_value(&top5));
 *
 * A score that is NaN makes its row wrong. Measures of nothing are NaN.
 */
#ifndef ANNEAL_METRIC_H
#define ANNEAL_METRIC_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- a mean */

/* The mean of batches' means, each weighted by its samples. All zero to begin with. */
typedef struct an_running_mean {
    double sum;
    int64_t samples;
} an_running_mean;

AN_API void an_running_mean_add(an_running_mean *mean, double batch_mean, int64_t samples);
AN_API double an_running_mean_value(const an_running_mean *mean);
/* exp of the mean: of cross-entropies in nats, the perplexity. */
AN_API double an_running_mean_perplexity(const an_running_mean *mean);

/* ------------------------------------------------------------------ top k */

/*
 * The share of samples whose label is among the k best scores; k = 1 is the accuracy. Of equal
 * scores, those of lower classes are better (as with a first maximum). Zero but for k to begin
 * with.
 */
typedef struct an_top_k {
    int64_t k; /* at least 1 */
    int64_t correct, samples;
} an_top_k;

/* A label outside 0..classes-1 is a wrong answer. */
AN_API void an_top_k_add(an_top_k *top, const float *scores, const int32_t *labels, int64_t samples,
                         int64_t classes);
AN_API double an_top_k_value(const an_top_k *top);

/* ------------------------------------------------------- confusion matrix */

/* How often samples of each class were taken for each class, and what follows from that. */
typedef struct an_confusion an_confusion;

/* 1 <= classes <= 10000 (ARGUMENT). */
AN_API an_confusion *an_confusion_new(int64_t classes, an_error *err);
/*
 * Adds a batch; the answer of a row is its first maximum. A row with a NaN has no answer: it counts
 * for its class, but for no column. False with err, nothing added: a label outside (DATA).
 */
AN_API bool an_confusion_add(an_confusion *confusion, const float *scores, const int32_t *labels,
                             int64_t samples, an_error *err);
AN_API int64_t an_confusion_classes(const an_confusion *confusion);
/* Samples of class `label` that were taken for `answer`; 0 outside the matrix. */
AN_API int64_t an_confusion_count(const an_confusion *confusion, int64_t label, int64_t answer);
/* Samples of a class. */
AN_API int64_t an_confusion_support(const an_confusion *confusion, int64_t label);
AN_API double an_confusion_accuracy(const an_confusion *confusion);
/* Of the samples taken for the class, the share that is of it; NaN where none was taken for it. */
AN_API double an_confusion_precision(const an_confusion *confusion, int64_t label);
/* Of the class's samples, the share that was recognised; NaN where it has none. */
AN_API double an_confusion_recall(const an_confusion *confusion, int64_t label);
/*
 * 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 where the class has samples
 * or answers but no hit, NaN where it has neither.
 */
AN_API double an_confusion_f1(const an_confusion *confusion, int64_t label);
/* The mean of F1 over the classes where it is not NaN. */
AN_API double an_confusion_macro_f1(const an_confusion *confusion);
AN_API void an_confusion_reset(an_confusion *confusion);
AN_API void an_confusion_free(an_confusion *confusion);

/* --------------------------------------------------------------------- R2 */

/*
 * The coefficient of determination, 1 - sum (y - p)^2 / sum (y - mean y)^2, over values added in
 * any portions. All zero to begin with. The spread of the targets is summed as in Chan, Golub and
 * LeVeque (1983), which does not cancel when they lie far from 0.
 */
typedef struct an_r2 {
    int64_t count;
    double mean, spread, residual;
} an_r2;

AN_API void an_r2_add(an_r2 *r2, const float *predicted, const float *targets, int64_t count);
/* 1 is perfect, 0 as good as the mean, below 0 worse; NaN of fewer than two or of equal targets. */
AN_API double an_r2_value(const an_r2 *r2);

#ifdef __cplusplus
}
#endif
#endif
