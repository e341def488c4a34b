/* What crosses the files of the train room. */
#ifndef AN_TRAIN_FIT_H
#define AN_TRAIN_FIT_H

#include <anneal/train.h>

/* ARGUMENT with the option's name where the options cannot be trained with. */
bool an__fit_check(const an_fit_options *options, an_error *err);

/* an_evaluate on a graph that is there already: empty before and after. */
bool an__evaluate(an_model *model, an_loss loss, an_loader *loader, an_graph *graph,
                  an_eval_result *result, an_error *err);

#endif
