/* keytree.h - an ordered map from byte strings to pointers: a binary radix tree.
 *
 * A leaf is a key with its value; a fork is the first place where the keys below it differ. A place
 * is a byte of the key and one of nine bits in it: the highest says that the key has this byte at
 * all, so a key comes right before those that begin with it, and the order is that of memcmp() and
 * then of length. Keys a, ab, b:
 *
 *             fork (byte 0, bit 0x02)
 *             /                     \
 *   fork (byte 1, bit 0x100)       leaf b
 *      /           \
 *   leaf a       leaf ab
 *
 * Every fork has two sides, so there is one fork less than leaves, and no key makes a mess of it: a
 * path is never longer than nine times the longest key. Nodes know what is above them: steps to a
 * neighbour need no search.
 *
 * Keys are copied in. Values are the caller's. Memory is the module's (memory.h), hence never short.
 * Cost: find, add, remove and seek go down one path and read one key; next and prev are O(1) over
 * a whole walk. One thread at a time.
 */
#ifndef TR_HOST_KEYTREE_H
#define TR_HOST_KEYTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tr_keytree_node {
    struct tr_keytree_fork *above; /* NULL: the root */
    size_t byte;
    uint16_t bit; /* of the nine; 0: a leaf */
} tr_keytree_node;

/* Borrowed until it is removed; value may be written. */
typedef struct tr_keytree_leaf {
    tr_keytree_node node;
    void *value;
    size_t len;
    unsigned char key[];
} tr_keytree_leaf;

/* {0} is empty. */
typedef struct tr_keytree {
    tr_keytree_node *root;
    uint64_t count;   /* keys */
    uint64_t changes; /* keys added and removed so far: leaves that were found before may be gone */
    size_t bytes;     /* of all nodes, as malloc handed them out */
} tr_keytree;

void tr_keytree_drop(tr_keytree *tree);

/* NULL: there is none. */
tr_keytree_leaf *tr_keytree_find(const tr_keytree *tree, const void *key, size_t len);
/* The leaf of the key; *is_new says whether it came now, with value NULL. */
tr_keytree_leaf *tr_keytree_add(tr_keytree *tree, const void *key, size_t len, bool *is_new);
/* Steals the leaf of this tree. */
void tr_keytree_remove(tr_keytree *tree, tr_keytree_leaf *leaf);

/* In order; NULL: there is none. */
tr_keytree_leaf *tr_keytree_first(const tr_keytree *tree);
tr_keytree_leaf *tr_keytree_last(const tr_keytree *tree);
tr_keytree_leaf *tr_keytree_next(const tr_keytree_leaf *leaf);
tr_keytree_leaf *tr_keytree_prev(const tr_keytree_leaf *leaf);
/* The neighbours that the key has or would have; it itself where or_equal. */
tr_keytree_leaf *tr_keytree_after(const tr_keytree *tree, const void *key, size_t len, bool or_equal);
tr_keytree_leaf *tr_keytree_before(const tr_keytree *tree, const void *key, size_t len, bool or_equal);

/* Asserts that forks and links, order, count and bytes agree. For tests: O(keys). */
void tr_keytree_check(const tr_keytree *tree);

#endif
