/* The loaders of a run. */
#ifndef AN_CONFIG_LOADERS_H
#define AN_CONFIG_LOADERS_H

#include "config/config.h"

/* Of the training set, drawn and augmented as the configuration says, or of data to evaluate. */
an_loader *an__loader_new(const an_config *config, an_context *context, const an_dataset *data,
                          bool training, an_error *err);

#endif
