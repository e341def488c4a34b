/* A plot to a file: which canvas, and the file itself. */
#include "file/durable.h"
#include "report/canvas.h"

#include <string.h>

static const char *const endings[] = {
    [AN_PICTURE_SVG] = ".svg", [AN_PICTURE_PNG] = ".png", [AN_PICTURE_PDF] = ".pdf"};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), size = strlen(ending);
    if (length <= size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (lower(path[length - size + i]) != ending[i]) {
            return false;
        }
    }
    return true;
}

#ifdef AN_WITH_CAIRO
static const an_canvas_class *class_of(an_picture kind)
{
    return kind == AN_PICTURE_SVG ? &an__svg_canvas : &an__cairo_canvas;
}
#else
static const an_canvas_class *class_of(an_picture kind)
{
    return kind == AN_PICTURE_SVG ? &an__svg_canvas : NULL;
}
#endif

bool an_picture_of(const char *path, an_picture *out, an_error *err)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (!ends_in(path, endings[i])) {
            continue;
        }
        *out = (an_picture)i;
        return class_of(*out) ||
               an_error_set(err, AN_ERROR_STATE,
                            "this build of Anneal draws SVG alone; to get '%s', install "
                            "libcairo2-dev, run meson setup again and build, or name an .svg file",
                            path);
    }
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "a picture's name must end in .svg, .png or .pdf, got '%s'", path);
}

static bool write_file(const char *path, const an_bytes *bytes, an_error *err)
{
    an_durable file;
    if (!an__durable_open(&file, path, err)) {
        return false;
    }
    an__durable_write(&file, bytes->data, bytes->length);
    return an__durable_finish(&file, err);
}

bool an_report_plot(const an_plot *plot, const char *path, const an_allocator *allocator,
                    an_error *err)
{
    an_picture kind = AN_PICTURE_SVG;
    if (!an_picture_of(path, &kind, err)) {
        return false;
    }
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_bytes bytes = {.allocator = own};
    an_canvas canvas = {.class = class_of(kind), .out = &bytes, .kind = kind};
    bool good = an__draw_plot(&canvas, plot, &own, err);
    good = canvas.class->end(&canvas, good ? err : NULL) && good;
    good = good && write_file(path, &bytes, err);
    an__bytes_free(&bytes);
    return good;
}
