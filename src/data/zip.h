/* Members of zip archives, as sources of bytes; the format is drawn in zip.c. */
#ifndef AN_DATA_ZIP_H
#define AN_DATA_ZIP_H

#include "data/source.h"

/*
 * Makes `source`, a plain one that is opened on an archive, one of the member `name`, or
 * `name`.npy. False with err (DATA) where the archive is damaged, holds no such member (the message
 * names some of those that it holds) or has it packed in another way than stored or deflated; the
 * source is still to be closed.
 */
bool an__zip_enter(an_source *source, const char *name, an_error *err);

#endif
