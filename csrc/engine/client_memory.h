/* client_memory.h - the limit on what all clients together may hold (maxmemory-clients).
 *
 * While there is a limit, each connection knows how many bytes of it are in the engine's sum, and
 * brings that up to date whenever its buffers have changed. Past the limit the largest go: by
 * powers of two, the oldest first among equals. CLIENT NO-EVICT spares a client, but its bytes
 * count. Replicas and fed connections neither count nor go. Cost: O(1) for a change, O(connections)
 * for an eviction; without a limit nothing but a look at the setting.
 */
#ifndef TR_ENGINE_CLIENT_MEMORY_H
#define TR_ENGINE_CLIENT_MEMORY_H

struct tr_conn;
struct tr_engine;

/* The connection's buffers have changed, or it has just come. */
void tr__client_memory_note(struct tr_conn *conn);
/* It goes. */
void tr__client_memory_forget(struct tr_conn *conn);
/* The limit has changed: all of them are counted, or none. */
void tr__client_memory_apply(struct tr_engine *g);
/* Closes the largest until the sum is below the limit. */
void tr__client_memory_evict(struct tr_engine *g);

#endif
