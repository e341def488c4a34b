/* TIOCGWINSZ is no part of POSIX. The C library shows it only when asked for more. */
#define _DEFAULT_SOURCE

#include <anneal/term.h>

#include <sys/ioctl.h>
#include <unistd.h>

bool an_term_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

/* The window's size, zeros where there is none. */
static struct winsize window_of(int fd)
{
    struct winsize window = {0};
    return ioctl(fd, TIOCGWINSZ, &window) == 0 ? window : (struct winsize){0};
}

int an_term_width(int fd, int otherwise)
{
    int columns = window_of(fd).ws_col;
    return columns > 0 ? columns : otherwise;
}

int an_term_height(int fd, int otherwise)
{
    int rows = window_of(fd).ws_row;
    return rows > 0 ? rows : otherwise;
}
