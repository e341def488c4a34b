/*
 * A loop shaped like llm.c's: one struct with parameters, gradients and AdamW's moments, then
 * forward, zero_grad, backward, update, with the learning rate of each step from a schedule.
 *
 *   cc llmc_loop.c $(pkg-config --cflags --libs anneal-lr) -lm -o llmc_loop && ./llmc_loop
 *
 * The model is the smallest language model: the logits of the next letter are a row of a table that
 * the present letter picks. The text is from the Gettysburg Address. No such model can be better
 * than the entropy of the text's letter pairs, which counting gives exactly: training must come
 * near.
 */
#include <anneal/lr_text.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LETTERS 27 /* a to z, and what stands between words */
#define PARAMETERS (LETTERS * LETTERS)
#define BATCH 64
#define STEPS 2000

static const char *const speech =
    "Four score and seven years ago our fathers brought forth on this continent a new nation, "
    "conceived in Liberty, and dedicated to the proposition that all men are created equal. Now we "
    "are engaged in a great civil war, testing whether that nation, or any nation so conceived and "
    "so dedicated, can long endure. We are met on a great battle-field of that war. We have come "
    "to "
    "dedicate a portion of that field as a final resting place for those who here gave their lives "
    "that that nation might live. It is altogether fitting and proper that we should do this. But "
    "in a larger sense we can not dedicate, we can not consecrate, we can not hallow this ground. "
    "The brave men, living and dead, who struggled here have consecrated it, far above our poor "
    "power to add or detract. The world will little note, nor long remember what we say here, but "
    "it can never forget what they did here. It is for us the living, rather, to be dedicated here "
    "to the unfinished work which they who fought here have thus far so nobly advanced.";

typedef struct bigram {
    float params[PARAMETERS], grads[PARAMETERS], m[PARAMETERS], v[PARAMETERS];
    float probs[BATCH][LETTERS];
    float mean_loss;
} bigram;

static int letter(char c)
{
    c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    return c >= 'a' && c <= 'z' ? c - 'a' : 26;
}

static void model_forward(bigram *model, const int *inputs, const int *targets)
{
    model->mean_loss = 0;
    for (int b = 0; b < BATCH; b++) {
        const float *logits = model->params + inputs[b] * LETTERS;
        float *probs = model->probs[b], most = logits[0], sum = 0;
        for (int i = 1; i < LETTERS; i++)
            most = fmaxf(most, logits[i]);
        for (int i = 0; i < LETTERS; i++)
            sum += probs[i] = expf(logits[i] - most);
        for (int i = 0; i < LETTERS; i++)
            probs[i] /= sum;
        model->mean_loss -= logf(probs[targets[b]]) / BATCH;
    }
}

static void model_zero_grad(bigram *model)
{
    memset(model->grads, 0, sizeof model->grads);
}

static void model_backward(bigram *model, const int *inputs, const int *targets)
{
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < LETTERS; i++)
            model->grads[inputs[b] * LETTERS + i] +=
                (model->probs[b][i] - (i == targets[b] ? 1.0f : 0.0f)) / BATCH;
}

static void model_update(bigram *model, float lr, float beta1, float beta2, float eps, float decay,
                         int t)
{
    for (int i = 0; i < PARAMETERS; i++) {
        float grad = model->grads[i];
        model->m[i] = beta1 * model->m[i] + (1 - beta1) * grad;
        model->v[i] = beta2 * model->v[i] + (1 - beta2) * grad * grad;
        float m_hat = model->m[i] / (1 - powf(beta1, (float)t));
        float v_hat = model->v[i] / (1 - powf(beta2, (float)t));
        model->params[i] -= lr * (m_hat / (sqrtf(v_hat) + eps) + decay * model->params[i]);
    }
}

/* The next BATCH pairs of letters, 7 letters apart, round and round through the text. */
static void next_batch(int step, int *inputs, int *targets)
{
    int pairs = (int)strlen(speech) - 1;
    for (int b = 0; b < BATCH; b++) {
        int at = (step * BATCH + b) * 7 % pairs;
        inputs[b] = letter(speech[at]);
        targets[b] = letter(speech[at + 1]);
    }
}

/* The entropy of a letter when the one before is known: the least loss that there is. */
static double pair_entropy(void)
{
    double count[LETTERS][LETTERS] = {{0}}, first[LETTERS] = {0}, entropy = 0;
    int pairs = (int)strlen(speech) - 1;
    for (int i = 0; i < pairs; i++) {
        count[letter(speech[i])][letter(speech[i + 1])]++;
        first[letter(speech[i])]++;
    }
    for (int a = 0; a < LETTERS; a++)
        for (int b = 0; b < LETTERS; b++)
            if (count[a][b] > 0)
                entropy -= count[a][b] * log(count[a][b] / first[a]) / pairs;
    return entropy;
}

int main(void)
{
    static bigram model;
    an_error err = {0};
    an_lr_group group;
    an_lr_group_init(&group, 0.1);
    /* llm.c's recipe: linear warmup, then a cosine down to a tenth; in PyTorch's words. */
    an_lr_text *text =
        an_lr_parse_text("SequentialLR([LinearLR(start_factor=0.01, total_iters=50),"
                         " CosineAnnealingLR(T_max=1950, eta_min=0.001)], milestones=[50])",
                         NULL, NULL, &err);
    an_lr_schedule *schedule =
        text ? an_lr_new(an_lr_text_desc(text), (an_lr_group *[]){&group}, 1, NULL, &err) : NULL;
    if (!schedule) {
        fprintf(stderr, "llmc_loop: %s\n", err.message);
        an_lr_text_free(text);
        return 1;
    }

    int inputs[BATCH], targets[BATCH];
    double late_loss = 0;
    for (int step = 0; step < STEPS; step++) {
        float lr = (float)group.slot[AN_LR].value;
        next_batch(step, inputs, targets);
        model_forward(&model, inputs, targets);
        model_zero_grad(&model);
        model_backward(&model, inputs, targets);
        model_update(&model, lr, 0.9f, 0.999f, 1e-8f, 0.0f, step + 1);
        an_lr_step(schedule);
        if (step % 200 == 0)
            printf("step %4d  train loss %.4f  lr %.6f\n", step, model.mean_loss, lr);
        if (step >= STEPS - 200)
            late_loss += model.mean_loss / 200;
    }
    an_lr_free(schedule);
    an_lr_text_free(text);

    double least = pair_entropy();
    printf("loss of the last 200 steps %.4f  entropy of letter pairs %.4f\n", late_loss, least);
    return late_loss < least + 0.02 ? 0 : 1;
}
