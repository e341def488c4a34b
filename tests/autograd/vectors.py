"""Writes vectors.h: every operation with PyTorch's result and gradients in float32.

Run with a Python that has PyTorch: python3 tests/autograd/vectors.py > tests/autograd/vectors.h
The gradients are those of sum(output * weight).
"""
import textwrap

import torch
import torch.nn.functional as F

torch.manual_seed(1)


def uniform(shape, low, high, gap):
    x = torch.rand(shape) * (high - low) + low
    return x + torch.sign(x) * gap


def labels(*values):
    return torch.tensor(values)


# (operation, function, shapes, setting, low, high, gap)
CASES = []


def case(op, function, *shapes, low=-2.0, high=2.0, gap=0.0, **setting):
    CASES.append((op, function, shapes, setting, low, high, gap))


for op in ("add", "sub", "mul", "div"):
    function = getattr(torch, op)
    gap = 0.5 if op == "div" else 0.0
    case(op, function, (3, 4), (3, 4), gap=gap)
    case(op, function, (2, 3, 4), (3, 1), gap=gap)
    case(op, function, (3, 1), (1, 5), gap=gap)
    case(op, function, (), (2, 3), gap=gap)
case("affine", lambda x: 1.5 * x - 0.25, (2, 5), p=1.5, q=-0.25)
case("neg", torch.neg, (7,))
case("exp", torch.exp, (3, 5))
case("log", torch.log, (3, 5), low=0.1, high=4.0)
case("sqrt", torch.sqrt, (3, 5), low=0.1, high=4.0)
case("abs", torch.abs, (3, 5), gap=0.01)
for power in (2.0, 3.0, 0.5, -1.0, 0.0, 1.7):
    case("pow", lambda x, power=power: torch.pow(x, power), (2, 4), low=0.2, high=2.0, p=power)
case("relu", torch.relu, (3, 5), gap=0.01)
case("tanh", torch.tanh, (3, 7), low=-4.0, high=4.0)
case("sigmoid", torch.sigmoid, (3, 7), low=-6.0, high=6.0)
case("gelu", F.gelu, (3, 7), low=-6.0, high=6.0)
case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), (3, 7), low=-6.0, high=6.0)
case("silu", F.silu, (3, 7), low=-6.0, high=6.0)
case("leaky_relu", lambda x: F.leaky_relu(x, 0.2), (3, 5), p=0.2)
case("elu", lambda x: F.elu(x, 1.5), (3, 7), low=-6.0, high=6.0, p=1.5)
case("softplus", F.softplus, (3, 7), low=-25.0, high=25.0, p=1.0, q=20.0)
case("softplus", lambda x: F.softplus(x, 2.0, 3.0), (3, 7), p=2.0, q=3.0)
case("softmax_dim", lambda x: F.softmax(x, 1), (2, 5, 3), low=-5.0, high=5.0, dim=1)
case("softmax_dim", lambda x: F.softmax(x, 0), (4, 3), low=-5.0, high=5.0, dim=-2)
case("softmax", lambda x: F.softmax(x, -1), (2, 3, 5), low=-5.0, high=5.0)
case("log_softmax", lambda x: F.log_softmax(x, -1), (2, 3, 5), low=-5.0, high=5.0)
case("matmul", torch.matmul, (3, 4), (4, 2))
case("matmul", torch.matmul, (2, 3, 4), (4, 2))
case("matmul", torch.matmul, (2, 1, 3, 4), (3, 4, 2))
case("transpose", lambda x: x.transpose(-1, -2), (2, 3, 4))
ACTIVATIONS = [("IDENTITY", lambda x: x), ("RELU", torch.relu), ("TANH", torch.tanh),
               ("SIGMOID", torch.sigmoid)]
for name, activation in ACTIVATIONS:
    case("linear", lambda x, w, b, f=activation: f(F.linear(x, w, b)), (3, 5), (4, 5), (4,),
         activation="AN_" + name)
case("linear", F.linear, (2, 3, 5), (4, 5))
case("sum", torch.sum, (3, 5))
case("mean", torch.mean, (3, 5))
case("sum_dim", lambda x: x.sum(1), (2, 3, 4), dim=1)
case("sum_dim", lambda x: x.sum(0, True), (2, 3, 4), dim=0, keep=True)
case("mean_dim", lambda x: x.mean(-1), (2, 3, 4), dim=-1)
case("max_dim", lambda x: x.max(1)[0], (2, 3, 4), dim=1)
case("reshape", lambda x: x.reshape(4, -1), (2, 3, 4), shape=(4, -1))
case("flatten", lambda x: torch.flatten(x, 1), (2, 3, 4), dim=1)
case("slice", lambda x: x[:, 1:3], (2, 4, 3), dim=1, start=1, count=2)
case("index_rows", lambda x: x[labels(2, 0, 2, 1)], (3, 4), labels=(2, 0, 2, 1))
case("concat", lambda *x: torch.cat(x, 1), (2, 3), (2, 1), (2, 4), dim=1)
case("layer_norm", lambda x, w, b: F.layer_norm(x, (5,), w, b), (3, 5), (5,), (5,), dim=1, eps=1e-5)
case("layer_norm", lambda x: F.layer_norm(x, (4, 5), eps=0.1), (3, 4, 5), dim=2, eps=0.1)
case("rms_norm", lambda x, w: x * torch.rsqrt((x * x).mean(-1, True) + 1e-6) * w, (3, 5), (5,),
     dim=1, eps=1e-6)
