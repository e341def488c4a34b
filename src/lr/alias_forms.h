/*
 * alias_forms.h - pieces of signatures and forms that rows of alias_rows.c share, and where the
 * systems define their schedules.
 */
#ifndef ANNEAL_LR_ALIAS_FORMS_H
#define ANNEAL_LR_ALIAS_FORMS_H

#include "lr/alias.h"

/* A linear warm-up from 0 before `rest`, if there is one. */
#define WARMED(steps, rest)                                                                      \
    "{?" steps " == 0||Sequence([Linear(start=0, end=1), }" rest "{?" steps " == 0||], [{" steps \
    "}])}"

/* `down` over the group's rate; over a floor other than 0, plus `up` over the floor. */
#define FLOORED(floor, down, up) \
    "{?" floor " == 0||Sum([}" down "{?" floor " == 0||, Base(" up ", lr={" floor "})])}"

/* ------------------------------------------------------------ transformers */

#define HF "transformers/src/transformers/optimization.py"
#define HF_STEPS "num_warmup_steps, num_training_steps, "
#define HF_LEFT "max(1, num_training_steps - num_warmup_steps)"
#define HF_WAVE "length={" HF_LEFT " / (2 * num_cycles)}, after_end='mirror'"
/* The same cosine over a floor that is a part of the rate, or a rate. */
#define HF_MIN_CHECK                                                                           \
    "{?min_lr == None|{?min_lr_rate == None|{!give min_lr or min_lr_rate}|}|{?min_lr_rate == " \
    "None||{!give min_lr or min_lr_rate, not both}}}"
#define HF_MIN_WAVE                                                                \
    "{?min_lr == None|Cosine(end={min_lr_rate}, " HF_WAVE ")|Sum([Cosine(" HF_WAVE \
    "), Base(Cosine(start=0, end=1, " HF_WAVE "), lr={min_lr})])}"
#define HF_WSD                                                                                    \
    "{?num_stable_steps == None|{?num_training_steps == None|{!give num_training_steps or "       \
    "num_stable_steps}|}|}{=S num_stable_steps if num_stable_steps != None else "                 \
    "num_training_steps - num_warmup_steps - num_decay_steps}"                                    \
    "Sequence([{?num_warmup_steps == 0||{?warmup_type == 'linear'|Linear|{?warmup_type == "       \
    "'cosine'|Cosine|Decay}}(start={min_lr_ratio}, end=1{?warmup_type == '1-sqrt'|, power=0.5|}"  \
    "), }{?S == 0||Constant(), }{?decay_type == 'linear'|Linear|{?decay_type == 'cosine'|Cosine|" \
    "Decay}}(end={min_lr_ratio}{?decay_type == 'cosine'|, length={num_decay_steps / (2 * "        \
    "num_cycles)}, after_end='mirror'|}{?decay_type == '1-sqrt'|, k=0.5|}), "                     \
    "Constant({min_lr_ratio})], [{?num_warmup_steps == 0||{num_warmup_steps}, }"                  \
    "{?S == 0||{num_warmup_steps + S}, }{num_warmup_steps + S + num_decay_steps}])"

/* -------------------------------------------------------------------- timm */

#define TIMM_END                                                                     \
    "cycle_mul=1, cycle_decay=1, cycle_limit=1, warmup_t=0, warmup_lr_init=0, "      \
    "warmup_prefix=False, t_in_epochs=True~, noise_range_t=None!, noise_pct=0.67~, " \
    "noise_std=1~, noise_seed=42~, "
#define TIMM_STEP_END                                                       \
    "warmup_t=0, warmup_lr_init=0, warmup_prefix=True, t_in_epochs=True~, " \
    "noise_range_t=None!, noise_pct=0.67~, noise_std=1~, noise_seed=42~, initialize=True~"
/* E: the end of the last cycle. */
#define TIMM_LAST                                                                           \
    "{=E t_initial * (cycle_limit if cycle_mul == 1 else (cycle_mul ** cycle_limit - 1) / " \
    "(cycle_mul - 1 if cycle_mul != 1 else 1))}"
