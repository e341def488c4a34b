#include <anneal/base.h>

const char *an_version(void)
{
    return AN_VERSION_TEXT;
}
