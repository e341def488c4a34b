/* What happens to images on their way into a batch: which view of each is taken. */
#include "data/dataset.h"
#include "data/gather.h"

/* Numbers that a sample has for itself; it takes three, and rarely one more. */
#define NUMBERS 64

bool an__augment_check(const an_augment *augment, const an_dataset *dataset, an_error *err)
{
    const an_shape shape = dataset->shape;
    if (!(augment->flip >= 0 && augment->flip <= 1))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the probability of a flip must be from 0 to 1, got %g", augment->flip);
    if (augment->shift == 0 && augment->flip <= 0)
        return true;
    if (dataset->kind == AN_DATA_TOKENS || shape.ndim != 3)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "only images, of (channels, height, width), are shifted and flipped");
    const int64_t most = (shape.dim[1] < shape.dim[2] ? shape.dim[1] : shape.dim[2]) - 1;
    return (augment->shift >= 0 && augment->shift <= most && most < INT32_MAX) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "images of %lld x %lld pixels are shifted by 0 to %lld, got %lld",
                        (long long)shape.dim[1], (long long)shape.dim[2], (long long)most,
                        (long long)augment->shift);
}

an_rng an__augment_chance(uint64_t seed, int64_t epoch)
{
    return an_rng_init(seed, AN_STREAM_AUGMENT + (uint64_t)epoch);
}

an_view an__augment_draw(const an_augment *augment, an_rng chance, int64_t place)
{
    const uint64_t steps = 2 * (uint64_t)augment->shift + 1;
    chance.counter = (uint64_t)place * NUMBERS;
    const int64_t down = (int64_t)an_rng_below(&chance, steps) - augment->shift;
    const int64_t right = (int64_t)an_rng_below(&chance, steps) - augment->shift;
    return (an_view){.down = (int32_t)down,
                     .right = (int32_t)right,
                     .mirrored = (double)an_rng_float(&chance) < augment->flip};
}
