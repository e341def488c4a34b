/*
 * Random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as
 * 1, 2, 3; SC 2011), a bijection of 128-bit counters under a 64-bit key, and what is drawn with it.
 *
 * The key is the seed. The counter's upper half is the stream, its lower half the number of the
 * block; a block gives four numbers, so number n is word n % 4 of block n / 4.
 */
#include <anneal/tensor.h>

#include "tensor/philox.h"

#include <math.h>

void an__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* the golden ratio and sqrt(3) - 1, as the paper has them */
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The four numbers of block `block`. */
static void make_block(const an_rng *rng, uint64_t block, uint32_t out[4])
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)rng->stream,
                                 (uint32_t)(rng->stream >> 32)};
    const uint32_t key[2] = {(uint32_t)rng->seed, (uint32_t)(rng->seed >> 32)};
    an__philox(counter, key, out);
}

an_rng an_rng_init(uint64_t seed, uint64_t stream)
{
    return (an_rng){.seed = seed, .stream = stream, .counter = 0};
}

uint32_t an_rng_u32(an_rng *rng)
{
    uint32_t block[4];
    make_block(rng, rng->counter / 4, block);
    return block[rng->counter++ % 4];
}

static uint64_t u64(an_rng *rng)
{
    const uint64_t high = an_rng_u32(rng);
    return high << 32 | an_rng_u32(rng);
}

/*
 * Multiply and shift; the first 2^32 mod n fractions of each interval are drawn again, so that all
 * results are equally likely (Lemire: Fast Random Integer Generation in an Interval; 2019).
 */
uint64_t an_rng_below(an_rng *rng, uint64_t n)
{
    if (n == 0)
        return 0;
    const uint64_t range = (uint64_t)1 << 32;
    const uint64_t uneven = range % n;
    uint64_t product = an_rng_u32(rng) * n;
    while ((product & (range - 1)) < uneven)
        product = an_rng_u32(rng) * n;
    return product >> 32;
}

static float to_unit_float(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

float an_rng_float(an_rng *rng)
{
    return to_unit_float(an_rng_u32(rng));
}

double an_rng_double(an_rng *rng)
{
    return (double)(u64(rng) >> 11) * 0x1p-53;
}

/*
 * A point of the plane with normal coordinates has a uniform angle and a squared radius of
 * -2 ln u (Box and Muller 1958). One coordinate is used: the state stays three integers.
 */
double an_rng_normal(an_rng *rng)
{
    const double two_pi = 6.283185307179586;
    const double u = 1.0 - an_rng_double(rng); /* (0, 1]: the logarithm is finite */
    const double angle = two_pi * an_rng_double(rng);
    return sqrt(-2.0 * log(u)) * cos(angle);
}

void an_rng_fill_uniform(an_rng *rng, float *data, int64_t count, float low, float high)
{
    const float width = high - low;
    uint32_t block[4] = {0};
    for (int64_t i = 0; i < count; i++) {
        if (i == 0 || rng->counter % 4 == 0)
            make_block(rng, rng->counter / 4, block);
        const float value = low + width * to_unit_float(block[rng->counter++ % 4]);
        data[i] = value < high || width <= 0.0f ? value : nextafterf(high, low);
    }
}

void an_rng_fill_normal(an_rng *rng, float *data, int64_t count, float mean, float deviation)
{
    for (int64_t i = 0; i < count; i++)
        data[i] = (float)((double)mean + (double)deviation * an_rng_normal(rng));
}

void an_rng_permutation(an_rng *rng, int32_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = (int32_t)i;
    for (int64_t i = count - 1; i > 0; i--) {
        const int64_t j = (int64_t)an_rng_below(rng, (uint64_t)i + 1);
        const int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
