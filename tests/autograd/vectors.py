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
case("nll_loss", lambda x: F.nll_loss(x, labels(2, 0, 4)), (3, 5), labels=(2, 0, 4))
case("cross_entropy", lambda x: F.cross_entropy(x, labels(2, 0, 4)), (3, 5), low=-5.0, high=5.0,
     labels=(2, 0, 4))
case("mse_loss", F.mse_loss, (3, 5), (3, 5))


def floats(x):
    texts = ["%.9g" % float(v) for v in x.reshape(-1)]
    texts = [t if "." in t or "e" in t else t + ".0" for t in texts]
    return "(const float[]){" + ", ".join(t + "f" for t in texts) + "}"


def shape(dims):
    return "{%d, {%s}}" % (len(dims), ", ".join(str(d) for d in dims) or "0")


def array(x):
    x = x.detach()
    return "{%s, %s}" % (shape(x.shape), floats(x))


def setting(name, value):
    if name == "labels":
        return ".labels = {%s}, .label_count = %d" % (", ".join(map(str, value)), len(value))
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
