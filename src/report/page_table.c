/* Tables of a page: cells of words or numbers, and confusion matrices. */
#include "report/page.h"

#include <math.h>
#include <string.h>

/* More classes than these are told by their mistakes. */
#define SHOWN_CLASSES 32
#define MISTAKES 20

/* ------------------------------------------------------------------- cells */

/* A number may have a unit after a blank: "97.9 %". */
static bool is_number(const char *text)
{
    double value;
    size_t length = strlen(text), used = an_number_parse(text, length, &value);
    return used > 0 && length - used < 4;
}

static bool has_words(const an_page_table *table, size_t column)
{
    for (size_t r = 0; r < table->rows; r++) {
        const char *text = table->cells[r * table->columns + column];
        if (text && !is_number(text)) {
            return true;
        }
    }
    return column == 0;
}

static void add_cell(an_bytes *out, const char *text, bool words)
{
    const char *const class = !text && words ? "none words" : !text ? "none" : words ? "words" : "";
    an__bytes_text(out, *class ? "<td class=\"" : "<td");
    an__bytes_text(out, class);
    an__bytes_text(out, *class ? "\">" : ">");
    an__html_text(out, text ? text : "–");
    an__bytes_text(out, "</td>");
}

static void add_heads(an_bytes *out, const an_page_table *table, const bool *words)
{
    an__bytes_text(out, "<thead><tr>");
    for (size_t c = 0; c < table->columns; c++) {
        an__bytes_text(out, words[c] ? "<th scope=\"col\" class=\"words\">" : "<th scope=\"col\">");
        an__html_text(out, table->heads[c]);
        an__bytes_text(out, "</th>");
    }
    an__bytes_text(out, "</tr></thead>");
}

static void add_rows(an_bytes *out, const an_page_table *table, const bool *words)
{
    an__bytes_text(out, "<div class=\"wide\" tabindex=\"0\"><table>");
    add_heads(out, table, words);
    an__bytes_text(out, "<tbody>\n");
    for (size_t r = 0; r < table->rows; r++) {
        const char *const *row = table->cells + r * table->columns;
        an__bytes_text(out, "<tr><th scope=\"row\">");
        an__html_text(out, row[0] ? row[0] : "");
        an__bytes_text(out, "</th>");
        for (size_t c = 1; c < table->columns; c++) {
            add_cell(out, row[c], words[c]);
        }
        an__bytes_text(out, "</tr>\n");
    }
    an__bytes_text(out, "</tbody></table></div>");
}

/* A column that holds nothing but numbers stands right, any other one left. */
static void add_grid(an_bytes *out, const an_page_table *table)
{
    bool *words = an_alloc(&out->allocator, table->columns, sizeof *words, NULL);
    out->failed |= !words;
    if (out->failed) {
        an_release(&out->allocator, words, table->columns, sizeof *words);
        return;
    }
    for (size_t c = 0; c < table->columns; c++) {
        words[c] = has_words(table, c);
    }
    add_rows(out, table, words);
    an_release(&out->allocator, words, table->columns, sizeof *words);
}

void an__page_table(an_bytes *out, const an_page_table *table)
{
    an__bytes_text(out, table->folded ? "<details><summary>" : "<section><h2>");
    an__html_text(out, table->title);
    an__bytes_text(out, table->folded ? "</summary>\n" : "</h2>\n");
    if (table->note) {
        an__bytes_text(out, "<p>");
        an__html_text(out, table->note);
        an__bytes_text(out, "</p>\n");
    }
    if (table->rows > 0) {
        add_grid(out, table);
    }
    an__bytes_text(out, table->folded ? "</details>\n" : "</section>\n");
}

/* ---------------------------------------------------------------- matrices */

static int64_t count_of(const an_page_matrix *matrix, size_t label, size_t answer)
{
    return matrix->counts[label * matrix->classes + answer];
}

/* A cell is as dark as the root of its share of its row, so that few mistakes are seen. */
static void add_count(an_bytes *out, int64_t count, int64_t row)
{
    char text[96];
    double share = row > 0 ? sqrt((double)count / (double)row) : 0;
    an_format(text, sizeof text, "<td class=\"%s\" style=\"--share:%.3g\">",
              count == 0    ? "zero"
              : share > 0.6 ? "full"
                            : "part",
              share * 0.95);
    an__bytes_text(out, text);
    an__page_count(out, count);
    an__bytes_text(out, "</td>");
}

static void add_matrix(an_bytes *out, const an_page_matrix *matrix)
{
    an__bytes_text(out, "<div class=\"wide matrix\" tabindex=\"0\"><table><thead><tr><th>is \\ "
                        "taken for</th>");
    for (size_t c = 0; c < matrix->classes; c++) {
        an__bytes_text(out, "<th scope=\"col\">");
        an__page_count(out, (int64_t)c);
        an__bytes_text(out, "</th>");
    }
    an__bytes_text(out, "</tr></thead><tbody>\n");
    for (size_t r = 0; r < matrix->classes; r++) {
        int64_t row = 0;
        for (size_t c = 0; c < matrix->classes; c++) {
            row += count_of(matrix, r, c);
        }
        an__bytes_text(out, "<tr><th scope=\"row\">");
        an__page_count(out, (int64_t)r);
        an__bytes_text(out, "</th>");
        for (size_t c = 0; c < matrix->classes; c++) {
            add_count(out, count_of(matrix, r, c), row);
        }
        an__bytes_text(out, "</tr>\n");
    }
    an__bytes_text(out, "</tbody></table></div>");
}

typedef struct mistake {
    size_t label, answer;
    int64_t count;
} mistake;

/* Puts a mistake among the most frequent ones, which are in order. */
static size_t insert(mistake *most, size_t count, mistake new)
{
    size_t at = count;
    while (at > 0 && most[at - 1].count < new.count) {
        at--;
    }
    if (at == MISTAKES) {
        return count;
    }
    count = count < MISTAKES ? count + 1 : count;
    memmove(most + at + 1, most + at, (count - at - 1) * sizeof *most);
    most[at] = new;
    return count;
}

static void add_mistakes(an_bytes *out, const an_page_matrix *matrix)
{
    mistake most[MISTAKES];
    size_t count = 0;
    for (size_t r = 0; r < matrix->classes; r++) {
        for (size_t c = 0; c < matrix->classes; c++) {
            if (r != c && count_of(matrix, r, c) > 0) {
                count = insert(most, count, (mistake){r, c, count_of(matrix, r, c)});
            }
        }
    }
    an__bytes_text(out, "<p>The most frequent mistakes.</p><div class=\"wide\"><table><thead><tr>"
                        "<th>is</th><th>taken for</th><th>times</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        an__bytes_text(out, "<tr><th scope=\"row\">");
        an__page_count(out, (int64_t)most[i].label);
        an__bytes_text(out, "</th><td>");
        an__page_count(out, (int64_t)most[i].answer);
        an__bytes_text(out, "</td><td>");
        an__page_count(out, most[i].count);
        an__bytes_text(out, "</td></tr>\n");
    }
    an__bytes_text(out, "</tbody></table></div>");
}

void an__page_matrix(an_bytes *out, const an_page_matrix *matrix)
{
    an__bytes_text(out, "<div><h3>");
    an__html_text(out, matrix->title);
    an__bytes_text(out, "</h3>\n");
    if (matrix->classes <= SHOWN_CLASSES) {
        add_matrix(out, matrix);
    } else {
        add_mistakes(out, matrix);
    }
    an__bytes_text(out, "</div>\n");
}
