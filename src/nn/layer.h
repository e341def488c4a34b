/*
 * Layers from inside. A kind of layer is a row of the table in layers.c: its name, its arguments,
 * the parameters that it declares, its shape rule and its forward computation, side by side in the
 * file of its family. The same arguments drive the reading, checking and printing of its text
 * (args.c).
 *
 * A model is a tree: Sequential and Residual (containers.c) hold layers, and the model itself is a
 * Sequential. A layer's place is its path, positions counted from 0: the parameters of layer 3.1
 * are called "3.1.weight", ..., as in PyTorch.
 *
 * Shapes include the batch: dim[0] is the batch, whatever its size.
 */
#ifndef AN_NN_LAYER_H
#define AN_NN_LAYER_H

#include <float.h>

#include <anneal/nn.h>

typedef struct an_layer an_layer;

typedef enum an_arg_kind {
    AN_ARG_INTEGER,
    AN_ARG_NUMBER,
    AN_ARG_OPTIONAL, /* a number or None, which is NaN */
    AN_ARG_FLAG,     /* True or False: 1 or 0 */
    AN_ARG_CHOICE,   /* one of `words`: its place among them */
    AN_ARG_SIZES,    /* a whole number or a list of some: in `list` */
    AN_ARG_PAIR,     /* a whole number or two, or one of `words`: see an__pair */
    AN_ARG_IN_PLACE  /* PyTorch's inplace: accepted, since results are the same, and not kept */
} an_arg_kind;

/* An argument of a layer's call. A number lies in [low, below); `range` says so in words. */
typedef struct an_arg {
    const char *name;
    an_arg_kind kind;
    bool required;
    double initial, low, below;
    const char *range;
    const char *const *words; /* of a CHOICE, or a PAIR's, or NULL; NULL-terminated */
} an_arg;

typedef struct an_arg_value {
    double number;
    an_shape list;
} an_arg_value;

#define AN_MAX_ARGS 10

/* More features, or dimensions, than any tensor can have: the upper limit of sizes. */
#define AN_MANY 1099511627776.0

/* A probability: its limit and its range. */
#define AN_UNIT_BELOW (1 + DBL_EPSILON)
#define AN_UNIT_TEXT "from 0 to 1"

/* Strides, dilations, paddings and windows that the operations take; with AN_MOST_STEP. */
#define AN_STEP_BELOW (AN_MOST_STEP + 1)
#define AN_STEP_TEXT "1 to 65536"

/* An argument that every activation of PyTorch takes. */
#define AN_IN_PLACE                                                       \
    {                                                                     \
        "inplace", AN_ARG_IN_PLACE, false, 0, 0, 2, "True or False", NULL \
    }

/* Layers over sequences know one order, so that the first dimension is the batch everywhere. */
#define AN_BATCH_FIRST "True, as everywhere in Anneal: (batch, time, features)"

typedef struct an_layer_kind {
    const char *name;
    an_arg args[AN_MAX_ARGS];
    size_t arg_count;
    bool holds; /* a container: its call lists layers and has no other arguments */
    /* NULL, or declares the layer's parameters and buffers. */
    bool (*declare)(an_model *model, an_layer *layer, an_error *err);
    /* NULL, or completes the initial values, which are those of the declarations. */
    void (*start)(const an_layer *layer);
    /* NULL: the shape stays. Otherwise err says "takes ... but gets ...". */
    bool (*shape)(const an_layer *layer, an_shape in, an_shape *out, an_error *err);
    an_tensor *(*forward)(const an_layer *layer, an_model *model, an_graph *graph, an_tensor *x);
    /* Instead of `forward`, for a layer whose operation applies a following activation too. */
    an_tensor *(*forward_fused)(const an_layer *layer, an_model *model, an_graph *graph,
                                an_tensor *x, an_activation next);
    an_activation activation; /* what such an operation is told of a layer that only activates */
} an_layer_kind;

struct an_layer {
    const an_layer_kind *kind;
    an_arg_value arg[AN_MAX_ARGS]; /* in the order of the kind's */
    an_tensor *weight, *bias;
    void *own;           /* whatever else the kind keeps, in the model's arena */
    const char *name;    /* its path, "3.1"; "" for the model */
    const char *text;    /* canonical */
    an_layer **children; /* of a container */
    size_t count, room;
};

/* The kinds: X(name) is the name in text and in an__layer_<name>. */
#define AN_LAYER_MAP(X)    \
    X(Linear)              \
    X(Embedding)           \
    X(ReLU)                \
    X(Tanh)                \
    X(Sigmoid)             \
    X(GELU)                \
    X(SiLU)                \
    X(LeakyReLU)           \
    X(ELU)                 \
    X(Softplus)            \
    X(Softmax)             \
    X(LogSoftmax)          \
    X(Flatten)             \
    X(Dropout)             \
    X(Dropout2d)           \
    X(BatchNorm1d)         \
    X(BatchNorm2d)         \
    X(LayerNorm)           \
    X(GroupNorm)           \
    X(RMSNorm)             \
    X(Sequential)          \
    X(Residual)            \
    X(Unflatten)           \
    X(MultiheadAttention)  \
    X(PositionalEmbedding) \
    X(LSTM)                \
    X(GRU)                 \
    X(Select)              \
    X(Conv2d)              \
    X(ConvTranspose2d)     \
    X(MaxPool2d)           \
    X(AvgPool2d)           \
    X(AdaptiveAvgPool2d)

