#include "track/line.h"

#define GAP "  "

static void write_epoch(void *user, const an_record *record, an_control *control)
{
    (void)control;
    FILE *stream = user;
    an_line line = {.length = 0};
    an__line_epoch(&line, record);
    an__line_loss(&line, GAP, record);
    an__line_accuracy(&line, GAP, record);
    an__line_valid_loss(&line, GAP, record);
    an__line_valid_accuracy(&line, GAP, record);
    an__line_metrics(&line, GAP, record);
    an__line_rates(&line, GAP, record);
    an__line_speed(&line, GAP, record);
    an__line_add(&line, "\n");
    fputs(line.text, stream);
    fflush(stream);
}

static void write_event(void *user, const an_record *record, const an_event *event)
{
    (void)record;
    FILE *stream = user;
    an_line line = {.length = 0};
    an__line_event(&line, event);
    an__line_add(&line, "\n");
    fputs(line.text, stream);
    fflush(stream);
}

an_callback an_console_logger(FILE *stream)
{
    return (an_callback){.epoch_end = write_epoch, .event = write_event, .user = stream};
}
