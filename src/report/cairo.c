/* PNG and PDF through cairo. A PNG has two dots to the pixel, so that it is sharp on any screen. */
#include "report/canvas.h"

#include <cairo-pdf.h>
#include <cairo.h>

#include <string.h>

#define DOTS_PER_PIXEL 2
/* A PDF counts in points, of which 72 make an inch; here, as in browsers, 96 pixels do. */
#define POINTS_PER_PIXEL 0.75

static cairo_status_t write_bytes(void *user, const unsigned char *data, unsigned int length)
{
    an_bytes *out = user;
    an__bytes_add(out, data, length);
    return out->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static void set_colour(cairo_t *cr, unsigned colour)
{
    cairo_set_source_rgb(cr, (colour >> 16) / 255.0, (colour >> 8 & 255) / 255.0,
                         (colour & 255) / 255.0);
}

static void begin(an_canvas *canvas, double width, double height)
{
    bool png = canvas->kind == AN_PICTURE_PNG;
    double scale = png ? DOTS_PER_PIXEL : POINTS_PER_PIXEL;
    canvas->surface = png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale),
                                                       (int)(height * scale))
                          : cairo_pdf_surface_create_for_stream(write_bytes, canvas->out,
                                                                width * scale, height * scale);
    canvas->cairo = cairo_create(canvas->surface);
    cairo_scale(canvas->cairo, scale, scale);
    set_colour(canvas->cairo, 0xffffff);
    cairo_paint(canvas->cairo);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    cairo_select_font_face(canvas->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
}

static void line(an_canvas *canvas, const an_point *points, size_t count, an_ink ink)
{
    static const double dashes[] = {6, 5};
    cairo_t *cr = canvas->cairo;
    cairo_move_to(cr, points[0].x, points[0].y);
    for (size_t i = 1; i < count; i++) {
        cairo_line_to(cr, points[i].x, points[i].y);
    }
    set_colour(cr, ink.colour);
    cairo_set_line_width(cr, ink.width);
    cairo_set_dash(cr, dashes, ink.dashed ? 2 : 0, 0);
    cairo_stroke(cr);
}

static void words(an_canvas *canvas, const an_words *words)
{
    static const double shift[] = {0, 0.5, 1};
    cairo_t *cr = canvas->cairo;
    cairo_text_extents_t extents;
    cairo_set_font_size(cr, words->size);
    cairo_text_extents(cr, words->text, &extents);
    cairo_move_to(cr, words->at.x - shift[words->anchor] * extents.x_advance, words->at.y);
    set_colour(cr, words->colour);
    cairo_show_text(cr, words->text);
}

static bool end(an_canvas *canvas, an_error *err)
{
    cairo_status_t status = cairo_status(canvas->cairo);
    cairo_destroy(canvas->cairo);
    if (status == CAIRO_STATUS_SUCCESS && canvas->kind == AN_PICTURE_PNG) {
        status = cairo_surface_write_to_png_stream(canvas->surface, write_bytes, canvas->out);
    }
    cairo_surface_finish(canvas->surface);
    if (status == CAIRO_STATUS_SUCCESS) {
        status = cairo_surface_status(canvas->surface);
    }
    cairo_surface_destroy(canvas->surface);
    if (status == CAIRO_STATUS_SUCCESS && !canvas->out->failed) {
        return true;
    }
    if (status == CAIRO_STATUS_NO_MEMORY || canvas->out->failed) {
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a picture");
    }
    return an_error_set(err, AN_ERROR_STATE, "cairo could not draw the picture: %s",
                        cairo_status_to_string(status));
}

const an_canvas_class an__cairo_canvas = {begin, line, words, end};
