/* conn.h - one connection: bytes in, commands run, bytes out. The transport is a socket, or the
 * owner who feeds.
 *
 *   readable --> read --> parser --> tr_execute --> client.out --> flush --> writable
 *
 * Input is read into the engine's shared buffer; only what is left over (a partial command) moves
 * to a buffer of the connection's own, so an idle connection holds neither input nor output memory.
 * While the client waits (client.wait), input is gathered but not parsed, up to TR_WAIT_INPUT_MAX
 * bytes.
 *
 * A connection lives in the engine's list from opening until Python has taken its CLOSED event;
 * between close and that it is a shell without socket and client.
 */
#ifndef TR_ENGINE_CONN_H
#define TR_ENGINE_CONN_H

#include <stdint.h>

#include "base/buf.h"
#include "exec/client.h"
#include "resp/parser.h"

#define TR_READ_BYTES 16384          /* one read of a socket; more of a big argument goes to its blob */
#define TR_BIG_READS 4               /* further reads of a big argument in one go */
#define TR_WAIT_INPUT_MAX (1 << 20)  /* input gathered for a client that waits */
#define TR_TURN_COMMANDS 1000        /* commands of one connection in one go */
#define TR_TURN_WRITE_BYTES (1 << 20) /* bytes written to one connection in one go */
#define TR_WRITE_IOV 64              /* pieces of one write */
#define TR_PUSH_HELD_US 1000         /* messages wait at most that long for more that leave with them, and only while
                                       * other clients are served */
#define TR_PUSH_WAIT_US 50            /* of silence, where holding messages back pays */
#define TR_PUSH_TURNS_MIN 8           /* with messages in a row, for that to be so */
#define TR_PUSH_HELD_BYTES 65536      /* of one client: then its messages leave at the end of the turn */

struct tr_engine;

typedef enum tr_close_reason {
    TR_CLOSE_NONE,
    TR_CLOSE_PEER,         /* the peer closed or reset */
    TR_CLOSE_QUIT,
    TR_CLOSE_KILLED,       /* CLIENT KILL or the owner */
    TR_CLOSE_PROTOCOL,     /* the reply told what was wrong */
    TR_CLOSE_CROSS_PROTOCOL, /* POST or Host: - somebody's browser */
    TR_CLOSE_OUTPUT_LIMIT,
    TR_CLOSE_QUERY_LIMIT,
    TR_CLOSE_IDLE,         /* timeout */
    TR_CLOSE_IO,           /* a system call failed */
    TR_CLOSE_NO_MEMORY,
    TR_CLOSE_SHUTDOWN,
    TR_CLOSE_EVICTED,      /* maxmemory-clients */
} tr_close_reason;

typedef struct tr_conn {
    tr_client client; /* first: a tr_client of this engine is its tr_conn */
    struct tr_engine *engine;
    struct tr_conn *prev, *next;  /* all connections, oldest first */
    struct tr_conn *next_pending; /* output to flush */
    struct tr_conn *next_pushed;  /* messages to flush, together with the next ones */
    struct tr_conn *next_more;    /* input left to parse */
    struct tr_conn *next_event;   /* events for Python */
    int fd;                       /* -1: fed, or closed */
    uint32_t interest;
    uint32_t events;              /* TR_EVENT_... bits not taken yet */
    uint8_t in_pending, in_pushed, in_more, in_events, closed;
    uint8_t half_closed;          /* the peer sends no more, but waits for replies of modules */
    uint8_t reap;                 /* CLOSED was taken; freed as soon as no list holds it */
    uint8_t close_reason;         /* tr_close_reason; set when the end is decided */
    size_t counted_bytes;         /* in tr_engine.client_bytes */
    int64_t soft_since_ms;        /* output has been over its soft limit since; 0: it is not */
    tr_buf in;
    char *held;                   /* copy of the arguments of a command that waits */
    tr_parser parser;
} tr_conn;

/* A connection with this socket (stolen, on failure too), or without (-1). NULL: no memory. */
tr_conn *tr_conn_open(struct tr_engine *g, int fd, uint32_t client_flags);
/* Ends it: socket, client, memory. The shell stays until the CLOSED event is taken. */
void tr_conn_close(tr_conn *conn, tr_close_reason reason);
/* Frees the shell of a closed connection, now or when the last list has let go of it. */
void tr_conn_reap(tr_conn *conn);
void tr_conn_readable(tr_conn *conn);
void tr_conn_writable(tr_conn *conn);
/* Feeds bytes; TR_ENOMEM, TR_ECLOSED or 0. */
int tr_conn_feed(tr_conn *conn, const char *p, size_t n);
/* The peer hung up on a connection that is not read from. */
void tr_conn_hung_up(tr_conn *conn);
/* Parses on: after a wait, or when the last go ran out of its budget. */
void tr_conn_resume(tr_conn *conn);
/* It has something to do that needs no readiness: the next turn resumes it. */
void tr_conn_ask_more(tr_conn *conn);
/* Sends what waits. */
void tr_conn_flush(tr_conn *conn);
/* The client has new output or was marked to be closed by somebody else. */
void tr_conn_note_output(tr_conn *conn);
/* A message was put into its output, maybe in the middle of some command: over its limits, and not able to send, it is
 * marked to be closed. */
void tr_conn_pushed(tr_conn *conn);
/* Bytes of input that wait: commands not parsed yet, and the part that is there of a large argument. */
size_t tr_conn_input_bytes(const tr_conn *conn);
/* Bytes that the connection holds in all. */
size_t tr_conn_memory(const tr_conn *conn);

#endif
