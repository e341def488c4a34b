#include "file/little_endian.h"

void an__put_32(unsigned char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

void an__put_64(unsigned char *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

uint32_t an__get_32(const unsigned char *bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value |= (uint32_t)bytes[i] << 8 * i;
    return value;
}

uint64_t an__get_64(const unsigned char *bytes)
{
    return an__get_32(bytes) | (uint64_t)an__get_32(bytes + 4) << 32;
}
