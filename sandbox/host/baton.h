/* baton.h - who may use the data channel, and how the main thread waits.
 *
 *   a thread: tr_baton_take() --> list of wants --nudge--> main thread: ask_floor
 *             runs with the baton <---- tr_baton_lend() <---- grant_floor
 *             tr_baton_give() ----------------------> main thread answers the grant
 *
 * The main thread has the baton, and lends it to one thread at a time, while it waits. Whoever has
 * it uses ring, session and all of tr_host_here that says nothing else; the lock here orders that.
 *
 * A nudge makes the main thread look around: it ends a sleep on the doorbell as well as one in
 * poll(). It is made by any thread, however that was created, and none gets lost.
 */
#ifndef TR_HOST_BATON_H
#define TR_HOST_BATON_H

#include "sandbox/host/host.h"

#define TR_BATON_ASKS_MAX 64 /* asked of the engine at once; further threads wait here */

/* By the main thread, once, when the ring is there. wake_fd: the eventfd that the engine writes to while the
 * ring is parked; borrowed. */
void tr_baton_init(int wake_fd);
/* 1: the calling thread may use the channel. */
int tr_baton_mine(void);

/* ------------------------------------------------------------------ any thread */

/* Waits for the floor. function: who wants it, for the report when it can't be: this thread has it
 * already. */
void tr_baton_take(const char *function);
/* 1: it has it; 0: somebody else does, or the server is busy. */
int tr_baton_try(void);
/* Gives back what take or try gave. */
void tr_baton_give(const char *function);
void tr_baton_nudge(void);

/* ------------------------------------------------------------------ the main thread */

/* The floor has been granted for this ask: the thread runs until it gives it back. 0: nobody wants it any
 * more. */
int tr_baton_lend(uint64_t ask);
/* The same for the ask of a timer, descriptor or one-shot: runs its callback. 0: nothing is due any more. */
int tr_baton_run_event(uint64_t ask);
/* Sends what other threads have posted (tr_link_post). With the baton. */
void tr_baton_send_posts(void);
/* Returns when a message of the engine may have come, or the ring has failed. Meanwhile asks for the
 * floor: for threads, timers and descriptors. */
void tr_wait_for_work(void);
/* A number for an ask. With the baton. */
uint64_t tr_baton_next_ask(void);
/* The answer to try_floor. */
void tr_serve_try_floor_answer(const tr_wire_header *header, const void *body);

#endif