/* `shape`, without its last bracket, in cycles, and `rest` after them; one cycle alone. */
#define TIMM_MANY(shape, shrink, rest)                                                         \
    "Sequence([Restarts(" shape "), {t_initial}{?cycle_mul == 1||, growth={cycle_mul}}" shrink \
    "), Constant(" rest ")], [{E}])"
#define TIMM_CYCLES(shape, shrink, rest) \
    "{?cycle_limit == 1|" shape ", length={t_initial})|" TIMM_MANY(shape, shrink, rest) "}"
/* The same for shapes that do not end. */
#define TIMM_ENDLESS(shape, shrink, rest)                     \
    "{?cycle_limit == 1|Sequence([" shape "), Constant(" rest \
    ")], [{t_initial}])|" TIMM_MANY(shape, shrink, rest) "}"
#define TIMM_SHRINK "{?cycle_decay == 1||, shrink={cycle_decay}}"
/* `first` for the warm-up; then the shape, on the clock of the run unless warmup_prefix. */
#define TIMM_WARMED(first, rest)                                           \
    "{?warmup_t == 0||Sequence([" first ", {?warmup_prefix||Shift(}}" rest \
    "{?warmup_t == 0||{?warmup_prefix||, by={-warmup_t})}], [{warmup_t}])}"
#define TIMM_RISE FLOORED("warmup_lr_init", "Linear(start=0, end=1)", "Linear(start=1, end=0)")
#define TIMM(down, up)                                                                      \
    TIMM_LAST TIMM_WARMED(TIMM_RISE, FLOORED("lr_min", TIMM_CYCLES(down, TIMM_SHRINK, "0"), \
                                             TIMM_CYCLES(up, "", "1")))
#define TIMM_K "{?k_decay == 1||, k={k_decay}}"
/* F: the shape at the end of the warm-up, where timm's tanh begins. */
#define TANH_AT "{=F 1 / (1 + exp(2 * (lb + (ub - lb) * warmup_t / t_initial)))}"
#define TANH "Sigmoid(center={-lb * t_initial / (ub - lb)}, width={t_initial / (2 * (ub - lb))}"
#define TANH_RISE                                                                          \
    "{?warmup_prefix|" TIMM_RISE "|{?lr_min + warmup_lr_init == 0||Sum([}Linear(start=0, " \
    "end={F}){?lr_min == 0||, Base(Linear(start=0, end={1 - F}), lr={lr_min})}"            \
    "{?warmup_lr_init == 0||, Base(Linear(start=1, end=0), lr={warmup_lr_init})}"          \
    "{?lr_min + warmup_lr_init == 0||])}}"

/* timm's warmup-stable-decay. */
#define WSD_TAIL(ends)                                                            \
    "{?decay_fn == 'linear'|Linear(" ends ")|{?decay_fn == 'cosine'|Cosine(" ends \
    ")|{?decay_fn == 'exp'|Decay(curve='exponential', ratio={decay_ratio}, " ends \
    ")|Decay(k={0.5 if decay_fn == '1-sqrt' else decay_power}, " ends ")}}}"
#define WSD_HELD(value, ends)                                                               \
    "Sequence([Constant(" value "), " WSD_TAIL(ends "length={decay_t}") "], [{t_initial - " \
                                                                        "decay_t}])"
#define WSD_STABLE                                                                            \
    "{?stable_fn == 'constant'||Product([Inverse(timescale={warmup_t if stable_timescale == " \
    "None else stable_timescale}, power={0.5 if stable_fn == 'rsqrt' else stable_power}), "   \
    "}" WSD_HELD("", "") "{?stable_fn == 'constant'||])}"

/* --------------------------------------------------------------- DeepSpeed */

#define DS "deepspeed/runtime/lr_schedules.py"
/* W steps; the first update is made before the first step of the schedule, so all is one later. */
#define DS_W "{=W max(2, warmup_num_steps)}"
#define DS_RISE(start)                                                                  \
    "{?warmup_type == 'log'|Decay(curve='log', ratio={W}, length={W - 1}, start=" start \
    ", end=1)|Linear(length={W}, start=" start ", end=1)}"