case("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), (2, 4, 3, 2), (4,), (4,), groups=2,
     eps=1e-5)
case("group_norm", lambda x: F.group_norm(x, 3, eps=0.1), (3, 6), groups=3, eps=0.1)
for size in ((6, 3), (4, 3, 2, 5), (2, 3, 40)):
    case("batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True), size, (3,), (3,),
         training=True, eps=1e-5)
    case("batch_norm",
         lambda x, w, b: F.batch_norm(x, torch.tensor([0.5, -1.0, 0.25]),
                                      torch.tensor([2.0, 0.5, 1.0]), w, b, False),
         size, (3,), (3,), running=True, eps=1e-5, weights=(0.5, -1.0, 0.25),
         pos_weights=(2.0, 0.5, 1.0))

case("embedding", lambda w: F.embedding(labels(2, 0, 2, 1).reshape(2, 2), w), (3, 4),
     labels=(2, 0, 2, 1), shape=(2, 2))

# A loss with its settings; weight and pos_weight are numbers here, tensors for PyTorch.
KINDS = {"cross_entropy": "CROSS_ENTROPY", "nll_loss": "NLL", "mse_loss": "MSE", "l1_loss": "L1",
         "smooth_l1_loss": "SMOOTH_L1", "huber_loss": "HUBER",
         "bce_with_logits_loss": "BCE_WITH_LOGITS", "kl_div_loss": "KL_DIV"}
FUNCTIONS = {"cross_entropy": F.cross_entropy, "nll_loss": F.nll_loss, "mse_loss": F.mse_loss,
             "l1_loss": F.l1_loss, "smooth_l1_loss": F.smooth_l1_loss, "huber_loss": F.huber_loss,
             "bce_with_logits_loss": F.binary_cross_entropy_with_logits, "kl_div_loss": F.kl_div}


def loss(op, *shapes, low=-5.0, high=5.0, target=None, **options):
    tensors = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in options.items()}
    setting = {"loss": (op, options)}
    if target:
        setting["labels"] = target
        case(op, lambda x: FUNCTIONS[op](x, labels(*target), **tensors), *shapes, low=low,
             high=high, **setting)
    else:
        case(op, lambda x, t: FUNCTIONS[op](x, t, **tensors), *shapes, low=low, high=high,
             **setting)


WEIGHTS = [0.5, 2.0, 0.25, 1.0, 1.5]
for reduction in ("mean", "sum", "none"):
    for op, low, high in (("nll_loss", -2.0, 2.0), ("cross_entropy", -5.0, 5.0)):
        loss(op, (3, 5), low=low, high=high, target=(2, 0, 4), reduction=reduction)
        loss(op, (4, 5), low=low, high=high, target=(2, 0, -100, 4), reduction=reduction,
             weight=WEIGHTS)
        loss(op, (4, 5), low=low, high=high, target=(2, 0, 1, 4), reduction=reduction,
             weight=WEIGHTS, ignore_index=1)
    loss("cross_entropy", (4, 5), target=(2, 0, 1, 4), reduction=reduction, label_smoothing=0.1)
    loss("cross_entropy", (4, 5), target=(2, 0, 1, 4), reduction=reduction, label_smoothing=0.3,
         weight=WEIGHTS, ignore_index=0)
    for op in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        loss(op, (3, 5), (3, 5), low=-2.0, high=2.0, reduction=reduction)
    loss("smooth_l1_loss", (3, 5), (3, 5), low=-2.0, high=2.0, reduction=reduction, beta=0.0)
    loss("smooth_l1_loss", (3, 5), (3, 5), low=-2.0, high=2.0, reduction=reduction, beta=2.5)
    loss("huber_loss", (3, 5), (3, 5), low=-2.0, high=2.0, reduction=reduction, delta=0.4)
    loss("bce_with_logits_loss", (3, 5), (3, 5), low=0.0, high=1.0, reduction=reduction)
    loss("bce_with_logits_loss", (3, 5), (3, 5), low=0.0, high=1.0, reduction=reduction,
         weight=WEIGHTS, pos_weight=WEIGHTS[::-1])
    loss("bce_with_logits_loss", (3, 5), (3, 5), low=0.0, high=1.0, reduction=reduction,
         pos_weight=[3.0])
for reduction in ("mean", "sum", "batchmean", "none"):
    loss("kl_div_loss", (3, 5), (3, 5), low=0.1, high=2.0, reduction=reduction)
    loss("kl_div_loss", (3, 5), (3, 5), low=-2.0, high=2.0, reduction=reduction, log_target=True)


