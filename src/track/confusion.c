/* The confusion matrix, and precision, recall and F1 from its rows and columns. */
#include <anneal/metric.h>

#include <math.h>
#include <string.h>

#define MOST_CLASSES 10000

struct an_confusion {
    int64_t classes;
    int64_t *count;    /* [label * classes + answer] */
    int64_t *support;  /* by label, also of samples without an answer */
    int64_t *answered; /* by answer */
};

an_confusion *an_confusion_new(int64_t classes, an_error *err)
{
    if (classes < 1 || classes > MOST_CLASSES) {
        an_error_set(err, AN_ERROR_ARGUMENT, "a confusion matrix takes 1 to %d classes, got %lld",
                     MOST_CLASSES, (long long)classes);
        return NULL;
    }
    an_confusion *c = an_alloc(NULL, 1, sizeof *c, err);
    if (!c)
        return NULL;
    size_t n = (size_t)classes;
    c->classes = classes;
    c->count = an_alloc(NULL, n * n, sizeof *c->count, err);
    c->support = c->count ? an_alloc(NULL, n, sizeof *c->support, err) : NULL;
    c->answered = c->support ? an_alloc(NULL, n, sizeof *c->answered, err) : NULL;
    if (c->answered)
        return c;
    an_confusion_free(c);
    return NULL;
}

void an_confusion_free(an_confusion *c)
{
    if (!c)
        return;
    size_t n = (size_t)c->classes;
    an_release(NULL, c->count, n * n, sizeof *c->count);
    an_release(NULL, c->support, n, sizeof *c->support);
    an_release(NULL, c->answered, n, sizeof *c->answered);
    an_release(NULL, c, 1, sizeof *c);
}

void an_confusion_reset(an_confusion *c)
{
    size_t n = (size_t)c->classes;
    memset(c->count, 0, n * n * sizeof *c->count);
    memset(c->support, 0, n * sizeof *c->support);
    memset(c->answered, 0, n * sizeof *c->answered);
}

/* The first maximum; -1 with a NaN. */
static int64_t answer_of(const float *scores, int64_t classes)
{
    int64_t best = 0;
    for (int64_t i = 0; i < classes; i++) {
        if (isnan(scores[i]))
            return -1;
        if (scores[i] > scores[best])
            best = i;
    }
    return best;
}

bool an_confusion_add(an_confusion *c, const float *scores, const int32_t *labels, int64_t samples,
                      an_error *err)
{
    for (int64_t i = 0; i < samples; i++)
        if (labels[i] < 0 || labels[i] >= c->classes)
            return an_error_set(err, AN_ERROR_DATA,
                                "label %d of sample %lld is outside the %lld classes", labels[i],
                                (long long)i, (long long)c->classes);
    for (int64_t i = 0; i < samples; i++) {
        int64_t answer = answer_of(scores + i * c->classes, c->classes);
        c->support[labels[i]]++;
        if (answer < 0)
            continue;
        c->count[labels[i] * c->classes + answer]++;
        c->answered[answer]++;
    }
    return true;
}

static bool is_class(const an_confusion *c, int64_t label)
{
    return label >= 0 && label < c->classes;
}

int64_t an_confusion_classes(const an_confusion *c)
{
    return c->classes;
}

int64_t an_confusion_count(const an_confusion *c, int64_t label, int64_t answer)
{
    return is_class(c, label) && is_class(c, answer) ? c->count[label * c->classes + answer] : 0;
}

int64_t an_confusion_support(const an_confusion *c, int64_t label)
{
    return is_class(c, label) ? c->support[label] : 0;
}

/* NaN for a part of nothing. */
static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

double an_confusion_accuracy(const an_confusion *c)
{
    int64_t right = 0, all = 0;
    for (int64_t i = 0; i < c->classes; i++) {
        right += c->count[i * c->classes + i];
        all += c->support[i];
    }
    return share(right, all);
}

double an_confusion_precision(const an_confusion *c, int64_t label)
{
    return is_class(c, label) ? share(an_confusion_count(c, label, label), c->answered[label])
                              : NAN;
}

double an_confusion_recall(const an_confusion *c, int64_t label)
{
    return share(an_confusion_count(c, label, label), an_confusion_support(c, label));
}

/* 2 TP + FP + FN is the sum of the class's samples and its answers. */
double an_confusion_f1(const an_confusion *c, int64_t label)
{
    return is_class(c, label) ? share(2 * an_confusion_count(c, label, label),
                                      c->support[label] + c->answered[label])
                              : NAN;
}

double an_confusion_macro_f1(const an_confusion *c)
{
    an_running_mean mean = {0};
    for (int64_t i = 0; i < c->classes; i++) {
        double f1 = an_confusion_f1(c, i);
        if (!isnan(f1))
            an_running_mean_add(&mean, f1, 1);
    }
    return an_running_mean_value(&mean);
}