#define DS_PEAK                                                                                 \
    "{?warmup_max_lr == None|{?warmup_min_lr == 0||{!give warmup_max_lr beside warmup_min_lr}}" \
    "|}{=M 0 if warmup_max_lr == None else warmup_min_lr / warmup_max_lr}"
#define DS_BASE(rest)                                   \
    DS_W DS_PEAK "{?warmup_max_lr == None||Base(}" rest \
                 "{?warmup_max_lr == None||, lr={warmup_max_lr})}"
#define DS_STAIRS(count, size) "{?" count " == 0||, {" size " / " count "})}"
#define DS_CYCLE(low, high, after)                                                      \
    "Sequence([{?cycle_first_stair_count == 0||Stairs(}Linear(start=" low ", end=" high \
    ", length={cycle_first_step_size})" DS_STAIRS(                                      \
        "cycle_first_stair_count",                                                      \
        "cycle_first_step_size") ", {?C == 0|Linear(start=" high ", end=" low           \
                                 ", length={S})|Reverse(Stairs(Linear("                 \
                                 "start=" low ", end=" high ", length={S})" DS_STAIRS(  \
                                     "C", "S") ", length={S})}, " after                 \
                                               "], [{cycle_first_step_size}, "          \
                                               "{cycle_first_step_size + S}])"

/* ------------------------------------------------------------------- optax */

#define OPTAX "optax/schedules/_schedule.py"
#define BEGUN(rest) \
    "{?transition_begin == 0||Shift(}" rest "{?transition_begin == 0||, by={transition_begin})}"
#define OPTAX_EXP(start)                                                                \
    "{?end_value == None||Clamp(}" BEGUN(                                               \
        "{?staircase|Stairs(|}Exponential({decay_rate}, "                               \
        "every={transition_steps}, start={" start "})"                                  \
        "{?staircase|, {transition_steps})|}") "{?end_value == None||, {?decay_rate < " \
                                               "1|min|max}={end_value})}"

/* ---------------------------------------------------- Keras, Paddle, Composer */

#define KERAS "keras/src/optimizers/schedules/learning_rate_schedule.py"
#define PADDLE "python/paddle/optimizer/lr.py"
#define PADDLE_END "last_epoch=-1!, verbose=False~"
#define NOAM(steps, first) \
    "Sequence([Linear(start=" first ", end=1), Inverse({" steps "}, power=0.5)], [{" steps "}])"

#define COMPOSER "composer/optim/scheduler.py"
/* The shape is as long as there is up to t_max. */
#define COMPOSER_WARMED(rise, shape, end)                                                   \
    "Sequence([Linear(start=0, end=" rise "), " shape ", Constant(" end ")], [{t_warmup}, " \
    "{t_max}])"

/* ---------------------------------------------------------------- Megatron */

#define MEGATRON "megatron/core/optimizer_param_scheduler.py"
#define MEGATRON_WSD(ends)                                                                \
    "{?lr_wsd_decay_style == 'linear'|Linear(" ends                                       \
    ")|{?lr_wsd_decay_style == 'cosine'|Cosine(" ends                                     \
    ")|{?lr_wsd_decay_style == 'exponential'|Decay(curve='exponential', ratio=0.5, " ends \
    ")|{?lr_wsd_decay_style == 'minus_sqrt'|Decay(k=0.5, " ends                           \
    ")|{!the style 'WSD' needs lr_wsd_decay_style}}}}}"
#define MEGATRON_SHAPE                                                                            \
    "{?lr_decay_style == 'constant'|Constant({max_lr})|"                                          \
    "{?lr_decay_style == 'linear'|Linear(start={max_lr}, end={min_lr}, length={L})|"              \
    "{?lr_decay_style == 'cosine'|Cosine(start={max_lr}, end={min_lr}, length={L})|"              \
    "{?lr_decay_style == 'WSD'|{?wsd_decay_steps == None|{!the style 'WSD' needs "                \
    "wsd_decay_steps}|}Sequence([Constant({max_lr}), " MEGATRON_WSD(                              \
        "start={max_lr}, end={min_lr}, length={wsd_decay_steps}") "], [{L - wsd_decay_steps}])|"  \
                                                                  "Sequence([Clamp({?lr_warmup_"  \
                                                                  "steps == 0|Shift(Inverse(1, "  \
                                                                  "power=0.5, start={max_lr}), "  \
                                                                  "by=1)|"                        \
                                                                  "Inverse({lr_warmup_steps}, "   \
                                                                  "power=0.5, start={max_lr})}, " \
                                                                  "min={min_lr}), "               \
                                                                  "Constant({min_lr})], [{L + "   \
                                                                  "1}])}}}}"
