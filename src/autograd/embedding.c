/* Embedding: rows of a table by the ids in a tensor of floats. */
#include <math.h>
#include <string.h>

#include "autograd/ops.h"

/* The ids as integers in the graph; an error names the first that is none of the table's. */
static bool read_ids(an_graph *graph, const an_tensor *ids, int64_t limit, an_labels *out)
{
    int32_t *copy = an__scratch(graph, ids->size, sizeof *copy);
    if (!copy)
        return false;
    for (int64_t i = 0; i < ids->size; i++) {
        const float id = ids->data[i];
        if (!(id >= 0 && id < (float)limit && id == floorf(id)))
            return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                                "embedding: value %lld of the ids is %g; they are whole numbers "
                                "from 0 to %lld",
                                (long long)i, (double)id, (long long)limit - 1);
        copy[i] = (int32_t)id;
    }
    *out = (an_labels){copy, ids->size};
    return true;
}

static bool check_norm(an_graph *graph, an_embedding_options *o)
{
    o->norm_type = o->norm_type == 0 ? 2 : o->norm_type;
    if (o->max_norm >= 0 && o->norm_type > 0)
        return true;
    return an_error_set(an__failure(graph), AN_ERROR_ARGUMENT,
                        "embedding: max_norm must be at least 0 and norm_type above 0, got %g and "
                        "%g",
                        o->max_norm, o->norm_type);
}

static bool embedding_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const an_tensor *table = node->inputs[0], *ids = node->inputs[1];
    *shape = ids->shape;
    if (table->shape.ndim != 2 || table->shape.dim[0] > AN_WHOLE_MAX)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "embedding: the weight must be (ids, features), with at most %d ids, "
                            "but has shape %s",
                            (int)AN_WHOLE_MAX, an__text(table->shape).text);
    if (shape->ndim == AN_MAX_DIMS)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "embedding: ids of shape %s leave no dimension for the features",
                            an__text(ids->shape).text);
    shape->dim[shape->ndim++] = table->shape.dim[1];
    return check_norm(graph, &node->as.embedding.setting) &&
           read_ids(graph, ids, table->shape.dim[0], &node->as.embedding.ids);
}

typedef struct embedding_pass {
    const an_unary_kernel *copy; /* an affine map: its gradient adds one row to another */
    const int32_t *ids;
    int64_t count, length, padding;
    const float *table, *dy;
    float *y, *d;
    int32_t *often; /* how often each row is looked up, or NULL */
    bool fresh;
} embedding_pass;

static embedding_pass embedding_plan(an_graph *graph, const an_node *node)
{
    return (embedding_pass){
        .copy = &an__kernels(graph->context)->pointwise->unary[AN_UNARY_AFFINE],
        .ids = node->as.embedding.ids.data,
        .count = node->as.embedding.ids.count,
        .length = node->inputs[0]->shape.dim[1],
        .padding = node->as.embedding.setting.padding,
        .table = node->inputs[0]->data,
        .dy = node->output.grad,
        .y = node->output.data,
    };
}

static double row_norm(int64_t length, const float *row, double p)
{
    double sum = 0;
    for (int64_t i = 0; i < length; i++) {
        const double size = fabs((double)row[i]);
        sum = isinf(p) ? fmax(sum, size) : sum + pow(size, p);
    }
    return isinf(p) ? sum : pow(sum, 1 / p);
}

/* Scales the rows that are looked up down to the norm that is allowed, as PyTorch does. */
static void limit_rows(const an_node *node, const embedding_pass *pass)
{
    const an_embedding_options *o = &node->as.embedding.setting;
    for (int64_t i = 0; o->max_norm > 0 && i < pass->count; i++) {
        float *row = node->inputs[0]->data + pass->ids[i] * pass->length;
        const double norm = row_norm(pass->length, row, o->norm_type);
        const float scale = (float)(o->max_norm / (norm + 1e-7));
        for (int64_t k = 0; norm > o->max_norm && k < pass->length; k++)
            row[k] *= scale;
    }
}

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const embedding_pass *pass = arg;
    const int64_t length = pass->length;
    for (int64_t i = begin; i < end; i++)
        memcpy(pass->y + i * length, pass->table + pass->ids[i] * length,
               (size_t)length * sizeof(float));
}

static bool embedding_forward(an_graph *graph, an_node *node)
{
    embedding_pass pass = embedding_plan(graph, node);
    limit_rows(node, &pass);
    an__parallel(graph->context, pass.count, an__row_grain(pass.length), forward_task, &pass);
    return true;
}

/* Rows begin..end of the table: each adds its gradients in the order of the ids. */
static void backward_task(void *arg, int64_t begin, int64_t end)
{
    const embedding_pass *pass = arg;
    const int64_t length = pass->length;
    if (pass->fresh)
        memset(pass->d + begin * length, 0, (size_t)((end - begin) * length) * sizeof(float));
    for (int64_t i = 0; i < pass->count; i++) {
        const int64_t id = pass->ids[i];
        const float *dy = pass->dy + i * length;
        if (id >= begin && id < end && id != pass->padding)
            pass->copy->backward(length, pass->d + id * length, dy, dy, dy,
                                 pass->often ? 1.0f / (float)pass->often[id] : 1.0f, 0.0f, true);
    }
}

/* False: no memory. */
static bool count_ids(an_graph *graph, embedding_pass *pass, int64_t rows)
{
    pass->often = an__scratch(graph, rows, sizeof *pass->often);
    if (!pass->often)
        return false;
    memset(pass->often, 0, (size_t)rows * sizeof *pass->often);
    for (int64_t i = 0; i < pass->count; i++)
        pass->often[pass->ids[i]]++;
    return true;
}

static void embedding_backward(an_graph *graph, an_node *node)
{
    embedding_pass pass = embedding_plan(graph, node);
    const int64_t rows = node->inputs[0]->shape.dim[0];
    const int64_t work = an__row_grain(pass.length), eighth = (rows + 7) / 8;
    if (node->as.embedding.setting.scale_grad_by_freq && !count_ids(graph, &pass, rows))
        return;
    pass.d = an_grad_of(graph, node->inputs[0], &pass.fresh);
    if (pass.d) /* every range reads all ids, so there are few */
        an__parallel(graph->context, rows, work > eighth ? work : eighth, backward_task, &pass);
}

const an_op an__op_embedding = {"embedding", embedding_shape, embedding_forward,
                                embedding_backward};

an_tensor *an_embedding(an_graph *graph, an_tensor *weight, an_tensor *ids, int64_t padding)
{
    return an_embedding_with(graph, weight, ids, (an_embedding_options){.padding = padding});
}

an_tensor *an_embedding_with(an_graph *graph, an_tensor *weight, an_tensor *ids,
                             an_embedding_options options)
{
    an_attributes as = {.embedding = {.setting = options}};
    return an__record(graph, &an__op_embedding, (an_tensor *[]){weight, ids}, 2, &as);
}

an_tensor *an_ids(an_graph *graph, an_labels ids, an_shape shape)
{
    if (!an__labels_copy(graph, "ids", "id", &ids, AN_WHOLE_MAX, INT64_MIN))
        return &graph->poison;
    if (an_shape_size(shape) != ids.count) {
        an_error_set(an__failure(graph), AN_ERROR_SHAPE, "ids: %lld ids do not make the shape %s",
                     (long long)ids.count, an__text(shape).text);
        return &graph->poison;
    }
    an_tensor *tensor = an__leaf(graph, "ids", shape);
    for (int64_t i = 0; i < tensor->size; i++)
        tensor->data[i] = (float)ids.data[i];
    return tensor;
}
