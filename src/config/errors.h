/* Errors of other rooms, which know no file, at their place in the configuration. */
#ifndef AN_CONFIG_ERRORS_H
#define AN_CONFIG_ERRORS_H

#include "config/config.h"

/* Puts the place of `node` before an error that has none: "FILE:LINE: ", and the excerpt. Gives
 * false. */
bool an__place(const an__node *node, an_error *err);

/* Hands `why` on to `err`: as an error of `node` if a wrong argument is what it says, with `owner`
 * ("stratify: ") before it. Gives false. */
bool an__hand_on(const an__node *node, const char *owner, const an_error *why, an_error *err);

#endif
