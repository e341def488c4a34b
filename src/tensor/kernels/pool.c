/*
 * The pool: one mailbox a worker.
 *
 * A mailbox's state is IDLE, WORK, BUSY or QUIT. The caller writes a range into it and sets WORK;
 * the worker claims it (BUSY), computes it and sets IDLE. Who waits for a change spins first, since
 * the next product usually comes within microseconds, then sleeps on the mailbox's condition. The
 * caller computes a range itself. Workers without a range are not touched.
 *
 * A worker that has not begun by the time the caller is done with its own range is asleep, or some
 * other program has its core. Then the caller takes the range back and computes it too: a busy
 * machine costs a thread, not a wait. Who computes a range does not change its bits.
 *
 * Work for later (an__later) lies beside the mailboxes in pieces. A worker that spins takes one
 * between two looks at its mailbox, so that a range waits for one piece at most.
 *
 * No wake-up is lost: a waiter counts itself in `sleepers` before it looks at the state a last
 * time, a poster sets the state before it looks at `sleepers`, all sequentially consistent.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "tensor/kernels/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { IDLE, WORK, BUSY, QUIT };

/* Looks at the state before sleeping: some tens of microseconds. */
enum { SPINS = 4000 };

/*
 * The posting: `left` pieces are still to be taken, `done` are finished. The other members change
 * only while no piece is left and all are done, and are read only by who has taken one.
 */
typedef struct later {
    _Alignas(128) atomic_llong left;
    atomic_llong done;
    int64_t pieces, count, grain;
    an_task task;
    void *arg;
    bool posted; /* the caller's own note */
} later;

typedef struct mailbox {
    _Alignas(128) atomic_int state; /* a cache line pair of its own */
    atomic_int sleepers;
    int spins;
    an_task task;
    void *arg;
    int64_t begin, end;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    later *later; /* the pool's */
} mailbox;

struct an_pool {
    int threads;      /* the caller's included */
    mailbox *mailbox; /* threads - 1 of them, on a 128-byte boundary within `block` */
    later *later;     /* before them; NULL without workers */
    void *block;
};

int an__pool_cores(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
#endif
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* Takes one piece of the work for later and computes it; false if none is left. */
static bool take_piece(later *work)
{
    long long left = atomic_load_explicit(&work->left, memory_order_relaxed);
    do {
        if (left == 0)
            return false;
    } while (!atomic_compare_exchange_weak(&work->left, &left, left - 1));
    const int64_t begin = (work->pieces - left) * work->grain;
    const int64_t end = left == 1 ? work->count : begin + work->grain;
    work->task(work->arg, begin, end);
    atomic_fetch_add_explicit(&work->done, 1, memory_order_release);
    return true;
}

/* Sleeps until the state is no longer `old`; returns the new one. */
static int sleep_until_change(mailbox *box, int old)
{
    int state;
    pthread_mutex_lock(&box->mutex);
    atomic_fetch_add(&box->sleepers, 1);
    while ((state = atomic_load(&box->state)) == old)
        pthread_cond_wait(&box->changed, &box->mutex);
    atomic_fetch_sub(&box->sleepers, 1);
    pthread_mutex_unlock(&box->mutex);
    return state;
}

static void post(mailbox *box, int state)
{
    atomic_store(&box->state, state);
    if (atomic_load(&box->sleepers) == 0)
        return;
    pthread_mutex_lock(&box->mutex);
    pthread_cond_broadcast(&box->changed);
    pthread_mutex_unlock(&box->mutex);
}

/* Takes the range in the mailbox, if nobody has yet, and sets the state to `next`. */
static bool claim(mailbox *box, int next)
{
    int expected = WORK;
    return atomic_compare_exchange_strong(&box->state, &expected, next);
}

/* The caller's wait for a worker that has begun: spins, then sleeps. */
static void await_end(mailbox *box)
{
    for (int i = 0; i < box->spins; i++) {
        if (atomic_load_explicit(&box->state, memory_order_acquire) != BUSY)
            return;
        pause_briefly();
    }
    sleep_until_change(box, BUSY);
}

/* A worker's wait: spins, but for the pieces that it finds, then sleeps. */
static int await_work(mailbox *box)
{
    for (int i = 0; i < box->spins; i++) {
        const int state = atomic_load_explicit(&box->state, memory_order_acquire);
        if (state != IDLE)
            return state;
        if (take_piece(box->later))
            i = 0;
        else
            pause_briefly();
    }
    return sleep_until_change(box, IDLE);
}

static void *worker(void *arg)
{
    mailbox *box = arg;
    while (await_work(box) != QUIT)
        if (claim(box, BUSY)) {
            box->task(box->arg, box->begin, box->end);
            post(box, IDLE);
        }
    return NULL;
}

/* Starts one worker, with all signals blocked: they are the host's. */
static bool start(mailbox *box, int spins, later *work)
{
    atomic_init(&box->state, IDLE);
    atomic_init(&box->sleepers, 0);
    box->spins = spins;
    box->later = work;
    if (pthread_mutex_init(&box->mutex, NULL) != 0)
        return false;
    if (pthread_cond_init(&box->changed, NULL) != 0)
        goto no_condition;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&box->thread, NULL, worker, box);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return true;
    pthread_cond_destroy(&box->changed);
no_condition:
    pthread_mutex_destroy(&box->mutex);
    return false;
}

