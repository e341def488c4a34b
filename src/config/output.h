/* What a model gives, and the layer that is blamed where that does not fit. */
#ifndef AN_CONFIG_OUTPUT_H
#define AN_CONFIG_OUTPUT_H

#include "config/config.h"

/* The node of the layer that an error of an_model_build speaks of, or the model's. */
const an__node *an__layer_blamed(const an_config *config, const an_error *err);

/* Whether the built model's output and the loss suit the data of `run`. False with err (CONFIG). */
bool an__check_output(const an_config *config, const an_run *run, an_error *err);

#endif
