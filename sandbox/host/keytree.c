#include "sandbox/host/keytree.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "sandbox/host/memory.h"

#define SYMBOLS 17
#define FIRST_CHILDREN 2
#define SAME SIZE_MAX

typedef struct tr_keytree_fork {
    tr_keytree_node node;
    uint32_t cap; /* children that there is room for */
    size_t place;
    tr_keytree_node *child[]; /* in the order of their symbols */
} fork_node;

typedef tr_keytree_leaf leaf_node;

enum { LOW, HIGH }; /* sides of the order */

/* ------------------------------------------------------------------ places and symbols */

static unsigned symbol_at(const unsigned char *key, size_t len, size_t place) {
    size_t byte = place / 2;
    if (byte >= len) return 0;
    return 1 + (place % 2 == 0 ? key[byte] >> 4 : key[byte] & 15);
}

/* How many of the symbols are below this one. */
static unsigned rank_of(uint32_t symbols, unsigned symbol) {
    return (unsigned)__builtin_popcount(symbols & ((1u << symbol) - 1));
}

/* The first place where two keys differ, or SAME. */
static size_t parting(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len) {
    size_t common = a_len < b_len ? a_len : b_len;
    size_t byte = 0;
    while (byte < common && a[byte] == b[byte]) byte++;
    if (byte == common && a_len == b_len) return SAME;
    return byte * 2 + (byte < common && a[byte] >> 4 == b[byte] >> 4);
}

/* ------------------------------------------------------------------ nodes */

static bool is_fork(const tr_keytree_node *node) {
    return node->symbols != 0;
}

static fork_node *as_fork(const tr_keytree_node *node) {
    tr_debug_assert(is_fork(node));
    return (fork_node *)(uintptr_t)node;
}

static leaf_node *as_leaf(const tr_keytree_node *node) {
    tr_debug_assert(!is_fork(node));
    return (leaf_node *)(uintptr_t)node;
}

static unsigned child_count(const fork_node *fork) {
    return (unsigned)__builtin_popcount(fork->node.symbols);
}

/* Which child the key's way leads to, or would stand before. */
static unsigned slot_of(const fork_node *fork, const unsigned char *key, size_t len) {
    return rank_of(fork->node.symbols, symbol_at(key, len, fork->place));
}

static void *new_node(tr_keytree *tree, size_t bytes) {
    void *p = tr_memory_alloc(bytes);
    tree->bytes += tr_mem_usable(p);
    return p;
}

static void drop_node(tr_keytree *tree, void *node) {
    tree->bytes -= tr_mem_usable(node);
    tr_memory_free(node);
}

static fork_node *new_fork(tr_keytree *tree, uint32_t cap, size_t place) {
    fork_node *fork = new_node(tree, sizeof(*fork) + cap * sizeof(fork->child[0]));
    fork->node = (tr_keytree_node){0};
    fork->cap = cap;
    fork->place = place;
    return fork;
}

static leaf_node *new_leaf(tr_keytree *tree, const void *key, size_t len) {
    tr_assert(len <= SIZE_MAX / 4);
    leaf_node *leaf = new_node(tree, sizeof(*leaf) + len);
    leaf->node = (tr_keytree_node){0};
    leaf->value = NULL;
    leaf->len = len;
    if (len != 0) memcpy(leaf->key, key, len);
    tree->count++;
    tree->changes++;
    return leaf;
}

/* What points to the node, which lies on the key's way. */
static tr_keytree_node **link_of(tr_keytree *tree, const tr_keytree_node *node, const unsigned char *key,
                                 size_t len) {
    fork_node *above = node->above;
    tr_keytree_node **link = above == NULL ? &tree->root : &above->child[slot_of(above, key, len)];
    tr_assert(*link == node);
    return link;
}

static void insert_child(fork_node *fork, unsigned symbol, tr_keytree_node *child) {
    unsigned count = child_count(fork), slot = rank_of(fork->node.symbols, symbol);
    tr_assert(count < fork->cap && (fork->node.symbols >> symbol & 1) == 0);
    memmove(&fork->child[slot + 1], &fork->child[slot], (count - slot) * sizeof(child));
    fork->child[slot] = child;
    fork->node.symbols |= 1u << symbol;
    child->above = fork;
}

/* Steals the fork, which has no room left; it gives one that has. */
static fork_node *grown(tr_keytree *tree, fork_node *fork, const unsigned char *key, size_t len) {
    uint32_t cap = fork->cap * 2 > SYMBOLS ? SYMBOLS : fork->cap * 2;
    fork_node *larger = new_fork(tree, cap, fork->place);
    unsigned count = child_count(fork);
    *link_of(tree, &fork->node, key, len) = &larger->node;
    larger->node = fork->node;
    for (unsigned i = 0; i < count; i++) {
        larger->child[i] = fork->child[i];
        larger->child[i]->above = larger;
    }
    drop_node(tree, fork);
    return larger;
}

