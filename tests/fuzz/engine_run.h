/* engine_run.h - one input's way through an engine of its own.
 *
 * An input is bytes for connections, with things that happen in between: the byte 0xfe begins one,
 * the byte after it says which (its upper half) and how (its lower half); see engine_run.c. Two of
 * them are one byte 0xfe for the connection. Every RESP file is an input as it is. What happens in
 * between is so at the same place of the stream however the bytes are cut. The clock stands still
 * unless an input moves it, and every engine begins with the same seed, so that a run is a
 * function of input and way.
 *
 * Asserted in each run: replies are well-formed (with bytes one by one: and in the protocol that
 * the client asked for, one for each command), the keyspace is sound whenever all is quiet, in the
 * end all clients are gone, a new one gets its PONG, and all memory is back. */
#ifndef TR_FUZZ_ENGINE_RUN_H
#define TR_FUZZ_ENGINE_RUN_H

#include <stddef.h>
#include <stdint.h>

#define ER_CONNS 4
#define ER_BYTEWISE 1

/* How the input is cut. */
typedef struct er_way {
    int sockets;       /* 1: the bytes go through real sockets; 0: they are fed */
    size_t chunk_max;  /* bytes; 0: whole stretches; ER_BYTEWISE: one by one */
    uint64_t seed;     /* of the sizes between 1 and chunk_max */
    uint64_t fail_at;  /* this allocation after the first connection is there fails; 0: none */
} er_way;

typedef struct er_outcome {
    char *text;        /* what each connection got, in order; owned by the caller */
    size_t len;
    unsigned char digest[20]; /* of the keyspace, in the end */
    uint64_t allocations;
    int comparable;    /* 0: replies depend on addresses, memory or the size of buffers */
} er_outcome;

/* Aborts where something is wrong. */
void er_run(const uint8_t *data, size_t size, const er_way *way, er_outcome *out);
/* For sizes and places, from the bytes alone, so that a file replays. */
uint64_t er_hash(const uint8_t *data, size_t size);

#endif
