/*
 * The graph from inside: what every operation's file is written against.
 *
 * An operation is one an_op: its name, its shape rule, its forward and its backward computation,
 * side by side in the file of its family (arithmetic.c, unary.c, product.c, linear.c, reduce.c,
 * index.c, softmax.c, attention.c, recurrent.c, conv.c, pad.c, pooling.c, row_norm.c, group_norm.c,
 * batch_norm.c, class_loss.c, value_loss.c, dropout.c, apply.c). ops.h lists them all.
 *
 * an__record runs one: it makes a node with the output tensor in the graph's arena, asks the shape
 * rule, allocates the values, runs forward, and links the node into the graph if a gradient will
 * have to pass. Nodes are linked newest first, so walking the list is walking the graph in an order
 * in which every consumer of a tensor comes before its maker.
 *
 * Gradients of intermediate tensors come from the arena when the first one arrives, which WRITES;
 * later ones add (an_grad_of). Once a node has passed its gradient on, its output's gradient is
 * gone (has_grad false): the buffer has been handed to the input (an__grad_handed_on), or the
 * gradients of earlier nodes take it (`spare`). So memory holds the gradients that are alive at
 * once, not all of them.
 */
#ifndef AN_AUTOGRAD_GRAPH_H
#define AN_AUTOGRAD_GRAPH_H

#include <anneal/autograd.h>

#include "tensor/kernels/conv.h"
#include "tensor/kernels/kernels.h"
#include "tensor/kernels/losses.h"
#include "tensor/kernels/norms.h"
#include "tensor/kernels/pointwise.h"
#include "tensor/kernels/pooling.h"
#include "tensor/kernels/rows.h"
#include "tensor/kernels/whole.h"
#include "tensor/kernels/windows.h"

typedef struct an_node an_node;

typedef struct an_op {
    const char *name; /* as in the public function, without an_ */
    /* Gives the output's shape, or false with the graph's error set. May complete node->as. */
    bool (*shape)(an_graph *graph, an_node *node, an_shape *shape);
    /* Fills output.data (already set by the shape rule where memory is shared). False: no memory.
     */
    bool (*forward)(an_graph *graph, an_node *node);
    /* Passes output.grad on to the inputs. May overwrite output.grad. */
    void (*backward)(an_graph *graph, an_node *node);
} an_op;

/* A tensor seen around one of its dimensions: `outer` blocks of `count` rows of `inner` values. */
typedef struct an_around {
    int64_t outer;
    an_block block;
} an_around;

/* What an operation knows beside its inputs. Pointers lie in the graph's arena. */
typedef union an_attributes {
    struct {
        an_unary map;
        float p, q;
    } unary;
    an_binary binary;
    an_activation activation;
    struct {
        int dim;
        bool keep;
        double scale; /* 1 for a sum; the rule sets 1 / count for a mean */
        an_around around;
        int64_t *where; /* the row of each maximum */
    } reduce;
    an_shape shape;
    struct {
        an_labels ids;
        an_embedding_options setting;
    } embedding;
    struct {
        int dim;
        int64_t start, count;
    } slice;
    an_labels labels;
    struct {
        double eps;
        int64_t parts, size; /* how many are normalised apart, and the values of each */
        int64_t groups;      /* of group_norm; of layer_norm and rms_norm, how many dimensions */
        an_batch_norm_options batch;
        float *mean, *rstd; /* of each part */
    } norm;
    struct {
        an_loss setting;  /* weights are copies in the graph */
        an_labels labels; /* of the losses over classes */
        float *kept;
    } loss;
    struct {
        float p;
        an_rng *rng;
        uint8_t *keep;
    } dropout;
    struct {
        an_conv plan; /* sizes are the shape rule's to fill in */
        int64_t output_padding[2];
        bool same;
        an_activation activation;
    } conv;
    struct {
        an_pad2d_options setting;
        int64_t *source[2]; /* of each row, of each column; -1: zero */
    } pad;
    struct {
        an_pooling plan;
        bool ceil_mode;
        uint16_t *where; /* of each maximum */
    } pool;
    struct {
        an_attention_options setting;
        float *weights, *scratch;
        uint8_t *keep;
    } attention;
    struct {
        bool reverse;
        struct an_recurrent_call *call;
    } recurrent;
    struct {
        const an_operation *operation;
        an_shape shape;
        void *user;
    } own;
} an_attributes;

struct an_node {
    an_tensor output;
    const an_op *op;
    an_graph *graph;
    an_node *previous; /* the node recorded before this one */
    an_attributes as;
    int count;
    an_tensor *inputs[];
};

/* Memory that a gradient has left, in its first bytes: `size` of them, a multiple of AN_SPARE. */
typedef struct an_spare {
    struct an_spare *next;
    size_t size;
} an_spare;

enum { AN_SPARE = 64 }; /* what the arena rounds up to */

