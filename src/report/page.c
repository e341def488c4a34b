/* The page from its head to its foot, and its file. */
#include "report/page.h"

#include "file/durable.h"

/* Nothing may be fetched: what the page needs is in it. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    "<meta name=\"generator\" content=\"Anneal " AN_VERSION_TEXT "\">\n<title>";

static void add_element(an_bytes *out, const char *open, const char *text, const char *close)
{
    an__bytes_text(out, open);
    an__html_text(out, text);
    an__bytes_text(out, close);
}

/* The style, and the rules by which a run's box in the legend hides its lines. */
static void add_style(an_bytes *out, const an_page *page)
{
    char rule[128];
    an__bytes_text(out, "<style>\n");
    an__bytes_text(out, an__page_css);
    for (size_t i = 0; i < AN_PAGE_COLOURS; i++) {
        an_format(rule, sizeof rule, ".s%zu { --ink: var(--c%zu); }\n", i, i);
        an__bytes_text(out, rule);
    }
    for (size_t i = 0; i < page->run_count; i++) {
        an_format(rule, sizeof rule, "body:has(#run%zu:not(:checked)) .r%zu { display: none; }\n",
                  i, i);
        an__bytes_text(out, rule);
    }
    an__bytes_text(out, "</style>\n");
}

static void add_legend(an_bytes *out, const an_page *page)
{
    char text[160];
    if (page->run_count == 0) {
        return;
    }
    an__bytes_text(out, "<div class=\"legend\">\n");
    for (size_t i = 0; i < page->run_count; i++) {
        an_format(text, sizeof text,
                  "<label class=\"s%zu\"><input type=\"checkbox\" id=\"run%zu\" checked "
                  "autocomplete=\"off\"><i class=\"swatch\"></i><span>",
                  i % AN_PAGE_COLOURS, i);
        add_element(out, text, page->runs[i], "</span></label>\n");
    }
    an__bytes_text(out, "</div>\n");
}

static void add_charts(an_bytes *out, const an_page *page, an_page_points *points)
{
    if (page->chart_count == 0) {
        return;
    }
    an__bytes_text(out, "<div class=\"charts\">\n");
    const an_page_span x = an__page_span(page);
    for (size_t i = 0; i < page->chart_count; i++) {
        an__page_chart(out, page, i, x, points);
    }
    an__bytes_text(out, "</div>\n");
}

static void add_matrices(an_bytes *out, const an_page *page)
{
    if (page->matrix_count == 0) {
        return;
    }
    an__bytes_text(out, "<section><h2>Confusion</h2>\n<div class=\"matrices\">\n");
    for (size_t i = 0; i < page->matrix_count; i++) {
        an__page_matrix(out, &page->matrices[i]);
    }
    an__bytes_text(out, "</div></section>\n");
}

/* Open tables, matrices, then everything that is folded. */
static void add_tables(an_bytes *out, const an_page *page)
{
    for (size_t i = 0; i < page->table_count; i++) {
        if (!page->tables[i].folded) {
            an__page_table(out, &page->tables[i]);
        }
    }
    add_matrices(out, page);
    an__bytes_text(out, "<section>\n");
    for (size_t i = 0; i < page->table_count; i++) {
        if (page->tables[i].folded) {
            an__page_table(out, &page->tables[i]);
        }
    }
    for (size_t i = 0; i < page->text_count; i++) {
        add_element(out, "<details><summary>", page->texts[i].title, "</summary>");
        add_element(out, "<pre>", page->texts[i].text, "</pre></details>\n");
    }
    an__bytes_text(out, "</section>\n");
}

static void add_page(an_bytes *out, const an_page *page, an_page_points *points)
{
    an__bytes_text(out, head);
    an__html_text(out, page->title);
    an__bytes_text(out, "</title>\n");
    add_style(out, page);
    add_element(out, "</head>\n<body>\n<h1>", page->title, "</h1>\n");
    if (page->lead) {
        add_element(out, "<p>", page->lead, "</p>\n");
    }
    add_legend(out, page);
    an__bytes_text(out, "<main>\n");
    add_charts(out, page, points);
    add_tables(out, page);
    an__bytes_text(out, "</main>\n<footer>Anneal " AN_VERSION_TEXT "</footer>\n"
                        "<script type=\"application/json\" id=\"data\">");
    an__page_data(out, page, points);
    an__bytes_text(out, "</script>\n<script>\n");
    an__bytes_text(out, an__page_js);
    an__bytes_text(out, "</script>\n</body>\n</html>\n");
}

static bool write_file(const an_bytes *out, const char *path, an_error *err)
{
    an_durable file;
    if (out->failed) {
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the page '%s'", path);
    }
    if (!an__durable_open(&file, path, err)) {
        return false;
    }
    an__durable_write(&file, out->data, out->length);
    return an__durable_finish(&file, err);
}

bool an_report_page(const an_page *page, const char *path, const an_allocator *allocator,
                    an_error *err)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_bytes out = {.allocator = own};
    an_page_points *points = an_alloc(&own, 1, sizeof *points, err);
    if (!points) {
        return false;
    }
    add_page(&out, page, points);
    bool good = write_file(&out, path, err);
    an__bytes_free(&out);
    an_release(&own, points, 1, sizeof *points);
    return good;
}
