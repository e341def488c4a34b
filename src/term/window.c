/* TIOCGWINSZ is no part of POSIX. The C library shows it only when asked for more. */
#define _DEFAULT_SOURCE

#include <anneal/term.h>

#include <sys/ioctl.h>
#include <unistd.h>

bool an_term_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

int an_term_width(int fd, int otherwise)
{
    struct winsize window = {0};
    if (ioctl(fd, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return otherwise;
    return window.ws_col;
}
