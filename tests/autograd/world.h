/* A context of two threads and a graph, for all tests of a program: its group's set_up, tear_down.
 */
#ifndef AN_TESTS_AUTOGRAD_WORLD_H
#define AN_TESTS_AUTOGRAD_WORLD_H

#include <anneal/autograd.h>

static an_context *context;
static an_graph *graph;

static inline int set_up(void **state)
{
    (void)state;
    context = an_context_new(&(an_context_options){.threads = 2}, NULL);
    graph = context ? an_graph_new(context, NULL) : NULL;
    return graph ? 0 : 1;
}

static inline int tear_down(void **state)
{
    (void)state;
    an_graph_free(graph);
    an_context_free(context);
    return 0;
}

#endif