struct an_graph {
    an_context *context;
    an_arena arena;
    an_spare *spare; /* largest first */
    an_node *newest;
    bool recording, walked;
    an_error error;   /* the first since the last reset */
    an_tensor poison; /* what a failed operation returns: shape (0,), no data */
};

/* Runs `op`; the poisoned tensor after an error. `as` may be NULL. */
an_tensor *an__record(an_graph *graph, const an_op *op, an_tensor *const *inputs, int count,
                      const an_attributes *as);

/* Whether `input`, operand `index` of `op`, can be computed with; if not, the graph's error is set.
 */
bool an__input_fits(an_graph *graph, const char *op, int index, const an_tensor *input);

/* A tensor of the graph without a maker; `op` names the caller in errors. */
an_tensor *an__leaf(an_graph *graph, const char *op, an_shape shape);

/*
 * Where the next error goes: the graph's own, or NULL when it holds one already. Written
 * `return an_error_set(an__failure(graph), AN_ERROR_SHAPE, "%s: ...", ...)`.
 */
an_error *an__failure(an_graph *graph);

/* `count` times `size` bytes of the arena, or NULL with the graph's error set. */
void *an__scratch(an_graph *graph, int64_t count, size_t size);

/* True for what a failed operation returned. */
static inline bool an__poisoned(const an_tensor *tensor)
{
    return tensor->size == 0 && !tensor->data;
}

/*
 * an_grad_of for an input of the output's size, whose gradient is computed value by value: where it
 * has none yet, the output's own buffer is handed on and may be transformed in place.
 */
float *an__grad_handed_on(an_graph *graph, an_node *node, an_tensor *input, bool *fresh);

/* dx = scale * dy, written if `fresh`, else added. Does nothing where dx is dy and scale is 1. */
void an__grad_copy(an_graph *graph, int64_t count, float *dx, const float *dy, float scale,
                   bool fresh);

/* For each block: y = scale * the sums of its columns. */
void an__sum_around(an_graph *graph, an_around around, float *y, const float *x, double scale,
                    bool add);

/* `dim` counted from the front, or -1 with the graph's error set. */
int an__dim(an_graph *graph, const char *op, an_shape shape, int dim);
an_around an__around(an_shape shape, int dim);

/*
 * Copies `labels` into the graph. An error names the row of the first one outside 0..limit-1 that
 * is not `allowed` either; `what` is the word for it.
 */
bool an__labels_copy(an_graph *graph, const char *op, const char *what, an_labels *labels,
                     int64_t limit, int64_t allowed);

/* `shape` without its last dimension; a scalar stays. */
static inline an_shape an__without_last(an_shape shape)
{
    shape.ndim -= shape.ndim > 0;
    return shape;
}

/* Whether the settings of a loss are in range. */
bool an__loss_check(an_graph *graph, const char *op, const an_loss *setting);
/* A loss of labels (NLL, CROSS_ENTROPY), and one between tensors (all but NLL, CROSS_ENTROPY). */
an_tensor *an__class_loss(an_graph *graph, an_tensor *x, an_labels target, const an_loss *setting);
an_tensor *an__value_loss(an_graph *graph, an_tensor *x, an_tensor *target, const an_loss *setting);

/* What the kernels call an activation that a product applies: going forward, and its derivative. */
static inline an_epilogue an__activation_epilogue(an_activation activation)
{
    static const an_epilogue epilogue[] = {
        [AN_IDENTITY] = AN_EPILOGUE_IDENTITY,
        [AN_RELU] = AN_EPILOGUE_RELU,
        [AN_TANH] = AN_EPILOGUE_TANH,
        [AN_SIGMOID] = AN_EPILOGUE_SIGMOID,
    };
    return epilogue[activation];
}

static inline an_unary an__activation_unary(an_activation activation)
{
    static const an_unary map[] = {
        [AN_IDENTITY] = AN_UNARY_AFFINE,
        [AN_RELU] = AN_UNARY_RELU,
        [AN_TANH] = AN_UNARY_TANH,
        [AN_SIGMOID] = AN_UNARY_SIGMOID,
    };
    return map[activation];
}

/* A shape as text, for messages: an__text(shape).text. */
typedef struct an_shape_text {
    char text[AN_MAX_DIMS * 22 + 4];
} an_shape_text;
an_shape_text an__text(an_shape shape);

/* Every whole number up to here is a float: the largest table of an embedding. */
enum { AN_WHOLE_MAX = 1 << 24 };

/* Elementwise work below two of these many floats stays on the calling thread. */
enum { AN_GRAIN = 32768 };

/* The grain for rows of `columns` floats. */
static inline int64_t an__row_grain(int64_t columns)
{
    return columns < AN_GRAIN ? AN_GRAIN / (columns > 0 ? columns : 1) : 1;
}

#endif
