/*
 * anneal/anneal.h - the whole library.
 *
 * In the order in which one reads it: base.h (errors, memory, numbers), spec.h (calls as text),
 * lr.h and lr_text.h (schedules; usable alone), tensor.h, autograd.h, nn.h, optim.h, data.h,
 * term.h, track.h, store.h (the run store), metric.h, train.h, config.h, report.h. Each header
 * stands alone; include only what you use, or this.
 */
#ifndef ANNEAL_ANNEAL_H
#define ANNEAL_ANNEAL_H

#include <anneal/autograd.h>
#include <anneal/base.h>
#include <anneal/config.h>
#include <anneal/data.h>
#include <anneal/lr.h>
#include <anneal/lr_text.h>
#include <anneal/metric.h>
#include <anneal/nn.h>
#include <anneal/optim.h>
#include <anneal/report.h>
#include <anneal/spec.h>
#include <anneal/store.h>
#include <anneal/tensor.h>
#include <anneal/term.h>
#include <anneal/track.h>
#include <anneal/train.h>

#endif