#define MEGATRON_LR                                                                       \
    "{=L lr_decay_steps - lr_warmup_steps}Base({?lr_warmup_steps == 0||Sequence([Linear(" \
    "start={init_lr}, end={max_lr}), }" MEGATRON_SHAPE                                    \
    "{?lr_warmup_steps == 0||], [{lr_warmup_steps}])}, lr=1)"
#define MEGATRON_WD                                                                  \
    "{?start_wd == end_wd||, Drive(Base({?wd_incr_style == 'cosine'|Cosine|Linear}(" \
    "start={start_wd}, end={end_wd}, length={wd_incr_steps}), lr=1), 'weight_decay')])}"

/* --------------------------------------------------------------- OLMo-core */

#define OLMO "OLMo-core/src/olmo_core/optim/scheduler.py"
#define OLMO_WARM "warmup_steps=2000, warmup_fraction=None"
#define OLMO_NOT "warmup_min_lr=0!"
#define OLMO_MAX "max_steps=None, warmup=None"
#define OLMO_DECAY "decay_steps=None, decay_fraction=0.1"
/* W and N; without max_steps the run's own. */
#define OLMO_N                                                                             \
    "{=N run_steps if max_steps == None else max_steps}{?N == 0|{!give max_steps, or the " \
    "number of steps of the run}|}"
#define OLMO_N_MAX                                                                     \
    "{=N t_max if t_max != None else (run_steps if max_steps == None else max_steps)}" \
    "{?N == 0|{!give t_max or max_steps, or the number of steps of the run}|}"
#define OLMO_W                                                                                   \
    "{=W warmup if warmup != None else (warmup_steps if warmup_fraction == None else floor(N * " \
    "warmup_fraction + 0.5))}"
#define OLMO_D                                                                            \
    "{=D decay if decay != None else (decay_steps if decay_steps != None else floor(N * " \
    "decay_fraction + 0.5))}"
/* Periods that each hold and then fall, after which the next begins. A step belongs to the period
 * that it ends, so all is one step late. F, G: the length and the fall of the first. */
#define OLMO_WSDS                                                                     \
    "{?warmup == None|{?warmup_fraction == None|{!give warmup or warmup_fraction}|}|" \
    "{?warmup_fraction == None||{!give warmup or warmup_fraction, not both}}}"        \
    "{?decay == None|{?decay_fraction == None|{!give decay or decay_fraction}|}|"     \
    "{?decay_fraction == None||{!give decay or decay_fraction, not both}}}"           \
    "{=K (warmup if warmup != None else warmup_fraction) > 0}"                        \
    "{?K|Product([|}Shift(Sequence([{@PM period_lengths period_lr_multipliers|"       \
    "{=D decay if decay != None else floor(P * decay_fraction + 0.5)}{=S P - D}"      \
    "{?D <= 0|{!the decay of a period must be above 0}|}"                             \
    "{?S < 0|{!a period is shorter than its decay}|}"                                 \
    "{=G G if F > 0 else D}{=F F if F > 0 else P}"                                    \
    "Shift({?S == 0||Sequence([Constant({M}), }Linear(start={M}, end=0, length={D})"  \
    "{?S == 0||], [{S}])}, by=-1)}], [{<period_lengths}]), by=1)"                     \
    "{=W warmup if warmup != None else floor(F * warmup_fraction + 0.5)}"             \
    "{?W + G > F|{!the first period is shorter than its warmup and its decay}|}"      \
    "{?K|, Linear(start=0, end=1, length={W})])|}"

/* ---------------------------------------------------------- ignite, mmengine */

#define IGNITE "ignite/handlers/param_scheduler.py"
#define IGNITE_SLOT "param_name|'lr'|'momentum'|'weight_decay', "
#define IGNITE_CYCLE                                                                     \
    IGNITE_SLOT "start_value, end_value, cycle_size, cycle_mult=1, start_value_mult=1, " \
                "end_value_mult=1, save_history=False~, param_group_index=None"
