/*
 * Signals. Ctrl-C, kill and a closed terminal end a training after its batch, and a save not at
 * all; a write that fails is an error of that write, not the end of the process.
 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>

/* timeout(1), a closing terminal and a nervous finger give a signal twice: one wish. */
#define ECHO_SECONDS 0.5

static volatile sig_atomic_t stage, stop_wanted, held;
static double stopped_at;

/* The process ends by the signal, as it would without a handler. */
static void end_by(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

static void note(int number)
{
    int before = errno;
    bool echo = stop_wanted && cli_uptime() - stopped_at < ECHO_SECONDS;
    if (stage == CLI_SAVING && !echo) {
        held = number;
    } else if (stage == CLI_TRAINING && !stop_wanted) {
        stopped_at = cli_uptime();
        stop_wanted = 1;
    } else if (!echo) {
        end_by(number);
    }
    errno = before;
}

/* Who starts a program with SIGHUP ignored (nohup) wants it to outlive the terminal. */
static bool is_ignored(int number)
{
    struct sigaction old;
    return sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

const volatile int *cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaddset(&action.sa_mask, SIGHUP);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!is_ignored(SIGHUP))
        sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return &stop_wanted;
}

void cli_enter(cli_stage next)
{
    stage = (sig_atomic_t)next;
    if (next != CLI_SAVING && held)
        end_by(held);
}
