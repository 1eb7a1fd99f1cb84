#include "sandbox/host/keytree.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "sandbox/host/memory.h"

#define HAS_BYTE 0x100u

typedef struct tr_keytree_fork {
    tr_keytree_node node;
    tr_keytree_node *side[2]; /* where the bit is 0, where it is 1 */
} fork_node;

typedef tr_keytree_leaf leaf_node;

/* ------------------------------------------------------------------ places */

typedef struct place {
    size_t byte;
    unsigned bit; /* 0: there is no difference */
} place;

static unsigned nine_bits(const unsigned char *key, size_t len, size_t byte) {
    return byte < len ? HAS_BYTE | key[byte] : 0;
}

static int side_of(const tr_keytree_node *fork, const unsigned char *key, size_t len) {
    return (nine_bits(key, len, fork->byte) & fork->bit) != 0;
}

static unsigned highest_bit(unsigned bits) {
    return 1u << (31 - __builtin_clz(bits));
}

/* Where two keys part. */
static place parting(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len) {
    size_t common = a_len < b_len ? a_len : b_len;
    size_t byte = 0;
    while (byte < common && a[byte] == b[byte]) byte++;
    unsigned differ = nine_bits(a, a_len, byte) ^ nine_bits(b, b_len, byte);
    return (place){.byte = byte, .bit = differ == 0 ? 0 : highest_bit(differ)};
}

/* Whether the node lies on the way to the place: a fork that comes before it. */
static bool leads_to(const tr_keytree_node *node, place where) {
    if (node->bit == 0) return false;
    return node->byte < where.byte || (node->byte == where.byte && node->bit > where.bit);
}

/* ------------------------------------------------------------------ nodes */

static fork_node *as_fork(const tr_keytree_node *node) {
    tr_debug_assert(node->bit != 0);
    return (fork_node *)(uintptr_t)node;
}

