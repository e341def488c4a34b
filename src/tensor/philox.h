/* The bare Philox4x32-10 function, for the known-answer test and for kernels that draw in bulk. */
#ifndef AN_PHILOX_H
#define AN_PHILOX_H

#include <stdint.h>

void an__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