/* ------------------------------------------------------------------ ways down */

static leaf_node *outermost(const tr_keytree_node *node, int side) {
    while (is_fork(node)) {
        const fork_node *fork = as_fork(node);
        node = fork->child[side == LOW ? 0 : child_count(fork) - 1];
    }
    return as_leaf(node);
}

/* A leaf that shares as much with the key as any does: its own, if there is one. Where the key's symbol
 * has no child, all children have the same in common with it. */
static leaf_node *nearest(const tr_keytree *tree, const unsigned char *key, size_t len) {
    const tr_keytree_node *node = tree->root;
    while (is_fork(node)) {
        const fork_node *fork = as_fork(node);
        unsigned symbol = symbol_at(key, len, fork->place);
        bool there = fork->node.symbols >> symbol & 1;
        node = fork->child[there ? rank_of(fork->node.symbols, symbol) : 0];
    }
    return as_leaf(node);
}

/* The topmost node that does not lie before the place, on the key's way. */
static tr_keytree_node *reach(const tr_keytree *tree, size_t place, const unsigned char *key, size_t len) {
    tr_keytree_node *node = tree->root;
    while (is_fork(node) && as_fork(node)->place < place) node = as_fork(node)->child[slot_of(as_fork(node), key, len)];
    return node;
}

/* ------------------------------------------------------------------ the map */

leaf_node *tr_keytree_find(const tr_keytree *tree, const void *key, size_t len) {
    if (tree->root == NULL) return NULL;
    leaf_node *leaf = nearest(tree, key, len);
    return leaf->len == len && (len == 0 || memcmp(leaf->key, key, len) == 0) ? leaf : NULL;
}

leaf_node *tr_keytree_add(tr_keytree *tree, const void *key, size_t len, bool *is_new) {
    leaf_node *near = tree->root == NULL ? NULL : nearest(tree, key, len);
    size_t place = near == NULL ? 0 : parting(key, len, near->key, near->len);
    *is_new = place != SAME;
    if (!*is_new) return near;
    leaf_node *leaf = new_leaf(tree, key, len);
    if (near == NULL) {
        tree->root = &leaf->node;
        return leaf;
    }
    tr_keytree_node *node = reach(tree, place, leaf->key, len);
    fork_node *fork;
    if (is_fork(node) && as_fork(node)->place == place) {
        fork = as_fork(node);
        if (child_count(fork) == fork->cap) fork = grown(tree, fork, leaf->key, len);
    } else {
        fork = new_fork(tree, FIRST_CHILDREN, place);
        fork->node.above = node->above;
        *link_of(tree, node, leaf->key, len) = &fork->node;
        insert_child(fork, symbol_at(near->key, near->len, place), node);
    }
    insert_child(fork, symbol_at(leaf->key, len, place), &leaf->node);
    return leaf;
}

void tr_keytree_remove(tr_keytree *tree, leaf_node *leaf) {
    fork_node *fork = leaf->node.above;
    if (fork == NULL) {
        tr_assert(tree->root == &leaf->node && tree->count == 1);
        tree->root = NULL;
    } else {
        unsigned slot = slot_of(fork, leaf->key, leaf->len), count = child_count(fork);
        tr_assert(fork->child[slot] == &leaf->node && count >= 2);
        memmove(&fork->child[slot], &fork->child[slot + 1], (count - slot - 1) * sizeof(fork->child[0]));
        fork->node.symbols &= ~(1u << symbol_at(leaf->key, leaf->len, fork->place));
        if (count == 2) {
            fork->child[0]->above = fork->node.above;
            *link_of(tree, &fork->node, leaf->key, leaf->len) = fork->child[0];
            drop_node(tree, fork);
        }
    }
    drop_node(tree, leaf);
    tree->count--;
    tree->changes++;
}

/* Without recursion, as deep as keys are long: forks lose their children on the way up, and one without
 * any looks like a leaf. */
void tr_keytree_drop(tr_keytree *tree) {
    tr_keytree_node *node = tree->root;
    while (node != NULL) {
        if (is_fork(node)) {
            node = as_fork(node)->child[child_count(as_fork(node)) - 1];
            continue;
        }
        fork_node *above = node->above;
        if (above != NULL) above->node.symbols ^= 1u << (31 - __builtin_clz(above->node.symbols));
        drop_node(tree, node);
        node = above == NULL ? NULL : &above->node;
    }
    tr_assert(tree->bytes == 0);
    *tree = (tr_keytree){.changes = tree->changes + 1};
}