def attention(q, k, v, heads, causal):
    def split(x):
        return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)

    scores = split(q) @ split(k).transpose(-1, -2) / (q.shape[-1] / heads) ** 0.5
    if causal:
        hidden = torch.ones(scores.shape[-2:]).triu(1).bool()
        scores = scores.masked_fill(hidden, float("-inf"))
    return (F.softmax(scores, -1) @ split(v)).transpose(1, 2).reshape(q.shape)


for causal in (False, True):
    for heads in (1, 2):
        case("attention", lambda q, k, v, h=heads, c=causal: attention(q, k, v, h, c),
             (2, 3, 4), (2, 5, 4), (2, 5, 4), heads=heads, causal=causal)
        case("self_attention", lambda x, h=heads, c=causal: attention(*x.chunk(3, -1), h, c),
             (2, 5, 12), heads=heads, causal=causal)


def recurrent(layer, reverse, x, *weights):
    """PyTorch's own function, on a layer whose weights are the given ones."""
    if reverse:
        x = x.flip(1)
    bias = len(weights) > 3
    state = x.new_zeros(1, x.shape[0], weights[1].shape[1])
    if layer == "lstm":
        cells = x.new_zeros(1, x.shape[0], weights[0].shape[0] // 4)
        y = torch.lstm(x, (state, cells), weights, bias, 1, 0.0, False, False, True)[0]
    else:
        y = torch.gru(x, state, weights, bias, 1, 0.0, False, False, True)[0]
    return y.flip(1) if reverse else y


for layer, gates in (("lstm", 4), ("gru", 3)):
    for reverse in (False, True):
        weights = ((gates * 3, 2), (gates * 3, 3), (gates * 3,), (gates * 3,))
        for shapes in (weights, weights[:2]):
            case(layer, lambda *x, n=layer, r=reverse: recurrent(n, r, *x), (2, 4, 2), *shapes,
                 low=-1.0, high=1.0, reverse=reverse)
    if layer == "lstm":  # with a projection
        weights = ((12, 2), (12, 2), (12,), (12,), (2, 3))
        for shapes in (weights, weights[:2] + weights[4:]):
            case(layer, lambda *x: recurrent("lstm", True, *x), (2, 4, 2), *shapes, low=-1.0,
                 high=1.0, reverse=True)


def floats(x):
    texts = ["%.9g" % float(v) for v in x.reshape(-1)]
    texts = [t if "." in t or "e" in t else t + ".0" for t in texts]
    return "(const float[]){" + ", ".join(t + "f" for t in texts) + "}"


def shape(dims):
    return "{%d, {%s}}" % (len(dims), ", ".join(str(d) for d in dims) or "0")


def array(x):
    x = x.detach()
    return "{%s, %s}" % (shape(x.shape), floats(x))


def setting_of_loss(op, options):
    parts = [".kind = AN_%s_LOSS" % KINDS[op]]
    defaults = {"ignore_index": -100, "beta": 1.0, "delta": 1.0}
    for name, value in {**defaults, **options}.items():
        if name == "reduction":
            value = "AN_REDUCE_" + value.upper()
        if isinstance(value, list):
            parts.append(".%s_count = %d" % (name, len(value)))
            value = floats(torch.tensor(value))
        parts.append(".%s = %s" % (name, str(value).lower() if isinstance(value, bool) else value))
    return ".loss = {%s}" % ", ".join(parts)


def setting(name, value):
    if name == "loss":
        return setting_of_loss(*value)
    if name == "labels":
        return ".labels = {%s}, .label_count = %d" % (", ".join(map(str, value)), len(value))
    if name in ("weights", "pos_weights"):
        return ".%s = {%s}" % (name, ", ".join("%gf" % v if v % 1 else "%d" % v for v in value))
    if name == "shape":
        return ".shape = " + shape(value)
    return ".%s = %s" % (name, str(value).lower() if isinstance(value, bool) else value)


print("/* Written by vectors.py with PyTorch %s; do not edit. */" % torch.__version__)
print("/* clang-format off */")
print("static const vector vectors[] = {")
for op, function, shapes, settings, low, high, gap in CASES:
    inputs = [uniform(s, low, high, gap).requires_grad_() for s in shapes]
    output = function(*inputs)
    weight = torch.rand(output.shape) * 2 - 1
    (output * weight).sum().backward()
    parts = ['"%s"' % op, "%d" % len(inputs),
             "{" + ", ".join(setting(n, v) for n, v in (settings or {"p": 0}).items()) + "}",
             "{" + ", ".join(array(x) for x in inputs) + "}",
             "{" + ", ".join(array(x.grad) for x in inputs) + "}",
             array(output), array(weight)]
    print(textwrap.fill("{" + ", ".join(parts) + "},", 100))
print("};")
print("/* clang-format on */")
