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

/* Draws several numbers in a row and makes each block once. Start from `{.rng = rng}`. */
typedef struct draw {
    an_rng *rng;
    uint32_t block[4];
    bool made; /* block is the counter's */
} draw;

static uint32_t next_u32(draw *d)
{
    const uint64_t n = d->rng->counter++;
    if (!d->made || n % 4 == 0)
        make_block(d->rng, n / 4, d->block);
    d->made = true;
    return d->block[n % 4];
}

uint32_t an_rng_u32(an_rng *rng)
{
    return next_u32(&(draw){.rng = rng});
}

static uint64_t next_u64(draw *d)
{
    const uint64_t high = next_u32(d);
    return high << 32 | next_u32(d);
}

/*
 * Multiply and shift; the first 2^32 mod n fractions of each interval are drawn again, so that all
 * results are equally likely (Lemire: Fast Random Integer Generation in an Interval; 2019). The
 * remainder is below n, so it is computed only where the fraction is.
 */
static uint64_t next_below(draw *d, uint64_t n)
{
    const uint64_t range = (uint64_t)1 << 32;
    uint64_t product = next_u32(d) * n;
    if ((product & (range - 1)) < n) {
        const uint64_t uneven = range % n;
        while ((product & (range - 1)) < uneven)
            product = next_u32(d) * n;
    }
    return product >> 32;
}

uint64_t an_rng_below(an_rng *rng, uint64_t n)
{
    return n == 0 ? 0 : next_below(&(draw){.rng = rng}, n);
}

static float to_unit_float(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

float an_rng_float(an_rng *rng)
{
    return to_unit_float(an_rng_u32(rng));
}

static double next_double(draw *d)
{
    return (double)(next_u64(d) >> 11) * 0x1p-53;
}

double an_rng_double(an_rng *rng)
{
    return next_double(&(draw){.rng = rng});
}

/*
 * A point of the plane with normal coordinates has a uniform angle and a squared radius of
 * -2 ln u (Box and Muller 1958). One coordinate is used: the state stays three integers.
 */
static double next_normal(draw *d)
{
    const double two_pi = 6.283185307179586;
    const double u = 1.0 - next_double(d); /* (0, 1]: the logarithm is finite */
    const double angle = two_pi * next_double(d);
    return sqrt(-2.0 * log(u)) * cos(angle);
}

double an_rng_normal(an_rng *rng)
{
    return next_normal(&(draw){.rng = rng});
}

void an_rng_fill_uniform(an_rng *rng, float *data, int64_t count, float low, float high)
{
    const float width = high - low;
    draw d = {.rng = rng};
    for (int64_t i = 0; i < count; i++) {
        const float value = low + width * to_unit_float(next_u32(&d));
        data[i] = value < high || width <= 0.0f ? value : nextafterf(high, low);
    }
}

void an_rng_fill_normal(an_rng *rng, float *data, int64_t count, float mean, float deviation)
{
    draw d = {.rng = rng};
    for (int64_t i = 0; i < count; i++)
        data[i] = (float)((double)mean + (double)deviation * next_normal(&d));
}

void an_rng_permutation(an_rng *rng, int32_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = (int32_t)i;
    draw d = {.rng = rng};
    for (int64_t i = count - 1; i > 0; i--) {
        const int64_t j = (int64_t)next_below(&d, (uint64_t)i + 1);
        const int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
