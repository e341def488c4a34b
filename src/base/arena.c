#include <anneal/base.h>

#include <string.h>

#define ALIGNMENT 64
#define FIRST_CAPACITY 4096

/* A block of memory: this head, then up to `capacity` bytes from the next multiple of 64 on. */
typedef struct an_arena_block {
    struct an_arena_block *next;
    size_t capacity, used;
} an_arena_block;

/* All of a block's bytes: the head, room to align, the capacity. */
static size_t whole_size(size_t capacity)
{
    return sizeof(an_arena_block) + ALIGNMENT + capacity;
}

static char *first_byte(an_arena_block *block)
{
    uintptr_t end = (uintptr_t)(block + 1);
    return (char *)(block + 1) + (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
}

/* Puts a new block in front; NULL when there is no memory. */
static an_arena_block *add_block(an_arena *arena, size_t capacity)
{
    an_arena_block *block =
        arena->allocator.resize(arena->allocator.user, NULL, 0, whole_size(capacity));
    if (!block)
        return NULL;
    *block = (an_arena_block){arena->block, capacity, 0};
    arena->block = block;
    return block;
}

static void free_blocks(an_arena *arena)
{
    while (arena->block) {
        an_arena_block *block = arena->block;
        arena->block = block->next;
        arena->allocator.resize(arena->allocator.user, block, whole_size(block->capacity), 0);
    }
}

void an_arena_init(an_arena *arena, an_allocator allocator)
{
    *arena = (an_arena){.allocator = allocator};
}

/* A new block is as large as half of all before it, so that their number stays small. */
static an_arena_block *block_with_room(an_arena *arena, size_t size)
{
    an_arena_block *block = arena->block;
    if (block && block->capacity - block->used >= size)
        return block;
    size_t capacity = arena->used / 2 / ALIGNMENT * ALIGNMENT;
    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    return add_block(arena, capacity < size ? size : capacity);
}

void *an_arena_alloc(an_arena *arena, size_t size)
{
    if (size > PTRDIFF_MAX - 1024)
        return NULL;
    size_t whole = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    an_arena_block *block = block_with_room(arena, whole);
    if (!block)
        return NULL;
    void *memory = first_byte(block) + block->used;
    block->used += whole;
    arena->used += whole;
    if (arena->peak < arena->used)
        arena->peak = arena->used;
    return memory;
}

char *an_arena_text(an_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? an_arena_alloc(arena, length + 1) : NULL;
    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/*
 * Several blocks become one that holds the most ever used. Should there be no memory for it, the
 * arena is empty and the next an_arena_alloc tries again.
 */
void an_arena_reset(an_arena *arena)
{
    arena->used = 0;
    if (arena->block && arena->block->next) {
        free_blocks(arena);
        add_block(arena, arena->peak);
    } else if (arena->block) {
        arena->block->used = 0;
    }
}

void an_arena_free(an_arena *arena)
{
    free_blocks(arena);
    arena->used = 0;
    arena->peak = 0;
}
