/*
 * bench/bound.c - how fast can it be? MNIST, trained by a hand-fused loop without any framework.
 *
 *   bound SHAPE THREADS EPOCHS FOLDER          SHAPE: small (784-128-10) or large (784-512-512-10)
 *
 * prints one JSON object: seconds of each epoch, and the loss and accuracy on the test images, so
 * that nobody measures a program that does not learn. An epoch is everything that PyTorch's loop
 * also does: the random order, gathering and normalising the batches, and all 60,000 samples.
 */
#include "net.h"
#include "tile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define WARM_UP_STEPS 100
#define MAX_EPOCHS 1000

typedef struct task {
    net *net;
    span steps;
} task;

static void *second_worker(void *arg)
{
    task *t = arg;
    net_train(t->net, 1, t->steps);
    return NULL;
}

/* Runs the steps on all workers, the calling thread being the first. */
static void run(net *n, span steps)
{
    if (n->workers == 1) {
        net_train(n, 0, steps);
        return;
    }
    task t = {n, steps};
    pthread_t thread;
    if (pthread_create(&thread, NULL, second_worker, &t)) {
        fprintf(stderr, "bound: no second thread\n");
        exit(1);
    }
    net_train(n, 0, steps);
    pthread_join(thread, NULL);
}

static double epoch(net *n, int *order, int steps, random_state *random)
{
    double start = now();
    random_order(random, order, n->data->count);
    run(n, (span){order, n->data->count, 0, steps});
    return now() - start;
}

static void measure(net *n, int epochs, const mnist *test, random_state *random)
{
    int right, count = n->data->count, steps = (count + n->batch - 1) / n->batch;
    int *order = malloc((size_t)count * sizeof *order);
    if (!order)
        exit(1);
    epoch(n, order, WARM_UP_STEPS, random);
    printf("{\"seconds\": [");
    for (int e = 0; e < epochs; e++)
        printf("%s%.6f", e ? ", " : "", epoch(n, order, steps, random));
    double loss = net_evaluate(n, test, &right);
    printf("], \"test_loss\": %.4f, \"test_accuracy\": %.4f, \"vector_bits\": %d}\n", loss,
           (double)right / test->count, LANES * 32);
    free(order);
}

int main(int argc, char **argv)
{
    static const int small[] = {784, 128, 10}, large[] = {784, 512, 512, 10};
    int threads = argc == 5 ? parse_count(argv[2], 1, MAX_WORKERS) : -1,
        epochs = argc == 5 ? parse_count(argv[3], 1, MAX_EPOCHS) : -1;
    if (threads < 0 || epochs < 0) {
        fprintf(stderr, "usage: bound small|large 1|2 EPOCHS FOLDER\n");
        return 2;
    }
    int is_large = !strcmp(argv[1], "large");
    mnist train = mnist_load(argv[4], "train"), test = mnist_load(argv[4], "t10k");
    random_state random = 1;
    net n;
    net_init(&n, is_large ? large : small, is_large ? 3 : 2, is_large ? 128 : 64, threads, &random);
    n.rate = 0.01f;
    n.momentum = 0.9f;
    n.mean = 0.1307f;
    n.deviation = 0.3081f;
    n.data = &train;
    measure(&n, epochs, &test, &random);
    net_free(&n);
    mnist_free(&train);
    mnist_free(&test);
    return 0;
}