static leaf_node *as_leaf(const tr_keytree_node *node) {
    tr_debug_assert(node->bit == 0);
    return (leaf_node *)(uintptr_t)node;
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

/* What points to the node. */
static tr_keytree_node **link_of(tr_keytree *tree, const tr_keytree_node *node) {
    fork_node *above = node->above;
    return above == NULL ? &tree->root : &above->side[above->side[1] == node];
}

static leaf_node *outermost(const tr_keytree_node *node, int side) {
    while (node->bit != 0) node = as_fork(node)->side[side];
    return as_leaf(node);
}

/* The leaf that the key's bits lead to: if not its own, one that shares most with it. */
static leaf_node *nearest(const tr_keytree *tree, const unsigned char *key, size_t len) {
    const tr_keytree_node *node = tree->root;
    while (node->bit != 0) node = as_fork(node)->side[side_of(node, key, len)];
    return as_leaf(node);
}

/* The topmost node below the place, on the key's way. */
static tr_keytree_node *below(const tr_keytree *tree, place where, const unsigned char *key, size_t len) {
    tr_keytree_node *node = tree->root;
    while (leads_to(node, where)) node = as_fork(node)->side[side_of(node, key, len)];
    return node;
}

/* ------------------------------------------------------------------ the map */

leaf_node *tr_keytree_find(const tr_keytree *tree, const void *key, size_t len) {
    if (tree->root == NULL) return NULL;
    leaf_node *leaf = nearest(tree, key, len);
    return leaf->len == len && (len == 0 || memcmp(leaf->key, key, len) == 0) ? leaf : NULL;
}

static leaf_node *new_leaf(tr_keytree *tree, const void *key, size_t len) {
    tr_assert(len <= SIZE_MAX / 2);
    leaf_node *leaf = new_node(tree, sizeof(*leaf) + len);
    leaf->node = (tr_keytree_node){0};
    leaf->value = NULL;
    leaf->len = len;
    if (len != 0) memcpy(leaf->key, key, len);
    tree->count++;
    tree->changes++;
    return leaf;
}

leaf_node *tr_keytree_add(tr_keytree *tree, const void *key, size_t len, bool *is_new) {
    *is_new = true;
    if (tree->root == NULL) {
        leaf_node *only = new_leaf(tree, key, len);
        tree->root = &only->node;
        return only;
    }
    leaf_node *near = nearest(tree, key, len);
    place where = parting(key, len, near->key, near->len);
    if (where.bit == 0) {
        *is_new = false;
        return near;
    }
    tr_keytree_node *node = below(tree, where, key, len);
    tr_keytree_node **from = link_of(tree, node);
    leaf_node *leaf = new_leaf(tree, key, len);
    fork_node *fork = new_node(tree, sizeof(*fork));
    fork->node = (tr_keytree_node){.above = node->above, .byte = where.byte, .bit = (uint16_t)where.bit};
    int side = side_of(&fork->node, key, len);
    fork->side[side] = &leaf->node;
    fork->side[!side] = node;
    leaf->node.above = node->above = fork;
    *from = &fork->node;
    return leaf;
}

void tr_keytree_remove(tr_keytree *tree, leaf_node *leaf) {
    fork_node *fork = leaf->node.above;
    if (fork == NULL) {
        tr_assert(tree->root == &leaf->node && tree->count == 1);
        tree->root = NULL;
    } else {
        tr_keytree_node *other = fork->side[fork->side[0] == &leaf->node];
        *link_of(tree, &fork->node) = other;
        other->above = fork->node.above;
        drop_node(tree, fork);
    }
    drop_node(tree, leaf);
    tree->count--;
    tree->changes++;
}

/* Without recursion, as deep as keys are long: forks lose their sides one by one on the way up. */
void tr_keytree_drop(tr_keytree *tree) {
    tr_keytree_node *node = tree->root;
    while (node != NULL) {
        fork_node *fork = node->bit == 0 ? NULL : as_fork(node);
        tr_keytree_node *side = fork == NULL ? NULL : fork->side[fork->side[0] == NULL];
        if (side != NULL) {
            node = side;
            continue;
        }
        fork_node *above = node->above;
        if (above != NULL) above->side[above->side[1] == node] = NULL;
        drop_node(tree, node);
        node = above == NULL ? NULL : &above->node;
    }
    tr_assert(tree->bytes == 0);
    *tree = (tr_keytree){.changes = tree->changes + 1};
}

/* ------------------------------------------------------------------ order */

leaf_node *tr_keytree_first(const tr_keytree *tree) {
    return tree->root == NULL ? NULL : outermost(tree->root, 0);
}

leaf_node *tr_keytree_last(const tr_keytree *tree) {
    return tree->root == NULL ? NULL : outermost(tree->root, 1);
}

/* Up until there is something on that side, then down along its near edge. */
static leaf_node *neighbour(const tr_keytree_node *node, int side) {
    fork_node *above = node->above;
    while (above != NULL && above->side[side] == node) {
        node = &above->node;
        above = node->above;
    }
    return above == NULL ? NULL : outermost(above->side[side], !side);
}

leaf_node *tr_keytree_next(const leaf_node *leaf) {
    return neighbour(&leaf->node, 1);
}

leaf_node *tr_keytree_prev(const leaf_node *leaf) {
    return neighbour(&leaf->node, 0);
}

/* All leaves below the place where the key parts from its nearest leaf are on one side of the key. */
static leaf_node *beside(const tr_keytree *tree, const unsigned char *key, size_t len, int side, bool or_equal) {
    if (tree->root == NULL) return NULL;
    leaf_node *near = nearest(tree, key, len);
    place where = parting(key, len, near->key, near->len);
    if (where.bit == 0) return or_equal ? near : neighbour(&near->node, side);
    const tr_keytree_node *group = below(tree, where, key, len);
    int key_side = (nine_bits(key, len, where.byte) & where.bit) != 0;
    leaf_node *edge = outermost(group, key_side);
    return key_side == side ? neighbour(&edge->node, side) : edge;
}

leaf_node *tr_keytree_after(const tr_keytree *tree, const void *key, size_t len, bool or_equal) {
    return beside(tree, key, len, 1, or_equal);
}

leaf_node *tr_keytree_before(const tr_keytree *tree, const void *key, size_t len, bool or_equal) {
    return beside(tree, key, len, 0, or_equal);
}

/* ------------------------------------------------------------------ check */

/* A leaf's key must go the way that leads to it, along places that come one after the other. */
static void check_way(const tr_keytree *tree, const leaf_node *leaf) {
    const tr_keytree_node *node = &leaf->node;
    while (node->above != NULL) {
        const fork_node *fork = node->above;
        int side = side_of(&fork->node, leaf->key, leaf->len);
        tr_assert(fork->side[side] == node && fork->side[!side] != node);
        tr_assert(fork->side[!side]->above == fork);
        if (node->bit != 0) tr_assert(leads_to(&fork->node, (place){node->byte, node->bit}));
        node = &fork->node;
    }
    tr_assert(node == tree->root);
}

void tr_keytree_check(const tr_keytree *tree) {
    uint64_t count = 0;
    size_t bytes = 0;
    const leaf_node *last = NULL;
    for (const leaf_node *leaf = tr_keytree_first(tree); leaf != NULL; leaf = tr_keytree_next(leaf)) {
        check_way(tree, leaf);
        if (last != NULL) {
            place where = parting(last->key, last->len, leaf->key, leaf->len);
            tr_assert(where.bit != 0 && (nine_bits(leaf->key, leaf->len, where.byte) & where.bit) != 0);
            /* Of two neighbours, exactly one fork is the place where they part. */
            const tr_keytree_node *under = below(tree, (place){where.byte, where.bit - 1}, leaf->key, leaf->len);
            tr_assert(under->above->node.byte == where.byte && under->above->node.bit == where.bit);
            bytes += tr_mem_usable(under->above);
        }
        bytes += tr_mem_usable(leaf);
        count++;
        last = leaf;
    }
    tr_assert(count == tree->count);
    tr_assert(bytes == tree->bytes);
    tr_assert(tr_keytree_last(tree) == last);
}
