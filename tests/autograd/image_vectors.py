"""Writes image_vectors.h: the operations on images with PyTorch's results and gradients in float32.

Run with a Python that has PyTorch:
python3 tests/autograd/image_vectors.py > tests/autograd/image_vectors.h
The gradients are those of sum(output * weight).
"""
import textwrap

import torch
import torch.nn.functional as F

torch.manual_seed(2)
CASES = []


def case(op, function, *shapes, **setting):
    CASES.append((op, function, shapes, setting))


def conv(x, w, b, **keywords):
    case("conv2d", lambda *t: F.conv2d(*t, **keywords), x, w, *b, **keywords)


def transposed(x, w, b, **keywords):
    case("conv_transpose2d", lambda *t: F.conv_transpose2d(*t, **keywords), x, w, *b, **keywords)


conv((2, 1, 5, 6), (2, 1, 3, 3), [(2,)])
conv((1, 3, 7, 5), (4, 3, 3, 2), [(4,)], stride=(2, 1), padding=(1, 2))
conv((2, 4, 5, 5), (6, 2, 3, 3), [], groups=2, dilation=2, padding=2)
conv((1, 2, 9, 8), (2, 1, 2, 4), [(2,)], groups=2, stride=3, dilation=(1, 2))
conv((1, 2, 5, 6), (3, 2, 4, 3), [(3,)], padding="same")
conv((1, 2, 6, 5), (3, 2, 2, 3), [(3,)], padding="same", dilation=(1, 2))
conv((1, 8, 6, 5), (8, 8, 3, 3), [(8,)], padding=1)
conv((1, 3, 1, 1), (2, 3, 1, 1), [(2,)])
conv((2, 3, 4, 5), (2, 3, 1, 1), [(2,)], stride=2)


def padded(mode, x, w, padding, stride=1):
    """As nn.Conv2d(padding_mode=mode) computes it."""
    layer = torch.nn.Conv2d(w[1], w[0], w[2:], stride=stride, padding=padding, padding_mode=mode)

    def function(x, w):
        return layer._conv_forward(x, w, None)

    keywords = {"padding": padding} if padding == "same" else {"padding": padding, "stride": stride}
    case("conv2d", function, x, w, padding_mode="AN_PAD_" + mode.upper(), **keywords)


for mode in ("reflect", "replicate", "circular"):
    padded(mode, (2, 2, 4, 5), (3, 2, 3, 2), (1, 2), (2, 1))
    padded(mode, (1, 2, 4, 5), (2, 2, 2, 4), "same")
    case("pad2d", lambda x, m=mode: F.pad(x, (2, 1, 0, 3), m), (2, 1, 4, 3), before=(0, 2),
         after=(3, 1), mode="AN_PAD_" + mode.upper())
case("pad2d", lambda x: F.pad(x, (2, 1, 0, 3)), (2, 1, 4, 3), before=(0, 2), after=(3, 1))
transposed((2, 2, 3, 4), (2, 3, 3, 3), [(3,)])
transposed((1, 4, 3, 2), (4, 2, 3, 2), [(4,)], stride=(2, 3), padding=1, output_padding=(1, 2),
           groups=2)
transposed((1, 2, 3, 3), (2, 1, 2, 3), [], stride=2, dilation=(3, 2), output_padding=(2, 1))
transposed((1, 8, 3, 4), (8, 9, 3, 3), [(9,)], padding=1)
for shape, keywords in [
        ((2, 2, 6, 8), dict(kernel=2)),
        ((1, 2, 7, 5), dict(kernel=2)),
        ((1, 2, 7, 6), dict(kernel=3, stride=2, padding=1)),
        ((1, 2, 7, 8), dict(kernel=(3, 2), stride=(2, 3), ceil_mode=True)),
        ((1, 1, 5, 5), dict(kernel=3, stride=3, padding=1, ceil_mode=True))]:
    rest = {name: value for name, value in keywords.items() if name != "kernel"}
    case("max_pool2d", lambda x, k=keywords["kernel"], r=rest: F.max_pool2d(x, k, **r), shape,
         **keywords)
    case("avg_pool2d", lambda x, k=keywords["kernel"], r=rest: F.avg_pool2d(x, k, **r), shape,
         **keywords)
    case("avg_pool2d",
         lambda x, k=keywords["kernel"], r=rest: F.avg_pool2d(x, k, count_include_pad=False, **r),
         shape, exclude_padding=True, **keywords)
case("max_pool2d", lambda x: F.max_pool2d(x, 2, 1, 0, 3), (1, 2, 6, 7), kernel=2, stride=1,
     dilation=3)
case("avg_pool2d", lambda x: F.avg_pool2d(x, 2, divisor_override=3), (1, 2, 4, 6), kernel=2,
     divisor=3)
for size in ((1, 1), (2, 3), (5, 4), (7, 7)):
    case("adaptive_avg_pool2d", lambda x, s=size: F.adaptive_avg_pool2d(x, s), (2, 2, 5, 6),
         out_size=size)
case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (None, 2)), (1, 2, 3, 5),
     out_size=(0, 2))


def floats(x):
    texts = ["%.9g" % float(v) for v in x.reshape(-1)]
    texts = [t if "." in t or "e" in t else t + ".0" for t in texts]
    return "(const float[]){" + ", ".join(t + "f" for t in texts) + "}"


def array(x):
    x = x.detach()
    return "{{%d, {%s}}, %s}" % (x.dim(), ", ".join(map(str, x.shape)), floats(x))


MEMBERS = {"conv2d": "conv", "conv_transpose2d": "conv_transpose", "max_pool2d": "pool",
           "avg_pool2d": "pool", "pad2d": "pad"}
PAIRS = ("kernel", "stride", "padding", "output_padding", "dilation", "out_size", "before",
         "after")


def setting(op, name, value):
    member = "" if name == "out_size" else ".%s" % MEMBERS[op]
    if value == "same":
        return "%s.same = true" % member
    if name in PAIRS:
        return "%s.%s = {%d, %d}" % ((member, name) + (value if isinstance(value, tuple)
                                                       else (value, value)))
    if isinstance(value, str):
        return "%s.%s = %s" % (member, name, value)
    return "%s.%s = %s" % (member, name, str(value).lower())


print("/* Written by image_vectors.py with PyTorch %s; do not edit. */" % torch.__version__)
print("/* clang-format off */")
print("static const vector vectors[] = {")
for op, function, shapes, settings in CASES:
    inputs = [(torch.rand(s) * 4 - 2).requires_grad_() for s in shapes]
    output = function(*inputs)
    weight = torch.rand(output.shape) * 2 - 1
    (output * weight).sum().backward()
    parts = ['"%s"' % op, "%d" % len(inputs),
             "{" + (", ".join(setting(op, *item) for item in settings.items()) or ".count = 0") +
             "}",
             "{" + ", ".join(array(x) for x in inputs) + "}",
             "{" + ", ".join(array(x.grad) for x in inputs) + "}",
             array(output), array(weight)]
    print(textwrap.fill("{" + ", ".join(parts) + "},", 100))
print("};")
print("/* clang-format on */")