/* ------------------------------------------------------------------ order */

leaf_node *tr_keytree_first(const tr_keytree *tree) {
    return tree->root == NULL ? NULL : outermost(tree->root, LOW);
}

leaf_node *tr_keytree_last(const tr_keytree *tree) {
    return tree->root == NULL ? NULL : outermost(tree->root, HIGH);
}

/* Up until there is something on that side, then down along its near edge. */
static leaf_node *neighbour(const leaf_node *leaf, int side) {
    for (const fork_node *fork = leaf->node.above; fork != NULL; fork = fork->node.above) {
        unsigned slot = slot_of(fork, leaf->key, leaf->len);
        if (side == HIGH && slot + 1 < child_count(fork)) return outermost(fork->child[slot + 1], LOW);
        if (side == LOW && slot > 0) return outermost(fork->child[slot - 1], HIGH);
    }
    return NULL;
}

leaf_node *tr_keytree_next(const leaf_node *leaf) {
    return neighbour(leaf, HIGH);
}

leaf_node *tr_keytree_prev(const leaf_node *leaf) {
    return neighbour(leaf, LOW);
}

/* The node that is reached where the key parts from its nearest leaf is a fork there, between whose children the
 * key would stand; or all its leaves are on one side of the key. */
static leaf_node *beside(const tr_keytree *tree, const unsigned char *key, size_t len, int side,
                         bool or_equal) {
    if (tree->root == NULL) return NULL;
    leaf_node *near = nearest(tree, key, len);
    size_t place = parting(key, len, near->key, near->len);
    if (place == SAME) return or_equal ? near : neighbour(near, side);
    const tr_keytree_node *node = reach(tree, place, key, len);
    unsigned lower, count; /* children, or the node as a whole */
    bool splits = is_fork(node) && as_fork(node)->place == place;
    if (splits) {
        lower = slot_of(as_fork(node), key, len);
        count = child_count(as_fork(node));
    } else {
        lower = symbol_at(near->key, near->len, place) < symbol_at(key, len, place);
        count = 1;
    }
    if (side == HIGH ? lower == count : lower == 0) return neighbour(outermost(node, side), side);
    if (!splits) return outermost(node, !side);
    return outermost(as_fork(node)->child[side == HIGH ? lower : lower - 1], !side);
}

leaf_node *tr_keytree_after(const tr_keytree *tree, const void *key, size_t len, bool or_equal) {
    return beside(tree, key, len, HIGH, or_equal);
}

leaf_node *tr_keytree_before(const tr_keytree *tree, const void *key, size_t len, bool or_equal) {
    return beside(tree, key, len, LOW, or_equal);
}

/* ------------------------------------------------------------------ check */

/* A leaf's key must go the way that leads to it, along places that come one after the other. Gives
 * the bytes of the forks whose first leaf it is. */
static size_t check_way(const tr_keytree *tree, const leaf_node *leaf) {
    const tr_keytree_node *node = &leaf->node;
    size_t bytes = 0, place = leaf->len * 2 + 1;
    bool first = true;
    while (node->above != NULL) {
        const fork_node *fork = node->above;
        unsigned slot = slot_of(fork, leaf->key, leaf->len);
        tr_assert(fork->node.symbols >> symbol_at(leaf->key, leaf->len, fork->place) & 1);
        tr_assert(fork->child[slot] == node);
        tr_assert(fork->place < place);
        tr_assert(child_count(fork) >= 2 && child_count(fork) <= fork->cap && fork->cap <= SYMBOLS);
        first = first && slot == 0;
        if (first) bytes += tr_mem_usable(fork);
        place = fork->place;
        node = &fork->node;
    }
    tr_assert(node == tree->root);
    return bytes;
}

void tr_keytree_check(const tr_keytree *tree) {
    uint64_t count = 0;
    size_t bytes = 0;
    const leaf_node *last = NULL;
    for (const leaf_node *leaf = tr_keytree_first(tree); leaf != NULL; leaf = tr_keytree_next(leaf)) {
        bytes += check_way(tree, leaf) + tr_mem_usable(leaf);
        if (last != NULL) {
            size_t place = parting(last->key, last->len, leaf->key, leaf->len);
            tr_assert(place != SAME);
            tr_assert(symbol_at(last->key, last->len, place) < symbol_at(leaf->key, leaf->len, place));
        }
        count++;
        last = leaf;
    }
    tr_assert(count == tree->count && bytes == tree->bytes);
    tr_assert(tr_keytree_last(tree) == last);
}
