/* The one list of operations: each name is that of an an_op, an__op_<name>. */
#ifndef AN_AUTOGRAD_OPS_H
#define AN_AUTOGRAD_OPS_H

#include "autograd/graph.h"

/* clang-format off */
#define AN_OP_MAP(X) \
    X(add) \
    X(sub) \
    X(mul) \
    X(div) \
    X(affine) \
    X(neg) \
    X(exp) \
    X(log) \
    X(sqrt) \
    X(abs) \
    X(pow) \
    X(relu) \
    X(tanh) \
    X(sigmoid) \
    X(gelu) \
    X(gelu_tanh) \
    X(silu) \
    X(leaky_relu) \
    X(elu) \
    X(softplus) \
    X(softmax) \
    X(softmax_dim) \
    X(log_softmax) \
    X(dropout) \
    X(matmul) \
    X(transpose) \
    X(linear) \
    X(conv2d) \
    X(conv_transpose2d) \
    X(pad2d) \
    X(max_pool2d) \
    X(avg_pool2d) \
    X(adaptive_avg_pool2d) \
    X(attention) \
    X(self_attention) \
    X(lstm) \
    X(gru) \
    X(sum) \
    X(mean) \
    X(sum_dim) \
    X(mean_dim) \
    X(max_dim) \
    X(reshape) \
    X(flatten) \
    X(slice) \
    X(index_rows) \
    X(concat) \
    X(embedding) \
    X(layer_norm) \
    X(rms_norm) \
    X(group_norm) \
    X(batch_norm) \
    X(nll_loss) \
    X(cross_entropy) \
    X(mse_loss) \
    X(l1_loss) \
    X(smooth_l1_loss) \
    X(huber_loss) \
    X(bce_with_logits_loss) \
    X(kl_div_loss) \
    X(apply)
/* clang-format on */

#define AN_OP_DECLARE(name) extern const an_op an__op_##name;
AN_OP_MAP(AN_OP_DECLARE)
#undef AN_OP_DECLARE

#endif