#define AN_LAYER_DECLARE(name) extern const an_layer_kind an__layer_##name;
AN_LAYER_MAP(AN_LAYER_DECLARE)
#undef AN_LAYER_DECLARE

const an_layer_kind *an__layer_find(const char *name);

/* ------------------------------------------------------------ args.c, text.c */

/* A layer of `kind` with default arguments. */
an_layer an__layer_defaults(const an_layer_kind *kind);
/* Whether argument `index` is in range; if not, `message` says what it must be. */
bool an__arg_check(const an_layer *layer, size_t index, char *message, size_t size);
/* Reads the arguments of `call`; errors (CONFIG) point at the place. */
bool an__layer_read(an_layer *layer, const an_spec_source *source, const an_spec_node *call,
                    an_error *err);
/* Argument `index`, a whole number. */
static inline int64_t an__whole(const an_layer *layer, size_t index)
{
    return (int64_t)layer->arg[index].number;
}
/* Argument `index`, a dimension of `in`; negative ones count from the end. */
static inline int an__layer_dim(const an_layer *layer, size_t index, an_shape in)
{
    const int dim = (int)layer->arg[index].number;
    return dim < 0 ? dim + in.ndim : dim;
}
/*
 * The two values of a PAIR: as given, or both the initial one. None, which is accepted where the
 * initial value is NaN, is -1. A word gives its place among `words`, and {0, 0}; otherwise -1.
 */
int an__pair(const an_layer *layer, size_t index, int64_t pair[2]);
/* The canonical text: required arguments, then others that differ from their defaults, or the
 * layers of a container. Returns the length as an_format does. */
size_t an__layer_print(const an_layer *layer, char *text, size_t size);

/* ------------------------------------------------------------- for the kinds */

/* "(batch, 1, 28, 28)" */
typedef struct an_batch_text {
    char text[160];
} an_batch_text;
an_batch_text an__batch_text(an_shape shape);

/* Whether `in` is (batch, time, width); otherwise err says so. */
bool an__takes_sequence(an_shape in, int64_t width, an_error *err);

/* How a parameter starts: all zeros, all ones, uniform in +-scale, normal of deviation scale. */
typedef enum an_start { AN_START_ZEROS, AN_START_ONES, AN_START_UNIFORM, AN_START_NORMAL } an_start;

/* A parameter "3.1.weight" of layer 3.1, where `name` is "weight". NULL with err. */
an_tensor *an__layer_param(an_model *model, const an_layer *layer, const char *name, an_shape shape,
                           an_start start, double scale, an_error *err);
/* A buffer of the layer, and a counter; they start at 0. NULL with err. */
an_tensor *an__layer_buffer(an_model *model, const an_layer *layer, const char *name,
                            an_shape shape, an_error *err);
const an_buffer *an__layer_counter(an_model *model, const an_layer *layer, const char *name,
                                   an_error *err);

/* An error of shapes in a kind's forward, told to the graph; gives the poisoned tensor. */
an_tensor *an__layer_poison(an_graph *graph, const an_error *err);

/* ------------------------------------------------------------------ models */

/* Where a parameter begins, beside its place in the table of parameters. */
typedef struct an_origin {
    an_start start;
    double scale;
} an_origin;

/* What a model is to its layers. */
struct an_model {
    an_context *context;
    an_params *params;
    an_layer root;                     /* Sequential */
    an_layer *open[AN_SPEC_MAX_DEPTH]; /* containers that are being filled; open[0] is the root */
    size_t depth;                      /* of them */
    an_arena arena;                    /* layers */
    an_origin *origins;                /* of each parameter */
    size_t origin_room;
    an_rng rng;
    bool training, built;
    bool gathers; /* running statistics are means over all batches: an_model_gather_statistics */
    an_shape output;
    an_error error; /* the first of the description */
};

/* Appends a layer to the container that is open; the error is also kept for an_model_build. */
bool an__model_append(an_model *model, const an_layer *layer, an_error *err);
/* Opens a container of `kind` in the one that is open; an__model_close ends it. */
bool an__model_open(an_model *model, const an_layer_kind *kind, an_error *err);
bool an__model_close(an_model *model, an_error *err);
/* Keeps `err` as the model's first error; returns false. */
bool an__model_fail(an_model *model, const an_error *err);

/* Puts "layer 3.1, ReLU(): " before an error, as its weights' names begin. Returns false. */
bool an__layer_blame(const an_layer *layer, an_error *err);

/* The layers of a container one after the other: their shape rules, and their computation. */
bool an__sequence_shape(const an_layer *sequence, an_shape in, an_shape *out, an_error *err);
an_tensor *an__sequence_forward(const an_layer *sequence, an_model *model, an_graph *graph,
                                an_tensor *x);

#endif
