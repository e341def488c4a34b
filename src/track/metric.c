/* Means, top k, R2: accumulators that are plain structs. */
#include <anneal/metric.h>

#include <math.h>

/* ------------------------------------------------------------------ mean */

void an_running_mean_add(an_running_mean *mean, double batch_mean, int64_t samples)
{
    mean->sum += batch_mean * (double)samples;
    mean->samples += samples;
}

double an_running_mean_value(const an_running_mean *mean)
{
    return mean->samples > 0 ? mean->sum / (double)mean->samples : NAN;
}

double an_running_mean_perplexity(const an_running_mean *mean)
{
    return exp(an_running_mean_value(mean));
}

/* -------------------------------------------------------------------- top k */

/* How many classes are better than `label`; `classes` if a score is NaN. */
static int64_t rank_of(const float *scores, int64_t classes, int32_t label)
{
    int64_t better = 0;
    for (int64_t i = 0; i < classes; i++) {
        if (isnan(scores[i]))
            return classes;
        better += scores[i] > scores[label] || (scores[i] == scores[label] && i < label);
    }
    return better;
}

void an_top_k_add(an_top_k *top, const float *scores, const int32_t *labels, int64_t samples,
                  int64_t classes)
{
    for (int64_t i = 0; i < samples; i++) {
        bool known = labels[i] >= 0 && labels[i] < classes;
        int64_t rank = known ? rank_of(scores + i * classes, classes, labels[i]) : classes;
        top->correct += rank < classes && rank < top->k;
    }
    top->samples += samples;
}

double an_top_k_value(const an_top_k *top)
{
    return top->samples > 0 ? (double)top->correct / (double)top->samples : NAN;
}

/* ----------------------------------------------------------------------- R2 */

/*
 * Of two portions with means a, b and n, m values, the spread around the joint mean is the sum of
 * their spreads and (b - a)^2 n m / (n + m).
 */
static void join(an_r2 *r2, int64_t count, double mean, double spread)
{
    double n = (double)r2->count, m = (double)count, apart = mean - r2->mean;
    r2->spread += spread + apart * apart * n * m / (n + m);
    r2->mean += apart * m / (n + m);
    r2->count += count;
}

void an_r2_add(an_r2 *r2, const float *predicted, const float *targets, int64_t count)
{
    double mean = 0, spread = 0;
    if (count < 1)
        return;
    for (int64_t i = 0; i < count; i++)
        mean += (double)targets[i];
    mean /= (double)count;
    for (int64_t i = 0; i < count; i++) {
        double off = (double)targets[i] - mean, wrong = (double)targets[i] - (double)predicted[i];
        spread += off * off;
        r2->residual += wrong * wrong;
    }
    join(r2, count, mean, spread);
}

double an_r2_value(const an_r2 *r2)
{
    return r2->count > 1 && r2->spread > 0 ? 1 - r2->residual / r2->spread : NAN;
}
