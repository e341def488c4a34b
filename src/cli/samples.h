/* Samples without labels, to predict. */
#ifndef AN_CLI_SAMPLES_H
#define AN_CLI_SAMPLES_H

#include "cli/find.h"

/*
 * Samples of this shape from a file: images as IDX or NumPy array of uint8 (.npy, channels first
 * or last), plain or gzip; or text with a row of numbers from
 * 0 to 255 for each sample, apart by commas, semicolons or blanks; a first line without numbers is
 * a heading. Errors point at the place.
 */
an_dataset *cli_read_samples(const char *path, an_shape shape, int32_t classes, an_error *err);
/* Samples from a NumPy array (.npy), as an_npy_open_like reads them. */
an_dataset *cli_read_floats(const char *path, const an_dataset *like, an_error *err);

#endif
