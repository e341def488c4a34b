"""Writes sequence.h: layers over sequences with PyTorch's weights, output and gradients.

Run with a Python that has PyTorch: python3 tests/nn/sequence.py > tests/nn/sequence.h
The gradients are those of sum(output * weight).
"""
import textwrap

import torch
from torch import nn

torch.manual_seed(2)


def floats(x):
    texts = ["%.9g" % float(v) for v in x.detach().reshape(-1)]
    texts = [t if "." in t or "e" in t else t + ".0" for t in texts]
    return "(const float[]){" + ", ".join(t + "f" for t in texts) + "}"


def array(name, x):
    dims = list(x.shape)
    return '{"%s", {%d, {%s}}, %s}' % (name, len(dims), ", ".join(map(str, dims)), floats(x))


def attention(layer, x, causal):
    mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if causal else None
    return layer(x, x, x, attn_mask=mask, need_weights=False)[0]


CASES = [
    ("MultiheadAttention(8, 2)", nn.MultiheadAttention(8, 2, batch_first=True),
     lambda m, x: attention(m, x, False), (2, 5, 8)),
    ("MultiheadAttention(6, 3, causal=True)", nn.MultiheadAttention(6, 3, batch_first=True),
     lambda m, x: attention(m, x, True), (2, 5, 6)),
    ("MultiheadAttention(4, 1, bias=False)",
     nn.MultiheadAttention(4, 1, bias=False, batch_first=True),
     lambda m, x: attention(m, x, False), (1, 3, 4)),
]
for name, kind in (("LSTM", nn.LSTM), ("GRU", nn.GRU)):
    for text, options in (("", {}), (", bias=False", {"bias": False}),
                          (", num_layers=2, bidirectional=True",
                           {"num_layers": 2, "bidirectional": True})):
        CASES.append((f"{name}(3, 4{text})", kind(3, 4, batch_first=True, **options),
                      lambda m, x: m(x)[0], (2, 5, 3)))

CASES += [
    ("MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True)",
     nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True),
     lambda m, x: attention(m, x, False), (2, 5, 6)),
    ("MultiheadAttention(6, 2, add_bias_kv=True, kdim=6, causal=True)",
     nn.MultiheadAttention(6, 2, add_bias_kv=True, kdim=6, batch_first=True),
     lambda m, x: attention(m, x, True), (2, 5, 6)),
    ("LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)",
     nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True, proj_size=2),
     lambda m, x: m(x)[0], (2, 5, 3)),
    ("LSTM(3, 4, bias=False, proj_size=3)",
     nn.LSTM(3, 4, bias=False, batch_first=True, proj_size=3), lambda m, x: m(x)[0], (2, 5, 3)),
]

print("/* Written by sequence.py with PyTorch %s; do not edit. */" % torch.__version__)
print("/* clang-format off */")
print("static const layer_case layer_cases[] = {")
for text, layer, function, shape in CASES:
    with torch.no_grad():
        for p in layer.parameters():
            p.uniform_(-0.7, 0.7)
    x = (torch.rand(shape) * 2 - 1).requires_grad_()
    y = function(layer, x)
    weight = torch.rand(y.shape) * 2 - 1
    (y * weight).sum().backward()
    params = list(layer.named_parameters())
    parts = ['"%s"' % text, "%d" % len(params),
             "{" + ", ".join(array(n, p) for n, p in params) + "}",
             "{" + ", ".join(array(n, p.grad) for n, p in params) + "}",
             array("x", x), array("dx", x.grad), array("y", y), array("weight", weight)]
    print(textwrap.fill("{" + ", ".join(parts) + "},", 100))
print("};")
print("/* clang-format on */")
