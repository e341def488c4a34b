/*
 * alias_rows.c - the schedules of other systems: their calls, and what these are here. How a row is
 * written is at the head of alias.h.
 *
 * Sources are paths in the systems' repositories. A floor that is a rate, under a base rate that is
 * the group's, is a sum: the shape from 1 to 0 over the group's rate, and the shape from 0 to 1
 * over the floor.
 */
#include "lr/alias_forms.h"

/* Rows of one name stand together. */
static const an_lr_alias rows[] = {
    /* transformers */
    {"get_constant_schedule", "transformers", "last_epoch=-1!", "Constant()", HF},
    {"get_constant_schedule_with_warmup", "transformers", "num_warmup_steps, last_epoch=-1!",
     WARMED("num_warmup_steps", "Constant()"), HF},
    {"get_linear_schedule_with_warmup", "transformers", HF_STEPS "last_epoch=-1!",
     WARMED("num_warmup_steps", "Linear(length={" HF_LEFT "})"), HF},
    {"get_cosine_schedule_with_warmup", "transformers", HF_STEPS "num_cycles=0.5, last_epoch=-1!",
     WARMED("num_warmup_steps", "Cosine(" HF_WAVE ")"), HF},
    {"get_cosine_with_hard_restarts_schedule_with_warmup", "transformers",
     HF_STEPS "num_cycles=1, last_epoch=-1!",
     "Sequence([{?num_warmup_steps == 0||Linear(start=0, end=1), }Loop(Cosine(length={" HF_LEFT
     " / num_cycles})), Constant(0)], [{?num_warmup_steps == 0||{num_warmup_steps}, }"
     "{num_training_steps}])",
     HF},
    {"get_polynomial_decay_schedule_with_warmup", "transformers",
     HF_STEPS "lr_end=1e-7, power=1, last_epoch=-1!",
     WARMED("num_warmup_steps",
            FLOORED("lr_end", "Decay(length={" HF_LEFT "}, power={power})",
                    "Decay(start=0, end=1, length={" HF_LEFT "}, power={power})")),
     HF},
    {"get_inverse_sqrt_schedule", "transformers",
     "num_warmup_steps, timescale=None, last_epoch=-1!",
     "{=T timescale if timescale != None else (num_warmup_steps or 10000)}" WARMED(
         "num_warmup_steps", "Inverse({T}, power=0.5)"),
     HF},
    {"get_cosine_with_min_lr_schedule_with_warmup", "transformers",
     HF_STEPS "num_cycles=0.5, last_epoch=-1!, min_lr=None, min_lr_rate=None",
     HF_MIN_CHECK WARMED("num_warmup_steps", HF_MIN_WAVE), HF},
    {"get_cosine_with_min_lr_schedule_with_warmup_lr_rate", "transformers",
     HF_STEPS "num_cycles=0.5, last_epoch=-1!, min_lr=None, min_lr_rate=None, warmup_lr_rate=None",
     HF_MIN_CHECK
     "{=R 1 / max(1, num_warmup_steps) if warmup_lr_rate == None else warmup_lr_rate}"
     "{=E 1 + R if warmup_lr_rate == None else R + (1 - R) * num_warmup_steps / max(1, "
     "num_warmup_steps - 1)}Sequence([Linear(start={R}, end={E}), Shift(" HF_MIN_WAVE
     ", by=-1)], [{num_warmup_steps}])",
     HF},
    {"get_wsd_schedule", "transformers",
     "num_warmup_steps, num_decay_steps, num_training_steps=None, num_stable_steps=None, "
     "warmup_type='linear'|'cosine'|'1-sqrt', decay_type='cosine'|'linear'|'1-sqrt', "
     "min_lr_ratio=0, num_cycles=0.5, last_epoch=-1!",
     HF_WSD, HF},
    {"get_scheduler", "transformers",
     "name|'linear'|'cosine'|'cosine_with_restarts'|'polynomial'|'constant'|"
     "'constant_with_warmup'|'inverse_sqrt', num_warmup_steps=None, num_training_steps=None",
     "{?name == 'constant'|Constant()|{?num_warmup_steps == None|{!give num_warmup_steps}|}"
     "{?name == 'constant_with_warmup'|get_constant_schedule_with_warmup({num_warmup_steps})|"
     "{?name == 'inverse_sqrt'|get_inverse_sqrt_schedule({num_warmup_steps})|"
     "{?num_training_steps == None|{!give num_training_steps}|}get_{?name == 'linear'|linear_"
     "schedule|{?name == 'cosine'|cosine_schedule|{?name == 'polynomial'|polynomial_decay_"
     "schedule|cosine_with_hard_restarts_schedule}}}_with_warmup({num_warmup_steps}, "
     "{num_training_steps})}}}",
     HF},

    /* the part of its rate that depends on the step: the optimizer scales it by the parameters */
    {"Adafactor", "transformers",
     "lr=None!, eps=None~, clip_threshold=1~, decay_rate=-0.8~, beta1=None~, weight_decay=0~, "
     "scale_parameter=True~, relative_step=True!, warmup_init=False",
     "Base(Min([{?warmup_init|Linear(start=1e-6, end=0.010001, length=10000)|Constant(0.01)}, "
     "Inverse(1, power=0.5)]), lr=1)",
     HF},

    /* timm */
    {"CosineLRScheduler", "timm", "t_initial, lr_min=0, " TIMM_END "k_decay=1, initialize=True~",
     TIMM("Decay(curve='cosine'" TIMM_K, "Decay(curve='cosine', start=0, end=1" TIMM_K),
     "timm/scheduler/cosine_lr.py"},
    {"TanhLRScheduler", "timm", "t_initial, lb=-7, ub=3, lr_min=0, " TIMM_END "initialize=True~",
     TIMM_LAST TANH_AT TIMM_WARMED(TANH_RISE,
                                   FLOORED("lr_min", TIMM_ENDLESS(TANH, TIMM_SHRINK, "0"),
                                           TIMM_ENDLESS(TANH ", start=0, end=1", "", "1"))),
     "timm/scheduler/tanh_lr.py"},
    {"PolyLRScheduler", "timm",
     "t_initial, power=0.5, lr_min=0, " TIMM_END "k_decay=1, initialize=True~",
     TIMM("Decay(power={power}" TIMM_K, "Decay(power={power}, start=0, end=1" TIMM_K),
     "timm/scheduler/poly_lr.py"},
    {"StepLRScheduler", "timm", "decay_t, decay_rate=1, " TIMM_STEP_END,
     TIMM_WARMED(TIMM_RISE, "StepLR({decay_t}, gamma={decay_rate})"), "timm/scheduler/step_lr.py"},
    {"MultiStepLRScheduler", "timm", "decay_t, decay_rate=1, " TIMM_STEP_END,
     TIMM_WARMED(TIMM_RISE, "MultiStepLR([{*decay_t - 1}], gamma={decay_rate})"),
     "timm/scheduler/multistep_lr.py"},
    {"WSDLRScheduler", "timm",
     "t_initial, decay_t, lr_min=0, stable_fn='constant'|'rsqrt'|'power', stable_timescale=None, "
     "stable_power=0.5, decay_fn='1-sqrt'|'linear'|'cosine'|'power'|'exp', decay_power=0.5, "
     "decay_ratio=0.1, warmup_t=0, warmup_lr_init=0, t_in_epochs=True~, noise_range_t=None!, "
     "noise_pct=0.67~, noise_std=1~, noise_seed=42~, initialize=True~",
     "{?warmup_t == 0||Sequence([" TIMM_RISE ", }{=K lr_min != 0 and stable_fn != 'constant'}"
     "{?K|Max([|}" FLOORED(
         "lr_min", WSD_STABLE,
         WSD_HELD("0", "start=0, end=1, ")) "{?K|, Base(Constant(), lr={lr_min})])|}{?warmup_t == "
                                            "0||], [{warmup_t}])}",
     "timm/scheduler/wsd_lr.py at 803b7c2, on a branch"},

    /* optax */
    {"constant_schedule", "optax", "value", "Base(Constant(), lr={value})", OPTAX},
    {"linear_schedule", "optax", "init_value, end_value, transition_steps, transition_begin=0",
     "Base(" BEGUN(
         "Linear(start={init_value}, end={end_value}, length={transition_steps})") ", lr=1)",
     OPTAX},
    {"polynomial_schedule", "optax",
     "init_value, end_value, power, transition_steps, transition_begin=0",
     "Base(" BEGUN("Decay(start={init_value}, end={end_value}, length={transition_steps}, "
                   "power={power})") ", lr=1)",
     OPTAX},
    {"exponential_decay", "optax",
     "init_value, transition_steps, decay_rate, transition_begin=0, staircase=False, "
     "end_value=None",
     "Base(" OPTAX_EXP("init_value") ", lr=1)", OPTAX},
    {"cosine_decay_schedule", "optax", "init_value, decay_steps, alpha=0, exponent=1",
     "Base(Decay(curve='cosine', end={alpha}, length={decay_steps}, power={exponent}), "
     "lr={init_value})",
     OPTAX},
    {"warmup_constant_schedule", "optax", "init_value, peak_value, warmup_steps",
     "Base(Linear(start={init_value}, end={peak_value}, length={warmup_steps}), lr=1)", OPTAX},
    {"warmup_cosine_decay_schedule", "optax",
     "init_value, peak_value, warmup_steps, decay_steps, end_value=0, exponent=1",
     "Base(Sequence([Linear(start={init_value}, end={peak_value}), Decay(curve='cosine', "
     "start={peak_value}, end={end_value}, length={decay_steps - warmup_steps}, "
     "power={exponent})], [{warmup_steps}]), lr=1)",
     OPTAX},
    {"warmup_exponential_decay_schedule", "optax",
     "init_value, peak_value, warmup_steps, transition_steps, decay_rate, transition_begin=0, "
     "staircase=False, end_value=None",
     "Base(Sequence([Linear(start={init_value}, end={peak_value}), " OPTAX_EXP(
         "peak_value") "], [{warmup_steps}]), lr=1)",
     OPTAX},
    {"cosine_onecycle_schedule", "optax",
     "transition_steps, peak_value, pct_start=0.3, div_factor=25, final_div_factor=1e4",
     "{=P int(pct_start * transition_steps)}Base(Sequence([Cosine(start={1 / div_factor}, end=1), "
     "Cosine(end={1 / (div_factor * final_div_factor)}, length={transition_steps - P})], [{P}]), "
     "lr={peak_value})",
     OPTAX},
    {"linear_onecycle_schedule", "optax",
     "transition_steps, peak_value, pct_start=0.3, pct_final=0.85, div_factor=25, "
     "final_div_factor=1e4",
     "{=P int(pct_start * transition_steps)}{=Q int(pct_final * transition_steps)}"
     "Base(Sequence([Linear(start={1 / div_factor}, end=1), Linear(end={1 / div_factor}), "
     "Linear(start={1 / div_factor}, end={1 / (div_factor * final_div_factor)}, "
     "length={transition_steps - Q})], [{P}, {Q}]), lr={peak_value})",
     OPTAX},
    {"join_schedules", "optax", "schedules, boundaries", "Sequence({schedules}, {boundaries})",
     "optax/schedules/_join.py"},

    /* Keras */
    {"ExponentialDecay", "keras",
     "initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None~",
     "Base({?staircase|Stairs(|}Exponential({decay_rate}, every={decay_steps}){?staircase|, "
     "{decay_steps})|}, lr={initial_learning_rate})",
     KERAS},
    {"ExponentialDecay", "paddle", "learning_rate, gamma, " PADDLE_END,
     "Base(Exponential({gamma}), lr={learning_rate})", PADDLE},
    {"PiecewiseConstantDecay", "keras", "boundaries, values, name=None~",
     "Base(Interpolate([0, {*boundaries + 1}], {values}, curve='step'), lr=1)", KERAS},
    {"PolynomialDecay", "keras",
     "initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1, cycle=False, "
     "name=None~",
     "Base(Decay(start={initial_learning_rate}, end={end_learning_rate}, length={decay_steps}, "
     "power={power}{?cycle|, cycle=True|}), lr=1)",
     KERAS},
    {"PolynomialDecay", "paddle",
     "learning_rate, decay_steps, end_lr=0.0001, power=1, cycle=False, " PADDLE_END,
     "Base(Decay(start={learning_rate}, end={end_lr}, length={decay_steps}, power={power}"
     "{?cycle|, cycle=True|}), lr=1)",
     PADDLE},
    {"InverseTimeDecay", "keras",
     "initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None~",
     "Base({?staircase|Stairs(|}Inverse({decay_steps / decay_rate}){?staircase|, "
     "{decay_steps})|}, lr={initial_learning_rate})",
     KERAS},
    {"InverseTimeDecay", "paddle", "learning_rate, gamma, " PADDLE_END,
     "Base(Inverse({1 / gamma}), lr={learning_rate})", PADDLE},
    {"CosineDecay", "keras",
     "initial_learning_rate, decay_steps, alpha=0, name=None~, warmup_target=None, "
     "warmup_steps=0",
     "{=P initial_learning_rate if warmup_target == None else warmup_target}"
     "Base({?warmup_target == None||Sequence([Linear(start={initial_learning_rate / P}, end=1), }"
     "Cosine(end={alpha}, length={decay_steps}){?warmup_target == None||], [{warmup_steps}])}, "
     "lr={P})",
     KERAS},
    {"CosineDecayRestarts", "keras",
     "initial_learning_rate, first_decay_steps, t_mul=2, m_mul=1, alpha=0, name=None~",
     "Base({?alpha == 0||Sum([Constant({alpha}), }Restarts(Cosine(start={1 - alpha}), "
     "{first_decay_steps}, growth={t_mul}, shrink={m_mul}){?alpha == 0||])}, "
     "lr={initial_learning_rate})",
     KERAS},

    /* Paddle */
    {"NoamDecay", "paddle", "d_model, warmup_steps, learning_rate=1, " PADDLE_END,
     "Base(" NOAM("warmup_steps", "0") ", lr={learning_rate * (d_model * warmup_steps) ** -0.5})",
     PADDLE},
    {"NaturalExpDecay", "paddle", "learning_rate, gamma, " PADDLE_END,
     "Base(Exponential({exp(-gamma)}), lr={learning_rate})", PADDLE},
    {"PiecewiseDecay", "paddle", "boundaries, values, " PADDLE_END,
     "Base(Interpolate([0, {*boundaries}], {values}, curve='step'), lr=1)", PADDLE},

    /* Composer */
    {"ConstantScheduler", "composer", "alpha=1, t_max='1dur'@",
     "Sequence([Constant({alpha}), Constant()], [{t_max}])", COMPOSER},
    {"LinearScheduler", "composer", "alpha_i=1, alpha_f=0, t_max='1dur'@",
     "Linear(start={alpha_i}, end={alpha_f}, length={t_max})", COMPOSER},
    {"ExponentialScheduler", "composer", "gamma, decay_period='1ep'@",
     "Exponential({gamma}, every={decay_period})", COMPOSER},
    {"StepScheduler", "composer", "step_size@, gamma=0.1",
     "Stairs(Exponential({gamma}, every={step_size}), {step_size})", COMPOSER},
    {"MultiStepScheduler", "composer", "milestones@, gamma=0.1",
     "MultiStepLR([{*milestones}], gamma={gamma})", COMPOSER},
    {"CosineAnnealingScheduler", "composer", "t_max='1dur'@, alpha_f=0",
     "Cosine(end={alpha_f}, length={t_max})", COMPOSER},
    {"CosineAnnealingScheduler", "ignite", IGNITE_CYCLE,
     IGNITE_CYCLES("Cosine()", "Cosine(start=0, end=1)"), IGNITE},
    {"CosineAnnealingWarmRestartsScheduler", "composer", "t_0@, t_mult=1, alpha_f=0",
     "Restarts(Cosine(end={alpha_f}), {t_0}, growth={t_mult})", COMPOSER},
    {"PolynomialScheduler", "composer", "power, t_max='1dur'@, alpha_f=0",
     "Decay(end={alpha_f}, length={t_max}, power={power})", COMPOSER},
    {"MultiStepWithWarmupScheduler", "composer", "t_warmup@, milestones@, gamma=0.1",
     "Sequence([Linear(start=0, end=1), Shift(MultiStepLR([{*milestones}], gamma={gamma}), "
     "by=-{t_warmup})], [{t_warmup}])",
     COMPOSER},
    {"LinearWithWarmupScheduler", "composer", "t_warmup@, alpha_i=1, alpha_f=0, t_max='1dur'@",
     COMPOSER_WARMED("{alpha_i}", "Linear(start={alpha_i}, end={alpha_f})", "{alpha_f}"), COMPOSER},
    {"CosineAnnealingWithWarmupScheduler", "composer", "t_warmup@, t_max='1dur'@, alpha_f=0",
     COMPOSER_WARMED("1", "Cosine(end={alpha_f})", "{alpha_f}"), COMPOSER},
    {"PolynomialWithWarmupScheduler", "composer", "t_warmup@, power=2, t_max='1dur'@, alpha_f=0",
     COMPOSER_WARMED("1", "Decay(end={alpha_f}, power={power})", "{alpha_f}"), COMPOSER},

    /* DeepSpeed */
    {"WarmupLR", "deepspeed",
     "warmup_min_lr=0, warmup_max_lr=None, warmup_num_steps=1000, warmup_type='log'|'linear', "
     "last_batch_iteration=-1!",
     DS_BASE("Sequence([Constant({M}), " DS_RISE("{M}") ", Constant()], [1, {W + 1}])"), DS},
    {"WarmupDecayLR", "deepspeed",
     "total_num_steps, warmup_min_lr=0, warmup_max_lr=0.001, warmup_num_steps=1000, "
     "warmup_type='log'|'linear', last_batch_iteration=-1!",
     DS_BASE("Sequence([Constant({M}), " DS_RISE("{M}") ", Linear(end={M}, length={max(1, "
                                                        "total_num_steps - W)})], [1, {W + 1}])"),
     DS},
    {"WarmupCosineLR", "deepspeed",
     "total_num_steps, warmup_min_ratio=0, warmup_num_steps=1000, cos_min_ratio=0.0001, "
     "warmup_type='log'|'linear', last_batch_iteration=-1!",
     DS_W "Sequence([Constant(0), " DS_RISE(
         "{warmup_min_ratio}") ", Shift(Cosine(end={cos_min_ratio}, length={max(1, total_num_steps "
                               "- W)}), by=-1)], "
                               "[1, {W + 1}])",
     DS},
    {"LRRangeTest", "deepspeed",
     "lr_range_test_min_lr=0.001, lr_range_test_step_size=2000, lr_range_test_step_rate=1, "
     "lr_range_test_staircase=False, last_batch_iteration=-1!",
     "Base(LambdaLR('1 + {lr_range_test_step_rate} * (epoch {?lr_range_test_staircase|//|/} "
     "{lr_range_test_step_size})'), lr={lr_range_test_min_lr})",
     DS},
    {"OneCycle", "deepspeed",
     "cycle_min_lr, cycle_max_lr, decay_lr_rate=0, cycle_first_step_size=2000, "
     "cycle_second_step_size=None, cycle_first_stair_count=0, cycle_second_stair_count=None, "
     "decay_step_size=0, cycle_momentum=True, cycle_min_mom=0.8, cycle_max_mom=0.9, "
     "decay_mom_rate=0!, last_batch_iteration=-1!",
     "{=S cycle_first_step_size if cycle_second_step_size == None else cycle_second_step_size}"
     "{=C cycle_first_stair_count if cycle_second_stair_count == None else "
     "cycle_second_stair_count}{?cycle_momentum|Together([|}Base(" DS_CYCLE(
         "{cycle_min_lr}", "{cycle_max_lr}",
         "{?decay_lr_rate * decay_step_size == 0|Constant({cycle_min_lr})|Inverse("
         "{decay_step_size / decay_lr_rate}, start={cycle_min_lr})}") ", lr=1)"
                                                                      "{?cycle_momentum|, "
                                                                      "Drive(Base(Sequence(["
                                                                      "Constant({cycle_min_mom}), "
                                                                      "Shift(" DS_CYCLE(
                                                                          "{cycle_max_mom}",
                                                                          "{cycle_min_mom}",
                                                                          "Constant({cycle_max_mom}"
                                                                          ")") ", by=-1)], [1]), "
                                                                               "lr=1), "
                                                                               "'beta1')])|}",
     DS},

    /* Megatron-LM */
    {"OptimizerParamScheduler", "megatron",
     "init_lr, max_lr, min_lr, lr_warmup_steps, lr_decay_steps, "
     "lr_decay_style|'linear'|'cosine'|'constant'|'inverse-square-root'|'WSD', start_wd=0, "
     "end_wd=0, wd_incr_steps=0, wd_incr_style='constant'|'linear'|'cosine', "
     "use_checkpoint_opt_param_scheduler=True~, override_opt_param_scheduler=False~, "
     "wsd_decay_steps=None, "
     "lr_wsd_decay_style=None|'linear'|'cosine'|'exponential'|'minus_sqrt'",
     "{?start_wd == end_wd||Together([}" MEGATRON_LR MEGATRON_WD, MEGATRON},

    /* OLMo-core */
    {"ConstantWithWarmup", "olmo_core", OLMO_WARM ", " OLMO_NOT ", " OLMO_MAX,
     "{=N run_steps if max_steps == None else max_steps}" OLMO_W WARMED("W", "Constant()"), OLMO},
    {"LinearWithWarmup", "olmo_core",
     "alpha_f=0.1, t_max=None, " OLMO_WARM ", " OLMO_NOT ", " OLMO_MAX,
     OLMO_N_MAX OLMO_W WARMED("W", "Linear(end={alpha_f}, length={N - W})"), OLMO},
    {"CosWithWarmup", "olmo_core", OLMO_WARM ", alpha_f=0.1, t_max=None, " OLMO_NOT ", " OLMO_MAX,
     OLMO_N_MAX OLMO_W WARMED("W", "Cosine(end={alpha_f}, length={N - W})"), OLMO},
    {"HalfCosWithWarmup", "olmo_core",
     OLMO_WARM ", alpha_f=0.1, t_max=None, " OLMO_NOT ", " OLMO_MAX,
     OLMO_N_MAX OLMO_W "Sequence([Linear(start=0, end={(1 + alpha_f) / 2}), Shift(Cosine("
                       "end={alpha_f}, length={2 * (N - W)}), by={W - N})], [{W}])",
     OLMO},
    {"InvSqrtWithWarmup", "olmo_core", "alpha_f=0.1, " OLMO_WARM ", " OLMO_NOT ", " OLMO_MAX,
     "{=N run_steps if max_steps == None else max_steps}" OLMO_W WARMED(
         "W", "Inverse({W}, power=0.5, end={alpha_f})"),
     OLMO},
    {"CosWithWarmupAndLinearDecay", "olmo_core",
     OLMO_WARM ", alpha_f=0.1, t_max=None, " OLMO_NOT ", " OLMO_DECAY ", decay_min_lr=0!, " OLMO_MAX
               ", decay=None",
     OLMO_N_MAX OLMO_W OLMO_D
     "{=V alpha_f + (1 - alpha_f) * (1 + cos(pi * (N - D - W) / (N - W))) / 2}"
     "Sequence([Linear(start=0, end=1), Cosine(end={alpha_f}, length={N - W}), "
     "Linear(start={V}, length={D})], [{W}, {N - D}])",
     OLMO},
    {"WSD", "olmo_core",
     OLMO_WARM ", " OLMO_DECAY ", " OLMO_NOT ", decay_min_lr=0!, " OLMO_MAX ", decay=None",
     OLMO_N OLMO_W OLMO_D "Sequence([Linear(start=0, end=1), Constant(), Linear(length={D})], "
                          "[{W}, {N - D}])",
     OLMO},

    {"WSDS", "olmo_core",
     "period_lengths, warmup=None, warmup_fraction=None, decay=None, decay_fraction=None, "
     "warmup_min_lr=0!, decay_min_lr=0!, period_lr_multipliers=None",
     OLMO_WSDS, OLMO},

    /* torchtitan */
    {"build_lr_schedulers", "torchtitan",
     "training_steps, warmup_steps=200, total_steps=None, decay_ratio=None, "
     "decay_type='linear'|'sqrt'|'cosine', min_lr_factor=0",
     TITAN_FORM, "torchtitan/components/lr_scheduler.py"},

    /* llm.c, nanoGPT */
    {"lr_scheduler_init", "llmc",
     "learning_rate, warmup_iterations, train_num_batches, final_learning_rate_frac",
     "Base(Sequence([{?warmup_iterations == 0||Linear(start={1 / warmup_iterations}, end={1 + 1 / "
     "warmup_iterations}), }Cosine(end={final_learning_rate_frac}, length={train_num_batches - "
     "warmup_iterations})], [{?warmup_iterations == 0||{warmup_iterations}}]), "
     "lr={learning_rate}, after_end='error')",
     "llmc/schedulers.h"},
    {"get_lr", "nanogpt", "learning_rate, warmup_iters, lr_decay_iters, min_lr",
     "Base(Sequence([Linear(start={learning_rate / (warmup_iters + 1)}, end={learning_rate}), "
     "Cosine(start={learning_rate}, end={min_lr}, length={lr_decay_iters - warmup_iters})], "
     "[{warmup_iters}]), lr=1)",
     "train.py of karpathy/nanoGPT"},

    /* fairseq */
    {"InverseSquareRootSchedule", "fairseq", "lr, warmup_updates=4000, warmup_init_lr=-1",
     "Base(Sequence([Linear(start={max(0, warmup_init_lr) / lr}, end=1), "
     "Inverse({warmup_updates}, power=0.5)], [{warmup_updates}]), lr={lr})",
     FAIRSEQ "inverse_square_root_schedule.py"},
    {"PolynomialDecayLRSchedule", "fairseq",
     "lr, total_num_update, warmup_updates=0, end_learning_rate=0, power=1",
     "Base(" WARMED("warmup_updates", "Decay(end={end_learning_rate / lr}, "
                                      "length={total_num_update - warmup_updates}, "
                                      "power={power})") ", lr={lr})",
     FAIRSEQ "polynomial_decay_schedule.py"},
    {"TriStageLRSchedule", "fairseq",
     "lr, warmup_steps, hold_steps, decay_steps, init_lr_scale=0.01, final_lr_scale=0.01",
     "Base(Sequence([Linear(start={init_lr_scale}, end=1), {?hold_steps == 0||Constant(), }"
     "Geometric(end={final_lr_scale}, length={decay_steps})], [{warmup_steps}"
     "{?hold_steps == 0||, {warmup_steps + hold_steps}}]), lr={lr})",
     FAIRSEQ "tri_stage_lr_scheduler.py"},
    {"TriangularLRSchedule", "fairseq",
     "lr, max_lr, lr_period_updates=5000, lr_shrink=0.1, shrink_min=False",
     "{=H lr_period_updates // 2}{?shrink_min|Base(Restarts(Linear(start={lr / max_lr}, end=1, "
     "length={H}, after_end='mirror'), {2 * H}, shrink={lr_shrink}), lr={max_lr})|"
     "Sum([Base(Restarts(Linear(start=0, end=1, length={H}, after_end='mirror'), {2 * H}, "
     "shrink={lr_shrink}), lr={max_lr}), Base(Loop(Linear(start=1, end=0, length={H}, "
     "after_end='mirror'), length={2 * H}), lr={lr})])}",
     FAIRSEQ "triangular_lr_scheduler.py"},

    /* AllenNLP */
    {"NoamLR", "allennlp", "model_size, warmup_steps, factor=1, last_epoch=-1!",
     "Base(Sequence([Constant({1 / warmup_steps}), Shift(" NOAM(
         "warmup_steps", "0") ", by=-1)], [1]), lr={factor * (model_size * warmup_steps) ** -0.5})",
     "allennlp/training/learning_rate_schedulers/noam.py"},
    {"SlantedTriangular", "allennlp",
     "num_epochs, num_steps_per_epoch, cut_frac=0.1, ratio=32, last_epoch=-1!, "
     "gradual_unfreezing=False!, discriminative_fine_tuning=False!",
     "{=N num_epochs * num_steps_per_epoch}{=C int(N * cut_frac)}Sequence([Linear("
     "start={1 / ratio}, end=1), Linear(end={1 / ratio}, length={N - C})], [{C}])",
     "allennlp/training/learning_rate_schedulers/slanted_triangular.py"},

    /* fastai */
    {"fit_one_cycle", "fastai", "n_epoch, lr_max=None, div=25, div_final=1e5, pct_start=0.25",
     AT_LR("lr_max", "Sequence([Cosine(start={1 / div}, end=1), Cosine(end={1 / div_final}, "
                     "length={n_epoch * (1 - pct_start)}ep)], [{n_epoch * pct_start}ep])"),
     FASTAI},
    {"fit_flat_cos", "fastai", "n_epoch, lr=None, div_final=1e5, pct_start=0.75",
     AT_LR("lr", "Sequence([Constant(), Cosine(end={1 / div_final}, length={n_epoch * (1 - "
                 "pct_start)}ep)], [{n_epoch * pct_start}ep])"),
     FASTAI},
    {"fit_sgdr", "fastai", "n_cycles, cycle_len, lr_max=None, cycle_mult=2",
     AT_LR("lr_max", "Sequence([Restarts(Cosine(), {cycle_len}ep, growth={cycle_mult}), "
                     "Constant(0)], [{cycle_len * (n_cycles if cycle_mult == 1 else (cycle_mult "
                     "** n_cycles - 1) / (cycle_mult - 1 if cycle_mult != 1 else 1))}ep])"),
     FASTAI},

    /* Caffe */
    {"exp", "caffe", "gamma", "Exponential({gamma})", CAFFE},
    {"inv", "caffe", "gamma, power", "Inverse({1 / gamma}, power={power})", CAFFE},
    {"poly", "caffe", "power, max_iter",
     "Decay(length={max_iter}, power={power}, after_end='error')", CAFFE},
    {"poly", "darknet", "power, max_batches",
     "Decay(length={max_batches}, power={power}, after_end='error')", DARKNET},
    {"sigmoid", "caffe", "gamma, stepsize", "Sigmoid({stepsize}, {1 / gamma}, start=0, end=1)",
     CAFFE},
    {"sigmoid", "darknet", "gamma, step", "Sigmoid({step}, {1 / gamma})", DARKNET},

    /* darknet; its random numbers are hashed from the step, so that a run repeats itself */
    {"random", "darknet", "power=4, seed=0",
     "LambdaLR('(((((epoch + {seed * 1009 + 12345}) * 16807 % 94906249) ** 2 + epoch) % 94906249) "
     "** 2 % 94906249 / 94906249) ** {power}')",
     DARKNET},
    {"steps", "darknet", "steps, scales, burn_in=0, power=4",
     BURN_IN("Interpolate([0, {*steps}], [1, {%scales}], curve='step')"), DARKNET},

    /* big_vision */
    {"create_learning_rate_schedule", "big_vision",
     "total_steps, base=1, decay_type|'rsqrt'|'linear'|'cosine', warmup_steps=0, timescale=10000, "
     "cooldown_steps=0, linear_end=0",
     "{=L total_steps - warmup_steps}"
     "{=K warmup_steps + cooldown_steps}Scale({?K == 0||Product([}{?decay_type == 'rsqrt'|"
     "Sequence([Constant(), Inverse({timescale}, power=0.5)], "
     "[{warmup_steps}])|Sequence([Constant(), "
     "{?decay_type == 'linear'|Linear(end={linear_end / base}, |Cosine(}length={L})], "
     "[{warmup_steps}])}{?warmup_steps == 0||, Linear(start=0, end=1, length={warmup_steps})}"
     "{?cooldown_steps == 0||, Sequence([Constant(), Linear(length={cooldown_steps})], "
     "[{total_steps - cooldown_steps}])}{?K == 0||])}, {base})",
     "big_vision/utils.py"},

    /* pytorch_warmup; RAdamWarmup is a schedule here too */
    {"LinearWarmup", "pytorch_warmup", "warmup_period, last_step=-1!",
     "Linear(start={1 / warmup_period}, end=1, length={warmup_period - 1})", WARMUP},
    {"ExponentialWarmup", "pytorch_warmup", "warmup_period, last_step=-1!",
     "Exponential({exp(-1 / warmup_period)}, start={1 - exp(-1 / warmup_period)}, end=1)", WARMUP},
    {"UntunedLinearWarmup", "pytorch_warmup", "beta2=0.999, last_step=-1!",
     "{=W int(2 / (1 - beta2))}Linear(start={1 / W}, end=1, length={W - 1})", WARMUP},
    {"UntunedExponentialWarmup", "pytorch_warmup", "beta2=0.999, last_step=-1!",
     "{=W int(1 / (1 - beta2))}Exponential({exp(-1 / W)}, start={1 - exp(-1 / W)}, end=1)", WARMUP},

    /* pytorch_optimizer */
    {"CosineAnnealingWarmupRestarts", "pytorch_optimizer",
     "first_cycle_steps, cycle_mult=1, max_lr=1e-4, min_lr=1e-6, warmup_steps=0, gamma=0.9, "
     "last_epoch=-1!",
     "{?warmup_steps == 0|Sequence([Base(Constant(), lr={min_lr}), Shift(|}Sum([Base("
     "Restarts(Cosine(), {first_cycle_steps}, growth={cycle_mult}, shrink={gamma}{?warmup_steps "
     "== 0||, warmup={warmup_steps}}), lr={max_lr}), Base(Restarts(Cosine(start=0, end=1), "
     "{first_cycle_steps}, growth={cycle_mult}{?warmup_steps == 0||, warmup={warmup_steps}}), "
     "lr={min_lr})]){?warmup_steps == 0|, by=-1)], [1])|}",
     "pytorch_optimizer/lr_scheduler/cosine_anealing.py"},
    {"REXScheduler", "pytorch_optimizer", "total_steps, max_lr=1, min_lr=0",
     "Base(Sequence([Constant({min_lr}), Shift(Decay(curve='rex', start={max_lr}, end={min_lr}, "
     "length={total_steps}), by=-1)], [1]), lr=1)",
     "pytorch_optimizer/lr_scheduler/rex.py"},

    /* the authors of the knee schedule */
    {"KneeLRScheduler", "knee",
     "max_lr, total_steps=None, epochs=None, steps_per_epoch=None, warmup=0, explore=0, "
     "last_epoch=-1!, verbose=False~",
     "{=N total_steps if total_steps != None else epochs * steps_per_epoch}"
     "{?total_steps == None and (epochs == None or steps_per_epoch == None)|{!give total_steps, or "
     "epochs and steps_per_epoch}|}{=W int(N * warmup)}{=E int(N * explore)}Sequence([{?W == "
     "0||Sum([Linear(), "
     "Base(Linear(start=0, end=1), lr={max_lr})]), }{?E == 0||Base(Constant(), lr={max_lr}), }"
     "Base(Linear(length={N - W - E}), lr={max_lr})], [{?W == 0||{W}}{?W * E == 0||, }"
     "{?E == 0||{W + E}}], after_end='error')",
     "knee_lr_schedule.py of nikhil-iyer-97/wide-minima-density-hypothesis"},

    /* LRBench */
    {"TRI", "lrbench", "k0, k1, l", LRBENCH(LRBENCH_TRI, "Constant()"), LRBENCH_FILE},
    {"TRI2", "lrbench", "k0, k1, l", LRBENCH(LRBENCH_TRI, LRBENCH_HALVED), LRBENCH_FILE},
    {"TRIEXP", "lrbench", "k0, k1, gamma, l", LRBENCH(LRBENCH_TRI, "Exponential({gamma})"),
     LRBENCH_FILE},
    {"SIN", "lrbench", "k0, k1, l", LRBENCH(LRBENCH_SIN, "Constant()"), LRBENCH_FILE},
    {"SIN2", "lrbench", "k0, k1, l", LRBENCH(LRBENCH_SIN, LRBENCH_HALVED), LRBENCH_FILE},
    {"SINEXP", "lrbench", "k0, k1, gamma, l", LRBENCH(LRBENCH_SIN, "Exponential({gamma})"),
     LRBENCH_FILE},
    {"COS", "lrbench", "k0, k1, l", LRBENCH(LRBENCH_COS, "Constant()"), LRBENCH_FILE},
    {"COSEXP", "lrbench", "k0, k1, gamma, l", LRBENCH(LRBENCH_COS, "Exponential({gamma})"),
     LRBENCH_FILE},

    /* ignite, where the values are of their own */
    {"LinearCyclicalScheduler", "ignite", IGNITE_CYCLE,
     IGNITE_CYCLES("Linear(start=1, end=0, " IGNITE_HALF, "Linear(start=0, end=1, " IGNITE_HALF),
     IGNITE},
    {"PiecewiseLinear", "ignite",
     IGNITE_SLOT "milestones_values, save_history=False~, param_group_index=None",
     IGNITE_DRIVE("Base(Interpolate([{#0 milestones_values}], [{#1 milestones_values}]), lr=1)"),
     IGNITE},
    {"ConcatScheduler", "ignite", "schedulers, durations, save_history=False~",
     "Sequence({schedulers}, [{+durations}])", IGNITE},

    /* mmengine, which has PyTorch's names with a beginning and an end */
    {"ConstantLR", "mmengine", "factor=1/3, " MM_END ", " MM_LAST,
     "{?end == " MM_FOREVER "|Shift(Constant({factor}), by={begin})|Sequence([{?begin == 0||"
     "Constant(), }Constant({factor}), Constant()], [{?begin == 0||{begin}, }{end - 1}])}",
     MM},
    {"LinearLR", "mmengine", "start_factor=1/3, end_factor=1, " MM_END ", " MM_LAST,
     "{?begin == 0||Sequence([Constant(), }Linear(start={start_factor}, end={end_factor}, "
     "length={end - begin - 1}){?begin == 0||], [{begin}])}",
     MM},
    {"ExponentialLR", "mmengine", "gamma, " MM_END ", " MM_LAST,
     MM_TURN("Exponential({gamma})", "Constant({gamma ** (E - 1)})"), MM},
    {"StepLR", "mmengine", "step_size, gamma=0.1, " MM_END ", " MM_LAST,
     MM_TURN("StepLR({step_size}, gamma={gamma})", "Constant({gamma ** ((E - 1) // step_size)})"),
     MM},
    {"MultiStepLR", "mmengine",
     "milestones, gamma=0.1, last_step=-1!, begin=0, end=" MM_FOREVER "!, by_epoch=True~, "
     "verbose=False~",
     "{?begin == 0||Shift(}MultiStepLR({milestones}, gamma={gamma}){?begin == 0||, by={begin})}",
     MM},
    {"CosineAnnealingLR", "mmengine", "T_max, eta_min=0, " MM_END ", " MM_LAST,
     "{=C (1 + cos(pi * (end - begin - 1) / T_max)) / 2}" MM_TURN(
         "CosineAnnealingLR({T_max}{?eta_min == 0||, eta_min={eta_min}})",
         FLOORED("eta_min", "Constant({C})", "Constant({1 - C})")),
     MM},
    {"PolyLR", "mmengine", "eta_min=0, power=1, " MM_END ", " MM_LAST,
     MM_RAMP(FLOORED("eta_min", "Decay(length={E}, power={power})",
                     "Decay(start=0, end=1, length={E}, power={power})")),
     MM},
    {"OneCycleLR", "mmengine",
     "eta_max, total_steps=None, pct_start=0.3, anneal_strategy='cos'|'linear', div_factor=25, "
     "final_div_factor=1e4, three_phase=False, begin=0!, end=" MM_FOREVER ", " MM_LAST,
     MM_CYCLE, MM},
    {"CosineRestartLR", "mmengine",
     "periods, restart_weights=1, eta_min=None, eta_min_ratio=None, begin=0, end=" MM_FOREVER
     "!, " MM_LAST,
     MM_RESTARTS, MM},

    /* ParameterSchedulers.jl, which counts from 1 */
    {"Step", "ParameterSchedulers", "start, decay, step_sizes",
     "Base(MultiStepLR([{<step_sizes}], gamma={decay}), lr={start})", JULIA},
    {"Exp", "ParameterSchedulers", "start, decay", "Base(Exponential({decay}), lr={start})", JULIA},
    {"Poly", "ParameterSchedulers", "start, degree, max_iter",
     "Base(Decay(length={max_iter}, power={degree}, after_end='error'), lr={start})", JULIA},
    {"Inv", "ParameterSchedulers", "start, decay, degree",
     "Base(Inverse({1 / decay}, power={degree}), lr={start})", JULIA},
    {"Triangle", "ParameterSchedulers", JULIA_ENDS ", " JULIA_NAMED, JULIA_WAVE(JULIA_TRI, ""),
     JULIA_CYCLIC},
    {"TriangleDecay2", "ParameterSchedulers", JULIA_ENDS ", " JULIA_NAMED,
     JULIA_WAVE(JULIA_TRI, ", StepLR({period}, gamma=0.5)"), JULIA_CYCLIC},
    {"TriangleExp", "ParameterSchedulers", JULIA_ENDS ", decay=None, " JULIA_NAMED,
     JULIA_WAVE(JULIA_TRI, JULIA_DECAY), JULIA_CYCLIC},
    {"Sin", "ParameterSchedulers", JULIA_ENDS ", " JULIA_NAMED, JULIA_WAVE(JULIA_SIN, ""),
     JULIA_CYCLIC},
    {"SinDecay2", "ParameterSchedulers", JULIA_ENDS ", " JULIA_NAMED,
     JULIA_WAVE(JULIA_SIN, ", StepLR({period}, gamma=0.5)"), JULIA_CYCLIC},
    {"SinExp", "ParameterSchedulers", JULIA_ENDS ", decay=None, " JULIA_NAMED,
     JULIA_WAVE(JULIA_SIN, JULIA_DECAY), JULIA_CYCLIC},
    {"CosAnneal", "ParameterSchedulers", JULIA_ENDS ", restart=True, " JULIA_NAMED,
     JULIA_RANGE "Base({?restart|Loop(|}Cosine(start={R + O}, end={O}, length={period}"
                 "{?restart|)|, after_end='mirror'}), lr=1)",
     JULIA_CYCLIC},
    {"Constant", "ParameterSchedulers", "value", "Base(Constant(), lr={value})", JULIA_COMPLEX},
    {"Sequence", "ParameterSchedulers", "schedules, step_sizes",
     "Sequence({schedules}, [{<step_sizes}])", JULIA_COMPLEX},
    {"Loop", "ParameterSchedulers", "f, period", "Loop({f}, length={period})", JULIA_COMPLEX},
    {"Interpolator", "ParameterSchedulers", "schedule, rate",
     "{?rate == floor(rate)||{!rate must be whole}}Stairs(Stretch({schedule}, to={rate}, "
     "length=1), {rate})",
     JULIA_COMPLEX},
    {"Shifted", "ParameterSchedulers", "schedule, offset", "Shift({schedule}, by={1 - offset})",
     JULIA_COMPLEX},

    /* the power schedule's own form: batch_size * a * n^b of n tokens, up to lr_max */
    {"PowerScheduler", "power", "batch_size, lr_max=0.02, a=4, b=-0.51",
     "{=K (lr_max / (batch_size * a)) ** (1 / b)}Base(Sequence([Constant(), Inverse({K}tok, "
     "power={-b})], [{K}tok]), lr={lr_max})",
     "arXiv 2408.13359"},

    /* MXNet, where the number of an update counts from 1 and a milestone comes after it */
    {"FactorScheduler", "mxnet",
     "step, factor=1, stop_factor_lr=1e-8, base_lr=0.01, warmup_steps=0!",
     "Clamp(Base(Shift(StepLR({step}, gamma={factor}), by=1), lr={base_lr}), "
     "min={stop_factor_lr})",
     MXNET},
    {"MultiFactorScheduler", "mxnet", "step, factor=1, base_lr=0.01, warmup_steps=0!",
     "Base(MultiStepLR([{*step + 1}], gamma={factor}), lr={base_lr})", MXNET},
    {"PolyScheduler", "mxnet", "max_update, base_lr=0.01, pwr=2, final_lr=0, warmup_steps=0!",
     "Base(Decay(start={base_lr}, end={final_lr}, length={max_update}, power={pwr}), lr=1)", MXNET},
};

const an_lr_alias *an_lr_aliases(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}
