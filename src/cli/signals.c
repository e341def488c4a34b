/* Ctrl-C and kill: training ends after the present batch. */
#include "cli/cli.h"

#include <signal.h>

static volatile sig_atomic_t stop_wanted;

static void want_stop(int number)
{
    (void)number;
    stop_wanted = 1;
}

const volatile int *cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = want_stop, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &stop_wanted;
}
