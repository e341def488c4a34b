/*
 * SVG, written directly: text stays text, and a line's points are whole tenths of a pixel, each
 * given by its distance from the one before.
 */
#include "report/canvas.h"

#include <math.h>
#include <stdlib.h>

/* A number in tenths, as short as can be: 15 is "1.5", 5 is ".5", -20 is "-2". */
static size_t tenths_text(char *buffer, size_t size, long tenths)
{
    long whole = labs(tenths) / 10, part = labs(tenths) % 10;
    const char *sign = tenths < 0 ? "-" : "";
    if (part == 0) {
        return an_format(buffer, size, "%s%ld", sign, whole);
    }
    if (whole == 0) {
        return an_format(buffer, size, "%s.%ld", sign, part);
    }
    return an_format(buffer, size, "%s%ld.%ld", sign, whole, part);
}

static long tenths_of(double pixels)
{
    return lround(pixels * 10);
}

static void add_attribute(an_bytes *out, const char *name, double pixels)
{
    char number[32], text[64];
    tenths_text(number, sizeof number, tenths_of(pixels));
    an_format(text, sizeof text, " %s=\"%s\"", name, number);
    an__bytes_text(out, text);
}

static void add_colour(an_bytes *out, const char *name, unsigned colour)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = "=\"#000000\"";
    for (int i = 0; i < 6; i++, colour /= 16) {
        text[8 - i] = hex[colour % 16];
    }
    an__bytes_text(out, " ");
    an__bytes_text(out, name);
    an__bytes_text(out, text);
}

static void begin(an_canvas *canvas, double width, double height)
{
    char text[384];
    an_format(text, sizeof text,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
              "viewBox=\"0 0 %d %d\" font-family=\"system-ui,'Segoe UI',Helvetica,Arial,"
              "sans-serif\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
              (int)width, (int)height, (int)width, (int)height, (int)width, (int)height);
    an__bytes_text(canvas->out, text);
}

/* A pair of numbers; the second's minus sign, or else a blank, parts them. */
static void add_pair(an_bytes *out, char command, long x, long y)
{
    char first[32], second[32], text[80];
    tenths_text(first, sizeof first, x);
    tenths_text(second, sizeof second, y);
    an_format(text, sizeof text, "%c%s%s%s", command, first, y < 0 ? "" : " ", second);
    an__bytes_text(out, text);
}

static void line(an_canvas *canvas, const an_point *points, size_t count, an_ink ink)
{
    an_bytes *out = canvas->out;
    long x = tenths_of(points[0].x), y = tenths_of(points[0].y);
    an__bytes_text(out, "<path d=\"");
    add_pair(out, 'M', x, y);
    for (size_t i = 1; i < count; i++) {
        long next_x = tenths_of(points[i].x), next_y = tenths_of(points[i].y);
        add_pair(out, 'l', next_x - x, next_y - y);
        x = next_x;
        y = next_y;
    }
    an__bytes_text(out, "\" fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\"");
    add_colour(out, "stroke", ink.colour);
    add_attribute(out, "stroke-width", ink.width);
    an__bytes_text(out, ink.dashed ? " stroke-dasharray=\"6 5\"/>\n" : "/>\n");
}

static void add_escaped(an_bytes *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            an__bytes_text(out, "&amp;");
            break;
        case '<':
            an__bytes_text(out, "&lt;");
            break;
        case '>':
            an__bytes_text(out, "&gt;");
            break;
        default:
            an__bytes_add(out, text, 1);
        }
    }
}

static void words(an_canvas *canvas, const an_words *words)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    an_bytes *out = canvas->out;
    an__bytes_text(out, "<text");
    add_attribute(out, "x", words->at.x);
    add_attribute(out, "y", words->at.y);
    add_attribute(out, "font-size", words->size);
    add_colour(out, "fill", words->colour);
    an__bytes_text(out, anchors[words->anchor]);
    an__bytes_text(out, ">");
    add_escaped(out, words->text);
    an__bytes_text(out, "</text>\n");
}

static bool end(an_canvas *canvas, an_error *err)
{
    an__bytes_text(canvas->out, "</svg>\n");
    return !canvas->out->failed ||
           an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a picture");
}

const an_canvas_class an__svg_canvas = {begin, line, words, end};
