#include "capture.h"

#include <math.h>
#include <stdlib.h>

void capture_begin(capture *c)
{
    c->text = NULL;
    c->length = 0;
    c->stream = open_memstream(&c->text, &c->length);
    if (c->stream == NULL)
        abort();
}

const char *capture_text(capture *c)
{
    fflush(c->stream);
    return c->text;
}

void capture_end(capture *c)
{
    fclose(c->stream);
    free(c->text);
}

an_record sample_record(void)
{
    return (an_record){
        .step = 2814,
        .steps = 9380,
        .epoch = 3,
        .epochs = 10,
        .batch = 938,
        .batches = 938,
        .samples = 180000,
        .train_samples = 60000,
        .seconds = 0.5,
        .epoch_seconds = 0.145,
        .loss = 0.0712,
        .batch_loss = 0.0625,
        .grad_norm = NAN,
        .accuracy = 0.979,
        .valid_loss = NAN,
        .valid_accuracy = NAN,
        .groups = 1,
        .lr = {0.0411},
        .momentum = {NAN},
        .samples_per_second = 412345,
    };
}
