#!/usr/bin/env python3
"""Usage: formulas.py > formulas.txt

Values of other systems' schedules, from the formulas that these publish, for tests/lr/formulas.c.
Nothing here comes from Anneal, or imports any of the systems: each function is the system's formula
as its source has it (the paths stand in src/lr/alias_rows.c), written as a function of t, the number
of updates that were made, so that f(t) is the rate of the next one.

A case is a line "= TOTAL_STEPS STEPS_PER_EPOCH LR CALL" and lines "T VALUE" after it.
"""
import math
import random

cos, pi, sqrt, exp, log, floor = math.cos, math.pi, math.sqrt, math.exp, math.log, math.floor
W, N, P = 100, 1000, 0.1


def wave(x):
    return 0.5 * (1 + cos(pi * x))


def case(call, f, lr=P, total=0, per_epoch=0, last=2 * N, extra=()):
    draw = random.Random(call)
    steps = {0, 1, 2, W - 1, W, W + 1, N // 2, N - 1, N, N + 1, 3 * N // 2, 2 * N, *extra}
    steps |= {draw.randrange(last + 1) for _ in range(12)}
    print(f"= {total} {per_epoch} {lr!r} {call}")
    for t in sorted(t for t in steps if t <= last):
        print(t, repr(float(f(t))))


# ------------------------------------------------------------------ transformers

def warm(t, rest, w=W):
    return t / max(1, w) if t < w else rest(t)


def part(t, w=W, n=N):
    return (t - w) / max(1, n - w)


case("get_constant_schedule()", lambda t: P)
case("get_constant_schedule_with_warmup(100)", lambda t: P * warm(t, lambda t: 1))
case("transformers.get_linear_schedule_with_warmup(optimizer, num_warmup_steps=100, "
     "num_training_steps=1000)", lambda t: P * warm(t, lambda t: max(0, (N - t) / (N - W))))
case("get_linear_schedule_with_warmup(0, 1000)", lambda t: P * max(0, (N - t) / N))
case("get_cosine_schedule_with_warmup(100, 1000)",
     lambda t: P * warm(t, lambda t: max(0, wave(part(t)))))
case("get_cosine_schedule_with_warmup(100, 1000, num_cycles=2)",
     lambda t: P * warm(t, lambda t: max(0, wave(4 * part(t)))))
case("get_cosine_with_hard_restarts_schedule_with_warmup(100, 1000, num_cycles=3)",
     lambda t: P * warm(t, lambda t: 0 if part(t) >= 1 else max(0, wave(3 * part(t) % 1))),
     extra=(399, 400, 401, 700))


def hf_polynomial(t, lr_end, power):
    if t < W:
        return P * t / W
    if t > N:
        return lr_end
    return (P - lr_end) * (1 - part(t)) ** power + lr_end


case("get_polynomial_decay_schedule_with_warmup(100, 1000)", lambda t: hf_polynomial(t, 1e-7, 1))
case("get_polynomial_decay_schedule_with_warmup(100, 1000, lr_end=0.01, power=2)",
     lambda t: hf_polynomial(t, 0.01, 2))
case("get_inverse_sqrt_schedule(100)", lambda t: P * warm(t, lambda t: 1 / sqrt(t / W)))
case("get_inverse_sqrt_schedule(100, timescale=300)",
     lambda t: P * warm(t, lambda t: 1 / sqrt((t + 200) / 300)))
case("get_inverse_sqrt_schedule(0)", lambda t: P / sqrt((t + 10000) / 10000))
case("get_cosine_with_min_lr_schedule_with_warmup(100, 1000, min_lr_rate=0.2)",
     lambda t: P * warm(t, lambda t: max(0, wave(part(t)) * 0.8 + 0.2)))
case("get_cosine_with_min_lr_schedule_with_warmup(100, 1000, min_lr=0.02)",
     lambda t: P * warm(t, lambda t: max(0, wave(part(t)) * 0.8 + 0.2)))


def hf_warmup_rate(t, rate):
    if t < W:
        return (t + 1) / W if rate is None else rate + (1 - rate) * t / (W - 1)
    return max(0, wave((t - W + 1) / (N - W)) * 0.9 + 0.1)


case("get_cosine_with_min_lr_schedule_with_warmup_lr_rate(100, 1000, min_lr_rate=0.1)",
     lambda t: P * hf_warmup_rate(t, None))
case("get_cosine_with_min_lr_schedule_with_warmup_lr_rate(100, 1000, min_lr_rate=0.1, "
     "warmup_lr_rate=0.25)", lambda t: P * hf_warmup_rate(t, 0.25))


def hf_wsd(t, warmup, decay, least, cycles=0.5, stable=600, down=300):
    if t < W:
        x = t / W
        f = {"linear": x, "cosine": 1 - wave(x), "1-sqrt": 1 - sqrt(1 - x)}[warmup]
        return f * (1 - least) + least
    if t < W + stable:
        return 1
    if t < W + stable + down:
        x = (t - W - stable) / down
        f = {"linear": 1 - x, "cosine": wave(2 * cycles * x), "1-sqrt": 1 - sqrt(x)}[decay]
        return f * (1 - least) + least
    return least


for warmup in ("linear", "cosine", "1-sqrt"):
    for decay in ("linear", "cosine", "1-sqrt"):
        case(f"get_wsd_schedule(100, 300, 1000, warmup_type='{warmup}', decay_type='{decay}', "
             "min_lr_ratio=0.1)", lambda t, w=warmup, d=decay: P * hf_wsd(t, w, d, 0.1))
case("get_wsd_schedule(100, 300, num_stable_steps=0, decay_type='cosine', num_cycles=1.5)",
     lambda t: P * hf_wsd(t, "linear", "cosine", 0, 1.5, 0))
case("get_scheduler('cosine', num_warmup_steps=100, num_training_steps=1000)",
     lambda t: P * warm(t, lambda t: max(0, wave(part(t)))))
case("get_scheduler('cosine_with_restarts', num_warmup_steps=100, num_training_steps=1000)",
     lambda t: P * warm(t, lambda t: 0 if part(t) >= 1 else max(0, wave(part(t) % 1))))


# -------------------------------------------------------------------------- timm

def timm(t, shape, t_initial, mul=1.0, decay=1.0, limit=1, w=0, init=0.0, prefix=False, least=0.0,
         target=None):
    """`shape` is the part of the way from lr_max down to lr_min that is left."""
    def value(t):
        if prefix:
            t = t - w
        if mul != 1:
            i = floor(log(1 - t / t_initial * (1 - mul), mul) + 1e-12)
            t_i = mul ** i * t_initial
            t_curr = t - (1 - mul ** i) / (1 - mul) * t_initial
        else:
            i, t_i = t // t_initial, t_initial
            t_curr = t - t_initial * i
        if i >= limit:
            return least
        return least + (P * decay ** i - least) * shape(t_curr / t_i)
    if t < w:
        goal = P if target is None else value(w)
        return init + t * (goal - init) / w
    return value(t)


def tanh_shape(lb, ub):
    return lambda r: 0.5 * (1 - math.tanh(lb * (1 - r) + ub * r))


case("CosineLRScheduler(1000)", lambda t: timm(t, wave, 1000))
case("timm.scheduler.CosineLRScheduler(optimizer, t_initial=1000, warmup_t=100)",
     lambda t: timm(t, wave, 1000, w=100))
case("CosineLRScheduler(900, lr_min=0.001, warmup_t=100, warmup_lr_init=0.002, "
     "warmup_prefix=True, k_decay=2)",
     lambda t: timm(t, lambda r: wave(r ** 2), 900, w=100, init=0.002, prefix=True, least=0.001))
case("CosineLRScheduler(100, lr_min=0.001, cycle_mul=2, cycle_decay=0.5, cycle_limit=3)",
     lambda t: timm(t, wave, 100, 2.0, 0.5, 3, least=0.001), extra=(299, 300, 301, 699, 700, 701))
case("CosineLRScheduler(200, cycle_decay=0.5, cycle_limit=3, warmup_t=50, warmup_prefix=True)",
     lambda t: timm(t, wave, 200, 1.0, 0.5, 3, w=50, prefix=True), extra=(249, 250, 649, 650))
case("TanhLRScheduler(1000)", lambda t: timm(t, tanh_shape(-7, 3), 1000))
case("TanhLRScheduler(1000, lb=-6, ub=4, lr_min=0.001, warmup_t=300, warmup_lr_init=0.002)",
     lambda t: timm(t, tanh_shape(-6, 4), 1000, w=300, init=0.002, least=0.001, target=True))
case("TanhLRScheduler(200, cycle_limit=2, cycle_decay=0.5, warmup_t=10, warmup_prefix=True)",
     lambda t: timm(t, tanh_shape(-7, 3), 200, 1.0, 0.5, 2, w=10, prefix=True))
case("PolyLRScheduler(1000)", lambda t: timm(t, lambda r: (1 - r) ** 0.5, 1000))
case("PolyLRScheduler(900, power=2, lr_min=0.001, warmup_t=100, warmup_prefix=True, k_decay=1.5)",
     lambda t: timm(t, lambda r: (1 - r ** 1.5) ** 2, 900, w=100, prefix=True, least=0.001))


def timm_steps(t, count, w=0, init=0.0):
    return init + t * (P - init) / w if t < w else P * 0.5 ** count(t - w)


case("StepLRScheduler(300, 0.5, warmup_t=100, warmup_lr_init=0.01)",
     lambda t: timm_steps(t, lambda t: t // 300, 100, 0.01), extra=(399, 400, 401))
case("MultiStepLRScheduler([30, 60], 0.5)",
     lambda t: timm_steps(t, lambda t: sum(t + 1 >= m for m in (30, 60))),
     extra=(28, 29, 30, 31, 58, 59, 60, 61))


def timm_wsd(t, stable, decay, least=0.0):
    if t < W:
        return t * P / W
    t -= W
    level = max(P * stable(t), least)
    return level if t <= 700 else least + (level - least) * decay(min((t - 700) / 200, 1))


case("WSDLRScheduler(900, 200, warmup_t=100)",
     lambda t: timm_wsd(t, lambda t: 1, lambda f: 1 - sqrt(f)))
case("WSDLRScheduler(900, 200, warmup_t=100, lr_min=0.01, decay_fn='exp', decay_ratio=0.2)",
     lambda t: timm_wsd(t, lambda t: 1, lambda f: (0.2 ** f - 0.2) / 0.8, 0.01))
case("WSDLRScheduler(900, 200, warmup_t=100, lr_min=0.04, stable_fn='rsqrt', decay_fn='linear')",
     lambda t: timm_wsd(t, lambda t: (1 + t / 100) ** -0.5, lambda f: 1 - f, 0.04))
case("WSDLRScheduler(900, 200, warmup_t=100, stable_fn='power', stable_timescale=50, "
     "stable_power=0.7, decay_fn='power', decay_power=2)",
     lambda t: timm_wsd(t, lambda t: (1 + t / 50) ** -0.7, lambda f: 1 - f ** 2))


# ------------------------------------------------------------------------- optax

def line(t, a, b, n):
    return a + (b - a) * min(t, n) / n


def optax_cosine(t, init, n, alpha=0.0, exponent=1.0):
    return init * ((1 - alpha) * wave(min(t, n) / n) ** exponent + alpha)


def optax_exponential(t, init, n, rate, begin=0, staircase=False, end=None):
    t -= begin
    p = floor(t / n) if staircase else t / n
    value = init if t <= 0 else init * rate ** p
    return value if end is None else max(value, end) if rate < 1 else min(value, end)


case("constant_schedule(0.3)", lambda t: 0.3)
case("optax.linear_schedule(0.0, 0.5, 900, transition_begin=50)",
     lambda t: line(max(0, t - 50), 0, 0.5, 900))
case("polynomial_schedule(0.5, 0.1, 2, 900)",
     lambda t: 0.4 * (1 - min(t, 900) / 900) ** 2 + 0.1)
case("optax.cosine_decay_schedule(0.3, 1000, alpha=0.1, exponent=2)",
     lambda t: optax_cosine(t, 0.3, 1000, 0.1, 2))
case("optax.warmup_cosine_decay_schedule(0.0, 1.0, 100, 1000)",
     lambda t: t / W if t < W else optax_cosine(t - W, 1, N - W))
case("warmup_cosine_decay_schedule(0.01, 0.5, 100, 1000, end_value=0.05, exponent=3)",
     lambda t: line(t, 0.01, 0.5, W) if t < W else optax_cosine(t - W, 0.5, N - W, 0.1, 3))
case("warmup_constant_schedule(0.1, 0.4, 100)", lambda t: line(t, 0.1, 0.4, 100))
case("exponential_decay(0.3, 100, 0.9)", lambda t: optax_exponential(t, 0.3, 100, 0.9))
case("exponential_decay(0.3, 100, 0.5, transition_begin=30, staircase=True, end_value=0.01)",
     lambda t: optax_exponential(t, 0.3, 100, 0.5, 30, True, 0.01), extra=(129, 130, 131))
case("exponential_decay(0.3, 100, 1.1, end_value=0.5)",
     lambda t: optax_exponential(t, 0.3, 100, 1.1, end=0.5))
case("warmup_exponential_decay_schedule(0.0, 0.4, 100, 50, 0.8, end_value=0.05)",
     lambda t: line(t, 0, 0.4, W) if t < W else optax_exponential(t - W, 0.4, 50, 0.8, end=0.05))


def pieces(t, points, shape):
    """From one (moment, value) to the next; `shape` falls from 1 to 0."""
    for (a, u), (b, v) in zip(points, points[1:]):
        if t < b:
            return v + (u - v) * shape((t - a) / (b - a))
    return points[-1][1]


case("cosine_onecycle_schedule(1000, 0.5)",
     lambda t: pieces(t, [(0, 0.02), (300, 0.5), (1000, 0.02 / 1e4)], wave))
case("linear_onecycle_schedule(1000, 0.5)",
     lambda t: pieces(t, [(0, 0.02), (300, 0.5), (850, 0.02), (1000, 0.02 / 1e4)],
                      lambda x: 1 - x))
case("optax.join_schedules([optax.linear_schedule(0, 0.4, 100), "
     "optax.cosine_decay_schedule(0.4, 900)], [100])",
     lambda t: line(t, 0, 0.4, W) if t < W else optax_cosine(t - W, 0.4, 900))

# ------------------------------------------------------------------------- Keras

case("keras.optimizers.schedules.ExponentialDecay(0.3, 100, 0.9)", lambda t: 0.3 * 0.9 ** (t / 100))
case("keras.ExponentialDecay(0.3, decay_steps=100, decay_rate=0.9, staircase=True)",
     lambda t: 0.3 * 0.9 ** floor(t / 100))
case("keras.optimizers.schedules.PiecewiseConstantDecay([30, 60], [1.0, 0.5, 0.1])",
     lambda t: 1.0 if t <= 30 else 0.5 if t <= 60 else 0.1, extra=(29, 30, 31, 59, 60, 61))
case("keras.PolynomialDecay(0.3, 1000, power=2)",
     lambda t: (0.3 - 1e-4) * (1 - min(t, 1000) / 1000) ** 2 + 1e-4)
case("keras.PolynomialDecay(0.3, 300, end_learning_rate=0.01, power=0.5, cycle=True)",
     lambda t: 0.29 * (1 - t / (300 * max(1, math.ceil(t / 300)))) ** 0.5 + 0.01,
     extra=(299, 300, 301, 600, 601))
case("keras.InverseTimeDecay(0.3, 100, 0.5)", lambda t: 0.3 / (1 + 0.5 * t / 100))
case("keras.InverseTimeDecay(0.3, 100, 0.5, staircase=True)",
     lambda t: 0.3 / (1 + 0.5 * floor(t / 100)))
case("keras.CosineDecay(0.3, 1000, alpha=0.1)", lambda t: optax_cosine(t, 0.3, 1000, 0.1))
case("keras.CosineDecay(0.0, 900, warmup_target=1.0, warmup_steps=100)",
     lambda t: t / W if t < W else optax_cosine(t - W, 1, 900))


def keras_restarts(t, init, first, t_mul, m_mul, alpha):
    completed = t / first
    if t_mul == 1:
        i = floor(completed)
        completed -= i
    else:
        i = floor(log(1 - completed * (1 - t_mul)) / log(t_mul) + 1e-12)
        completed = (completed - (1 - t_mul ** i) / (1 - t_mul)) / t_mul ** i
    return init * ((1 - alpha) * m_mul ** i * wave(completed) + alpha)


case("keras.CosineDecayRestarts(0.3, 100, m_mul=0.8, alpha=0.1)",
     lambda t: keras_restarts(t, 0.3, 100, 2, 0.8, 0.1), extra=(299, 300, 301, 699, 700))
case("keras.CosineDecayRestarts(0.3, 100, t_mul=1.0)",
     lambda t: keras_restarts(t, 0.3, 100, 1, 1, 0))


# ------------------------------------------------------------------------ Paddle

case("paddle.optimizer.lr.NoamDecay(512, 400, learning_rate=2.0)",
     lambda t: 2 * 512 ** -0.5 * min(t ** -0.5 if t else 1, t * 400 ** -1.5))
case("paddle.optimizer.lr.NaturalExpDecay(0.3, 0.01)", lambda t: 0.3 * exp(-0.01 * t))
case("paddle.optimizer.lr.ExponentialDecay(0.3, 0.99)", lambda t: 0.3 * 0.99 ** t)
case("paddle.optimizer.lr.InverseTimeDecay(0.3, 0.1)", lambda t: 0.3 / (1 + 0.1 * t))
case("paddle.optimizer.lr.PolynomialDecay(0.3, 300, power=2, cycle=True)",
     lambda t: (0.3 - 1e-4) * (1 - t / (300 * max(1, math.ceil(t / 300)))) ** 2 + 1e-4)
case("paddle.optimizer.lr.PiecewiseDecay([30, 60], [0.3, 0.2, 0.1])",
     lambda t: 0.3 if t < 30 else 0.2 if t < 60 else 0.1, extra=(29, 30, 31, 59, 60))

# ---------------------------------------------------------------------- Composer


def clip(x):
    return min(1.0, max(0.0, x))


case("ConstantScheduler(0.5, '100ba')", lambda t: P * (0.5 if t < 100 else 1))
case("LinearScheduler(1.0, 0.1, '0.5dur')", lambda t: P * (1 - 0.9 * clip(t / 500)), total=N)
case("composer.optim.ExponentialScheduler(0.9, '5ep')", lambda t: P * 0.9 ** (t / 50), per_epoch=10)
case("StepScheduler('100ba', 0.5)", lambda t: P * 0.5 ** (t // 100))
case("MultiStepScheduler(['30ep', '0.6dur'], 0.1)",
     lambda t: P * 0.1 ** ((t >= 300) + (t >= 600)), total=N, per_epoch=10, extra=(299, 300, 599, 600))
case("composer.CosineAnnealingScheduler('1dur', 0.1)", lambda t: P * (0.1 + 0.9 * wave(clip(t / N))), total=N)
case("CosineAnnealingWarmRestartsScheduler('100ba', 2.0, 0.1)",
     lambda t: P * (0.1 + 0.9 * wave(t / 100 if t < 100 else (t - 100) / 200 if t < 300 else
                                     (t - 300) / 400)), last=699)
case("PolynomialScheduler(2.0, '1000ba', 0.1)", lambda t: P * (0.1 + 0.9 * (1 - t / N) ** 2), last=N)
case("MultiStepWithWarmupScheduler('100ba', ['300ba', '600ba'], 0.5)",
     lambda t: P * (t / W if t < W else 0.5 ** ((t >= 300) + (t >= 600))), extra=(299, 300, 599, 600))
case("LinearWithWarmupScheduler('100ba', 0.8, 0.1, '1000ba')",
     lambda t: P * (0.8 * t / W if t < W else 0.8 - 0.7 * clip(part(t))))
case("CosineAnnealingWithWarmupScheduler('100ba', '1dur')",
     lambda t: P * (t / W if t < W else wave(clip(part(t)))), total=N)
case("PolynomialWithWarmupScheduler('10ep', 2.0, '100ep', 0.1)",
     lambda t: P * (t / W if t < W else 0.1 + 0.9 * (1 - clip(part(t))) ** 2), per_epoch=10)


# --------------------------------------------------------------------- DeepSpeed

def deepspeed(t, before, warmup, after, w=W, kind="log"):
    """The engine steps the schedule after an update: before the first it is at -1."""
    last = t - 1
    if last < 0:
        return before
    if last < w:
        return warmup(log(last + 1) / log(w) if kind == "log" else last / w)
    return after(last)


case("WarmupLR(warmup_num_steps=100)", lambda t: deepspeed(t, 0, lambda g: P * g, lambda _: P))
case("deepspeed.WarmupLR(0.001, 0.01, 100, 'linear')",
     lambda t: deepspeed(t, 0.001, lambda g: 0.001 + 0.009 * g, lambda _: 0.01, kind="linear"))
case("WarmupDecayLR(1000, 0.001, 0.01, 100)",
     lambda t: deepspeed(t, 0.001, lambda g: 0.001 + 0.009 * g,
                         lambda s: 0.001 + 0.009 * max(0, (N - s) / (N - W))))
case("WarmupCosineLR(1000, warmup_num_steps=100)",
     lambda t: deepspeed(t, 0, lambda g: P * g, lambda s: P * (
         1e-4 + (1 - 1e-4) * wave(min(1, (s - W + 1) / (N - W))))))
case("WarmupCosineLR(1000, 0.2, 100, 0.1, 'linear')",
     lambda t: deepspeed(t, 0, lambda g: P * (0.2 + 0.8 * g), lambda s: P * (
         0.1 + 0.9 * wave(min(1, (s - W + 1) / (N - W)))), kind="linear"))
case("LRRangeTest(0.001, 200, 5)", lambda t: 0.001 * (1 + 5 * t / 200))
case("LRRangeTest(0.001, 200, 5, lr_range_test_staircase=True)",
     lambda t: 0.001 * (1 + 5 * floor(t / 200)))


def deepspeed_cycle(t, low, high, up, down, up_stairs, down_stairs, rate, size):
    if t > up + down:
        return low if rate * size == 0 else low / (1 + rate * (t - up - down) / size)
    cycle = t % (up + down)
    if cycle <= up:
        scale, stairs = cycle / up, up_stairs
        position = cycle * stairs / up
    else:
        scale, stairs = (up + down - cycle) / down, down_stairs
        position = (up + down - cycle) * stairs / down
    return low + (high - low) * (floor(position) / stairs if stairs else scale)


case("OneCycle(0.001, 0.01, cycle_first_step_size=300, cycle_second_step_size=500, "
     "cycle_momentum=False)", lambda t: deepspeed_cycle(t, 0.001, 0.01, 300, 500, 0, 0, 0, 0))
case("OneCycle(0.001, 0.01, 0.5, 300, 500, 10, 5, 100, cycle_momentum=False)",
     lambda t: deepspeed_cycle(t, 0.001, 0.01, 300, 500, 10, 5, 0.5, 100),
     extra=(29, 30, 31, 299, 300, 301, 399, 400, 401, 799, 800, 801))


# ------------------------------------------------------------------- Megatron-LM

def megatron(t, style, init=0.0, most=1.0, least=0.0, w=W, n=N, decay=0, tail=None):
    if w > 0 and t <= w:
        return init + (most - init) * t / w
    if style == "constant":
        return most
    if t > n:
        return least
    if style == "inverse-square-root":
        return max(least, most * max(w, 1) ** 0.5 / max(t, 1) ** 0.5)
    ratio = (t - w) / (n - w)
    c = {"linear": 1 - ratio, "cosine": wave(ratio)}.get(style)
    if style == "WSD":
        c = 1.0
        if t > n - decay:
            r = (t - n + decay) / decay
            c = {"linear": 1 - r, "cosine": wave(r), "exponential": 2 * 0.5 ** r - 1,
                 "minus_sqrt": 1 - sqrt(r)}[tail]
    return least + c * (most - least)


for style in ("linear", "cosine", "constant", "inverse-square-root"):
    case(f"OptimizerParamScheduler(opt, init_lr=0.05, max_lr=1.0, min_lr=0.1, lr_warmup_steps=100, "
         f"lr_decay_steps=1000, lr_decay_style='{style}')",
         lambda t, s=style: megatron(t, s, 0.05, 1, 0.1))
    case(f"OptimizerParamScheduler(0, 1.0, 0.02, 0, 1000, '{style}')",
         lambda t, s=style: megatron(t, s, 0, 1, 0.02, 0))
for tail in ("linear", "cosine", "exponential", "minus_sqrt"):
    case(f"OptimizerParamScheduler(0, 1.0, 0.1, 100, 1000, 'WSD', wsd_decay_steps=200, "
         f"lr_wsd_decay_style='{tail}')",
         lambda t, s=tail: megatron(t, "WSD", 0, 1, 0.1, decay=200, tail=s))


# --------------------------------------------------------------------- OLMo-core

def olmo(t, rest):
    return P * t / W if t < W else P * rest(t)


case("olmo_core.ConstantWithWarmup(100)", lambda t: olmo(t, lambda t: 1))
case("LinearWithWarmup(alpha_f=0.2, t_max=1000, warmup_steps=100)",
     lambda t: olmo(t, lambda t: 1 - 0.8 * clip(part(t))))
case("CosWithWarmup(warmup_steps=None, warmup_fraction=0.1)",
     lambda t: olmo(t, lambda t: 0.1 + 0.9 * wave(clip(part(t)))), total=N)
case("InvSqrtWithWarmup(warmup_steps=100)", lambda t: olmo(t, lambda t: 0.1 + 0.9 * sqrt(W / t)))
case("CosWithWarmupAndLinearDecay(100, max_steps=1000, decay_fraction=0.2)",
     lambda t: olmo(t, lambda t: 0.1 + 0.9 * wave(part(t)) if t < 800 else
                    (0.1 + 0.9 * wave(part(800))) * max(0, N - t) / 200))
case("olmo_core.WSD(100, max_steps=1000)",
     lambda t: olmo(t, lambda t: 1 if t < 900 else max(0, N - t) / 100))


def half_cosine(t):
    least = 0.2 * P
    if t < W:
        return (least + (P - least) / 2) * t / W
    if t >= N:
        return least
    current, t_max = t - W + (N - W), 2 * (N - W)
    return least + (P - least) * (1 + cos(pi * current / t_max)) / 2


case("HalfCosWithWarmup(warmup=100, alpha_f=0.2, t_max=1000)", half_cosine)


def wsds(t, lengths, decays, warmup, peaks):
    """Periods that hold and fall to 0; the step at a period's end is still the period's."""
    if t < warmup:
        return P * peaks[0] * t / warmup
    begin = 0
    for length, decay, peak in zip(lengths, decays, peaks):
        if t <= begin + length:
            return P * peak * min(1, (begin + length - t) / decay)
        begin += length
    return 0


case("WSDS([300, 250, 450], warmup=100, decay_fraction=0.1)",
     lambda t: wsds(t, [300, 250, 450], [30, 25, 45], W, [1, 1, 1]),
     extra=(270, 299, 300, 301, 525, 549, 550, 551, 955, 956))
case("olmo_core.WSDS(period_lengths=[500, 100], warmup_fraction=0.2, decay=100, "
     "period_lr_multipliers=[1, 0.5])",
     lambda t: wsds(t, [500, 100], [100, 100], W, [1, 0.5]), extra=(400, 500, 501, 502, 600))
case("WSDS([400], warmup=0, decay=50, period_lr_multipliers=[0.5])",
     lambda t: wsds(t, [400], [50], 0, [0.5]), extra=(350, 351, 400, 401))


# ------------------------------------------------- Adafactor's relative step, random

case("transformers.Adafactor(scale_parameter=False, relative_step=True)",
     lambda t: min(1e-2, 1 / sqrt(t + 1)), last=20000, extra=(9998, 9999, 10000, 10001))
case("Adafactor(warmup_init=True)", lambda t: min(1e-6 * (t + 1), 1 / sqrt(t + 1)), last=20000,
     extra=(9998, 9999, 10000, 10001))


def hashed(t, seed):
    m = 94906249
    return ((((t + seed * 1009 + 12345) * 16807 % m) ** 2 + t) % m) ** 2 % m / m


case("darknet.random(2, seed=7)", lambda t: P * hashed(t, 7) ** 2)


# ---------------------------------------------------------------------------- ignite

def ignite_cycle(t, size, mult, shape, start, end, start_mult, end_mult):
    """The scheduler is called before each update; a cycle begins when the one before is over."""
    while t >= size:
        t, size = t - size, int(size * mult)
        start, end = start * start_mult, end * end_mult
    return shape(t / size, start, end)


def ignite_linear(p, start, end):
    return end + (start - end) * abs(p - 0.5) * 2


def ignite_cosine(p, start, end):
    return start + (end - start) / 2 * (1 - cos(pi * p))


case("LinearCyclicalScheduler(optimizer, 'lr', 0.0, 1.0, 4)",
     lambda t: ignite_cycle(t, 4, 1, ignite_linear, 0, 1, 1, 1))
case("ignite.LinearCyclicalScheduler('lr', 0.3, 0.01, 151, cycle_mult=2, start_value_mult=0.5)",
     lambda t: ignite_cycle(t, 151, 2, ignite_linear, 0.3, 0.01, 0.5, 1))
case("ignite.CosineAnnealingScheduler('lr', 1.0, 0.2, 40, 1, 0.9, 0.5)",
     lambda t: ignite_cycle(t, 40, 1, ignite_cosine, 1, 0.2, 0.9, 0.5))


def between(t, points):
    if t <= points[0][0]:
        return points[0][1]
    for (a, x), (b, y) in zip(points, points[1:]):
        if t < b:
            return x + (y - x) * (t - a) / (b - a)
    return points[-1][1]


case("PiecewiseLinear('lr', [(10, 0.5), (200, 0.45), (210, 0.3), (800, 0.1)])",
     lambda t: between(t, [(10, 0.5), (200, 0.45), (210, 0.3), (800, 0.1)]))
case("ConcatScheduler([LinearCyclicalScheduler('lr', 0.0, 1.0, 400), "
     "ignite.CosineAnnealingScheduler('lr', 1.0, 0.2, 300)], [200])",
     lambda t: ignite_cycle(t, 400, 1, ignite_linear, 0, 1, 1, 1) if t < 200 else
     ignite_cycle(t - 200, 300, 1, ignite_cosine, 1, 0.2, 1, 1))


# -------------------------------------------------------------------------- mmengine

def mm(t, begin, end, step):
    """What its recursion gives: step(s, rate) for s = 0, 1, ... in [begin, end)."""
    rate = P
    for s in range(max(0, min(t + 1, end) - begin)):
        rate = step(s, rate)
    return rate


def mm_constant(s, rate, factor, total):
    return rate * factor if s == 0 else rate / factor if s == total else rate


def mm_linear(s, rate, a, b, total):
    return rate * a if s == 0 else rate * (1 + (b - a) / (total * a + (s - 1) * (b - a)))


def mm_poly(s, rate, least, power, total):
    return rate if s == 0 else (rate - least) * (1 - 1 / (total - s + 1)) ** power + least


MM_INF = 10 ** 9
case("mmengine.ConstantLR(optimizer, factor=0.1, begin=50, end=500)",
     lambda t: mm(t, 50, 500, lambda s, r: mm_constant(s, r, 0.1, 449)), extra=(49, 50, 498, 499))
case("mmengine.ConstantLR(0.1, end=500, by_epoch=False)",
     lambda t: mm(t, 0, 500, lambda s, r: mm_constant(s, r, 0.1, 499)), extra=(498, 499, 500))
case("mmengine.optim.LinearLR(start_factor=0.001, by_epoch=False, begin=0, end=500)",
     lambda t: mm(t, 0, 500, lambda s, r: mm_linear(s, r, 0.001, 1, 499)), extra=(498, 499, 500))
case("mmengine.LinearLR(0.5, 0.25, begin=100, end=300)",
     lambda t: mm(t, 100, 300, lambda s, r: mm_linear(s, r, 0.5, 0.25, 199)), extra=(298, 299, 300))
case("mmengine.ExponentialLR(0.99, begin=100, end=400)",
     lambda t: mm(t, 100, 400, lambda s, r: r if s == 0 else r * 0.99), extra=(399, 400))
case("mmengine.ExponentialLR(0.999)", lambda t: P * 0.999 ** t)
case("mmengine.StepLR(30, gamma=0.5, begin=10, end=401)",
     lambda t: mm(t, 10, 401, lambda s, r: r * 0.5 if s and s % 30 == 0 else r),
     extra=(39, 40, 41, 399, 400, 401))
case("mmengine.MultiStepLR([200, 700], begin=100)",
     lambda t: P * 0.1 ** ((t - 100 >= 200) + (t - 100 >= 700)), extra=(299, 300, 799, 800))
case("mmengine.CosineAnnealingLR(T_max=900, eta_min=0.02, begin=100, end=800)",
     lambda t: P if t < W else 0.02 + 0.08 * wave(min(t - W, 699) / 900), extra=(798, 799, 800))
case("mmengine.CosineAnnealingLR(T_max=300)", lambda t: P * wave(t / 300))
case("mmengine.PolyLR(eta_min=0.001, power=0.9, begin=100, end=1000)",
     lambda t: mm(t, 100, 1000, lambda s, r: mm_poly(s, r, 0.001, 0.9, 899)), extra=(998, 999))


def mm_restarts(t, periods, weights, least):
    """Its recursion: each value from the one before, the first of a period from its weight."""
    rate, begin = P, 0
    for period, weight in zip(periods, weights):
        for s in range(min(period, t + 1 - begin)):
            rate = (weight * P if s == 0 else least + (rate - least) *
                    (1 + cos(pi * s / period)) / (1 + cos(pi * (s - 1) / period)))
        begin += period
    return rate


case("mmengine.CosineRestartLR(periods=[100, 300, 200], restart_weights=[1, 0.5, 0.25], "
     "eta_min=0.01, begin=100)",
     lambda t: P if t < W else mm_restarts(t - W, [100, 300, 200], [1, 0.5, 0.25], 0.01),
     extra=(199, 200, 499, 500, 699, 700))
case("CosineRestartLR([250, 500], eta_min_ratio=0.2, by_epoch=False)",
     lambda t: mm_restarts(t, [250, 500], [1, 1], 0.2 * P), extra=(249, 250, 749, 750))
case("CosineRestartLR([300], [0.5], eta_min=0)", lambda t: mm_restarts(t, [300], [0.5], 0),
     extra=(299, 300))


def mm_cycle(t, total, phases):
    """Phases (end, from, to) of cosines."""
    begin = 0
    for end, a, b in phases:
        if t <= end or end == total - 1:
            return b + (a - b) / 2 * (cos(pi * (t - begin) / (end - begin)) + 1)
        begin = end
    return math.nan


case("mmengine.OneCycleLR(eta_max=0.5, total_steps=1000)",
     lambda t: mm_cycle(t, N, [(299, 0.02, 0.5), (999, 0.5, 2e-6)]), last=999, extra=(299, 300))
case("mmengine.OneCycleLR(0.5, end=1000, pct_start=0.25, div_factor=10, final_div_factor=100, "
     "three_phase=True)",
     lambda t: mm_cycle(t, N, [(249, 0.05, 0.5), (498, 0.5, 0.05), (999, 0.05, 0.0005)]),
     last=999, extra=(249, 250, 498, 499))


# ------------------------------------------------------------- ParameterSchedulers.jl

def triangle(t, period):
    return 2 / pi * abs(math.asin(sin(pi * t / period)))


sin = math.sin
case("ParameterSchedulers.Step(start=1.0, decay=0.8, step_sizes=[200, 300, 200])",
     lambda t: 0.8 ** ((t >= 200) + (t >= 500)), extra=(199, 200, 499, 700))
case("Exp(0.5, 0.99)", lambda t: 0.5 * 0.99 ** t)
case("Poly(start=0.5, degree=3, max_iter=1000)", lambda t: 0.5 * (1 - t / N) ** 3, last=N - 1)
case("Inv(start=0.5, decay=0.01, degree=2)", lambda t: 0.5 / (1 + t * 0.01) ** 2)
case("Triangle(l0=0.3, l1=0.1, period=50)", lambda t: 0.1 + 0.2 * triangle(t, 50), extra=(25, 75))
case("Triangle(0.2, 0.1, 50)", lambda t: 0.1 + 0.2 * triangle(t, 50), extra=(25, 75))
case("TriangleDecay2(0.2, 0.1, 50)", lambda t: 0.1 + 0.2 * triangle(t, 50) / 2 ** (t // 50),
     extra=(25, 75))
case("TriangleExp(0.2, 0.1, 50, 0.99)", lambda t: 0.1 + 0.2 * triangle(t, 50) * 0.99 ** t)
case("Sin(0.2, 0.1, 50)", lambda t: 0.1 + 0.2 * abs(sin(pi * t / 50)), extra=(25, 75))
case("SinDecay2(l0=0.1, l1=0.3, period=50)", lambda t: 0.1 + 0.2 * abs(sin(pi * t / 50)) / 2 ** (t // 50))
case("SinExp(l1=0.1, l0=0.3, period=50, decay=0.99)", lambda t: 0.1 + 0.2 * abs(sin(pi * t / 50)) * 0.99 ** t)
case("CosAnneal(0.2, 0.1, 300)", lambda t: 0.1 + 0.2 * wave(t % 300 / 300), extra=(299, 300))
case("CosAnneal(l0=0.1, l1=0.3, period=300, restart=False)", lambda t: 0.1 + 0.2 * wave(t / 300))
case("ParameterSchedulers.Sequence([ParameterSchedulers.Constant(0.5), Exp(0.3, 0.9), "
     "ParameterSchedulers.Loop(Shifted(Exp(0.3, 0.5), 3), 4)], [100, 400, 1000])",
     lambda t: 0.5 if t < 100 else 0.3 * 0.9 ** (t - 100) if t < 500 else
     0.3 * 0.5 ** ((t - 500) % 4 + 2))
case("Interpolator(Exp(0.5, 0.9), 25)", lambda t: 0.5 * 0.9 ** (math.ceil((t + 1) / 25) - 1),
     extra=(24, 25, 49, 50))


# ------------------------------------------------------------- torchtitan, llm.c, nanoGPT

def titan(t, kind="linear", least=0.0, w=W, n=N, d=N - W):
    held = w + n + 1 - w - d
    if t < w:
        return (t + 1) / w
    if t < held:
        return 1.0
    x = (t + 1 - held) / d
    return least + (1 - least) * {"linear": 1 - x, "sqrt": 1 - sqrt(x), "cosine": wave(x)}[kind]


for kind in ("linear", "sqrt", "cosine"):
    case(f"build_lr_schedulers(1000, 100, decay_type='{kind}')", lambda t, k=kind: P * titan(t, k))
    case(f"torchtitan.build_lr_schedulers(1000, 100, decay_ratio=0.2, decay_type='{kind}', "
         "min_lr_factor=0.1)", lambda t, k=kind: P * titan(t, k, 0.1, d=200))
case("lr_scheduler_init(1.0, 100, 1000, 0.0)",
     lambda t: (t + 1) / W if t < W else wave(part(t)) if t <= N else math.nan)
case("lr_scheduler_init(0.5, 0, 1000, 0.1)",
     lambda t: 0.5 * (0.1 + 0.9 * wave(t / N)) if t <= N else math.nan)
case("nanogpt.get_lr(1.0, 100, 1000, 0.1)",
     lambda t: (t + 1) / (W + 1) if t < W else 0.1 + 0.9 * wave(clip(part(t))))

# ----------------------------------------------------------------------- fairseq

case("InverseSquareRootSchedule(0.5, 100, 0.01)",
     lambda t: 0.01 + t * 0.49 / W if t < W else 0.5 * W ** 0.5 * t ** -0.5)
case("PolynomialDecayLRSchedule(0.5, 1000, 100, 0.05, 2)",
     lambda t: 0.5 * t / W if t <= W else 0.05 if t >= N else 0.45 * (1 - part(t)) ** 2 + 0.05)


def tri_stage(t, hold):
    if t < W:
        return 0.5 * (0.01 + 0.99 * t / W)
    if t < W + hold:
        return 0.5
    return 0.5 * exp(log(0.05) / 500 * min(500, t - W - hold))


case("TriStageLRSchedule(0.5, 100, 300, 500, final_lr_scale=0.05)", lambda t: tri_stage(t, 300))
case("TriStageLRSchedule(0.5, 100, 0, 500, final_lr_scale=0.05)", lambda t: tri_stage(t, 0))


def triangular(t, shrink_min):
    cycle = floor(t / 300)
    most, least = 0.1 * 0.5 ** cycle, 0.01 * (0.5 ** cycle if shrink_min else 1)
    return least + (most - least) * max(0, 1 - abs(t / 150 - 2 * (cycle + 1) + 1))


for shrink_min in (False, True):
    # One that falls below its floor is not a triangle any more.
    case(f"TriangularLRSchedule(0.01, 0.1, 300, 0.5, shrink_min={shrink_min})",
         lambda t, s=shrink_min: triangular(t, s), last=899)


# ---------------------------------------------------------- AllenNLP, fastai, Caffe, darknet

case("NoamLR(512, 400, factor=2)",
     lambda t: 2 * 512 ** -0.5 * min(max(t, 1) ** -0.5, max(t, 1) * 400 ** -1.5))
case("SlantedTriangular(10, 100)",
     lambda t: P * (1 + (t / W if t < W else 1 - part(t)) * 31) / 32, last=N)


def fastai(t, pct, start, middle, end, n=N):
    x = t / n
    if x < pct:
        return middle + (start - middle) * wave(x / pct)
    return end + (middle - end) * wave(clip((x - pct) / (1 - pct)))


case("fit_one_cycle(10, lr_max=0.5)", lambda t: fastai(t, 0.25, 0.02, 0.5, 0.5 / 1e5),
     per_epoch=100, last=N)
case("fit_one_cycle(10)", lambda t: fastai(t, 0.25, P / 25, P, P / 1e5), per_epoch=100, last=N)
case("fit_flat_cos(10)", lambda t: fastai(t, 0.75, P, P, P / 1e5), per_epoch=100, last=N)
case("fit_sgdr(3, 1, lr_max=0.5)",
     lambda t: 0.5 * wave(t / 100 if t < 100 else (t - 100) / 200 if t < 300 else (t - 300) / 400),
     per_epoch=100, last=699)
case("caffe.exp(0.99)", lambda t: P * 0.99 ** t)
case("caffe.inv(0.01, 0.75)", lambda t: P * (1 + 0.01 * t) ** -0.75)
case("caffe.poly(0.5, 1000)", lambda t: P * (1 - t / N) ** 0.5 if t <= N else math.nan)
case("darknet.poly(4, 1000)", lambda t: P * (1 - t / N) ** 4, last=N)
case("caffe.sigmoid(0.01, 500)", lambda t: P / (1 + exp(-0.01 * (t - 500))))
case("darknet.sigmoid(0.01, 500)", lambda t: P / (1 + exp(0.01 * (t - 500))))
case("darknet.steps([400, 800], [0.1, 0.5], burn_in=100)",
     lambda t: P * (t / W) ** 4 if t < W else P * (0.1 if t >= 400 else 1) * (0.5 if t >= 800 else 1),
     extra=(399, 400, 401, 799, 800))


# ----------------------------------------------------- big_vision, pytorch_warmup and others

def big_vision(t, lr):
    return 0.5 * lr * min(1, t / W) * min(1, (N - t) / 200)


case("create_learning_rate_schedule(1000, base=0.5, decay_type='rsqrt', warmup_steps=100, "
     "timescale=50, cooldown_steps=200)",
     lambda t: big_vision(t, 1 / sqrt(1 + max(0, t - W) / 50)), lr=1.0, last=N)
case("create_learning_rate_schedule(1000, base=0.5, decay_type='linear', warmup_steps=100, "
     "cooldown_steps=200, linear_end=0.05)",
     lambda t: big_vision(t, 0.1 + 0.9 * (1 - clip(part(t)))), lr=1.0, last=N)
case("pytorch_warmup.LinearWarmup(optimizer, warmup_period=100)", lambda t: P * min(1, (t + 1) / W))
case("ExponentialWarmup(100)", lambda t: P * (1 - exp(-(t + 1) / W)))
case("UntunedLinearWarmup(beta2=0.99)", lambda t: P * min(1, (t + 1) / int(2 / (1 - 0.99))))
case("UntunedExponentialWarmup(beta2=0.99)",
     lambda t: P * (1 - exp(-(t + 1) / int(1 / (1 - 0.99)))))


def radam(t, beta2):
    most = 2 / (1 - beta2) - 1

    def rho(i):
        return most - 2 * i * beta2 ** i / (1 - beta2 ** i)
    offset = next(i for i in range(1, 1000) if rho(i) > 4)
    r = rho(t + offset)
    return sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r))


case("RAdamWarmup()", lambda t: P * radam(t, 0.999))
case("warmup.RAdamWarmup(optimizer, beta2=0.9)", lambda t: P * radam(t, 0.9))


def katsura(first, mult, most, least, w, gamma, n=2 * N):
    """CosineAnnealingWarmupRestarts, stepped; the first update is made at the least rate."""
    values, at, length, cycle = [least], 0, first, 0
    for _ in range(n):
        at += 1
        if at >= length:
            cycle, at = cycle + 1, at - length
            length = int((length - w) * mult) + w
        peak = most * gamma ** cycle
        values.append(least + (peak - least) * (at / w if at < w else
                                                wave((at - w) / (length - w))))
    return values


for arguments in ((200, 2, 0.1, 0.01, 50, 0.5), (200, 1, 0.1, 0.01, 50, 0.9),
                  (100, 2, 0.1, 0.01, 0, 0.5)):
    values = katsura(*arguments)
    case(f"CosineAnnealingWarmupRestarts{arguments}", lambda t, v=values: v[t],
         extra=(199, 200, 201, 249, 250, 549, 550, 551))
case("REXScheduler(1000, 0.5, 0.01)",
     lambda t: 0.01 if t == 0 or t >= N else 0.01 + 0.49 * (1 - t / N) / (1 - t / N / 2))
case("KneeLRScheduler(max_lr=0.5, total_steps=1000, warmup=0.1, explore=0.4)",
     lambda t: P + (0.5 - P) * t / W if t <= W else 0.5 if t <= 500 else 0.5 * (N - t) / 500, last=N)


def lrbench(t, shape, height=1.0):
    return 0.09 * shape(t) * height + 0.01


def tri(t):
    return 2 / pi * abs(math.asin(math.sin(pi * t / 300)))


def sine(t):
    return abs(math.sin(pi * t / 300))


case("TRI(0.01, 0.1, 150)", lambda t: lrbench(t, tri))
case("TRI2(0.01, 0.1, 150)", lambda t: lrbench(t, tri, 0.5 ** (t // 300)))
case("TRIEXP(0.01, 0.1, 0.999, 150)", lambda t: lrbench(t, tri, 0.999 ** t))
case("SIN(0.01, 0.1, 150)", lambda t: lrbench(t, sine))
case("SIN2(0.01, 0.1, 150)", lambda t: lrbench(t, sine, 0.5 ** (t // 300)))
case("SINEXP(0.01, 0.1, 0.999, 150)", lambda t: lrbench(t, sine, 0.999 ** t))
case("COS(0.01, 0.1, 150)", lambda t: lrbench(t, lambda t: wave(t / 150)))
case("COSEXP(0.01, 0.1, 0.999, 150)", lambda t: lrbench(t, lambda t: wave(t / 150), 0.999 ** t))

# MXNet counts updates from 1: t is its num_update.
case("mxnet.FactorScheduler(100, 0.5, stop_factor_lr=0.001, base_lr=0.3)",
     lambda t: max(0.001, 0.3 * 0.5 ** max(0, (t - 1) // 100)), extra=(99, 100, 101, 200, 201))
case("MultiFactorScheduler([30, 60], 0.5, base_lr=0.3)",
     lambda t: 0.3 * 0.5 ** ((t > 30) + (t > 60)), extra=(29, 30, 31, 60, 61))
case("PolyScheduler(1000, 0.3)", lambda t: 0.3 * (1 - min(t, N) / N) ** 2)


# ------------------------------------------------------------------ Anneal's own

def curve(name, q, r):
    return {"linear": 1 - q, "cosine": wave(q), "mirror_cosine": 2 * (1 - q) - wave(q),
            "rex": (1 - q) / (1 - q / 2), "exponential": (r ** q - r) / (1 - r),
            "log": 1 - log(1 + (r - 1) * q) / log(r)}[name]


for name in ("linear", "cosine", "mirror_cosine", "rex", "exponential", "log"):
    case(f"Decay('{name}', start=0.9, end=0.2, length=1000, power=1.5, k=0.7, ratio=0.3)",
         lambda t, c=name: P * (0.2 + 0.7 * max(0, curve(c, clip(t / N) ** 0.7, 0.3)) ** 1.5))
case("Geometric(0.5, 0.01, 1000)", lambda t: P * 0.5 * (0.02) ** clip(t / N))
case("Exponential(0.5, every=150, start=0.9, end=0.1)", lambda t: P * (0.1 + 0.8 * 0.5 ** (t / 150)))
case("Inverse(80, power=0.7, inner=0.5, start=0.9, end=0.1)",
     lambda t: P * (0.1 + 0.8 * (1 + (t / 80) ** 0.5) ** -0.7))
case("Sigmoid(500, 40, start=0.9, end=0.1)", lambda t: P * (0.1 + 0.8 / (1 + exp((t - 500) / 40))))
case("Table([3, 1, 2, 0.5], every=250)",
     lambda t: P * [3, 1, 2, 0.5][min(3, t // 250)], extra=(249, 250, 251, 999))


def fractal(n):
    order = [0]
    while len(order) < n:
        order = [v for i in order for v in (i, 2 * len(order) - 1 - i)]
    return order


order = fractal(64)
case("Chebyshev(64, least=0.1, most=2, every=20)",
     lambda t: P / (1.05 - 0.95 * cos((order[min(63, t // 20)] + 0.5) * pi / 64)))
case("Stairs(Cosine(length=1000), 30)", lambda t: P * wave(clip(t // 30 * 30 / N)))
case("Base(Cosine(length=1000), lr=3)", lambda t: 3 * wave(clip(t / N)))
# Warmup-stable-decay in three periods that go on from each other (WSD-S, arXiv 2410.05192).
case("Sequence([Linear(start=0, end=1), Constant(), Linear(length=50), Scale(Sequence([Constant(), "
     "Linear(length=100)], [200]), 0.8)], [100, 350, 400])",
     lambda t: P * (t / W if t < W else 1 if t < 350 else (400 - t) / 50 if t < 400 else
                    0.8 * (1 if t < 600 else max(0, (700 - t) / 100))))
