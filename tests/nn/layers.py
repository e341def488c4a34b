"""Writes layers.h: activations, norms and embeddings as PyTorch computes them.

Run with a Python that has PyTorch: python3 tests/nn/layers.py > tests/nn/layers.h
Each layer sees x1 in training, then x2 with a backward pass of sum(output * weight), then x2 in
evaluation. Buffers are those after that.
"""
import textwrap

import torch
from torch import nn

torch.manual_seed(3)


def floats(x):
    texts = ["%.9g" % float(v) for v in x.detach().reshape(-1)]
    texts = [t if "." in t or "e" in t else t + ".0" for t in texts]
    return "(const float[]){" + ", ".join(t + "f" for t in texts) + "}"


def array(name, x):
    dims = list(x.shape)
    return '{"%s", {%d, {%s}}, %s}' % (name, len(dims), ", ".join(map(str, dims)) or "0", floats(x))


class RMSNorm(nn.Module):
    """As in PyTorch 2.4, whose eps=None is the float's."""

    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, True) + self.eps) * self.weight


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


CASES = [(text, eval("nn." + text), shape) for text, shape in [
    ("GELU()", (4, 5)), ("GELU(approximate='tanh')", (4, 5)), ("SiLU()", (4, 5)),
    ("LeakyReLU()", (4, 5)), ("LeakyReLU(negative_slope=0.3)", (4, 5)), ("ELU()", (4, 5)),
    ("ELU(alpha=0.5)", (4, 5)), ("Softplus()", (4, 5)),
    ("Softplus(beta=2, threshold=1)", (4, 5)), ("Softmax(1)", (3, 4, 2)), ("Softmax(-1)", (3, 4)), ("LogSoftmax(-1)", (3, 4)),
    ("BatchNorm1d(3)", (5, 3)), ("BatchNorm1d(3)", (2, 3, 40)),
    ("BatchNorm1d(3, momentum=None)", (5, 3)), ("BatchNorm1d(3, eps=0.1, momentum=0.3)", (4, 3, 2)),
    ("BatchNorm1d(3, affine=False)", (5, 3)),
    ("BatchNorm1d(3, affine=False, track_running_stats=False)", (5, 3)),
    ("BatchNorm2d(2)", (3, 2, 3, 5)), ("BatchNorm2d(2)", (2, 2, 7, 6)),
    ("BatchNorm2d(2, momentum=None)", (2, 2, 6, 6)), ("LayerNorm(6)", (3, 6)),
    ("LayerNorm((2, 3), eps=0.01)", (4, 2, 3)), ("LayerNorm(6, elementwise_affine=False)", (2, 2, 6)),
    ("GroupNorm(2, 4)", (2, 4, 3, 2)), ("GroupNorm(1, 4, eps=0.1, affine=False)", (3, 4, 5)),
    ("GroupNorm(4, 4)", (2, 4, 6)),
]]
CASES += [
    ("RMSNorm(5)", RMSNorm(5, 2.0 ** -23), (3, 5)),
    ("RMSNorm(5, eps=0.01)", RMSNorm(5, 0.01), (2, 3, 5)),
    ("Residual(Sequential(BatchNorm1d(3), ReLU()), Linear(3, 3))",
     Residual(nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), nn.Linear(3, 3)), (4, 3)),
    ("Sequential(Linear(3, 8), LayerNorm(8), GELU(), Linear(8, 2))",
     nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 2)), (4, 3)),
]

print("/* Written by layers.py with PyTorch %s; do not edit. */" % torch.__version__)
print("/* clang-format off */")
print("static const layer_case layer_cases[] = {")
for text, layer, shape in CASES:
    with torch.no_grad():
        for p in layer.parameters():
            p.uniform_(-1.5, 1.5)
    params = list(layer.named_parameters())
    first = [array(n, p) for n, p in params]
    x1 = torch.rand(shape) * 4 - 1.5
    x2 = (torch.rand(shape) * 4 - 2.5).requires_grad_()
    layer.train()
    layer(x1)
    y = layer(x2)
    weight = torch.rand(y.shape) * 2 - 1
    (y * weight).sum().backward()
    layer.eval()
    buffers = list(layer.named_buffers())
    parts = ['"%s"' % text, "%d" % len(params), "%d" % len(buffers),
             "{" + (", ".join(first) or "{0}") + "}",
             "{" + (", ".join(array(n, p.grad) for n, p in params) or "{0}") + "}",
             "{" + (", ".join(array(n, b) for n, b in buffers) or "{0}") + "}",
             array("x1", x1), array("x2", x2), array("dx", x2.grad), array("y", y),
             array("weight", weight), array("y_eval", layer(x2))]
    print(textwrap.fill("{" + ", ".join(parts) + "},", 100))
print("};")
print("/* clang-format on */")