static void stop(mailbox *box)
{
    post(box, QUIT);
    pthread_join(box->thread, NULL);
    pthread_cond_destroy(&box->changed);
    pthread_mutex_destroy(&box->mutex);
}

static size_t block_bytes(int threads)
{
    return sizeof(later) + (size_t)(threads - 1) * sizeof(mailbox) + _Alignof(mailbox);
}

static bool start_workers(const an_allocator *allocator, an_pool *pool, int threads, an_error *err)
{
    pool->block = an_alloc(allocator, block_bytes(threads), 1, err);
    if (!pool->block)
        return false;
    const uintptr_t align = _Alignof(mailbox);
    char *start_of_block = pool->block;
    start_of_block += (align - (uintptr_t)pool->block % align) % align;
    pool->later = (later *)start_of_block;
    atomic_init(&pool->later->left, 0);
    atomic_init(&pool->later->done, 0);
    pool->mailbox = (mailbox *)(pool->later + 1);
    /* More threads than cores: spinning would keep the worker waited for from running. */
    const int spins = threads <= an__pool_cores() ? SPINS : 0;
    for (; pool->threads < threads; pool->threads++)
        if (!start(&pool->mailbox[pool->threads - 1], spins, pool->later))
            return an_error_set(err, AN_ERROR_STATE,
                                "the system refused thread %d of %d; ask for fewer threads",
                                pool->threads + 1, threads);
    return true;
}

static void release(const an_allocator *allocator, an_pool *pool, int threads)
{
    for (int i = 0; i < pool->threads - 1; i++)
        stop(&pool->mailbox[i]);
    an_release(allocator, pool->block, pool->block ? block_bytes(threads) : 0, 1);
    an_release(allocator, pool, 1, sizeof *pool);
}

an_pool *an__pool_new(const an_allocator *allocator, int threads, an_error *err)
{
    an_pool *pool = an_alloc(allocator, 1, sizeof *pool, err);
    if (!pool)
        return NULL;
    pool->threads = 1;
    if (threads > 1 && !start_workers(allocator, pool, threads, err)) {
        release(allocator, pool, threads);
        return NULL;
    }
    return pool;
}

void an__pool_free(const an_allocator *allocator, an_pool *pool)
{
    if (pool)
        release(allocator, pool, pool->threads);
}

int an__pool_threads(const an_pool *pool)
{
    return pool->threads;
}

/* The first item of part `part` of `parts`: whole grains, spread evenly. */
static int64_t part_begin(int64_t count, int64_t grain, int parts, int part)
{
    const int64_t grains = (count - 1) / grain + 1;
    const int64_t first = grains / parts * part + grains % parts * part / parts;
    return first < grains ? first * grain : count;
}

void an__pool_run(an_pool *pool, int64_t count, int64_t grain, an_task task, void *arg)
{
    if (count <= 0)
        return;
    if (grain < 1)
        grain = 1;
    const int64_t grains = (count - 1) / grain + 1;
    const int parts = count / 2 < grain ? 1 : grains < pool->threads ? (int)grains : pool->threads;
    for (int i = 1; i < parts; i++) {
        mailbox *box = &pool->mailbox[i - 1];
        box->task = task;
        box->arg = arg;
        box->begin = part_begin(count, grain, parts, i);
        box->end = part_begin(count, grain, parts, i + 1);
        post(box, WORK);
    }
    task(arg, 0, part_begin(count, grain, parts, 1));
    for (int i = 1; i < parts; i++) {
        mailbox *box = &pool->mailbox[i - 1];
        if (claim(box, IDLE))
            task(arg, box->begin, box->end);
        else
            await_end(box);
    }
}

bool an__pool_later(an_pool *pool, int64_t count, int64_t grain, an_task task, void *arg)
{
    later *work = pool->later;
    if (pool->threads == 1 || work->posted || count <= 0)
        return false;
    work->pieces = (count - 1) / grain + 1;
    work->count = count;
    work->grain = grain;
    work->task = task;
    work->arg = arg;
    work->posted = true;
    atomic_store_explicit(&work->done, 0, memory_order_relaxed);
    atomic_store_explicit(&work->left, work->pieces, memory_order_release);
    return true;
}

/* The last pieces may be in the hands of workers: they are short. */
void an__pool_later_finish(an_pool *pool)
{
    later *work = pool->later;
    if (pool->threads == 1 || !work->posted)
        return;
    while (take_piece(work)) {
    }
    for (int i = 0; atomic_load_explicit(&work->done, memory_order_acquire) < work->pieces; i++)
        if (i < SPINS)
            pause_briefly();
        else
            sched_yield();
    work->posted = false;
}
