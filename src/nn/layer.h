/*
 * Layers from inside. A kind of layer is a row of the table in layers.c: its name, its arguments,
 * the parameters that it declares, its shape rule and its forward computation, side by side. The
 * same arguments drive the reading, checking and printing of its text (args.c).
 *
 * Shapes include the batch: dim[0] is the batch, whatever its size.
 */
#ifndef AN_NN_LAYER_H
#define AN_NN_LAYER_H

#include <anneal/nn.h>

typedef struct an_layer an_layer;

typedef enum an_arg_kind {
    AN_ARG_INTEGER,
    AN_ARG_NUMBER,
    AN_ARG_FLAG,
    AN_ARG_IN_PLACE /* PyTorch's inplace: accepted, since results are the same, and not kept */
} an_arg_kind;

/* An argument of a layer's call. Its value lies in [low, below); `range` says so in words. */
typedef struct an_arg {
    const char *name;
    an_arg_kind kind;
    bool required;
    double initial, low, below;
    const char *range;
} an_arg;

#define AN_MAX_ARGS 3

typedef struct an_layer_kind {
    const char *name;
    an_arg args[AN_MAX_ARGS];
    size_t arg_count;
    /* NULL, or declares the parameters of layer `index`. */
    bool (*declare)(an_model *model, an_layer *layer, size_t index, an_error *err);
    /* NULL: the shape stays. Otherwise err says "takes ... but gets ...". */
    bool (*shape)(const an_layer *layer, an_shape in, an_shape *out, an_error *err);
    /* NULL for a layer that only activates, and for Linear, which an_forward runs fused. */
    an_tensor *(*forward)(const an_layer *layer, an_model *model, an_graph *graph, an_tensor *x);
    an_activation activation; /* what the layer is when it only activates */
} an_layer_kind;

#define AN_LAYER_TEXT_SIZE 96

struct an_layer {
    const an_layer_kind *kind;
    double arg[AN_MAX_ARGS]; /* in the order of the kind's */
    an_tensor *weight, *bias;
    char text[AN_LAYER_TEXT_SIZE];
};

/* The kinds: X(name) is the name in text and in an__layer_<name>. */
#define AN_LAYER_MAP(X) \
    X(Linear)           \
    X(ReLU)             \
    X(Tanh)             \
    X(Sigmoid)          \
    X(Flatten)          \
    X(Dropout)

#define AN_LAYER_DECLARE(name) extern const an_layer_kind an__layer_##name;
AN_LAYER_MAP(AN_LAYER_DECLARE)
#undef AN_LAYER_DECLARE

const an_layer_kind *an__layer_find(const char *name);

/* A layer of `kind` with default arguments. */
an_layer an__layer_defaults(const an_layer_kind *kind);
/* Whether argument `index` is in range; if not, `message` says what it must be. */
bool an__arg_check(const an_layer *layer, size_t index, char *message, size_t size);
/* Reads the arguments of `call`; errors (CONFIG) point at the place. */
bool an__layer_read(an_layer *layer, const an_spec_source *source, const an_spec_node *call,
                    an_error *err);
/* Fills layer->text: required arguments, then others that differ from their defaults. */
void an__layer_print(an_layer *layer);

/* What a model is to its layers. */
struct an_model {
    an_context *context;
    an_params *params;
    an_layer **layers;
    size_t count, room;
    an_arena arena; /* layers */
    double *bound;  /* of each parameter: it starts uniform in +-bound */
    size_t bound_room;
    an_rng rng;
    bool training, built;
    an_shape output;
    an_error error; /* the first of the description */
};

/* A parameter uniform in +-bound at build. NULL with err. */
an_tensor *an__model_declare(an_model *model, const char *name, an_shape shape, double bound,
                             an_error *err);
/* Appends a layer; the error is also kept for an_model_build. */
bool an__model_append(an_model *model, const an_layer *layer, an_error *err);
/* Keeps `err` as the model's first error; returns false. */
bool an__model_fail(an_model *model, const an_error *err);

#endif
