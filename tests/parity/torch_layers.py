"""PyTorch's modules under the names and with the arguments that Anneal's layers have.

model_of(texts) makes a Sequential of layers that are written as Anneal reads them; its parameters
have the names that Anneal gives them.
"""
import torch
from torch import nn


class PositionalEmbedding(nn.Embedding):
    def __init__(self, positions, width, std=0.02):
        super().__init__(positions, width)
        nn.init.normal_(self.weight, 0, std)

    def forward(self, x):
        return x + self.weight[:x.shape[1]]


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class MultiheadAttention(nn.MultiheadAttention):
    """Of a sequence (batch, time, width) on itself."""

    def __init__(self, width, heads, causal=False, **options):
        super().__init__(width, heads, batch_first=True, **options)
        self.causal = causal

    def forward(self, x):
        length = x.shape[1]
        mask = torch.ones(length, length).triu(1).bool() if self.causal else None
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]


LAYERS = {**vars(nn), "PositionalEmbedding": PositionalEmbedding, "Residual": Residual,
          "MultiheadAttention": MultiheadAttention}


def model_of(texts):
    return nn.Sequential(*(eval(text, dict(LAYERS)) for text in texts))


def made(text, namespace, first):
    """The object of the call `text`, with `first` as its first argument."""
    name, arguments = text.split("(", 1)
    return eval(f"make(first, {arguments}", {"make": getattr(namespace, name), "first": first})
