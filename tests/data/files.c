#define _GNU_SOURCE

#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

const uint8_t small_images[IMAGES_LENGTH] = {0, 0, 8, 3,  0,  0,  0,  3,  0,  0,  0,  2,  0,   0,
                                             0, 2, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110};
const uint8_t small_labels[LABELS_LENGTH] = {0, 0, 8, 1, 0, 0, 0, 3, 0, 2, 1};

static void must(bool done, const char *what)
{
    if (!done) {
        perror(what);
        abort();
    }
}

void folder_make(folder *f)
{
    strcpy(f->path, "/tmp/anneal-test-XXXXXX");
    must(mkdtemp(f->path) != NULL, "mkdtemp");
}

void folder_path(const folder *f, const char *name, char path[PATH_LENGTH])
{
    snprintf(path, PATH_LENGTH, "%s/%s", f->path, name);
}

void folder_remove(const folder *f)
{
    DIR *dir = opendir(f->path);
    must(dir != NULL, f->path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[PATH_LENGTH];
        folder_path(f, entry->d_name, path);
        unlink(path);
    }
    closedir(dir);
    must(rmdir(f->path) == 0, f->path);
}

void folder_write(const folder *f, const char *name, const void *bytes, size_t length)
{
    char path[PATH_LENGTH];
    folder_path(f, name, path);
    FILE *file = fopen(path, "wb");
    must(file != NULL, path);
    must(fwrite(bytes, 1, length, file) == length, path);
    must(fclose(file) == 0, path);
}

folder home;

int home_make(void **state)
{
    (void)state;
    folder_make(&home);
    return 0;
}

int home_remove(void **state)
{
    (void)state;
    folder_remove(&home);
    return 0;
}

size_t gzip_bytes(const void *bytes, size_t length, uint8_t *out, size_t size)
{
    z_stream zip = {0};
    must(deflateInit2(&zip, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
    Bytef *in = malloc(length + 1);
    must(in != NULL, "malloc");
    memcpy(in, bytes, length);
    zip.next_in = in;
    zip.avail_in = (uInt)length;
    zip.next_out = out;
    zip.avail_out = (uInt)size;
    must(deflate(&zip, Z_FINISH) == Z_STREAM_END, "deflate");
    deflateEnd(&zip);
    free(in);
    return size - zip.avail_out;
}

static void *count(void *user, void *block, size_t old_size, size_t new_size)
{
    counter *c = user;
    if (new_size == 0) {
        free(block);
        c->live -= old_size;
        return NULL;
    }
    c->calls++;
    void *moved = c->calls == c->fail_at ? NULL : realloc(block, new_size);
    if (moved != NULL) {
        c->live += new_size - (block != NULL ? old_size : 0);
        c->peak = c->live > c->peak ? c->live : c->peak;
    }
    return moved;
}

an_allocator counting_allocator(counter *c)
{
    return (an_allocator){.resize = count, .user = c};
}