/* What the scheduler of a parameter other than lr, or of one group, drives. */
#define IGNITE_DRIVE(rest)                                                                   \
    "{=D param_name != 'lr' or param_group_index != None}{?D|Drive(|}" rest                  \
    "{?D|, {?param_name == 'lr'|'lr'|{?param_name == 'momentum'|'momentum'|'weight_decay'}}" \
    "{?param_group_index == None||, [{param_group_index}]})|}"
/* A part of each cycle, over its own value, which has its own factor from cycle to cycle. */
#define IGNITE_PART(shape, value, mult)                                                     \
    "Base(Restarts(" shape ", {cycle_size}{?cycle_mult == 1||, growth={cycle_mult}}{?" mult \
    " == 1||, shrink={" mult "}}), lr={" value "})"
#define IGNITE_CYCLES(down, up)                                                        \
    "{?cycle_mult == floor(cycle_mult)||{!cycle_mult must be whole}}" IGNITE_DRIVE(    \
        "Sum([" IGNITE_PART(down, "start_value", "start_value_mult") ", " IGNITE_PART( \
            up, "end_value", "end_value_mult") "])")
#define IGNITE_HALF "length={cycle_size / 2}, after_end='mirror')"

#define MM "mmengine/optim/scheduler/param_scheduler.py"
#define MM_FOREVER "1000000000"
#define MM_END "begin=0, end=" MM_FOREVER
#define MM_LAST "last_step=-1!, by_epoch=True~, verbose=False~"
/* E: the steps that it is stepped. Before `begin` the rate stays; from `end` on the last one does,
 * which is `held`. */
#define MM_TURN(shape, held)                                                                  \
    "{=E end - begin}{=O end == " MM_FOREVER "}{?O and begin == 0||Sequence([{?begin == "     \
    "0||Constant(), }}" shape "{?O||, " held "}{?O and begin == 0||], [{?begin == 0||{begin}" \
    "{?O||, }}{?O||{end}}])}"
/* What is at its end by then. */
#define MM_RAMP(shape) \
    "{=E end - begin - 1}{?begin == 0||Shift(}" shape "{?begin == 0||, by={begin})}"
#define MM_CYCLE                                                                               \
    "{?total_steps == None|{?end == " MM_FOREVER                                               \
    "|{!give total_steps or end}|}|{?end == " MM_FOREVER                                       \
    "||{!give total_steps or end, not both}}}"                                                 \
    "OneCycleLR(max_lr={eta_max}, total_steps={end if total_steps == None else total_steps}, " \
    "pct_start={pct_start}, anneal_strategy={?anneal_strategy == 'cos'|'cos'|'linear'}, "      \
    "cycle_momentum=False, div_factor={div_factor}, final_div_factor={final_div_factor}, "     \
    "three_phase={?three_phase|True|False})"
/* P, W: a period and its weight; after the last one its last value stays. */
#define MM_RESTARTS                                                                                \
    "{?eta_min == None|{?eta_min_ratio == None|{!give eta_min or eta_min_ratio}|}|"                \
    "{?eta_min_ratio == None||{!give eta_min or eta_min_ratio, not both}}}"                        \
    "{?begin == 0||Sequence([Constant(), }Sequence([{@PW periods restart_weights|{?eta_min == "    \
    "None|Cosine(start={W}, end={eta_min_ratio}, length={P})|" FLOORED(                            \
        "eta_min", "Cosine(start={W}, length={P})",                                                \
        "Cosine(start=0, end=1, length={P})") "}}, {=C (1 + cos(pi * (P - 1) / P)) / 2}{?eta_min " \
                                              "== None|Constant({eta_min_ratio + (W - "            \
                                              "eta_min_ratio) * C})|" FLOORED(                     \
                                                  "eta_min", "Constant({W * C})",                  \
                                                  "Constant({1 - C})") "}], [{+periods}]){?begin " \
                                                                       "== 0||], [{begin}])}"

/* ----------------------------------------------------- ParameterSchedulers.jl */

