/* Numbers of fixed size in files: the lowest byte first, whatever the machine does. */
#ifndef AN_FILE_LITTLE_ENDIAN_H
#define AN_FILE_LITTLE_ENDIAN_H

#include <stdint.h>

/* At the head of `bytes`, which have room for them. */
void an__put_32(unsigned char *bytes, uint32_t value);
void an__put_64(unsigned char *bytes, uint64_t value);
uint32_t an__get_32(const unsigned char *bytes);
uint64_t an__get_64(const unsigned char *bytes);

#endif
