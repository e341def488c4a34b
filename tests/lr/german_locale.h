/*
 * A locale with a decimal comma, compiled by localedef into a folder of its own so that the test
 * needs none installed (package locales).
 */
#ifndef AN_TESTS_GERMAN_LOCALE_H
#define AN_TESTS_GERMAN_LOCALE_H

#include "../base/cmocka_all.h"
#include <anneal/base.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct german_locale {
    char folder[40];
    bool on;
} german_locale;

/* Sets de_DE.UTF-8; `on` is false, and says so, where it cannot be made. */
static inline void german_locale_enter(german_locale *l)
{
    char command[256];
    snprintf(l->folder, sizeof l->folder, "/tmp/anneal-locale-XXXXXX");
    l->on = mkdtemp(l->folder) != NULL;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null",
             l->folder);
    l->on = l->on && system(command) == 0 && setenv("LOCPATH", l->folder, 1) == 0 &&
            setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    if (!l->on)
        print_message("de_DE.UTF-8 cannot be made here (package locales): skipped\n");
}

static inline void german_locale_leave(const german_locale *l)
{
    char command[256];
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", l->folder);
    assert_int_equal(system(command), 0);
}

#endif