#define JULIA "ParameterSchedulers.jl/src/decay.jl"
#define JULIA_CYCLIC "ParameterSchedulers.jl/src/cyclic.jl"
#define JULIA_COMPLEX "ParameterSchedulers.jl/src/complex.jl"
/* Without names the first two are the range and the least value, with names the two ends. */
#define JULIA_ENDS "range=None, offset=None, period=None"
#define JULIA_NAMED "l0=None, l1=None"
#define JULIA_RANGE                                                                             \
    "{=K (range != None) + (offset != None)}{=L (l0 != None) + (l1 != None)}"                   \
    "{?K + L == 2 and K != L|{?period == None|{!give period}|}|{!give l0 and l1, or range and " \
    "offset}}{=R range if K > 0 else abs(l0 - l1)}{=O offset if K > 0 else min(l0, l1)}"
#define JULIA_WAVE(shape, height) \
    JULIA_RANGE "Base(Sum([Constant({O}), Product([" shape ", Constant({R})" height "])]), lr=1)"
#define JULIA_DECAY "{?decay == None|{!give decay}|}, Exponential({decay})"
#define JULIA_TRI "Linear(start=0, end=1, length={period / 2}, after_end='mirror')"
#define JULIA_SIN                                                                          \
    "Reverse(Decay(curve='cosine', length={period / 2}, power=0.5), length={period / 2}, " \
    "after_end='mirror')"

/* ----------------------------------------- torchtitan, fairseq, fastai, ... */

#define TITAN_FACTOR "{min_lr_factor} + {1 - min_lr_factor} * "
#define TITAN_FORM                                                                                 \
    "{=N training_steps if total_steps == None else total_steps}"                                  \
    "{=D N - warmup_steps if decay_ratio == None else floor(N * decay_ratio + 0.5)}"               \
    "{=S N + 1 - D}Sequence([{?warmup_steps == 0||Linear(start={1 / warmup_steps}, end={1 + 1 / "  \
    "warmup_steps}), }Constant(), Shift({?decay_type == 'cosine'|Cosine(end={min_lr_factor}, "     \
    "length={D}, after_end='mirror')|{?decay_type == 'sqrt'|Decay(k=0.5, |Linear(}"                \
    "end={min_lr_factor}, length={D})}, by=-1){?decay_type == 'cosine'||, LambdaLR('" TITAN_FACTOR \
    "{?decay_type == 'sqrt'|(1 - sqrt(1 + (epoch + 1) / {D}))|-(epoch + 1) / {D}}')"               \
    "}], [{?warmup_steps == 0||{warmup_steps}, }{S}{?decay_type == 'cosine'||, {N + 1}}])"
#define FAIRSEQ "fairseq/optim/lr_scheduler/"
#define FASTAI "fastai/callback/schedule.py"
#define AT_LR(lr, rest) "{?" lr " == None||Base(}" rest "{?" lr " == None||, lr={" lr "})}"
#define BURN_IN(rest)                                                          \
    "{?burn_in == 0||Sequence([Decay(start=0, end=1, k={power}), Shift(}" rest \
    "{?burn_in == 0||, by={-burn_in})], [{burn_in}])}"
#define DARKNET "darknet/src/network.c"
#define CAFFE "caffe/src/caffe/solvers/sgd_solver.cpp"
#define LRBENCH_FILE "lr/LRfunctions.py of git-disl/LRBench"
#define LRBENCH(shape, height) \
    "Base(Sum([Constant({k0}), Product([" shape ", Constant({k1 - k0}), " height "])]), lr=1)"
#define LRBENCH_TRI "Linear(start=0, end=1, length={l}, after_end='mirror')"
#define LRBENCH_COS "Cosine(length={l}, after_end='mirror')"
/* The root of a cosine's half wave is a quarter wave. */
#define LRBENCH_SIN \
    "Reverse(Decay(curve='cosine', length={l}, power=0.5), length={l}, after_end='mirror')"
#define LRBENCH_HALVED "StepLR({2 * l}, gamma=0.5)"
#define MXNET "python/mxnet/lr_scheduler.py"
#define WARMUP "pytorch_warmup/base.py, untuned.py"

#endif
