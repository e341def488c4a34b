/*
 * CRC-32C (Castagnoli, as in iSCSI, RFC 3720): finds every burst of up to 32 wrong bits. Start from
 * 0; a text in pieces gives what the whole does. The CRC of "123456789" is 0xe3069283.
 */
#ifndef AN_FILE_CRC32C_H
#define AN_FILE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t an__crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
