/* keytree.h - an ordered map from byte strings to pointers: a radix tree of half bytes.
 *
 * A leaf is a key with its value. A fork is the first place where the keys below it differ: the
 * number of a half byte, with one child for each of the symbols that they have there. There are
 * seventeen symbols: the lowest says that the key has ended, the others are the values of a half
 * byte. So a key comes right before those that begin with it, and the order is that of memcmp() and
 * then of length. Keys a, ab, b (0x61, 0x61 0x62, 0x62):
 *
 *          fork (place 1)
 *          1 /        \ 2
 *     fork (place 2)   leaf b
 *    end /     \ 6
 *   leaf a    leaf ab
 *
 * A fork has two children at least: places where all agree are skipped, and a path has no more forks
 * than its key has half bytes. Nodes know what is above them: a step to a neighbour needs no search.
 *
 * Keys are copied in. Values are the caller's. Memory is the module's (memory.h), hence never short;
 * a fork that grew stays large until it goes. Cost: find, add, remove and seek go down one path and
 * read one key; next and prev are O(1) over a whole walk. One thread at a time.
 */
#ifndef TR_HOST_KEYTREE_H
#define TR_HOST_KEYTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tr_keytree_node {
    struct tr_keytree_fork *above; /* NULL: the root */
    uint32_t symbols;              /* of a fork's children, as bits; 0: a leaf */
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
tr_keytree_leaf *tr_keytree_after(const tr_keytree *tree, const void *key, size_t len,
                                  bool or_equal);
tr_keytree_leaf *tr_keytree_before(const tr_keytree *tree, const void *key, size_t len,
                                   bool or_equal);

/* Asserts that forks and links, order, count and bytes agree. For tests: O(keys). */
void tr_keytree_check(const tr_keytree *tree);

#endif
