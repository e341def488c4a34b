#include <anneal/base.h>

#include <string.h>

/* What stands for the names that have no room. */
static const char dots[] = "...";

size_t an_names_print(char *buffer, size_t size, const char *const *names, size_t count,
                      const char *last)
{
    static const char comma[] = ", ";
    size_t used = 0;
    if (size > 0)
        buffer[0] = '\0';
    if (size < sizeof dots)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const bool ends = i + 1 == count;
        const char *before = i == 0 ? "" : ends ? last : comma;
        const size_t needed = strlen(before) + strlen(names[i]);
        const size_t kept = ends ? 0 : sizeof comma + sizeof dots - 2;
        if (needed + kept >= size - used)
            return used + an_format(buffer + used, size - used, "%s%s", i > 0 ? comma : "", dots);
        used += an_format(buffer + used, size - used, "%s%s", before, names[i]);
    }
    return used;
}
