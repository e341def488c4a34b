#!/usr/bin/env python3
"""Usage: expressions.py [SEED [COUNT]] >expressions.txt

Random arithmetic expressions of `epoch` and what Python makes of them: the vectors of expressions.c.

  libm TEXT            what cos, pow and so on were computed with
  epochs N N ...       of the values below
  plain EXPRESSION     right in every libm
  libm-bound EXPRESSION    calls one
  = X X ...            its values, as C writes hexadecimal doubles; - where Python raises an exception,
                       gives a complex number, or counts beyond 2^53, where its integers go on
"""
import ast
import math
import platform
import random
import sys

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 700
EPOCHS = [0, 1, 2, 7, 30, 1001]
NAMES = {name: getattr(math, name) for name in "cos sin sqrt exp log floor pi".split()}
NAMES.update(min=min, max=max, abs=abs, int=int, pow=pow)
LIBM = ("**", "pow", "cos", "sin", "exp", "log")
draw = random.Random(SEED)


class Undefined(Exception):
    pass


def libm():
    """What cos and pow come from, in the words of expressions.c."""
    library, version = platform.libc_ver()
    flags = open("/proc/cpuinfo").read().split() if platform.machine() == "x86_64" else []
    kind = " fma" if "fma" in flags else " sse2" if flags else ""
    return f"{library} {version} {platform.machine()}{kind}"


# ---------------------------------------------------------------- the grammar of expression.c

def level(operand, operators, chance):
    def build(depth):
        text = operand(depth)
        while draw.random() < chance:
            text += f" {draw.choice(operators)} {operand(depth)}"
        return text
    return build


def atom(depth):
    kind = draw.random()
    if depth <= 0 or kind < 0.3:
        return draw.choice(["epoch"] * 6 + "0 1 2 3 4 5 7 10 12 0.5 1.5 .25 2. 0.1 1e-3 1_000 3.7 0.0 pi "
                           "True False".split())
    if kind < 0.55:
        return f"({test(depth - 1)})"
    if kind < 0.65:
        return f"{draw.choice(['min', 'max'])}({', '.join(test(depth - 1) for _ in range(draw.randint(2, 4)))})"
    if kind < 0.67:
        return f"pow({test(depth - 1)}, {test(depth - 1)})"
    if kind < 0.85:
        return f"{draw.choice('abs floor int sqrt math.floor math.sqrt'.split())}({test(depth - 1)})"
    if kind < 0.9:
        return f"{draw.choice('cos sin exp log math.cos'.split())}({test(depth - 1)})"
    return atom(0)


def power(depth):
    return f"{atom(depth)} ** {unary(depth - 1)}" if draw.random() < 0.12 else atom(depth)


def unary(depth):
    sign = draw.random()
    return f"-{unary(depth)}" if sign < 0.15 else f"+{unary(depth)}" if sign < 0.17 else power(depth)


product = level(unary, ["*", "/", "//", "%"], 0.3)
plus = level(product, ["+", "-"], 0.3)
compare = level(plus, ["<", "<=", ">", ">=", "==", "!="], 0.15)


def negation(depth):
    return f"not {negation(depth)}" if draw.random() < 0.1 else compare(depth)


conjunction = level(negation, ["and"], 0.12)
disjunction = level(conjunction, ["or"], 0.12)


def test(depth):
    text = disjunction(depth)
    if draw.random() < 0.12:
        text += f" if {disjunction(depth)} else {test(depth)}"
    return text


# ------------------------------------------------------------------------------------- values

def part(node, epoch):
    """The value of a part, as Python has it, unless an integer leaves +-2^53 on the way."""
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "part", "eval")
    try:
        value = eval(code, {"__builtins__": {}, "math": math, **NAMES}, {"epoch": epoch})
    except (ArithmeticError, ValueError):
        raise Undefined from None
    if isinstance(value, complex) or (isinstance(value, int) and abs(value) > 2 ** 53):
        raise Undefined
    return value


def operands_of_power(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return [node.left, node.right]
    is_pow = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "pow"
    return node.args if is_pow else []


def watch(node, epoch):
    """Looks at every part from the inside out, so that no integer grows without bound."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            watch(child, epoch)
    power = [part(child, epoch) for child in operands_of_power(node)]
    if power and all(isinstance(value, int) for value in power) and abs(power[0]) > 1 and power[1] > 53:
        raise Undefined
    if not isinstance(node, (ast.Name, ast.Attribute)):
        part(node, epoch)


def value_at(tree, epoch):
    try:
        watch(tree.body, epoch)
        return float(part(tree.body, epoch)).hex()
    except Undefined:
        return "-"


def main():
    print(f"# Written by tests/lr/vectors/expressions.py with Python {platform.python_version()}, seed {SEED}.")
    print("libm", libm())
    print("epochs", *EPOCHS)
    done = set()
    while len(done) < COUNT:
        text = test(draw.randint(1, 3))
        tree = ast.parse(text, mode="eval")
        values = [value_at(tree, epoch) for epoch in EPOCHS]
        if text in done or len(text) > 160 or values.count("-") > 3 or "epoch" not in text:
            continue
        done.add(text)
        bound = any(word in text for word in LIBM)
        print(f"{'libm-bound' if bound else 'plain'} {text}\n=", *values)


main()
