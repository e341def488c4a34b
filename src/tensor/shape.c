/* Shapes: sizes, equality, text, broadcasting. */
#include <anneal/tensor.h>

/* The largest product of dimensions, so that sizes in bytes fit in 64 bits. */
#define SIZE_LIMIT ((int64_t)1 << 60)

an_shape an_shape_0(void)
{
    return (an_shape){.ndim = 0};
}

an_shape an_shape_1(int64_t a)
{
    return (an_shape){.ndim = 1, .dim = {a}};
}

an_shape an_shape_2(int64_t a, int64_t b)
{
    return (an_shape){.ndim = 2, .dim = {a, b}};
}

an_shape an_shape_3(int64_t a, int64_t b, int64_t c)
{
    return (an_shape){.ndim = 3, .dim = {a, b, c}};
}

an_shape an_shape_4(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (an_shape){.ndim = 4, .dim = {a, b, c, d}};
}

/* A zero dimension makes the size 0 whatever the others are, so it is looked for first. */
int64_t an_shape_size(an_shape shape)
{
    if (shape.ndim < 0 || shape.ndim > AN_MAX_DIMS)
        return -1;
    bool empty = false;
    for (int i = 0; i < shape.ndim; i++) {
        if (shape.dim[i] < 0)
            return -1;
        empty = empty || shape.dim[i] == 0;
    }
    if (empty)
        return 0;
    int64_t size = 1;
    for (int i = 0; i < shape.ndim; i++) {
        if (shape.dim[i] > SIZE_LIMIT / size)
            return -1;
        size *= shape.dim[i];
    }
    return size;
}

bool an_shape_equal(an_shape a, an_shape b)
{
    if (a.ndim != b.ndim || a.ndim > AN_MAX_DIMS)
        return false;
    for (int i = 0; i < a.ndim; i++)
        if (a.dim[i] != b.dim[i])
            return false;
    return true;
}

size_t an_shape_print(char *buffer, size_t size, an_shape shape)
{
    char text[AN_MAX_DIMS * 24 + 4] = "(";
    size_t length = 1;
    for (int i = 0; i < shape.ndim && i < AN_MAX_DIMS; i++)
        length += an_format(text + length, sizeof text - length, i > 0 ? ", %lld" : "%lld",
                            (long long)shape.dim[i]);
    an_format(text + length, sizeof text - length, shape.ndim == 1 ? ",)" : ")");
    return an_format(buffer, size, "%s", text);
}

bool an_shape_broadcast(an_shape a, an_shape b, an_shape *out)
{
    an_shape result = {.ndim = a.ndim > b.ndim ? a.ndim : b.ndim};
    if (result.ndim > AN_MAX_DIMS)
        return false;
    for (int i = 0; i < result.ndim; i++) {
        const int at_a = i - (result.ndim - a.ndim);
        const int at_b = i - (result.ndim - b.ndim);
        const int64_t dim_a = at_a < 0 ? 1 : a.dim[at_a];
        const int64_t dim_b = at_b < 0 ? 1 : b.dim[at_b];
        if (dim_a != dim_b && dim_a != 1 && dim_b != 1)
            return false;
        result.dim[i] = dim_a == 1 ? dim_b : dim_a;
    }
    *out = result;
    return true;
}
