/*
 * anneal/report.h - plots as pictures: SVG by itself, PNG and PDF through cairo.
 *
 *   an_series lines[] = {{"StepLR(step_size=30)", values, 101}};
 *   an_plot plot = {"step", "lr", lines, 1};           (anneal/term.h describes plots)
 *   an_report_plot(&plot, "step.svg", NULL, &err);
 *
 * A picture is as high as its legend needs and otherwise of one size. The lines' colours are ones
 * that the colour-blind can tell apart. Lines of any number of values are drawn as few points: what
 * is left out lies within a fifth of a pixel of the line, so an SVG takes a few kilobytes.
 */
#ifndef ANNEAL_REPORT_H
#define ANNEAL_REPORT_H

#include <anneal/term.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum an_picture { AN_PICTURE_SVG, AN_PICTURE_PNG, AN_PICTURE_PDF } an_picture;

/*
 * The kind of picture that a file's name asks for by its ending (.svg, .png, .pdf, in any case).
 * False with err (ARGUMENT) for another ending, (STATE) for one that this build cannot draw.
 */
AN_API bool an_picture_of(const char *path, an_picture *out, an_error *err);

/*
 * Draws `plot` and writes it to the file `path`: the old file or the new one is there, whole, at
 * any instant. A symbolic link stays and its target is replaced; an old file's permissions are
 * kept; what is no regular file (a device, a pipe) is refused. `allocator` NULL: the default. False
 * with err (ARGUMENT, STATE, MEMORY, IO).
 */
AN_API bool an_report_plot(const an_plot *plot, const char *path, const an_allocator *allocator,
                           an_error *err);

#ifdef __cplusplus
}
#endif
#endif
