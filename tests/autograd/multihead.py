"""Writes multihead.h: torch.nn.MultiheadAttention with its masks, keys and values, and gradients.

Run with a Python that has PyTorch: python3 tests/autograd/multihead.py > tests/autograd/multihead.h
The gradients are those of sum(output * weight).
"""
import textwrap

import torch
from torch import nn

torch.manual_seed(5)
BATCH, TIME, KEYS, WIDTH, HEADS = 2, 3, 4, 6, 2


def floats(x):
    texts = ["-INFINITY" if v == float("-inf") else "%.9g" % float(v)
             for v in x.detach().reshape(-1)]
    texts = [t if "." in t or "e" in t or "I" in t else t + ".0" for t in texts]
    return "(const float[]){" + ", ".join(t if "I" in t else t + "f" for t in texts) + "}"


def array(x):
    if x is None:
        return "{{0}, NULL}"
    return "{{%d, {%s}}, %s}" % (x.dim(), ", ".join(map(str, x.shape)), floats(x))


def additive(mask):
    """A boolean mask as an_mask makes it."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    return torch.zeros(mask.shape).masked_fill(mask, float("-inf"))


hidden = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]]).bool()
each = torch.rand(BATCH * HEADS, TIME, KEYS) * 2 - 1
padding = torch.tensor([[0, 0, 0, 1], [0, 0, 1, 1]]).bool()
CASES = [
    ({}, None, None),
    ({}, hidden, None),
    ({}, each, padding),
    ({"kdim": 5, "vdim": 3}, None, padding),
    ({"bias": False}, each, None),
    ({"add_bias_kv": True}, hidden, padding),
    ({"add_zero_attn": True}, each, None),
    ({"add_bias_kv": True, "add_zero_attn": True, "kdim": 5}, hidden, padding),
]
NAMES = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias",
         "bias_k", "bias_v", "out_proj.weight", "out_proj.bias")

print("/* Written by multihead.py with PyTorch %s; do not edit. */" % torch.__version__)
print("/* clang-format off */")
print("static const multihead_case cases[] = {")
for options, mask, key_mask in CASES:
    layer = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, **options)
    layer.eval()
    with torch.no_grad():
        for p in layer.parameters():
            p.uniform_(-0.9, 0.9)
    shapes = ((BATCH, TIME, WIDTH), (BATCH, KEYS, options.get("kdim", WIDTH)),
              (BATCH, KEYS, options.get("vdim", WIDTH)))
    inputs = [(torch.rand(s) * 2 - 1).requires_grad_() for s in shapes]
    y = layer(*inputs, key_padding_mask=key_mask, attn_mask=mask, need_weights=False)[0]
    weight = torch.rand(y.shape) * 2 - 1
    (y * weight).sum().backward()
    params = dict(layer.named_parameters())
    tensors = inputs + [params.get(n) for n in NAMES]
    parts = [str(int(options.get("add_zero_attn", False))),
             "{" + ", ".join(array(t) for t in tensors) + "}",
             "{" + ", ".join(array(t if t is None else t.grad) for t in tensors) + "}",
             array(additive(mask)), array(additive(key_mask)), array(y), array(weight)]
    print(textwrap.fill("{" + ", ".join(parts) + "},", 100))
print("};")
print("/* clang-format on */")
