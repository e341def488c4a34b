#include <anneal/track.h>

void an_tell(const an_control *control, const char *kind, const char *text)
{
    if (control && control->tell)
        control->tell(control->host, kind, text);
}
