/* Early stopping: a callback that keeps a copy of the best weights. */
#include "train/watch.h"

#include <math.h>
#include <string.h>

/* What its state begins with; the weights follow. */
typedef struct state_head {
    double best_value;
    int64_t best_epoch, bad_epochs;
} state_head;

static size_t value_bytes(const an_params *params)
{
    return (size_t)an_params_length(params) * sizeof(float);
}

/* Of the copy: the parameters' values, then the buffers. */
static size_t weight_bytes(const an_params *params)
{
    size_t buffers = 0;
    an_params_buffer_block(params, &buffers);
    return value_bytes(params) + buffers;
}

static void copy_out(an_early_stopping *s)
{
    size_t buffers = 0;
    const an_params *params = an_model_params(s->model);
    const void *block = an_params_buffer_block(params, &buffers);
    memcpy(s->weights, an_params_values(params), value_bytes(params));
    if (buffers > 0)
        memcpy((char *)s->weights + value_bytes(params), block, buffers);
}

static void copy_in(const an_early_stopping *s)
{
    size_t buffers = 0;
    const an_params *params = an_model_params(s->model);
    void *block = an_params_buffer_block(params, &buffers);
    memcpy(an_params_values(params), s->weights, value_bytes(params));
    if (buffers > 0)
        memcpy(block, (const char *)s->weights + value_bytes(params), buffers);
}

bool an_early_stopping_init(an_early_stopping *stopping, an_model *model, an_error *err)
{
    const an_params *params = an_model_params(model);
    const an_allocator *allocator = an_context_allocator(an_params_context(params));
    *stopping = (an_early_stopping){
        .patience = 3, .monitor = AN_MONITOR_AUTO, .restore = true, .model = model};
    stopping->best_value = NAN;
    if (!an_params_values(params))
        return an_error_set(err, AN_ERROR_STATE,
                            "early stopping needs a model that is built; call an_model_build "
                            "before");
    stopping->weights = an_alloc(allocator, weight_bytes(params), 1, err);
    return stopping->weights != NULL;
}

void an_early_stopping_free(an_early_stopping *stopping)
{
    if (!stopping->weights)
        return;
    const an_params *params = an_model_params(stopping->model);
    an_release(an_context_allocator(an_params_context(params)), stopping->weights,
               weight_bytes(params), 1);
    stopping->weights = NULL;
}

static bool out_of_patience(const an_early_stopping *s)
{
    return s->best_epoch > 0 && s->bad_epochs >= s->patience;
}

/* A run that had stopped stays so, unless it was given more patience. */
static void train_begin(void *user, const an_record *record, an_control *control)
{
    const an_early_stopping *s = user;
    an__check_watched(s->monitor, s->metric, record, control);
    if (out_of_patience(s))
        control->stop = true;
}

static void keep_best(an_early_stopping *s, const an_record *record, double value)
{
    s->best_value = value;
    s->best_epoch = record->epoch;
    s->bad_epochs = 0;
    copy_out(s);
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    char text[160];
    an_early_stopping *s = user;
    double value = an__watched(s->monitor, s->metric, record);
    if (an__is_better(s->monitor, value, s->best_value, s->min_delta)) {
        keep_best(s, record, value);
        return;
    }
    s->bad_epochs++;
    if (s->bad_epochs < s->patience)
        return;
    control->stop = true;
    an_format(text, sizeof text, "no better epoch in %lld since epoch %lld: the training ends",
              (long long)s->bad_epochs, (long long)s->best_epoch);
    an_tell(control, "stopped", text);
}

static void train_end(void *user, const an_record *record, an_control *control)
{
    char text[160];
    an_early_stopping *s = user;
    if (!s->restore || s->best_epoch == 0 || s->best_epoch == record->epoch)
        return;
    copy_in(s);
    an_format(text, sizeof text, "the weights are those of epoch %lld, the best",
              (long long)s->best_epoch);
    an_tell(control, "restored", text);
}

static size_t save_state(void *user, void *bytes, size_t size)
{
    const an_early_stopping *s = user;
    const state_head head = {s->best_value, s->best_epoch, s->bad_epochs};
    size_t weights = s->best_epoch > 0 ? weight_bytes(an_model_params(s->model)) : 0;
    if (size >= sizeof head + weights) {
        memcpy(bytes, &head, sizeof head);
        memcpy((char *)bytes + sizeof head, s->weights, weights);
    }
    return sizeof head + weights;
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_early_stopping *s = user;
    state_head head = {.best_value = NAN};
    (void)record;
    if (bytes && size >= sizeof head)
        memcpy(&head, bytes, sizeof head);
    size_t weights = head.best_epoch > 0 ? weight_bytes(an_model_params(s->model)) : 0;
    if (bytes && size != sizeof head + weights)
        return an_error_set(err, AN_ERROR_DATA,
                            "the state of the early stopping is not one of this model's");
    s->best_value = head.best_value;
    s->best_epoch = head.best_epoch;
    s->bad_epochs = head.bad_epochs;
    if (weights > 0)
        memcpy(s->weights, (const char *)bytes + sizeof head, weights);
    return true;
}

an_callback an_early_stopping_callback(an_early_stopping *stopping)
{
    return (an_callback){.train_begin = train_begin,
                         .train_end = train_end,
                         .epoch_end = epoch_end,
                         .name = "early_stopping",
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = stopping};
}
