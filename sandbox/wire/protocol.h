/* protocol.h - all messages between engine and host. Generated from sandbox/protocol.toml by
 * tools/gen_protocol.py; change those. */
#ifndef TR_WIRE_PROTOCOL_H
#define TR_WIRE_PROTOCOL_H

#include "sandbox/wire/codec.h"

#define TR_WIRE_MAGIC 0x57525254u
#define TR_WIRE_VERSION_MIN 1
#define TR_WIRE_VERSION_MAX 1
#define TR_WIRE_BODY_MAX 537919488u
#define TR_WIRE_MESSAGES 218
#define TR_WIRE_TYPE_MAX 467

/* requests that wait for each other on one channel; Redis stops nested calls far earlier */
#define TR_WIRE_NEST_MAX 64
/* commands handed over that are not yet answered */
#define TR_WIRE_QUEUE_MAX 256

/* Bits: in which state a message may be sent. */
typedef enum tr_state {
    TR_STATE_GREETING = 1, /* connected, the greeting is under way */
    TR_STATE_READY = 2, /* greeted, no module is loaded */
    TR_STATE_LOADING = 4, /* the module's load function runs, with the floor */
    TR_STATE_IDLE = 8, /* the module serves, the floor is with the engine */
    TR_STATE_FLOOR = 16, /* the module serves and has the floor */
    TR_STATE_UNLOADING = 32 /* the module's unload function runs, with the floor */
} tr_state;

typedef enum tr_msg_type {
    TR_MSG_HELLO = 2,
    TR_MSG_HELLO_ANSWER = 3,
    TR_MSG_WALLS = 4,
    TR_MSG_LOAD_MODULE = 6,
    TR_MSG_LOAD_MODULE_ANSWER = 7,
    TR_MSG_UNLOAD_MODULE = 8,
    TR_MSG_UNLOAD_MODULE_ANSWER = 9,
    TR_MSG_LOG = 10,
    TR_MSG_CRASH = 12,
    TR_MSG_PING = 14,
    TR_MSG_PING_ANSWER = 15,
    TR_MSG_SET_LIMITS = 16,
    TR_MSG_SET_LIMITS_ANSWER = 17,
    TR_MSG_STOP = 18,
    TR_MSG_RUN_COMMAND = 64,
    TR_MSG_RUN_COMMAND_ANSWER = 65,
    TR_MSG_GRANT_FLOOR = 66,
    TR_MSG_GRANT_FLOOR_ANSWER = 67,
    TR_MSG_ASK_FLOOR = 68,
    TR_MSG_DROP_ASK = 70,
    TR_MSG_TRY_FLOOR = 72,
    TR_MSG_TRY_FLOOR_ANSWER = 73,
    TR_MSG_YIELD = 74,
    TR_MSG_YIELD_ANSWER = 75,
    TR_MSG_HEARTBEAT = 76,
    TR_MSG_REGISTER_COMMAND = 80,
    TR_MSG_REGISTER_COMMAND_ANSWER = 81,
    TR_MSG_COMMAND_INFO = 82,
    TR_MSG_COMMAND_INFO_ANSWER = 83,
    TR_MSG_COMMAND_CATEGORIES = 84,
    TR_MSG_COMMAND_CATEGORIES_ANSWER = 85,
    TR_MSG_ADD_CATEGORY = 86,
    TR_MSG_ADD_CATEGORY_ANSWER = 87,
    TR_MSG_COMMAND_KEYS = 88,
    TR_MSG_COMMAND_KEYS_ANSWER = 89,
    TR_MSG_REGISTER_FILTER = 90,
    TR_MSG_REGISTER_FILTER_ANSWER = 91,
    TR_MSG_UNREGISTER_FILTER = 92,
    TR_MSG_RUN_FILTER = 94,
    TR_MSG_RUN_FILTER_ANSWER = 95,
    TR_MSG_OPEN_KEY = 128,
    TR_MSG_OPEN_KEY_ANSWER = 129,
    TR_MSG_CLOSE_KEY = 130,
    TR_MSG_DELETE_KEY = 132,
    TR_MSG_SET_EXPIRE = 134,
    TR_MSG_KEY_EXISTS = 136,
    TR_MSG_KEY_EXISTS_ANSWER = 137,
    TR_MSG_DB_SIZE = 138,
    TR_MSG_DB_SIZE_ANSWER = 139,
    TR_MSG_RANDOM_KEY = 140,
    TR_MSG_RANDOM_KEY_ANSWER = 141,
    TR_MSG_GET_AGE = 142,
    TR_MSG_GET_AGE_ANSWER = 143,
    TR_MSG_SET_AGE = 144,
    TR_MSG_SET_AGE_ANSWER = 145,
    TR_MSG_SELECT_DB = 146,
    TR_MSG_SELECT_DB_ANSWER = 147,
    TR_MSG_SIGNAL_MODIFIED = 148,
    TR_MSG_KNOWN_KEYS = 150,
    TR_MSG_OPEN_KNOWN = 152,
    TR_MSG_STRING_SET = 160,
    TR_MSG_STRING_GET = 162,
    TR_MSG_STRING_GET_ANSWER = 163,
    TR_MSG_STRING_WRITE = 164,
    TR_MSG_STRING_TRUNCATE = 166,
    TR_MSG_CALL = 176,
    TR_MSG_CALL_ANSWER = 177,
    TR_MSG_CALL_DONE = 178,
    TR_MSG_CALL_DONE_ANSWER = 179,
    TR_MSG_ABORT_PROMISE = 180,
    TR_MSG_ABORT_PROMISE_ANSWER = 181,
    TR_MSG_REPLICATE = 182,
    TR_MSG_REPLICATE_VERBATIM = 184,
    TR_MSG_AVOID_REPLICA_TRAFFIC = 186,
    TR_MSG_AVOID_REPLICA_TRAFFIC_ANSWER = 187,
    TR_MSG_REGISTER_TYPE = 192,
    TR_MSG_REGISTER_TYPE_ANSWER = 193,
    TR_MSG_SET_VALUE = 194,
    TR_MSG_TYPE_LOAD = 196,
    TR_MSG_TYPE_LOAD_ANSWER = 197,
    TR_MSG_TYPE_SAVE = 198,
    TR_MSG_TYPE_SAVE_ANSWER = 199,
    TR_MSG_TYPE_REWRITE = 200,
    TR_MSG_TYPE_REWRITE_ANSWER = 201,
    TR_MSG_TYPE_FREE = 202,
    TR_MSG_TYPE_UNLINK = 204,
    TR_MSG_TYPE_COPY = 206,
    TR_MSG_TYPE_COPY_ANSWER = 207,
    TR_MSG_TYPE_MEM_USAGE = 208,
    TR_MSG_TYPE_MEM_USAGE_ANSWER = 209,
    TR_MSG_TYPE_FREE_EFFORT = 210,
    TR_MSG_TYPE_FREE_EFFORT_ANSWER = 211,
    TR_MSG_TYPE_DIGEST = 212,
    TR_MSG_TYPE_DIGEST_ANSWER = 213,
    TR_MSG_TYPE_AUX_SAVE = 214,
    TR_MSG_TYPE_AUX_SAVE_ANSWER = 215,
    TR_MSG_TYPE_AUX_LOAD = 216,
    TR_MSG_TYPE_AUX_LOAD_ANSWER = 217,
    TR_MSG_KEEP_VALUES = 218,
    TR_MSG_VALUES_NOW = 220,
    TR_MSG_SNAPSHOT = 222,
    TR_MSG_SNAPSHOT_ANSWER = 223,
    TR_MSG_SNAPSHOT_PART = 224,
    TR_MSG_SNAPSHOT_END = 226,
    TR_MSG_BLOCK_CLIENT = 240,
    TR_MSG_UNBLOCK_CLIENT = 242,
    TR_MSG_RUN_BLOCKED = 244,
    TR_MSG_RUN_BLOCKED_ANSWER = 245,
    TR_MSG_SIGNAL_READY = 246,
    TR_MSG_SUBSCRIBE_EVENT = 256,
    TR_MSG_SUBSCRIBE_EVENT_ANSWER = 257,
    TR_MSG_SERVER_EVENT = 258,
    TR_MSG_SERVER_EVENT_ANSWER = 259,
    TR_MSG_SUBSCRIBE_KEYSPACE = 260,
    TR_MSG_SUBSCRIBE_KEYSPACE_ANSWER = 261,
    TR_MSG_KEYSPACE_EVENT = 262,
    TR_MSG_KEYSPACE_EVENT_ANSWER = 263,
    TR_MSG_NOTIFY_KEYSPACE = 264,
    TR_MSG_NOTIFY_CLASSES = 266,
    TR_MSG_NOTIFY_CLASSES_ANSWER = 267,
    TR_MSG_ADD_JOB = 268,
    TR_MSG_RUN_JOB = 270,
    TR_MSG_RUN_JOB_ANSWER = 271,
    TR_MSG_REGISTER_INFO = 272,
    TR_MSG_REGISTER_INFO_ANSWER = 273,
    TR_MSG_RUN_INFO = 274,
    TR_MSG_RUN_INFO_ANSWER = 275,
    TR_MSG_SERVER_INFO = 276,
    TR_MSG_SERVER_INFO_ANSWER = 277,
    TR_MSG_PUBLISH = 288,
    TR_MSG_PUBLISH_ANSWER = 289,
    TR_MSG_CLIENT_INFO = 290,
    TR_MSG_CLIENT_INFO_ANSWER = 291,
    TR_MSG_SET_CLIENT_NAME = 292,
    TR_MSG_SET_CLIENT_NAME_ANSWER = 293,
    TR_MSG_CLIENT_CERTIFICATE = 294,
    TR_MSG_CLIENT_CERTIFICATE_ANSWER = 295,
    TR_MSG_REDACT = 296,
    TR_MSG_MEMORY_RATIO = 298,
    TR_MSG_MEMORY_RATIO_ANSWER = 299,
    TR_MSG_LATENCY_SAMPLE = 300,
    TR_MSG_MODULE_OPTIONS = 302,
    TR_MSG_NAME_BUSY = 304,
    TR_MSG_NAME_BUSY_ANSWER = 305,
    TR_MSG_MEMORY_USED = 306,
    TR_MSG_SHARED_API = 308,
    TR_MSG_CREATE_USER = 320,
    TR_MSG_FREE_USER = 322,
    TR_MSG_SET_USER_RULES = 324,
    TR_MSG_SET_USER_RULES_ANSWER = 325,
    TR_MSG_USER_RULES = 326,
    TR_MSG_USER_RULES_ANSWER = 327,
    TR_MSG_FIND_USER = 328,
    TR_MSG_FIND_USER_ANSWER = 329,
    TR_MSG_CHECK_USER = 330,
    TR_MSG_CHECK_USER_ANSWER = 331,
    TR_MSG_ACL_LOG = 332,
    TR_MSG_REGISTER_AUTH = 334,
    TR_MSG_RUN_AUTH = 336,
    TR_MSG_RUN_AUTH_ANSWER = 337,
    TR_MSG_AUTHENTICATE = 338,
    TR_MSG_AUTHENTICATE_ANSWER = 339,
    TR_MSG_USER_CHANGED = 340,
    TR_MSG_USER_CHANGED_ANSWER = 341,
    TR_MSG_DEAUTHENTICATE = 342,
    TR_MSG_DEAUTHENTICATE_ANSWER = 343,
    TR_MSG_REGISTER_CONFIG = 352,
    TR_MSG_REGISTER_CONFIG_ANSWER = 353,
    TR_MSG_CONFIG_GET = 354,
    TR_MSG_CONFIG_GET_ANSWER = 355,
    TR_MSG_CONFIG_SET = 356,
    TR_MSG_CONFIG_SET_ANSWER = 357,
    TR_MSG_CONFIG_APPLY = 358,
    TR_MSG_CONFIG_APPLY_ANSWER = 359,
    TR_MSG_LOAD_CONFIGS = 360,
    TR_MSG_LOAD_CONFIGS_ANSWER = 361,
    TR_MSG_SCAN = 368,
    TR_MSG_SCAN_ANSWER = 369,
    TR_MSG_SCAN_KEY = 370,
    TR_MSG_SCAN_KEY_ANSWER = 371,
    TR_MSG_LIST_PUSH = 384,
    TR_MSG_LIST_POP = 386,
    TR_MSG_LIST_POP_ANSWER = 387,
    TR_MSG_LIST_GET = 388,
    TR_MSG_LIST_GET_ANSWER = 389,
    TR_MSG_LIST_CHANGE = 390,
    TR_MSG_LIST_CHANGE_ANSWER = 391,
    TR_MSG_HASH_SET = 400,
    TR_MSG_HASH_SET_ANSWER = 401,
    TR_MSG_HASH_GET = 402,
    TR_MSG_HASH_GET_ANSWER = 403,
    TR_MSG_ZSET_ADD = 416,
    TR_MSG_ZSET_ADD_ANSWER = 417,
    TR_MSG_ZSET_SCORE = 418,
    TR_MSG_ZSET_SCORE_ANSWER = 419,
    TR_MSG_ZSET_REMOVE = 420,
    TR_MSG_ZSET_REMOVE_ANSWER = 421,
    TR_MSG_ZSET_RANGE = 422,
    TR_MSG_ZSET_RANGE_ANSWER = 423,
    TR_MSG_STREAM_ADD = 432,
    TR_MSG_STREAM_ADD_ANSWER = 433,
    TR_MSG_STREAM_DELETE = 434,
    TR_MSG_STREAM_DELETE_ANSWER = 435,
    TR_MSG_STREAM_RANGE = 436,
    TR_MSG_STREAM_RANGE_ANSWER = 437,
    TR_MSG_STREAM_TRIM = 438,
    TR_MSG_STREAM_TRIM_ANSWER = 439,
    TR_MSG_CLUSTER_SEND = 448,
    TR_MSG_CLUSTER_SEND_ANSWER = 449,
    TR_MSG_CLUSTER_RECEIVE = 450,
    TR_MSG_CLUSTER_MESSAGE = 452,
    TR_MSG_CLUSTER_MESSAGE_ANSWER = 453,
    TR_MSG_CLUSTER_NODES = 454,
    TR_MSG_CLUSTER_NODES_ANSWER = 455,
    TR_MSG_RDB = 464,
    TR_MSG_RDB_ANSWER = 465,
    TR_MSG_RESET_DATASET = 466,
    TR_MSG_RESET_DATASET_ANSWER = 467
} tr_msg_type;

/* The first message. The engine picks a version that both speak, or hangs up. Host, control
 * channel. */
typedef struct tr_msg_hello {
    uint16_t version_min; /* lowest version of the protocol that the host speaks */
    uint16_t version_max; /* highest one */
    tr_wire_bytes build_id; /* which build of the host this is */
    uint32_t pid; /* process id as the host sees it */
    uint32_t abi; /* sizeof(void *) times 8 */
} tr_msg_hello;

/* Answer to hello. Engine, control channel. */
typedef struct tr_msg_hello_answer {
    uint16_t version; /* what is spoken from here on */
    uint32_t server_version; /* major << 16 | minor << 8 | patch */
    tr_wire_bytes build_id; /* which build of the engine this is */
    uint16_t nest_max; /* requests that may wait for each other */
    uint16_t queue_max; /* commands that may be handed over at once */
    uint32_t command_ms_max; /* how long a command may run; 0: no bound */
    uint32_t message_bytes_max; /* longest body that is taken */
} tr_msg_hello_answer;

/* Which walls stand around the helper, told after each of the two jails. Host, control channel. */
typedef struct tr_msg_walls {
    uint8_t step; /* 1: before the module is opened, 2: after */
    tr_wire_list names; /* the walls */
    tr_wire_list standing; /* 1: it stands, 0: not permitted here, 2: not wanted */
    tr_wire_list details; /* level, bound or errno in words */
} tr_msg_walls;

/* Opens the library and runs its load function, on a grant of the floor on the data channel.
 * Engine, control channel. */
typedef struct tr_msg_load_module {
    tr_wire_bytes path; /* the library, already absolute */
    tr_wire_list args; /* arguments of the module */
    tr_wire_list commands; /* names of all commands, for checks that need no round trip */
} tr_msg_load_module;

/* Answer to load_module. Host, control channel. */
typedef struct tr_msg_load_module_answer {
    uint8_t outcome; /* 0 loaded, 1 no such file, 2 not a library, 3 no load function, 4 it
                      * refused, 5 not permitted, 6 no memory */
    tr_wire_bytes reason; /* what the dynamic linker or the walls said */
    tr_wire_bytes name; /* as the module calls itself */
    int64_t version; /* of the module */
    int64_t api_version; /* that the module asks for */
    uint64_t options; /* module options set so far */
    tr_wire_list commands; /* full names of what it registered */
    tr_wire_list types; /* names of its data types */
    tr_wire_list configs; /* names of its configuration entries */
    uint32_t filters; /* command filters registered */
    tr_wire_list missing; /* functions that the library looked up and that nobody has */
    uint64_t base; /* address that the library was loaded at */
    uint64_t load_us; /* time that opening and the load function took */
} tr_msg_load_module_answer;

/* Runs the unload function, on a grant of the floor, and closes the library. Engine, control
 * channel. */
typedef struct tr_msg_unload_module {
    uint8_t nothing; /* not on the wire */
} tr_msg_unload_module;

/* Answer to unload_module. Host, control channel. */
typedef struct tr_msg_unload_module_answer {
    uint8_t outcome; /* 0 unloaded, 1 the module refused, 2 timers are pending, 3 clients are
                      * blocked */
    tr_wire_bytes reason; /* in words */
} tr_msg_unload_module_answer;

/* One line for the log. Lines beyond the module's allowance are counted in dropped of the next.
 * Host, control channel. */
typedef struct tr_msg_log {
    uint8_t level; /* 0 debug, 1 verbose, 2 notice, 3 warning */
    uint8_t source; /* 0 the module, 1 the host, 2 reading or writing a value */
    uint32_t thread; /* thread id */
    int64_t time_us; /* microseconds since 1970 */
    uint32_t dropped; /* lines left out before this one */
    tr_wire_bytes text; /* the line */
} tr_msg_log;

/* The helper is about to die. The report itself is in the shared memory. Host, control channel. */
typedef struct tr_msg_crash {
    uint8_t kind; /* 0 signal, 1 assertion of the module, 2 exit called, 3 no memory, 4 the host
                   * gives up */
    uint32_t signal; /* number of the signal, 0: none */
    int64_t code; /* si_code, exit status or errno */
    uint64_t address; /* that faulted */
    uint32_t thread; /* thread id */
    tr_wire_bytes text; /* assertion or reason */
} tr_msg_crash;

/* Is anybody there? Answered by a thread of the host, also while the module runs. Engine, control
 * channel. */
typedef struct tr_msg_ping {
    uint64_t token; /* comes back */
} tr_msg_ping;

/* Answer to ping. Host, control channel. */
typedef struct tr_msg_ping_answer {
    uint64_t token; /* of the question */
    uint32_t function; /* id of the API function last entered */
    uint16_t depth; /* nested callbacks */
    uint64_t running_us; /* how long the outermost callback has been running; 0: none is */
    uint64_t used_bytes; /* memory that the module holds */
    uint32_t timers; /* pending timers */
    uint32_t blocked; /* blocked clients */
} tr_msg_ping_answer;

/* Bounds that may change while the module serves. Engine, control channel. */
typedef struct tr_msg_set_limits {
    uint64_t memory_bytes; /* address space; 0: no bound */
    uint32_t files; /* open files */
    uint32_t threads; /* threads and processes */
    uint32_t cpu_s; /* seconds of CPU; 0: no bound */
    uint32_t command_ms; /* one command; 0: no bound */
    uint32_t log_lines_s; /* lines a second */
} tr_msg_set_limits;

/* Answer to set_limits. Host, control channel. */
typedef struct tr_msg_set_limits_answer {
    uint32_t refused; /* bit n: the n-th bound could not be set */
    uint32_t errno_last; /* why */
} tr_msg_set_limits_answer;

/* The helper is to leave by itself within the time, without the unload function. Engine, control
 * channel. */
typedef struct tr_msg_stop {
    uint32_t grace_ms; /* after that it is killed */
} tr_msg_stop;

/* Gives the floor for one command; the answer carries the whole reply and gives it back. Several
 * may be handed over at once; they are answered in this order. Engine, data channel. */
typedef struct tr_msg_run_command {
    uint32_t command; /* handle that registering gave */
    uint8_t purpose; /* 0 run it, 1 report positions of keys, 2 report positions of channels */
    uint64_t client_id; /* 0: no client */
    uint64_t client_flags; /* bits as of the module API's client information */
    uint64_t context_flags; /* bits as of the module API's context flags */
    uint32_t db; /* selected */
    uint8_t resp; /* version of the protocol that the reply is for */
    int64_t now_us; /* the cached clock, microseconds since 1970 */
    tr_wire_bytes user; /* name of the user; empty: none */
    tr_wire_list argv; /* the command and its arguments */
} tr_msg_run_command;

/* Answer to run_command. Host, data channel. */
typedef struct tr_msg_run_command_answer {
    tr_wire_bytes reply; /* raw RESP, whole; empty: no reply was made */
    uint64_t effects; /* 1 blocked the client, 2 replicated verbatim, 4 reply holds an error, 8
                       * arity error, 16 asks to be closed */
    tr_wire_list error_codes; /* first words of the errors replied with, for the statistics */
    tr_wire_list positions; /* of keys or channels in argv */
    tr_wire_list position_flags; /* flags of each */
    tr_wire_list redacted; /* positions to hide from logs */
} tr_msg_run_command_answer;

/* Gives the floor: for an ask, or to load or unload. The answer gives it back; all that was
 * written in between goes out as one transaction. Engine, data channel. */
typedef struct tr_msg_grant_floor {
    uint64_t ask; /* which; 0: none was made */
    uint8_t purpose; /* 0 thread, 1 timer, 2 file descriptor, 3 one-shot, 4 work after a callback,
                      * 5 load, 6 unload */
    int64_t now_us; /* the cached clock */
    uint64_t context_flags; /* as of run_command */
} tr_msg_grant_floor;

/* Answer to grant_floor. Host, data channel. */
typedef struct tr_msg_grant_floor_answer {
    uint64_t ask; /* which */
    uint8_t outcome; /* 1: not wanted any more */
} tr_msg_grant_floor_answer;

/* Somebody in the helper wants the floor: a thread, a timer that is due, a ready file descriptor.
 * Host, data channel. */
typedef struct tr_msg_ask_floor {
    uint64_t ask; /* chosen by the host, never used twice */
    uint8_t purpose; /* as in grant_floor */
    int64_t due_us; /* when it became due, microseconds since 1970 */
} tr_msg_ask_floor;

/* Takes an ask back. A grant that is on its way is returned unused. Host, data channel. */
typedef struct tr_msg_drop_ask {
    uint64_t ask; /* which */
} tr_msg_drop_ask;

/* Wants the floor now or not at all. The answer may come amid other messages; yes is followed by a
 * grant. Host, data channel. */
typedef struct tr_msg_try_floor {
    uint64_t ask; /* chosen by the host, never used twice */
} tr_msg_try_floor;

/* Answer to try_floor. Engine, data channel. */
typedef struct tr_msg_try_floor_answer {
    uint8_t granted; /* 1: a grant follows */
} tr_msg_try_floor_answer;

/* Lets the server serve what may be served meanwhile. Host, data channel. */
typedef struct tr_msg_yield {
    uint64_t flags; /* 1: clients too, not only busy ones */
    tr_wire_bytes text; /* for the busy error */
} tr_msg_yield;

/* Answer to yield. Engine, data channel. */
typedef struct tr_msg_yield_answer {
    int64_t now_us; /* the cached clock */
} tr_msg_yield_answer;

/* How a fork of the helper is getting on. Host, data channel. */
typedef struct tr_msg_heartbeat {
    uint8_t what; /* 0 started, 1 progress, 2 ended, 3 killed */
    uint32_t child; /* its process id as the host sees it */
    double progress; /* 0 to 1 */
    int64_t status; /* exit status */
} tr_msg_heartbeat;

/* Adds a command, or a subcommand of one. Host, data channel. */
typedef struct tr_msg_register_command {
    uint32_t parent; /* handle of the container; 0: none */
    tr_wire_bytes name; /* in the case that it was written in */
    tr_wire_bytes flags; /* words separated by one space */
    int64_t first_key; /* position */
    int64_t last_key; /* position, negative: from the end */
    int64_t key_step; /* distance */
    uint8_t container; /* 1: has no function of its own */
} tr_msg_register_command;

/* Answer to register_command. Engine, data channel. */
typedef struct tr_msg_register_command_answer {
    uint8_t outcome; /* 0 done, 1 the name is taken, 2 flags not understood, 3 not now */
    uint32_t command; /* handle, never 0 */
} tr_msg_register_command_answer;

/* What COMMAND INFO and COMMAND DOCS show. Arguments are a tree, written parents first. Host, data
 * channel. */
typedef struct tr_msg_command_info {
    uint32_t command; /* handle */
    tr_wire_bytes summary; /* what it does */
    tr_wire_bytes complexity; /* in O notation */
    tr_wire_bytes since; /* version */
    tr_wire_bytes tips; /* words separated by one space */
    int64_t arity; /* negative: at least; 0: keep */
    tr_wire_list history_since; /* versions */
    tr_wire_list history_changes; /* what changed */
    tr_wire_list spec_notes; /* one for each key spec */
    tr_wire_list spec_flags; /* bits */
    tr_wire_list spec_begin; /* 0 invalid, 1 unknown, 2 index, 3 keyword */
    tr_wire_list spec_keywords; /* searched for; empty: none */
    tr_wire_list spec_from; /* position, or where the search starts */
    tr_wire_list spec_find; /* 0 omitted, 1 unknown, 2 range, 3 key number */
    tr_wire_list spec_numbers; /* last key, step, limit; or index of the number, first key, step */
    tr_wire_list arg_names; /* all arguments of the tree */
    tr_wire_list arg_parents; /* index of the parent; -1: top */
    tr_wire_list arg_types; /* kind of the argument */
    tr_wire_list arg_specs; /* index of its key spec; -1: none */
    tr_wire_list arg_tokens; /* literal word */
    tr_wire_list arg_summaries; /* in words */
    tr_wire_list arg_since; /* version */
    tr_wire_list arg_deprecated; /* version */
    tr_wire_list arg_displays; /* text shown */
    tr_wire_list arg_flags; /* 1 optional, 2 multiple, 4 token repeats */
    uint64_t present; /* bit n: the n-th text field above was given, even if empty */
} tr_msg_command_info;

/* Answer to command_info. Engine, data channel. */
typedef struct tr_msg_command_info_answer {
    uint8_t outcome; /* 0 done, 1 invalid, 2 not now */
} tr_msg_command_info_answer;

/* Puts a command into categories of ACL. Host, data channel. */
typedef struct tr_msg_command_categories {
    uint32_t command; /* handle */
    tr_wire_bytes categories; /* words separated by one space */
} tr_msg_command_categories;

/* Answer to command_categories. Engine, data channel. */
typedef struct tr_msg_command_categories_answer {
    uint8_t outcome; /* 0 done, 1 unknown category, 2 not now */
} tr_msg_command_categories_answer;

/* Adds a category of ACL. Host, data channel. */
typedef struct tr_msg_add_category {
    tr_wire_bytes name; /* the category */
} tr_msg_add_category;

/* Answer to add_category. Engine, data channel. */
typedef struct tr_msg_add_category_answer {
    uint8_t outcome; /* 0 done, 1 the name is taken, 2 invalid name, 3 no room, 4 not now */
} tr_msg_add_category_answer;

/* Which arguments of a command are keys? Host, data channel. */
typedef struct tr_msg_command_keys {
    tr_wire_list argv; /* the command and its arguments */
} tr_msg_command_keys;

/* Answer to command_keys. Engine, data channel. */
typedef struct tr_msg_command_keys_answer {
    uint8_t outcome; /* 0 done, 1 no such command, 2 wrong number of arguments, 3 no keys */
    tr_wire_list positions; /* in argv */
    tr_wire_list flags; /* of each */
} tr_msg_command_keys_answer;

/* From now on every command is shown to the module first. Host, data channel. */
typedef struct tr_msg_register_filter {
    uint64_t flags; /* 1: not the module's own calls */
} tr_msg_register_filter;

/* Answer to register_filter. Engine, data channel. */
typedef struct tr_msg_register_filter_answer {
    uint8_t outcome; /* 1: refused */
    uint32_t filter; /* handle, never 0 */
} tr_msg_register_filter_answer;

/* Ends a filter. Host, data channel. */
typedef struct tr_msg_unregister_filter {
    uint32_t filter; /* handle */
} tr_msg_unregister_filter;

/* Shows a command to the filters, which may rewrite it. Engine, data channel. */
typedef struct tr_msg_run_filter {
    tr_wire_list filters; /* in this order */
    uint64_t client_id; /* whose */
    tr_wire_list argv; /* the command */
} tr_msg_run_filter;

/* Answer to run_filter. Host, data channel. */
typedef struct tr_msg_run_filter_answer {
    uint8_t changed; /* 0: argv is empty, the command stays */
    tr_wire_list argv; /* the command as it is now */
} tr_msg_run_filter_answer;

/* Opens a key. The answer carries what the next calls ask for. Host, data channel. */
typedef struct tr_msg_open_key {
    uint32_t db; /* which */
    uint32_t mode; /* bits as of the module API */
    uint32_t want_bytes; /* bytes of a string value to send along */
    tr_wire_bytes name; /* the key */
} tr_msg_open_key;

/* Answer to open_key. Engine, data channel. */
typedef struct tr_msg_open_key_answer {
    uint32_t key; /* handle; 0: no such key, and the mode doesn't make one */
    uint8_t kind; /* 0 empty, 1 string, 2 list, 3 hash, 4 set, 5 sorted set, 6 module, 7 stream */
    uint64_t length; /* bytes or elements */
    int64_t expire_ms; /* milliseconds since 1970; -1: never */
    uint32_t type; /* handle of the module type; 0: none, or of another helper */
    uint64_t token; /* value of the module type */
    tr_wire_bytes value; /* beginning of a string value */
} tr_msg_open_key_answer;

/* Gives the handle back. Host, data channel. */
typedef struct tr_msg_close_key {
    uint32_t key; /* handle */
} tr_msg_close_key;

/* Removes the key; the handle stays open, and empty. Host, data channel. */
typedef struct tr_msg_delete_key {
    uint32_t key; /* handle */
    uint8_t lazily; /* 1: free the value later */
} tr_msg_delete_key;

/* Sets or removes the time at which the key dies. Host, data channel. */
typedef struct tr_msg_set_expire {
    uint32_t key; /* handle */
    int64_t expire_ms; /* milliseconds since 1970; -1: never */
} tr_msg_set_expire;

/* Is there such a key? Nothing is touched. Host, data channel. */
typedef struct tr_msg_key_exists {
    uint32_t db; /* which */
    tr_wire_bytes name; /* the key */
} tr_msg_key_exists;

/* Answer to key_exists. Engine, data channel. */
typedef struct tr_msg_key_exists_answer {
    uint8_t exists; /* 1: yes */
} tr_msg_key_exists_answer;

/* How many keys are there? Host, data channel. */
typedef struct tr_msg_db_size {
    uint32_t db; /* which */
} tr_msg_db_size;

/* Answer to db_size. Engine, data channel. */
typedef struct tr_msg_db_size_answer {
    uint64_t keys; /* how many */
} tr_msg_db_size_answer;

/* Picks a key. Host, data channel. */
typedef struct tr_msg_random_key {
    uint32_t db; /* which */
} tr_msg_random_key;

/* Answer to random_key. Engine, data channel. */
typedef struct tr_msg_random_key_answer {
    uint8_t found; /* 0: the database is empty */
    tr_wire_bytes name; /* the key */
} tr_msg_random_key_answer;

/* How long is the key idle, how often is it used? Host, data channel. */
typedef struct tr_msg_get_age {
    uint32_t key; /* handle */
    uint8_t frequency; /* 0 idle time, 1 frequency */
} tr_msg_get_age;

/* Answer to get_age. Engine, data channel. */
typedef struct tr_msg_get_age_answer {
    uint8_t outcome; /* 1: the policy keeps no such figure */
    int64_t value; /* milliseconds, or the counter */
} tr_msg_get_age_answer;

/* Sets idle time or frequency. Host, data channel. */
typedef struct tr_msg_set_age {
    uint32_t key; /* handle */
    uint8_t frequency; /* 0 idle time, 1 frequency */
    int64_t value; /* milliseconds, or the counter */
} tr_msg_set_age;

/* Answer to set_age. Engine, data channel. */
typedef struct tr_msg_set_age_answer {
    uint8_t outcome; /* 1: the policy keeps no such figure */
} tr_msg_set_age_answer;

/* Changes the database of the context and of its client. Host, data channel. */
typedef struct tr_msg_select_db {
    uint32_t db; /* which */
} tr_msg_select_db;

/* Answer to select_db. Engine, data channel. */
typedef struct tr_msg_select_db_answer {
    uint8_t outcome; /* 1: no such database */
} tr_msg_select_db_answer;

/* The value was changed in place: watchers and trackers are to know. Host, data channel. */
typedef struct tr_msg_signal_modified {
    uint32_t db; /* which */
    tr_wire_bytes name; /* the key */
} tr_msg_signal_modified;

/* What open_key would answer for keys of the command that follows, so that opening them needs no
 * answer. True as long as the host has changed none of them since the messages that were served.
 * Engine, data channel. */
typedef struct tr_msg_known_keys {
    uint64_t unit; /* id of the run_command */
    uint64_t seen; /* messages of the host that had been served */
    uint32_t db; /* of the keys */
    tr_wire_list positions; /* in argv */
    tr_wire_list kinds; /* as of open_key */
    tr_wire_list lengths; /* as of open_key */
    tr_wire_list expires_ms; /* as of open_key */
    tr_wire_list types; /* as of open_key */
    tr_wire_list tokens; /* as of open_key */
    tr_wire_list values; /* beginnings of strings */
} tr_msg_known_keys;

/* Opens a key of which the host knows all that the answer would say. Host, data channel. */
typedef struct tr_msg_open_known {
    uint32_t key; /* handle, chosen by the host: 2147483648 and more; 0: the key isn't there and is
                   * opened for reading */
    uint32_t db; /* which */
    uint32_t mode; /* bits as of the module API */
    tr_wire_bytes name; /* the key */
} tr_msg_open_known;

/* Puts a string in the place of whatever value there is. Host, data channel. */
typedef struct tr_msg_string_set {
    uint32_t key; /* handle */
    tr_wire_bytes value; /* the string */
} tr_msg_string_set;

/* Bytes of a string value. Host, data channel. */
typedef struct tr_msg_string_get {
    uint32_t key; /* handle */
    uint64_t offset; /* first byte */
    uint64_t bytes_max; /* how many at most */
} tr_msg_string_get;

/* Answer to string_get. Engine, data channel. */
typedef struct tr_msg_string_get_answer {
    uint8_t outcome; /* 1: the value has another type */
    uint64_t length; /* of the whole value */
    tr_wire_bytes value; /* from the offset on */
} tr_msg_string_get_answer;

/* Puts back what the module wrote through its pointer. Host, data channel. */
typedef struct tr_msg_string_write {
    uint32_t key; /* handle */
    uint64_t offset; /* first byte */
    tr_wire_bytes value; /* to put there; dropped when they reach beyond the value */
} tr_msg_string_write;

/* Shortens or pads a string value; makes one of zeros where there is none, unless the length is 0.
 * Host, data channel. */
typedef struct tr_msg_string_truncate {
    uint32_t key; /* handle */
    uint64_t length; /* in bytes */
} tr_msg_string_truncate;

/* Runs a command. Callbacks into the helper may come before the answer. Host, data channel. */
typedef struct tr_msg_call {
    uint32_t db; /* selected */
    uint64_t client_id; /* the context's client; 0: none */
    uint64_t user; /* handle of the context's user; 0: none */
    uint64_t flags; /* 1 replicate, 2 not to AOF, 4 not to replicas, 8 as the user, 16 script
                     * rules, 32 no writes, 64 error replies, 128 deny when out of memory, 256 dry
                     * run, 512 may block */
    uint8_t resp; /* 0: that of the client */
    tr_wire_list argv; /* the command and its arguments */
} tr_msg_call;

/* Answer to call. Engine, data channel. */
typedef struct tr_msg_call_answer {
    uint8_t outcome; /* 0 a reply, 1 no reply, 2 a promise */
    uint32_t errno_value; /* why there is no reply */
    uint64_t promise; /* handle; 0: none */
    tr_wire_bytes reply; /* raw RESP */
} tr_msg_call_answer;

/* The reply of a promise. Engine, data channel. */
typedef struct tr_msg_call_done {
    uint64_t promise; /* handle, now gone */
    tr_wire_bytes reply; /* raw RESP */
} tr_msg_call_done;

/* Answer to call_done. Host, data channel. */
typedef struct tr_msg_call_done_answer {
    uint8_t outcome; /* 1: nobody waited for it */
} tr_msg_call_done_answer;

/* Gives a promise up, if that can still be done. Host, data channel. */
typedef struct tr_msg_abort_promise {
    uint64_t promise; /* handle */
} tr_msg_abort_promise;

/* Answer to abort_promise. Engine, data channel. */
typedef struct tr_msg_abort_promise_answer {
    uint8_t aborted; /* 1: yes, call_done will not come */
} tr_msg_abort_promise_answer;

/* A command for replicas and AOF, in order with the writes. Host, data channel. */
typedef struct tr_msg_replicate {
    uint64_t flags; /* 1 not to AOF, 2 not to replicas */
    uint32_t db; /* selected */
    tr_wire_list argv; /* the command */
} tr_msg_replicate;

/* The command that runs is replicated as it is. Host, data channel. */
typedef struct tr_msg_replicate_verbatim {
    uint8_t nothing; /* not on the wire */
} tr_msg_replicate_verbatim;

/* Is this a moment at which nothing should be sent to replicas? Host, data channel. */
typedef struct tr_msg_avoid_replica_traffic {
    uint8_t nothing; /* not on the wire */
} tr_msg_avoid_replica_traffic;

/* Answer to avoid_replica_traffic. Engine, data channel. */
typedef struct tr_msg_avoid_replica_traffic_answer {
    uint8_t avoid; /* 1: yes */
} tr_msg_avoid_replica_traffic_answer;

/* Adds a data type whose values live in the helper. Host, data channel. */
typedef struct tr_msg_register_type {
    tr_wire_bytes name; /* nine letters */
    uint32_t encver; /* version of its encoding, below 1024 */
    uint64_t methods; /* bit n: it has the n-th callback, in the order load, save, rewrite,
                       * mem_usage, digest, free, aux_load, aux_save, free_effort, unlink, copy,
                       * defrag, aux_save2 */
    uint32_t aux_when; /* 1 before the keys, 2 after */
} tr_msg_register_type;

/* Answer to register_type. Engine, data channel. */
typedef struct tr_msg_register_type_answer {
    uint8_t outcome; /* 0 done, 1 the name is taken, 2 invalid, 3 not now */
    uint32_t type; /* handle, never 0 */
} tr_msg_register_type_answer;

/* Puts a value of the module under the key. Host, data channel. */
typedef struct tr_msg_set_value {
    uint32_t key; /* handle */
    uint32_t type; /* handle */
    uint64_t token; /* names the value in the helper, never 0 */
    uint8_t keep_old; /* 1: the old value goes back to the module and is not freed */
} tr_msg_set_value;

/* Makes a value of a saved one. Engine, data channel. */
typedef struct tr_msg_type_load {
    uint32_t type; /* handle */
    uint32_t encver; /* that it was saved with */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
    tr_wire_bytes payload; /* items, each with its opcode, and the end */
} tr_msg_type_load;

/* Answer to type_load. Host, data channel. */
typedef struct tr_msg_type_load_answer {
    uint8_t outcome; /* 0 done, 1 the module refused, 2 the payload was too short */
    uint64_t token; /* the value; 0: none */
} tr_msg_type_load_answer;

/* Saves a value. Engine, data channel. */
typedef struct tr_msg_type_save {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
} tr_msg_type_save;

/* Answer to type_save. Host, data channel. */
typedef struct tr_msg_type_save_answer {
    uint8_t outcome; /* 1: failed */
    tr_wire_bytes payload; /* items, each with its opcode, and the end */
} tr_msg_type_save_answer;

/* The commands that make the value anew. Engine, data channel. */
typedef struct tr_msg_type_rewrite {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
} tr_msg_type_rewrite;

/* Answer to type_rewrite. Host, data channel. */
typedef struct tr_msg_type_rewrite_answer {
    uint8_t outcome; /* 1: failed */
    tr_wire_list args; /* all commands, one after the other */
    tr_wire_list arg_counts; /* arguments of each command */
} tr_msg_type_rewrite_answer;

/* These values are not needed any more. Engine, data channel. */
typedef struct tr_msg_type_free {
    tr_wire_list types; /* handles */
    tr_wire_list tokens; /* the values */
} tr_msg_type_free;

/* The value has left its key and is freed later. Engine, data channel. */
typedef struct tr_msg_type_unlink {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
} tr_msg_type_unlink;

/* Makes a second value like this one. Engine, data channel. */
typedef struct tr_msg_type_copy {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint32_t from_db; /* of the key */
    uint32_t to_db; /* of the new one */
    tr_wire_bytes from_name; /* the key */
    tr_wire_bytes to_name; /* the new one */
} tr_msg_type_copy;

/* Answer to type_copy. Host, data channel. */
typedef struct tr_msg_type_copy_answer {
    uint64_t token; /* the copy; 0: refused */
} tr_msg_type_copy_answer;

/* How large is the value? Engine, data channel. */
typedef struct tr_msg_type_mem_usage {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint64_t samples; /* elements to look at; 0: all */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
} tr_msg_type_mem_usage;

/* Answer to type_mem_usage. Host, data channel. */
typedef struct tr_msg_type_mem_usage_answer {
    uint64_t size_bytes; /* about */
} tr_msg_type_mem_usage_answer;

/* How much work is it to free the value? Engine, data channel. */
typedef struct tr_msg_type_free_effort {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
} tr_msg_type_free_effort;

/* Answer to type_free_effort. Host, data channel. */
typedef struct tr_msg_type_free_effort_answer {
    uint64_t effort; /* allocations, about; 0: free it later in any case */
} tr_msg_type_free_effort_answer;

/* The digest of the value. Engine, data channel. */
typedef struct tr_msg_type_digest {
    uint32_t type; /* handle */
    uint64_t token; /* the value */
    uint32_t db; /* of the key */
    tr_wire_bytes name; /* the key */
} tr_msg_type_digest;

/* Answer to type_digest. Host, data channel. */
typedef struct tr_msg_type_digest_answer {
    tr_wire_bytes digest; /* twenty bytes */
} tr_msg_type_digest_answer;

/* What the type saves beside its keys. Engine, data channel. */
typedef struct tr_msg_type_aux_save {
    uint32_t type; /* handle */
    uint8_t when; /* 1 before the keys, 2 after */
} tr_msg_type_aux_save;

/* Answer to type_aux_save. Host, data channel. */
typedef struct tr_msg_type_aux_save_answer {
    uint8_t outcome; /* 1: failed */
    tr_wire_bytes payload; /* empty: nothing to save */
} tr_msg_type_aux_save_answer;

/* What the type saved beside its keys. Engine, data channel. */
typedef struct tr_msg_type_aux_load {
    uint32_t type; /* handle */
    uint32_t encver; /* that it was saved with */
    uint8_t when; /* 1 before the keys, 2 after */
    tr_wire_bytes payload; /* items, and the end */
} tr_msg_type_aux_load;

/* Answer to type_aux_load. Host, data channel. */
typedef struct tr_msg_type_aux_load_answer {
    uint8_t outcome; /* 0 done, 1 the module refused, 2 the payload was too short */
} tr_msg_type_aux_load_answer;

/* Whether values are to outlive the helper: then it sends values_now, and snapshots are asked for.
 * Engine, data channel. */
typedef struct tr_msg_keep_values {
    uint8_t wanted; /* 1: yes */
} tr_msg_keep_values;

/* What values have become: at the end of a unit that changed them in a way that running its
 * propagated commands again would not bring about. Host, data channel. */
typedef struct tr_msg_values_now {
    tr_wire_list tokens; /* the values */
    tr_wire_list payloads; /* items, each with its opcode, and the end */
} tr_msg_values_now;

/* Saves all values as they are now; they come as snapshot_part. Here, before the answer, or by a
 * child, any time after it. Engine, data channel. */
typedef struct tr_msg_snapshot {
    uint64_t number; /* comes back */
    uint8_t in_child; /* 1: by a child */
    uint32_t time_ms; /* that it may take */
} tr_msg_snapshot;

/* Answer to snapshot. Host, data channel. */
typedef struct tr_msg_snapshot_answer {
    uint8_t outcome; /* 0 done or begun, 1 a value could not be saved, or not in time, 2 no child
                      * can be made */
} tr_msg_snapshot_answer;

/* Some values of a snapshot. Host, data channel. */
typedef struct tr_msg_snapshot_part {
    uint64_t number; /* of the snapshot */
    tr_wire_list tokens; /* the values */
    tr_wire_list payloads; /* items, each with its opcode, and the end */
} tr_msg_snapshot_part;

/* The child of a snapshot has ended. Host, data channel. */
typedef struct tr_msg_snapshot_end {
    uint64_t number; /* of the snapshot */
    uint8_t outcome; /* 0 all values have come, 1 a value could not be saved, 2 the child failed */
} tr_msg_snapshot_end;

/* The client of the running command waits. Where that is not allowed the client gets an error and
 * the block is over. Host, data channel. */
typedef struct tr_msg_block_client {
    uint64_t block; /* chosen by the host, never used twice */
    int64_t timeout_ms; /* 0: none */
    uint64_t callbacks; /* 1 reply, 2 timeout, 4 disconnect, 8 free */
    uint64_t flags; /* 1: wake also when a key is removed, 2: for authentication */
    tr_wire_list keys; /* to wait for */
} tr_msg_block_client;

/* Ends a block, from any thread and without the floor. What threads replied meanwhile goes to the
 * client. Host, data channel. */
typedef struct tr_msg_unblock_client {
    uint64_t block; /* which */
    uint8_t aborted; /* 1: no callback follows */
    tr_wire_bytes reply; /* raw RESP that threads made */
    uint64_t background_us; /* time measured in the background */
} tr_msg_unblock_client;

/* A callback of a blocked client, with the floor. Engine, data channel. */
typedef struct tr_msg_run_blocked {
    uint64_t block; /* which */
    uint8_t why; /* 0 unblocked, 1 a key is ready, 2 timeout, 3 the client has gone, 4 free the
                  * private data */
    uint64_t client_id; /* whose */
    uint64_t client_flags; /* as of run_command */
    uint64_t context_flags; /* as of run_command */
    uint32_t db; /* selected */
    uint8_t resp; /* version of the protocol */
    int64_t now_us; /* the cached clock */
    tr_wire_bytes ready_key; /* which key is ready */
    tr_wire_list argv; /* the command that blocked */
} tr_msg_run_blocked;

/* Answer to run_blocked. Host, data channel. */
typedef struct tr_msg_run_blocked_answer {
    uint8_t outcome; /* 1: not served, the client goes on waiting */
    tr_wire_bytes reply; /* raw RESP */
    uint64_t effects; /* as of run_command */
    tr_wire_list error_codes; /* as of run_command */
} tr_msg_run_blocked_answer;

/* Whoever waits for the key is to look again. Host, data channel. */
typedef struct tr_msg_signal_ready {
    uint32_t db; /* which */
    tr_wire_bytes name; /* the key */
} tr_msg_signal_ready;

/* The module wants to hear of an event, or no longer. Host, data channel. */
typedef struct tr_msg_subscribe_event {
    uint64_t event; /* id */
    uint8_t wanted; /* 0: no longer */
} tr_msg_subscribe_event;

/* Answer to subscribe_event. Engine, data channel. */
typedef struct tr_msg_subscribe_event_answer {
    uint8_t outcome; /* 1: unknown event */
} tr_msg_subscribe_event_answer;

/* Something happened in the server. Engine, data channel. */
typedef struct tr_msg_server_event {
    uint64_t event; /* id */
    uint64_t subevent; /* id */
    uint64_t context_flags; /* as of run_command */
    int64_t now_us; /* the cached clock */
    tr_wire_list numbers; /* of the event's record, in its order */
    tr_wire_list texts; /* of the event's record, in its order */
} tr_msg_server_event;

/* Answer to server_event. Host, data channel. */
typedef struct tr_msg_server_event_answer {
    uint8_t nothing; /* not on the wire */
} tr_msg_server_event_answer;

/* The module wants to hear of these classes of changes; one message for each callback. Host, data
 * channel. */
typedef struct tr_msg_subscribe_keyspace {
    uint64_t classes; /* bits */
    uint32_t subscription; /* chosen by the host */
} tr_msg_subscribe_keyspace;

/* Answer to subscribe_keyspace. Engine, data channel. */
typedef struct tr_msg_subscribe_keyspace_answer {
    uint8_t outcome; /* 1: refused */
} tr_msg_subscribe_keyspace_answer;

/* A key is being changed. Engine, data channel. */
typedef struct tr_msg_keyspace_event {
    uint64_t event_class; /* one bit */
    tr_wire_list subscriptions; /* whose callbacks, in this order */
    uint64_t context_flags; /* as of run_command */
    uint32_t db; /* of the key */
    tr_wire_bytes event; /* its name */
    tr_wire_bytes name; /* the key */
} tr_msg_keyspace_event;

/* Answer to keyspace_event. Host, data channel. */
typedef struct tr_msg_keyspace_event_answer {
    uint8_t nothing; /* not on the wire */
} tr_msg_keyspace_event_answer;

/* Tells the others that the module changed a key. Host, data channel. */
typedef struct tr_msg_notify_keyspace {
    uint64_t event_class; /* one bit */
    uint32_t db; /* of the key */
    tr_wire_bytes event; /* its name */
    tr_wire_bytes name; /* the key */
} tr_msg_notify_keyspace;

/* Which classes of changes are made known to clients? Host, data channel. */
typedef struct tr_msg_notify_classes {
    uint8_t nothing; /* not on the wire */
} tr_msg_notify_classes;

/* Answer to notify_classes. Engine, data channel. */
typedef struct tr_msg_notify_classes_answer {
    uint64_t classes; /* bits */
} tr_msg_notify_classes_answer;

/* Work for the end of the outermost unit, before it is propagated. Host, data channel. */
typedef struct tr_msg_add_job {
    uint64_t job; /* chosen by the host, never used twice */
} tr_msg_add_job;

/* Now is the time for the job. Engine, data channel. */
typedef struct tr_msg_run_job {
    uint64_t job; /* which */
    uint64_t context_flags; /* as of run_command */
} tr_msg_run_job;

/* Answer to run_job. Host, data channel. */
typedef struct tr_msg_run_job_answer {
    uint8_t nothing; /* not on the wire */
} tr_msg_run_job_answer;

/* The module has lines for INFO. Host, data channel. */
typedef struct tr_msg_register_info {
    uint8_t nothing; /* not on the wire */
} tr_msg_register_info;

/* Answer to register_info. Engine, data channel. */
typedef struct tr_msg_register_info_answer {
    uint8_t outcome; /* 1: refused */
} tr_msg_register_info_answer;

/* The lines for INFO. Engine, data channel. */
typedef struct tr_msg_run_info {
    uint8_t all; /* 1: every section */
    uint8_t crash; /* 1: for a crash report */
    tr_wire_list sections; /* that are wanted */
} tr_msg_run_info;

/* Answer to run_info. Host, data channel. */
typedef struct tr_msg_run_info_answer {
    tr_wire_bytes text; /* sections and lines as INFO shows them */
} tr_msg_run_info_answer;

/* What INFO says. Host, data channel. */
typedef struct tr_msg_server_info {
    tr_wire_bytes section; /* empty: the usual ones */
} tr_msg_server_info;

/* Answer to server_info. Engine, data channel. */
typedef struct tr_msg_server_info_answer {
    tr_wire_bytes text; /* the lines */
} tr_msg_server_info_answer;

/* Sends a message to a channel. Host, data channel. */
typedef struct tr_msg_publish {
    uint8_t shard; /* 1: a shard channel */
    tr_wire_bytes channel; /* its name */
    tr_wire_bytes message; /* the text */
} tr_msg_publish;

/* Answer to publish. Engine, data channel. */
typedef struct tr_msg_publish_answer {
    uint64_t receivers; /* how many */
} tr_msg_publish_answer;

/* What is known of a client. Host, data channel. */
typedef struct tr_msg_client_info {
    uint64_t client_id; /* which */
} tr_msg_client_info;

/* Answer to client_info. Engine, data channel. */
typedef struct tr_msg_client_info_answer {
    uint8_t found; /* 0: no such client */
    uint64_t flags; /* bits as of the module API */
    uint16_t port; /* remote */
    uint32_t db; /* selected */
    tr_wire_bytes address; /* remote */
    tr_wire_bytes name; /* that it set */
    tr_wire_bytes user; /* that it is */
} tr_msg_client_info_answer;

/* Names a client. Host, data channel. */
typedef struct tr_msg_set_client_name {
    uint64_t client_id; /* which */
    tr_wire_bytes name; /* the name; empty: none */
} tr_msg_set_client_name;

/* Answer to set_client_name. Engine, data channel. */
typedef struct tr_msg_set_client_name_answer {
    uint8_t outcome; /* 0 done, 1 no such client, 2 not a name */
} tr_msg_set_client_name_answer;

/* The certificate that the client showed. Host, data channel. */
typedef struct tr_msg_client_certificate {
    uint64_t client_id; /* which */
} tr_msg_client_certificate;

/* Answer to client_certificate. Engine, data channel. */
typedef struct tr_msg_client_certificate_answer {
    uint8_t found; /* 0: none */
    tr_wire_bytes pem; /* the certificate */
} tr_msg_client_certificate_answer;

/* Hides an argument of the running command from logs, at once. Host, data channel. */
typedef struct tr_msg_redact {
    uint32_t position; /* in argv */
} tr_msg_redact;

/* Used memory in parts of what is allowed. Host, data channel. */
typedef struct tr_msg_memory_ratio {
    uint8_t nothing; /* not on the wire */
} tr_msg_memory_ratio;

/* Answer to memory_ratio. Engine, data channel. */
typedef struct tr_msg_memory_ratio_answer {
    double ratio; /* 0: no bound */
} tr_msg_memory_ratio_answer;

/* A sample for LATENCY. Host, data channel. */
typedef struct tr_msg_latency_sample {
    int64_t latency_ms; /* how long */
    tr_wire_bytes event; /* its name */
} tr_msg_latency_sample;

/* What the module says of itself. Host, data channel. */
typedef struct tr_msg_module_options {
    uint64_t options; /* bits */
    int64_t version; /* of the module */
    int64_t api_version; /* that it asks for */
    tr_wire_bytes name; /* of the module; empty: keep */
} tr_msg_module_options;

/* Is there a module of this name? Host, data channel. */
typedef struct tr_msg_name_busy {
    tr_wire_bytes name; /* the name */
} tr_msg_name_busy;

/* Answer to name_busy. Engine, data channel. */
typedef struct tr_msg_name_busy_answer {
    uint8_t busy; /* 1: yes */
} tr_msg_name_busy_answer;

/* How much the module holds, for the server's own bound; told when it changed by much. Host, data
 * channel. */
typedef struct tr_msg_memory_used {
    uint64_t used_bytes; /* now */
    uint64_t peak_bytes; /* highest */
} tr_msg_memory_used;

/* A function of one module for others of the same helper: for the record, the pointers never leave
 * it. Host, data channel. */
typedef struct tr_msg_shared_api {
    uint8_t used; /* 0 offered, 1 taken */
    uint8_t found; /* 0: refused */
    tr_wire_bytes name; /* of the function */
} tr_msg_shared_api;

/* Makes a user that only the module has. Host, data channel. */
typedef struct tr_msg_create_user {
    uint64_t user; /* handle, chosen by the host */
    tr_wire_bytes name; /* the name */
} tr_msg_create_user;

/* The user is not needed any more. Host, data channel. */
typedef struct tr_msg_free_user {
    uint64_t user; /* handle */
} tr_msg_free_user;

/* Applies rules of ACL to a user. Host, data channel. */
typedef struct tr_msg_set_user_rules {
    uint64_t user; /* handle */
    tr_wire_list rules; /* one by one */
} tr_msg_set_user_rules;

/* Answer to set_user_rules. Engine, data channel. */
typedef struct tr_msg_set_user_rules_answer {
    uint8_t outcome; /* 1: refused */
    tr_wire_bytes reason; /* as ACL SETUSER says it */
} tr_msg_set_user_rules_answer;

/* The rules of a user. Host, data channel. */
typedef struct tr_msg_user_rules {
    uint64_t user; /* handle */
} tr_msg_user_rules;

/* Answer to user_rules. Engine, data channel. */
typedef struct tr_msg_user_rules_answer {
    uint8_t found; /* 0: no such user */
    tr_wire_bytes rules; /* as ACL LIST shows them */
} tr_msg_user_rules_answer;

/* A handle for a user of the server. Host, data channel. */
typedef struct tr_msg_find_user {
    uint64_t user; /* handle, chosen by the host */
    tr_wire_bytes name; /* the name */
} tr_msg_find_user;

/* Answer to find_user. Engine, data channel. */
typedef struct tr_msg_find_user_answer {
    uint8_t found; /* 0: the handle is not taken */
} tr_msg_find_user_answer;

/* May the user do that? Host, data channel. */
typedef struct tr_msg_check_user {
    uint64_t user; /* handle */
    uint8_t what; /* 0 a command, 1 a key, 2 a channel */
    uint64_t flags; /* of the key or channel */
    tr_wire_list argv; /* the command, or one name */
} tr_msg_check_user;

/* Answer to check_user. Engine, data channel. */
typedef struct tr_msg_check_user_answer {
    uint8_t outcome; /* 0 yes, 1 no, 2 not that command, 3 not that key, 4 not that channel */
    uint32_t errno_value; /* for the module */
} tr_msg_check_user_answer;

/* A line for ACL LOG. Host, data channel. */
typedef struct tr_msg_acl_log {
    uint8_t reason; /* 0 authentication, 1 command, 2 key, 3 channel */
    uint64_t user; /* handle; 0: by name */
    tr_wire_bytes name; /* of the user */
    tr_wire_bytes object; /* what it was about */
} tr_msg_acl_log;

/* The module takes part in AUTH. Host, data channel. */
typedef struct tr_msg_register_auth {
    uint32_t callback; /* chosen by the host */
} tr_msg_register_auth;

/* Somebody wants in. Engine, data channel. */
typedef struct tr_msg_run_auth {
    uint32_t callback; /* which */
    uint64_t client_id; /* who */
    uint64_t context_flags; /* as of run_command */
    tr_wire_bytes user; /* name given */
    tr_wire_bytes password; /* given */
} tr_msg_run_auth;

/* Answer to run_auth. Host, data channel. */
typedef struct tr_msg_run_auth_answer {
    uint8_t outcome; /* 0 handled, 1 not handled, 2 error, 3 blocked */
    tr_wire_bytes error; /* for the client */
    uint64_t effects; /* as of run_command */
} tr_msg_run_auth_answer;

/* Makes a client the user. Host, data channel. */
typedef struct tr_msg_authenticate {
    uint64_t client_id; /* which */
    uint64_t user; /* handle; 0: by name */
    uint64_t watch; /* handle that user_changed names; 0: don't tell */
    tr_wire_bytes name; /* of the user */
} tr_msg_authenticate;

/* Answer to authenticate. Engine, data channel. */
typedef struct tr_msg_authenticate_answer {
    uint8_t outcome; /* 0 done, 1 no such client, 2 no such user, 3 the user is off */
} tr_msg_authenticate_answer;

/* A client has stopped being the user it was made. Engine, data channel. */
typedef struct tr_msg_user_changed {
    uint64_t watch; /* handle, now gone */
    uint64_t client_id; /* which */
} tr_msg_user_changed;

/* Answer to user_changed. Host, data channel. */
typedef struct tr_msg_user_changed_answer {
    uint8_t nothing; /* not on the wire */
} tr_msg_user_changed_answer;

/* Throws a client out. Host, data channel. */
typedef struct tr_msg_deauthenticate {
    uint64_t client_id; /* which */
} tr_msg_deauthenticate;

/* Answer to deauthenticate. Engine, data channel. */
typedef struct tr_msg_deauthenticate_answer {
    uint8_t outcome; /* 1: no such client */
} tr_msg_deauthenticate_answer;

/* Adds a configuration entry <module>.<name>. Host, data channel. */
typedef struct tr_msg_register_config {
    uint32_t config; /* chosen by the host */
    uint8_t kind; /* 0 yes or no, 1 number, 2 string, 3 enum */
    uint64_t flags; /* bits as of the module API */
    int64_t number; /* default, of an enum its value */
    int64_t min; /* of a number */
    int64_t max; /* of a number */
    tr_wire_bytes name; /* without the module */
    tr_wire_bytes text; /* default of a string */
    tr_wire_list enum_names; /* what may be written */
    tr_wire_list enum_values; /* what they mean */
    uint64_t apply; /* entries with the same number are applied together; 0: none */
} tr_msg_register_config;

/* Answer to register_config. Engine, data channel. */
typedef struct tr_msg_register_config_answer {
    uint8_t outcome; /* 0 done, 1 the name is taken, 2 invalid, 3 not now */
} tr_msg_register_config_answer;

/* What is the entry set to? Engine, data channel. */
typedef struct tr_msg_config_get {
    uint32_t config; /* which */
} tr_msg_config_get;

/* Answer to config_get. Host, data channel. */
typedef struct tr_msg_config_get_answer {
    int64_t number; /* of yes or no, number and enum */
    tr_wire_bytes text; /* of a string */
} tr_msg_config_get_answer;

/* Sets the entry. Engine, data channel. */
typedef struct tr_msg_config_set {
    uint32_t config; /* which */
    int64_t number; /* of yes or no, number and enum */
    tr_wire_bytes text; /* of a string */
} tr_msg_config_set;

/* Answer to config_set. Host, data channel. */
typedef struct tr_msg_config_set_answer {
    uint8_t outcome; /* 1: refused */
    tr_wire_bytes reason; /* for the client */
} tr_msg_config_set_answer;

/* All of one CONFIG SET is set; comes once for each number. Engine, data channel. */
typedef struct tr_msg_config_apply {
    uint64_t apply; /* number given on registering */
} tr_msg_config_apply;

/* Answer to config_apply. Host, data channel. */
typedef struct tr_msg_config_apply_answer {
    uint8_t outcome; /* 1: refused */
    tr_wire_bytes reason; /* for the client */
} tr_msg_config_apply_answer;

/* Sets all entries from the file, the command line or their defaults. Host, data channel. */
typedef struct tr_msg_load_configs {
    uint8_t nothing; /* not on the wire */
} tr_msg_load_configs;

/* Answer to load_configs. Engine, data channel. */
typedef struct tr_msg_load_configs_answer {
    uint8_t outcome; /* 1: an entry was refused */
} tr_msg_load_configs_answer;

/* A batch of keys of a database. Host, data channel. */
typedef struct tr_msg_scan {
    uint32_t db; /* which */
    uint64_t cursor; /* 0: from the beginning */
    uint32_t count; /* about how many */
} tr_msg_scan;

/* Answer to scan. Engine, data channel. */
typedef struct tr_msg_scan_answer {
    uint64_t cursor; /* for the next batch; 0: that was all */
    tr_wire_list names; /* the keys */
    tr_wire_list kinds; /* as of open_key */
    tr_wire_list lengths; /* as of open_key */
    tr_wire_list expires_ms; /* as of open_key */
    tr_wire_list types; /* as of open_key */
    tr_wire_list tokens; /* as of open_key */
} tr_msg_scan_answer;

/* A batch of the elements of a hash, set or sorted set. Host, data channel. */
typedef struct tr_msg_scan_key {
    uint32_t key; /* handle */
    uint64_t cursor; /* 0: from the beginning */
    uint32_t count; /* about how many */
} tr_msg_scan_key;

/* Answer to scan_key. Engine, data channel. */
typedef struct tr_msg_scan_key_answer {
    uint8_t outcome; /* 1: not such a value */
    uint64_t cursor; /* for the next batch; 0: that was all */
    tr_wire_list elements; /* fields or members */
    tr_wire_list values; /* of the fields, or the scores; none for a set */
} tr_msg_scan_key_answer;

/* Adds an element at an end. Host, data channel. */
typedef struct tr_msg_list_push {
    uint32_t key; /* handle */
    uint8_t tail; /* 0 head, 1 tail */
    tr_wire_bytes value; /* the element */
} tr_msg_list_push;

/* Takes an element from an end. Host, data channel. */
typedef struct tr_msg_list_pop {
    uint32_t key; /* handle */
    uint8_t tail; /* 0 head, 1 tail */
} tr_msg_list_pop;

/* Answer to list_pop. Engine, data channel. */
typedef struct tr_msg_list_pop_answer {
    uint8_t outcome; /* 0 done, 1 empty, 2 not a list, 3 not for writing */
    uint64_t length; /* afterwards */
    tr_wire_bytes value; /* the element */
} tr_msg_list_pop_answer;

/* A window of elements around an index. Host, data channel. */
typedef struct tr_msg_list_get {
    uint32_t key; /* handle */
    int64_t index; /* negative: from the end */
    uint32_t before; /* elements before it */
    uint32_t after; /* elements after it */
} tr_msg_list_get;

/* Answer to list_get. Engine, data channel. */
typedef struct tr_msg_list_get_answer {
    uint8_t outcome; /* 0 done, 1 no such element, 2 not a list */
    int64_t first; /* index of the first one */
    tr_wire_list values; /* the elements */
} tr_msg_list_get_answer;

/* Changes the list at an index. Host, data channel. */
typedef struct tr_msg_list_change {
    uint32_t key; /* handle */
    uint8_t what; /* 0 set, 1 insert before, 2 delete */
    int64_t index; /* negative: from the end */
    tr_wire_bytes value; /* the element; empty when deleting */
} tr_msg_list_change;

/* Answer to list_change. Engine, data channel. */
typedef struct tr_msg_list_change_answer {
    uint8_t outcome; /* 0 done, 1 no such element, 2 not a list, 3 not for writing */
    uint64_t length; /* afterwards */
} tr_msg_list_change_answer;

/* Sets and deletes fields, all of one call. Host, data channel. */
typedef struct tr_msg_hash_set {
    uint32_t key; /* handle */
    uint64_t flags; /* 1 only new fields, 2 only present ones, 4 count all */
    tr_wire_list names; /* the fields */
    tr_wire_list deletes; /* 1: delete it */
    tr_wire_list values; /* what they are set to */
} tr_msg_hash_set;

/* Answer to hash_set. Engine, data channel. */
typedef struct tr_msg_hash_set_answer {
    uint8_t outcome; /* 0 done, 1 unused, 2 not a hash, 3 not for writing */
    uint64_t count; /* fields changed, as the flags say */
    uint64_t length; /* afterwards */
} tr_msg_hash_set_answer;

/* Values of fields, all of one call. Host, data channel. */
typedef struct tr_msg_hash_get {
    uint32_t key; /* handle */
    uint8_t exists; /* 1: values are not wanted */
    tr_wire_list names; /* the fields */
} tr_msg_hash_get;

/* Answer to hash_get. Engine, data channel. */
typedef struct tr_msg_hash_get_answer {
    uint8_t outcome; /* 0 done, 1 unused, 2 not a hash */
    tr_wire_list found; /* 1: it is there */
    tr_wire_list values; /* empty when it isn't */
} tr_msg_hash_get_answer;

/* Sets or adds to a score. Host, data channel. */
typedef struct tr_msg_zset_add {
    uint32_t key; /* handle */
    uint8_t increment; /* 1: add to it */
    uint64_t flags; /* bits as of the module API */
    double score; /* the score or what is added */
    tr_wire_bytes member; /* which */
} tr_msg_zset_add;

/* Answer to zset_add. Engine, data channel. */
typedef struct tr_msg_zset_add_answer {
    uint8_t outcome; /* 0 done, 1 not a number, 2 not a sorted set, 3 not for writing */
    uint64_t flags; /* what was done */
    double score; /* now */
    uint64_t length; /* afterwards */
} tr_msg_zset_add_answer;

/* The score of a member. Host, data channel. */
typedef struct tr_msg_zset_score {
    uint32_t key; /* handle */
    tr_wire_bytes member; /* which */
} tr_msg_zset_score;

/* Answer to zset_score. Engine, data channel. */
typedef struct tr_msg_zset_score_answer {
    uint8_t outcome; /* 0 done, 1 no such member, 2 not a sorted set */
    double score; /* of it */
} tr_msg_zset_score_answer;

/* Removes a member. Host, data channel. */
typedef struct tr_msg_zset_remove {
    uint32_t key; /* handle */
    tr_wire_bytes member; /* which */
} tr_msg_zset_remove;

/* Answer to zset_remove. Engine, data channel. */
typedef struct tr_msg_zset_remove_answer {
    uint8_t outcome; /* 0 done, 1 unused, 2 not a sorted set, 3 not for writing */
    uint8_t removed; /* 0: it wasn't there */
    uint64_t length; /* afterwards */
} tr_msg_zset_remove_answer;

/* A window of members in a range. Host, data channel. */
typedef struct tr_msg_zset_range {
    uint32_t key; /* handle */
    uint8_t kind; /* 0 by score, 1 by name */
    uint8_t last; /* 1: from the end */
    uint8_t exclusive; /* 1 the lower end, 2 the upper */
    double min; /* of a range by score */
    double max; /* of a range by score */
    tr_wire_bytes min_text; /* of a range by name, with its first letter */
    tr_wire_bytes max_text; /* of a range by name, with its first letter */
    uint64_t skip; /* members of the range before the window */
    uint32_t count; /* members in the window */
} tr_msg_zset_range;

/* Answer to zset_range. Engine, data channel. */
typedef struct tr_msg_zset_range_answer {
    uint8_t outcome; /* 0 done, 1 bad range, 2 not a sorted set, 3 nothing is in it */
    uint8_t more; /* 1: the range goes on */
    tr_wire_list members; /* in their order */
    tr_wire_list scores; /* of each */
} tr_msg_zset_range_answer;

/* Adds an entry. Host, data channel. */
typedef struct tr_msg_stream_add {
    uint32_t key; /* handle */
    uint8_t auto_id; /* 1: make an id */
    uint64_t id_ms; /* first half */
    uint64_t id_seq; /* second half */
    tr_wire_list names; /* the fields */
    tr_wire_list values; /* what they hold */
} tr_msg_stream_add;

/* Answer to stream_add. Engine, data channel. */
typedef struct tr_msg_stream_add_answer {
    uint8_t outcome; /* 0 done, 1 the id is too low, 2 not a stream, 3 not for writing, 4 too large
                      * */
    uint64_t id_ms; /* first half */
    uint64_t id_seq; /* second half */
    uint64_t length; /* afterwards */
} tr_msg_stream_add_answer;

/* Deletes an entry. Host, data channel. */
typedef struct tr_msg_stream_delete {
    uint32_t key; /* handle */
    uint64_t id_ms; /* first half */
    uint64_t id_seq; /* second half */
} tr_msg_stream_delete;

/* Answer to stream_delete. Engine, data channel. */
typedef struct tr_msg_stream_delete_answer {
    uint8_t outcome; /* 0 done, 1 no such entry, 2 not a stream, 3 not for writing */
    uint64_t length; /* afterwards */
} tr_msg_stream_delete_answer;

/* A window of entries. Host, data channel. */
typedef struct tr_msg_stream_range {
    uint32_t key; /* handle */
    uint8_t reverse; /* 1: from the end */
    uint8_t exclusive; /* 1 the start, 2 the end */
    uint64_t start_ms; /* first half */
    uint64_t start_seq; /* second half */
    uint64_t end_ms; /* first half */
    uint64_t end_seq; /* second half */
    uint32_t count; /* entries in the window */
} tr_msg_stream_range;

/* Answer to stream_range. Engine, data channel. */
typedef struct tr_msg_stream_range_answer {
    uint8_t outcome; /* 0 done, 1 bad range, 2 not a stream */
    uint8_t more; /* 1: the range goes on */
    tr_wire_list field_counts; /* fields of each entry */
    tr_wire_list ids; /* both halves of each */
    tr_wire_list names; /* fields of all entries */
    tr_wire_list values; /* what they hold */
} tr_msg_stream_range_answer;

/* Removes the oldest entries. Host, data channel. */
typedef struct tr_msg_stream_trim {
    uint32_t key; /* handle */
    uint8_t by_id; /* 1: by id */
    uint8_t approximately; /* 1: only whole nodes */
    uint64_t length; /* to keep */
    uint64_t id_ms; /* first half */
    uint64_t id_seq; /* second half */
} tr_msg_stream_trim;

/* Answer to stream_trim. Engine, data channel. */
typedef struct tr_msg_stream_trim_answer {
    uint8_t outcome; /* 0 done, 1 unused, 2 not a stream, 3 not for writing */
    uint64_t removed; /* entries */
    uint64_t length; /* afterwards */
} tr_msg_stream_trim_answer;

/* Sends a message to a node, or to all. Host, data channel. */
typedef struct tr_msg_cluster_send {
    uint8_t type; /* of the message */
    tr_wire_bytes target; /* id of the node; empty: all */
    tr_wire_bytes payload; /* the message */
} tr_msg_cluster_send;

/* Answer to cluster_send. Engine, data channel. */
typedef struct tr_msg_cluster_send_answer {
    uint8_t outcome; /* 0 done, 1 no such node, 2 no cluster */
} tr_msg_cluster_send_answer;

/* Which messages the module wants, and what it asks of the cluster. Host, data channel. */
typedef struct tr_msg_cluster_receive {
    uint8_t type; /* of the messages */
    uint8_t wanted; /* 0 not, 1 yes, 2 leave it */
    uint64_t flags; /* bits as of the module API */
} tr_msg_cluster_receive;

/* A message from another node. Engine, data channel. */
typedef struct tr_msg_cluster_message {
    uint8_t type; /* of the message */
    tr_wire_bytes sender; /* id of the node */
    tr_wire_bytes payload; /* the message */
} tr_msg_cluster_message;

/* Answer to cluster_message. Host, data channel. */
typedef struct tr_msg_cluster_message_answer {
    uint8_t nothing; /* not on the wire */
} tr_msg_cluster_message_answer;

/* The nodes that are known. Host, data channel. */
typedef struct tr_msg_cluster_nodes {
    tr_wire_bytes node; /* id of one; empty: all */
} tr_msg_cluster_nodes;

/* Answer to cluster_nodes. Engine, data channel. */
typedef struct tr_msg_cluster_nodes_answer {
    uint8_t enabled; /* 0: no cluster */
    tr_wire_bytes me; /* own id */
    tr_wire_list ids; /* of the nodes */
    tr_wire_list addresses; /* where they are */
    tr_wire_list ports; /* where they listen */
    tr_wire_list flags; /* bits as of the module API */
    tr_wire_list primaries; /* ids of those that they follow; empty: none */
} tr_msg_cluster_nodes_answer;

/* Saves the dataset to a file or loads it from one. Callbacks of types come before the answer.
 * Host, data channel. */
typedef struct tr_msg_rdb {
    uint8_t load; /* 0 save, 1 load */
    uint64_t flags; /* bits as of the module API */
    tr_wire_bytes path; /* the file */
} tr_msg_rdb;

/* Answer to rdb. Engine, data channel. */
typedef struct tr_msg_rdb_answer {
    uint8_t outcome; /* 1: failed */
    uint32_t errno_value; /* why */
} tr_msg_rdb_answer;

/* Removes all keys. Host, data channel. */
typedef struct tr_msg_reset_dataset {
    uint8_t restart_aof; /* 1: AOF starts anew */
    uint8_t lazily; /* 1: free later */
} tr_msg_reset_dataset;

/* Answer to reset_dataset. Engine, data channel. */
typedef struct tr_msg_reset_dataset_answer {
    uint8_t nothing; /* not on the wire */
} tr_msg_reset_dataset_answer;

static inline const char *tr_msg_hello_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_hello *m) {
    return tr_wire_decode(TR_MSG_HELLO, bytes, len, m);
}
static inline int tr_msg_hello_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_hello *m) {
    return tr_wire_encode(mem, out, TR_MSG_HELLO, 0, request_id, m);
}

static inline const char *tr_msg_hello_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_hello_answer *m) {
    return tr_wire_decode(TR_MSG_HELLO_ANSWER, bytes, len, m);
}
static inline int tr_msg_hello_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_hello_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_HELLO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_walls_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_walls *m) {
    return tr_wire_decode(TR_MSG_WALLS, bytes, len, m);
}
static inline int tr_msg_walls_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_walls *m) {
    return tr_wire_encode(mem, out, TR_MSG_WALLS, 0, request_id, m);
}

static inline const char *tr_msg_load_module_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_load_module *m) {
    return tr_wire_decode(TR_MSG_LOAD_MODULE, bytes, len, m);
}
static inline int tr_msg_load_module_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_load_module *m) {
    return tr_wire_encode(mem, out, TR_MSG_LOAD_MODULE, 0, request_id, m);
}

static inline const char *tr_msg_load_module_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_load_module_answer *m) {
    return tr_wire_decode(TR_MSG_LOAD_MODULE_ANSWER, bytes, len, m);
}
static inline int tr_msg_load_module_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_load_module_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_LOAD_MODULE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_unload_module_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_unload_module *m) {
    return tr_wire_decode(TR_MSG_UNLOAD_MODULE, bytes, len, m);
}
static inline int tr_msg_unload_module_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_unload_module *m) {
    return tr_wire_encode(mem, out, TR_MSG_UNLOAD_MODULE, 0, request_id, m);
}

static inline const char *tr_msg_unload_module_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_unload_module_answer *m) {
    return tr_wire_decode(TR_MSG_UNLOAD_MODULE_ANSWER, bytes, len, m);
}
static inline int tr_msg_unload_module_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_unload_module_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_UNLOAD_MODULE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_log_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_log *m) {
    return tr_wire_decode(TR_MSG_LOG, bytes, len, m);
}
static inline int tr_msg_log_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_log *m) {
    return tr_wire_encode(mem, out, TR_MSG_LOG, 0, request_id, m);
}

static inline const char *tr_msg_crash_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_crash *m) {
    return tr_wire_decode(TR_MSG_CRASH, bytes, len, m);
}
static inline int tr_msg_crash_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_crash *m) {
    return tr_wire_encode(mem, out, TR_MSG_CRASH, 0, request_id, m);
}

static inline const char *tr_msg_ping_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_ping *m) {
    return tr_wire_decode(TR_MSG_PING, bytes, len, m);
}
static inline int tr_msg_ping_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_ping *m) {
    return tr_wire_encode(mem, out, TR_MSG_PING, 0, request_id, m);
}

static inline const char *tr_msg_ping_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_ping_answer *m) {
    return tr_wire_decode(TR_MSG_PING_ANSWER, bytes, len, m);
}
static inline int tr_msg_ping_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_ping_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_PING_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_set_limits_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_limits *m) {
    return tr_wire_decode(TR_MSG_SET_LIMITS, bytes, len, m);
}
static inline int tr_msg_set_limits_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_limits *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_LIMITS, 0, request_id, m);
}

static inline const char *tr_msg_set_limits_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_limits_answer *m) {
    return tr_wire_decode(TR_MSG_SET_LIMITS_ANSWER, bytes, len, m);
}
static inline int tr_msg_set_limits_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_limits_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_LIMITS_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_stop_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stop *m) {
    return tr_wire_decode(TR_MSG_STOP, bytes, len, m);
}
static inline int tr_msg_stop_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stop *m) {
    return tr_wire_encode(mem, out, TR_MSG_STOP, 0, request_id, m);
}

static inline const char *tr_msg_run_command_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_command *m) {
    return tr_wire_decode(TR_MSG_RUN_COMMAND, bytes, len, m);
}
static inline int tr_msg_run_command_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_command *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_COMMAND, 0, request_id, m);
}

static inline const char *tr_msg_run_command_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_command_answer *m) {
    return tr_wire_decode(TR_MSG_RUN_COMMAND_ANSWER, bytes, len, m);
}
static inline int tr_msg_run_command_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_command_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_COMMAND_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_grant_floor_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_grant_floor *m) {
    return tr_wire_decode(TR_MSG_GRANT_FLOOR, bytes, len, m);
}
static inline int tr_msg_grant_floor_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_grant_floor *m) {
    return tr_wire_encode(mem, out, TR_MSG_GRANT_FLOOR, 0, request_id, m);
}

static inline const char *tr_msg_grant_floor_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_grant_floor_answer *m) {
    return tr_wire_decode(TR_MSG_GRANT_FLOOR_ANSWER, bytes, len, m);
}
static inline int tr_msg_grant_floor_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_grant_floor_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_GRANT_FLOOR_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_ask_floor_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_ask_floor *m) {
    return tr_wire_decode(TR_MSG_ASK_FLOOR, bytes, len, m);
}
static inline int tr_msg_ask_floor_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_ask_floor *m) {
    return tr_wire_encode(mem, out, TR_MSG_ASK_FLOOR, 0, request_id, m);
}

static inline const char *tr_msg_drop_ask_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_drop_ask *m) {
    return tr_wire_decode(TR_MSG_DROP_ASK, bytes, len, m);
}
static inline int tr_msg_drop_ask_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_drop_ask *m) {
    return tr_wire_encode(mem, out, TR_MSG_DROP_ASK, 0, request_id, m);
}

static inline const char *tr_msg_try_floor_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_try_floor *m) {
    return tr_wire_decode(TR_MSG_TRY_FLOOR, bytes, len, m);
}
static inline int tr_msg_try_floor_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_try_floor *m) {
    return tr_wire_encode(mem, out, TR_MSG_TRY_FLOOR, 0, request_id, m);
}

static inline const char *tr_msg_try_floor_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_try_floor_answer *m) {
    return tr_wire_decode(TR_MSG_TRY_FLOOR_ANSWER, bytes, len, m);
}
static inline int tr_msg_try_floor_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_try_floor_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TRY_FLOOR_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_yield_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_yield *m) {
    return tr_wire_decode(TR_MSG_YIELD, bytes, len, m);
}
static inline int tr_msg_yield_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_yield *m) {
    return tr_wire_encode(mem, out, TR_MSG_YIELD, 0, request_id, m);
}

static inline const char *tr_msg_yield_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_yield_answer *m) {
    return tr_wire_decode(TR_MSG_YIELD_ANSWER, bytes, len, m);
}
static inline int tr_msg_yield_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_yield_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_YIELD_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_heartbeat_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_heartbeat *m) {
    return tr_wire_decode(TR_MSG_HEARTBEAT, bytes, len, m);
}
static inline int tr_msg_heartbeat_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_heartbeat *m) {
    return tr_wire_encode(mem, out, TR_MSG_HEARTBEAT, 0, request_id, m);
}

static inline const char *tr_msg_register_command_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_command *m) {
    return tr_wire_decode(TR_MSG_REGISTER_COMMAND, bytes, len, m);
}
static inline int tr_msg_register_command_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_command *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_COMMAND, 0, request_id, m);
}

static inline const char *tr_msg_register_command_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_command_answer *m) {
    return tr_wire_decode(TR_MSG_REGISTER_COMMAND_ANSWER, bytes, len, m);
}
static inline int tr_msg_register_command_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_command_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_COMMAND_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_command_info_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_command_info *m) {
    return tr_wire_decode(TR_MSG_COMMAND_INFO, bytes, len, m);
}
static inline int tr_msg_command_info_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_command_info *m) {
    return tr_wire_encode(mem, out, TR_MSG_COMMAND_INFO, 0, request_id, m);
}

static inline const char *tr_msg_command_info_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_command_info_answer *m) {
    return tr_wire_decode(TR_MSG_COMMAND_INFO_ANSWER, bytes, len, m);
}
static inline int tr_msg_command_info_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_command_info_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_COMMAND_INFO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_command_categories_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_command_categories *m) {
    return tr_wire_decode(TR_MSG_COMMAND_CATEGORIES, bytes, len, m);
}
static inline int tr_msg_command_categories_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_command_categories *m) {
    return tr_wire_encode(mem, out, TR_MSG_COMMAND_CATEGORIES, 0, request_id, m);
}

static inline const char *tr_msg_command_categories_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_command_categories_answer *m) {
    return tr_wire_decode(TR_MSG_COMMAND_CATEGORIES_ANSWER, bytes, len, m);
}
static inline int tr_msg_command_categories_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_command_categories_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_COMMAND_CATEGORIES_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_add_category_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_add_category *m) {
    return tr_wire_decode(TR_MSG_ADD_CATEGORY, bytes, len, m);
}
static inline int tr_msg_add_category_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_add_category *m) {
    return tr_wire_encode(mem, out, TR_MSG_ADD_CATEGORY, 0, request_id, m);
}

static inline const char *tr_msg_add_category_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_add_category_answer *m) {
    return tr_wire_decode(TR_MSG_ADD_CATEGORY_ANSWER, bytes, len, m);
}
static inline int tr_msg_add_category_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_add_category_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_ADD_CATEGORY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_command_keys_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_command_keys *m) {
    return tr_wire_decode(TR_MSG_COMMAND_KEYS, bytes, len, m);
}
static inline int tr_msg_command_keys_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_command_keys *m) {
    return tr_wire_encode(mem, out, TR_MSG_COMMAND_KEYS, 0, request_id, m);
}

static inline const char *tr_msg_command_keys_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_command_keys_answer *m) {
    return tr_wire_decode(TR_MSG_COMMAND_KEYS_ANSWER, bytes, len, m);
}
static inline int tr_msg_command_keys_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_command_keys_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_COMMAND_KEYS_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_register_filter_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_filter *m) {
    return tr_wire_decode(TR_MSG_REGISTER_FILTER, bytes, len, m);
}
static inline int tr_msg_register_filter_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_filter *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_FILTER, 0, request_id, m);
}

static inline const char *tr_msg_register_filter_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_filter_answer *m) {
    return tr_wire_decode(TR_MSG_REGISTER_FILTER_ANSWER, bytes, len, m);
}
static inline int tr_msg_register_filter_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_filter_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_FILTER_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_unregister_filter_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_unregister_filter *m) {
    return tr_wire_decode(TR_MSG_UNREGISTER_FILTER, bytes, len, m);
}
static inline int tr_msg_unregister_filter_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_unregister_filter *m) {
    return tr_wire_encode(mem, out, TR_MSG_UNREGISTER_FILTER, 0, request_id, m);
}

static inline const char *tr_msg_run_filter_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_filter *m) {
    return tr_wire_decode(TR_MSG_RUN_FILTER, bytes, len, m);
}
static inline int tr_msg_run_filter_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_filter *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_FILTER, 0, request_id, m);
}

static inline const char *tr_msg_run_filter_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_filter_answer *m) {
    return tr_wire_decode(TR_MSG_RUN_FILTER_ANSWER, bytes, len, m);
}
static inline int tr_msg_run_filter_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_filter_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_FILTER_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_open_key_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_open_key *m) {
    return tr_wire_decode(TR_MSG_OPEN_KEY, bytes, len, m);
}
static inline int tr_msg_open_key_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_open_key *m) {
    return tr_wire_encode(mem, out, TR_MSG_OPEN_KEY, 0, request_id, m);
}

static inline const char *tr_msg_open_key_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_open_key_answer *m) {
    return tr_wire_decode(TR_MSG_OPEN_KEY_ANSWER, bytes, len, m);
}
static inline int tr_msg_open_key_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_open_key_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_OPEN_KEY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_close_key_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_close_key *m) {
    return tr_wire_decode(TR_MSG_CLOSE_KEY, bytes, len, m);
}
static inline int tr_msg_close_key_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_close_key *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLOSE_KEY, 0, request_id, m);
}

static inline const char *tr_msg_delete_key_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_delete_key *m) {
    return tr_wire_decode(TR_MSG_DELETE_KEY, bytes, len, m);
}
static inline int tr_msg_delete_key_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_delete_key *m) {
    return tr_wire_encode(mem, out, TR_MSG_DELETE_KEY, 0, request_id, m);
}

static inline const char *tr_msg_set_expire_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_expire *m) {
    return tr_wire_decode(TR_MSG_SET_EXPIRE, bytes, len, m);
}
static inline int tr_msg_set_expire_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_expire *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_EXPIRE, 0, request_id, m);
}

static inline const char *tr_msg_key_exists_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_key_exists *m) {
    return tr_wire_decode(TR_MSG_KEY_EXISTS, bytes, len, m);
}
static inline int tr_msg_key_exists_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_key_exists *m) {
    return tr_wire_encode(mem, out, TR_MSG_KEY_EXISTS, 0, request_id, m);
}

static inline const char *tr_msg_key_exists_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_key_exists_answer *m) {
    return tr_wire_decode(TR_MSG_KEY_EXISTS_ANSWER, bytes, len, m);
}
static inline int tr_msg_key_exists_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_key_exists_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_KEY_EXISTS_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_db_size_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_db_size *m) {
    return tr_wire_decode(TR_MSG_DB_SIZE, bytes, len, m);
}
static inline int tr_msg_db_size_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_db_size *m) {
    return tr_wire_encode(mem, out, TR_MSG_DB_SIZE, 0, request_id, m);
}

static inline const char *tr_msg_db_size_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_db_size_answer *m) {
    return tr_wire_decode(TR_MSG_DB_SIZE_ANSWER, bytes, len, m);
}
static inline int tr_msg_db_size_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_db_size_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_DB_SIZE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_random_key_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_random_key *m) {
    return tr_wire_decode(TR_MSG_RANDOM_KEY, bytes, len, m);
}
static inline int tr_msg_random_key_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_random_key *m) {
    return tr_wire_encode(mem, out, TR_MSG_RANDOM_KEY, 0, request_id, m);
}

static inline const char *tr_msg_random_key_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_random_key_answer *m) {
    return tr_wire_decode(TR_MSG_RANDOM_KEY_ANSWER, bytes, len, m);
}
static inline int tr_msg_random_key_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_random_key_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RANDOM_KEY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_get_age_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_get_age *m) {
    return tr_wire_decode(TR_MSG_GET_AGE, bytes, len, m);
}
static inline int tr_msg_get_age_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_get_age *m) {
    return tr_wire_encode(mem, out, TR_MSG_GET_AGE, 0, request_id, m);
}

static inline const char *tr_msg_get_age_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_get_age_answer *m) {
    return tr_wire_decode(TR_MSG_GET_AGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_get_age_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_get_age_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_GET_AGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_set_age_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_age *m) {
    return tr_wire_decode(TR_MSG_SET_AGE, bytes, len, m);
}
static inline int tr_msg_set_age_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_age *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_AGE, 0, request_id, m);
}

static inline const char *tr_msg_set_age_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_age_answer *m) {
    return tr_wire_decode(TR_MSG_SET_AGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_set_age_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_age_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_AGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_select_db_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_select_db *m) {
    return tr_wire_decode(TR_MSG_SELECT_DB, bytes, len, m);
}
static inline int tr_msg_select_db_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_select_db *m) {
    return tr_wire_encode(mem, out, TR_MSG_SELECT_DB, 0, request_id, m);
}

static inline const char *tr_msg_select_db_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_select_db_answer *m) {
    return tr_wire_decode(TR_MSG_SELECT_DB_ANSWER, bytes, len, m);
}
static inline int tr_msg_select_db_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_select_db_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SELECT_DB_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_signal_modified_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_signal_modified *m) {
    return tr_wire_decode(TR_MSG_SIGNAL_MODIFIED, bytes, len, m);
}
static inline int tr_msg_signal_modified_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_signal_modified *m) {
    return tr_wire_encode(mem, out, TR_MSG_SIGNAL_MODIFIED, 0, request_id, m);
}

static inline const char *tr_msg_known_keys_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_known_keys *m) {
    return tr_wire_decode(TR_MSG_KNOWN_KEYS, bytes, len, m);
}
static inline int tr_msg_known_keys_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_known_keys *m) {
    return tr_wire_encode(mem, out, TR_MSG_KNOWN_KEYS, 0, request_id, m);
}

static inline const char *tr_msg_open_known_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_open_known *m) {
    return tr_wire_decode(TR_MSG_OPEN_KNOWN, bytes, len, m);
}
static inline int tr_msg_open_known_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_open_known *m) {
    return tr_wire_encode(mem, out, TR_MSG_OPEN_KNOWN, 0, request_id, m);
}

static inline const char *tr_msg_string_set_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_string_set *m) {
    return tr_wire_decode(TR_MSG_STRING_SET, bytes, len, m);
}
static inline int tr_msg_string_set_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_string_set *m) {
    return tr_wire_encode(mem, out, TR_MSG_STRING_SET, 0, request_id, m);
}

static inline const char *tr_msg_string_get_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_string_get *m) {
    return tr_wire_decode(TR_MSG_STRING_GET, bytes, len, m);
}
static inline int tr_msg_string_get_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_string_get *m) {
    return tr_wire_encode(mem, out, TR_MSG_STRING_GET, 0, request_id, m);
}

static inline const char *tr_msg_string_get_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_string_get_answer *m) {
    return tr_wire_decode(TR_MSG_STRING_GET_ANSWER, bytes, len, m);
}
static inline int tr_msg_string_get_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_string_get_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_STRING_GET_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_string_write_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_string_write *m) {
    return tr_wire_decode(TR_MSG_STRING_WRITE, bytes, len, m);
}
static inline int tr_msg_string_write_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_string_write *m) {
    return tr_wire_encode(mem, out, TR_MSG_STRING_WRITE, 0, request_id, m);
}

static inline const char *tr_msg_string_truncate_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_string_truncate *m) {
    return tr_wire_decode(TR_MSG_STRING_TRUNCATE, bytes, len, m);
}
static inline int tr_msg_string_truncate_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_string_truncate *m) {
    return tr_wire_encode(mem, out, TR_MSG_STRING_TRUNCATE, 0, request_id, m);
}

static inline const char *tr_msg_call_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_call *m) {
    return tr_wire_decode(TR_MSG_CALL, bytes, len, m);
}
static inline int tr_msg_call_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_call *m) {
    return tr_wire_encode(mem, out, TR_MSG_CALL, 0, request_id, m);
}

static inline const char *tr_msg_call_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_call_answer *m) {
    return tr_wire_decode(TR_MSG_CALL_ANSWER, bytes, len, m);
}
static inline int tr_msg_call_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_call_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CALL_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_call_done_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_call_done *m) {
    return tr_wire_decode(TR_MSG_CALL_DONE, bytes, len, m);
}
static inline int tr_msg_call_done_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_call_done *m) {
    return tr_wire_encode(mem, out, TR_MSG_CALL_DONE, 0, request_id, m);
}

static inline const char *tr_msg_call_done_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_call_done_answer *m) {
    return tr_wire_decode(TR_MSG_CALL_DONE_ANSWER, bytes, len, m);
}
static inline int tr_msg_call_done_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_call_done_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CALL_DONE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_abort_promise_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_abort_promise *m) {
    return tr_wire_decode(TR_MSG_ABORT_PROMISE, bytes, len, m);
}
static inline int tr_msg_abort_promise_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_abort_promise *m) {
    return tr_wire_encode(mem, out, TR_MSG_ABORT_PROMISE, 0, request_id, m);
}

static inline const char *tr_msg_abort_promise_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_abort_promise_answer *m) {
    return tr_wire_decode(TR_MSG_ABORT_PROMISE_ANSWER, bytes, len, m);
}
static inline int tr_msg_abort_promise_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_abort_promise_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_ABORT_PROMISE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_replicate_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_replicate *m) {
    return tr_wire_decode(TR_MSG_REPLICATE, bytes, len, m);
}
static inline int tr_msg_replicate_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_replicate *m) {
    return tr_wire_encode(mem, out, TR_MSG_REPLICATE, 0, request_id, m);
}

static inline const char *tr_msg_replicate_verbatim_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_replicate_verbatim *m) {
    return tr_wire_decode(TR_MSG_REPLICATE_VERBATIM, bytes, len, m);
}
static inline int tr_msg_replicate_verbatim_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_replicate_verbatim *m) {
    return tr_wire_encode(mem, out, TR_MSG_REPLICATE_VERBATIM, 0, request_id, m);
}

static inline const char *tr_msg_avoid_replica_traffic_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_avoid_replica_traffic *m) {
    return tr_wire_decode(TR_MSG_AVOID_REPLICA_TRAFFIC, bytes, len, m);
}
static inline int tr_msg_avoid_replica_traffic_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_avoid_replica_traffic *m) {
    return tr_wire_encode(mem, out, TR_MSG_AVOID_REPLICA_TRAFFIC, 0, request_id, m);
}

static inline const char *tr_msg_avoid_replica_traffic_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_avoid_replica_traffic_answer *m) {
    return tr_wire_decode(TR_MSG_AVOID_REPLICA_TRAFFIC_ANSWER, bytes, len, m);
}
static inline int tr_msg_avoid_replica_traffic_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_avoid_replica_traffic_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_AVOID_REPLICA_TRAFFIC_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_register_type_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_type *m) {
    return tr_wire_decode(TR_MSG_REGISTER_TYPE, bytes, len, m);
}
static inline int tr_msg_register_type_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_type *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_TYPE, 0, request_id, m);
}

static inline const char *tr_msg_register_type_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_type_answer *m) {
    return tr_wire_decode(TR_MSG_REGISTER_TYPE_ANSWER, bytes, len, m);
}
static inline int tr_msg_register_type_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_type_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_TYPE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_set_value_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_value *m) {
    return tr_wire_decode(TR_MSG_SET_VALUE, bytes, len, m);
}
static inline int tr_msg_set_value_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_value *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_VALUE, 0, request_id, m);
}

static inline const char *tr_msg_type_load_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_load *m) {
    return tr_wire_decode(TR_MSG_TYPE_LOAD, bytes, len, m);
}
static inline int tr_msg_type_load_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_load *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_LOAD, 0, request_id, m);
}

static inline const char *tr_msg_type_load_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_load_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_LOAD_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_load_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_load_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_LOAD_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_save_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_save *m) {
    return tr_wire_decode(TR_MSG_TYPE_SAVE, bytes, len, m);
}
static inline int tr_msg_type_save_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_save *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_SAVE, 0, request_id, m);
}

static inline const char *tr_msg_type_save_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_save_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_SAVE_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_save_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_save_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_SAVE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_rewrite_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_rewrite *m) {
    return tr_wire_decode(TR_MSG_TYPE_REWRITE, bytes, len, m);
}
static inline int tr_msg_type_rewrite_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_rewrite *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_REWRITE, 0, request_id, m);
}

static inline const char *tr_msg_type_rewrite_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_rewrite_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_REWRITE_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_rewrite_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_rewrite_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_REWRITE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_free_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_free *m) {
    return tr_wire_decode(TR_MSG_TYPE_FREE, bytes, len, m);
}
static inline int tr_msg_type_free_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_free *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_FREE, 0, request_id, m);
}

static inline const char *tr_msg_type_unlink_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_unlink *m) {
    return tr_wire_decode(TR_MSG_TYPE_UNLINK, bytes, len, m);
}
static inline int tr_msg_type_unlink_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_unlink *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_UNLINK, 0, request_id, m);
}

static inline const char *tr_msg_type_copy_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_copy *m) {
    return tr_wire_decode(TR_MSG_TYPE_COPY, bytes, len, m);
}
static inline int tr_msg_type_copy_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_copy *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_COPY, 0, request_id, m);
}

static inline const char *tr_msg_type_copy_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_copy_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_COPY_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_copy_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_copy_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_COPY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_mem_usage_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_mem_usage *m) {
    return tr_wire_decode(TR_MSG_TYPE_MEM_USAGE, bytes, len, m);
}
static inline int tr_msg_type_mem_usage_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_mem_usage *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_MEM_USAGE, 0, request_id, m);
}

static inline const char *tr_msg_type_mem_usage_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_mem_usage_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_MEM_USAGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_mem_usage_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_mem_usage_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_MEM_USAGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_free_effort_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_free_effort *m) {
    return tr_wire_decode(TR_MSG_TYPE_FREE_EFFORT, bytes, len, m);
}
static inline int tr_msg_type_free_effort_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_free_effort *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_FREE_EFFORT, 0, request_id, m);
}

static inline const char *tr_msg_type_free_effort_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_free_effort_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_FREE_EFFORT_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_free_effort_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_free_effort_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_FREE_EFFORT_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_digest_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_digest *m) {
    return tr_wire_decode(TR_MSG_TYPE_DIGEST, bytes, len, m);
}
static inline int tr_msg_type_digest_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_digest *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_DIGEST, 0, request_id, m);
}

static inline const char *tr_msg_type_digest_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_digest_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_DIGEST_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_digest_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_digest_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_DIGEST_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_aux_save_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_aux_save *m) {
    return tr_wire_decode(TR_MSG_TYPE_AUX_SAVE, bytes, len, m);
}
static inline int tr_msg_type_aux_save_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_aux_save *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_AUX_SAVE, 0, request_id, m);
}

static inline const char *tr_msg_type_aux_save_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_aux_save_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_AUX_SAVE_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_aux_save_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_aux_save_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_AUX_SAVE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_type_aux_load_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_aux_load *m) {
    return tr_wire_decode(TR_MSG_TYPE_AUX_LOAD, bytes, len, m);
}
static inline int tr_msg_type_aux_load_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_aux_load *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_AUX_LOAD, 0, request_id, m);
}

static inline const char *tr_msg_type_aux_load_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_type_aux_load_answer *m) {
    return tr_wire_decode(TR_MSG_TYPE_AUX_LOAD_ANSWER, bytes, len, m);
}
static inline int tr_msg_type_aux_load_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_type_aux_load_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_TYPE_AUX_LOAD_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_keep_values_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_keep_values *m) {
    return tr_wire_decode(TR_MSG_KEEP_VALUES, bytes, len, m);
}
static inline int tr_msg_keep_values_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_keep_values *m) {
    return tr_wire_encode(mem, out, TR_MSG_KEEP_VALUES, 0, request_id, m);
}

static inline const char *tr_msg_values_now_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_values_now *m) {
    return tr_wire_decode(TR_MSG_VALUES_NOW, bytes, len, m);
}
static inline int tr_msg_values_now_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_values_now *m) {
    return tr_wire_encode(mem, out, TR_MSG_VALUES_NOW, 0, request_id, m);
}

static inline const char *tr_msg_snapshot_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_snapshot *m) {
    return tr_wire_decode(TR_MSG_SNAPSHOT, bytes, len, m);
}
static inline int tr_msg_snapshot_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_snapshot *m) {
    return tr_wire_encode(mem, out, TR_MSG_SNAPSHOT, 0, request_id, m);
}

static inline const char *tr_msg_snapshot_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_snapshot_answer *m) {
    return tr_wire_decode(TR_MSG_SNAPSHOT_ANSWER, bytes, len, m);
}
static inline int tr_msg_snapshot_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_snapshot_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SNAPSHOT_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_snapshot_part_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_snapshot_part *m) {
    return tr_wire_decode(TR_MSG_SNAPSHOT_PART, bytes, len, m);
}
static inline int tr_msg_snapshot_part_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_snapshot_part *m) {
    return tr_wire_encode(mem, out, TR_MSG_SNAPSHOT_PART, 0, request_id, m);
}

static inline const char *tr_msg_snapshot_end_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_snapshot_end *m) {
    return tr_wire_decode(TR_MSG_SNAPSHOT_END, bytes, len, m);
}
static inline int tr_msg_snapshot_end_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_snapshot_end *m) {
    return tr_wire_encode(mem, out, TR_MSG_SNAPSHOT_END, 0, request_id, m);
}

static inline const char *tr_msg_block_client_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_block_client *m) {
    return tr_wire_decode(TR_MSG_BLOCK_CLIENT, bytes, len, m);
}
static inline int tr_msg_block_client_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_block_client *m) {
    return tr_wire_encode(mem, out, TR_MSG_BLOCK_CLIENT, 0, request_id, m);
}

static inline const char *tr_msg_unblock_client_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_unblock_client *m) {
    return tr_wire_decode(TR_MSG_UNBLOCK_CLIENT, bytes, len, m);
}
static inline int tr_msg_unblock_client_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_unblock_client *m) {
    return tr_wire_encode(mem, out, TR_MSG_UNBLOCK_CLIENT, 0, request_id, m);
}

static inline const char *tr_msg_run_blocked_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_blocked *m) {
    return tr_wire_decode(TR_MSG_RUN_BLOCKED, bytes, len, m);
}
static inline int tr_msg_run_blocked_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_blocked *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_BLOCKED, 0, request_id, m);
}

static inline const char *tr_msg_run_blocked_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_blocked_answer *m) {
    return tr_wire_decode(TR_MSG_RUN_BLOCKED_ANSWER, bytes, len, m);
}
static inline int tr_msg_run_blocked_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_blocked_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_BLOCKED_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_signal_ready_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_signal_ready *m) {
    return tr_wire_decode(TR_MSG_SIGNAL_READY, bytes, len, m);
}
static inline int tr_msg_signal_ready_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_signal_ready *m) {
    return tr_wire_encode(mem, out, TR_MSG_SIGNAL_READY, 0, request_id, m);
}

static inline const char *tr_msg_subscribe_event_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_subscribe_event *m) {
    return tr_wire_decode(TR_MSG_SUBSCRIBE_EVENT, bytes, len, m);
}
static inline int tr_msg_subscribe_event_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_subscribe_event *m) {
    return tr_wire_encode(mem, out, TR_MSG_SUBSCRIBE_EVENT, 0, request_id, m);
}

static inline const char *tr_msg_subscribe_event_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_subscribe_event_answer *m) {
    return tr_wire_decode(TR_MSG_SUBSCRIBE_EVENT_ANSWER, bytes, len, m);
}
static inline int tr_msg_subscribe_event_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_subscribe_event_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SUBSCRIBE_EVENT_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_server_event_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_server_event *m) {
    return tr_wire_decode(TR_MSG_SERVER_EVENT, bytes, len, m);
}
static inline int tr_msg_server_event_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_server_event *m) {
    return tr_wire_encode(mem, out, TR_MSG_SERVER_EVENT, 0, request_id, m);
}

static inline const char *tr_msg_server_event_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_server_event_answer *m) {
    return tr_wire_decode(TR_MSG_SERVER_EVENT_ANSWER, bytes, len, m);
}
static inline int tr_msg_server_event_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_server_event_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SERVER_EVENT_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_subscribe_keyspace_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_subscribe_keyspace *m) {
    return tr_wire_decode(TR_MSG_SUBSCRIBE_KEYSPACE, bytes, len, m);
}
static inline int tr_msg_subscribe_keyspace_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_subscribe_keyspace *m) {
    return tr_wire_encode(mem, out, TR_MSG_SUBSCRIBE_KEYSPACE, 0, request_id, m);
}

static inline const char *tr_msg_subscribe_keyspace_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_subscribe_keyspace_answer *m) {
    return tr_wire_decode(TR_MSG_SUBSCRIBE_KEYSPACE_ANSWER, bytes, len, m);
}
static inline int tr_msg_subscribe_keyspace_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_subscribe_keyspace_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SUBSCRIBE_KEYSPACE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_keyspace_event_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_keyspace_event *m) {
    return tr_wire_decode(TR_MSG_KEYSPACE_EVENT, bytes, len, m);
}
static inline int tr_msg_keyspace_event_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_keyspace_event *m) {
    return tr_wire_encode(mem, out, TR_MSG_KEYSPACE_EVENT, 0, request_id, m);
}

static inline const char *tr_msg_keyspace_event_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_keyspace_event_answer *m) {
    return tr_wire_decode(TR_MSG_KEYSPACE_EVENT_ANSWER, bytes, len, m);
}
static inline int tr_msg_keyspace_event_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_keyspace_event_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_KEYSPACE_EVENT_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_notify_keyspace_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_notify_keyspace *m) {
    return tr_wire_decode(TR_MSG_NOTIFY_KEYSPACE, bytes, len, m);
}
static inline int tr_msg_notify_keyspace_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_notify_keyspace *m) {
    return tr_wire_encode(mem, out, TR_MSG_NOTIFY_KEYSPACE, 0, request_id, m);
}

static inline const char *tr_msg_notify_classes_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_notify_classes *m) {
    return tr_wire_decode(TR_MSG_NOTIFY_CLASSES, bytes, len, m);
}
static inline int tr_msg_notify_classes_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_notify_classes *m) {
    return tr_wire_encode(mem, out, TR_MSG_NOTIFY_CLASSES, 0, request_id, m);
}

static inline const char *tr_msg_notify_classes_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_notify_classes_answer *m) {
    return tr_wire_decode(TR_MSG_NOTIFY_CLASSES_ANSWER, bytes, len, m);
}
static inline int tr_msg_notify_classes_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_notify_classes_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_NOTIFY_CLASSES_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_add_job_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_add_job *m) {
    return tr_wire_decode(TR_MSG_ADD_JOB, bytes, len, m);
}
static inline int tr_msg_add_job_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_add_job *m) {
    return tr_wire_encode(mem, out, TR_MSG_ADD_JOB, 0, request_id, m);
}

static inline const char *tr_msg_run_job_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_job *m) {
    return tr_wire_decode(TR_MSG_RUN_JOB, bytes, len, m);
}
static inline int tr_msg_run_job_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_job *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_JOB, 0, request_id, m);
}

static inline const char *tr_msg_run_job_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_job_answer *m) {
    return tr_wire_decode(TR_MSG_RUN_JOB_ANSWER, bytes, len, m);
}
static inline int tr_msg_run_job_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_job_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_JOB_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_register_info_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_info *m) {
    return tr_wire_decode(TR_MSG_REGISTER_INFO, bytes, len, m);
}
static inline int tr_msg_register_info_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_info *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_INFO, 0, request_id, m);
}

static inline const char *tr_msg_register_info_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_info_answer *m) {
    return tr_wire_decode(TR_MSG_REGISTER_INFO_ANSWER, bytes, len, m);
}
static inline int tr_msg_register_info_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_info_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_INFO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_run_info_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_info *m) {
    return tr_wire_decode(TR_MSG_RUN_INFO, bytes, len, m);
}
static inline int tr_msg_run_info_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_info *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_INFO, 0, request_id, m);
}

static inline const char *tr_msg_run_info_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_info_answer *m) {
    return tr_wire_decode(TR_MSG_RUN_INFO_ANSWER, bytes, len, m);
}
static inline int tr_msg_run_info_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_info_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_INFO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_server_info_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_server_info *m) {
    return tr_wire_decode(TR_MSG_SERVER_INFO, bytes, len, m);
}
static inline int tr_msg_server_info_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_server_info *m) {
    return tr_wire_encode(mem, out, TR_MSG_SERVER_INFO, 0, request_id, m);
}

static inline const char *tr_msg_server_info_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_server_info_answer *m) {
    return tr_wire_decode(TR_MSG_SERVER_INFO_ANSWER, bytes, len, m);
}
static inline int tr_msg_server_info_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_server_info_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SERVER_INFO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_publish_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_publish *m) {
    return tr_wire_decode(TR_MSG_PUBLISH, bytes, len, m);
}
static inline int tr_msg_publish_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_publish *m) {
    return tr_wire_encode(mem, out, TR_MSG_PUBLISH, 0, request_id, m);
}

static inline const char *tr_msg_publish_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_publish_answer *m) {
    return tr_wire_decode(TR_MSG_PUBLISH_ANSWER, bytes, len, m);
}
static inline int tr_msg_publish_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_publish_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_PUBLISH_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_client_info_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_client_info *m) {
    return tr_wire_decode(TR_MSG_CLIENT_INFO, bytes, len, m);
}
static inline int tr_msg_client_info_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_client_info *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLIENT_INFO, 0, request_id, m);
}

static inline const char *tr_msg_client_info_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_client_info_answer *m) {
    return tr_wire_decode(TR_MSG_CLIENT_INFO_ANSWER, bytes, len, m);
}
static inline int tr_msg_client_info_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_client_info_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLIENT_INFO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_set_client_name_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_client_name *m) {
    return tr_wire_decode(TR_MSG_SET_CLIENT_NAME, bytes, len, m);
}
static inline int tr_msg_set_client_name_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_client_name *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_CLIENT_NAME, 0, request_id, m);
}

static inline const char *tr_msg_set_client_name_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_client_name_answer *m) {
    return tr_wire_decode(TR_MSG_SET_CLIENT_NAME_ANSWER, bytes, len, m);
}
static inline int tr_msg_set_client_name_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_client_name_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_CLIENT_NAME_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_client_certificate_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_client_certificate *m) {
    return tr_wire_decode(TR_MSG_CLIENT_CERTIFICATE, bytes, len, m);
}
static inline int tr_msg_client_certificate_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_client_certificate *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLIENT_CERTIFICATE, 0, request_id, m);
}

static inline const char *tr_msg_client_certificate_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_client_certificate_answer *m) {
    return tr_wire_decode(TR_MSG_CLIENT_CERTIFICATE_ANSWER, bytes, len, m);
}
static inline int tr_msg_client_certificate_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_client_certificate_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLIENT_CERTIFICATE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_redact_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_redact *m) {
    return tr_wire_decode(TR_MSG_REDACT, bytes, len, m);
}
static inline int tr_msg_redact_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_redact *m) {
    return tr_wire_encode(mem, out, TR_MSG_REDACT, 0, request_id, m);
}

static inline const char *tr_msg_memory_ratio_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_memory_ratio *m) {
    return tr_wire_decode(TR_MSG_MEMORY_RATIO, bytes, len, m);
}
static inline int tr_msg_memory_ratio_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_memory_ratio *m) {
    return tr_wire_encode(mem, out, TR_MSG_MEMORY_RATIO, 0, request_id, m);
}

static inline const char *tr_msg_memory_ratio_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_memory_ratio_answer *m) {
    return tr_wire_decode(TR_MSG_MEMORY_RATIO_ANSWER, bytes, len, m);
}
static inline int tr_msg_memory_ratio_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_memory_ratio_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_MEMORY_RATIO_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_latency_sample_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_latency_sample *m) {
    return tr_wire_decode(TR_MSG_LATENCY_SAMPLE, bytes, len, m);
}
static inline int tr_msg_latency_sample_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_latency_sample *m) {
    return tr_wire_encode(mem, out, TR_MSG_LATENCY_SAMPLE, 0, request_id, m);
}

static inline const char *tr_msg_module_options_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_module_options *m) {
    return tr_wire_decode(TR_MSG_MODULE_OPTIONS, bytes, len, m);
}
static inline int tr_msg_module_options_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_module_options *m) {
    return tr_wire_encode(mem, out, TR_MSG_MODULE_OPTIONS, 0, request_id, m);
}

static inline const char *tr_msg_name_busy_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_name_busy *m) {
    return tr_wire_decode(TR_MSG_NAME_BUSY, bytes, len, m);
}
static inline int tr_msg_name_busy_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_name_busy *m) {
    return tr_wire_encode(mem, out, TR_MSG_NAME_BUSY, 0, request_id, m);
}

static inline const char *tr_msg_name_busy_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_name_busy_answer *m) {
    return tr_wire_decode(TR_MSG_NAME_BUSY_ANSWER, bytes, len, m);
}
static inline int tr_msg_name_busy_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_name_busy_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_NAME_BUSY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_memory_used_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_memory_used *m) {
    return tr_wire_decode(TR_MSG_MEMORY_USED, bytes, len, m);
}
static inline int tr_msg_memory_used_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_memory_used *m) {
    return tr_wire_encode(mem, out, TR_MSG_MEMORY_USED, 0, request_id, m);
}

static inline const char *tr_msg_shared_api_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_shared_api *m) {
    return tr_wire_decode(TR_MSG_SHARED_API, bytes, len, m);
}
static inline int tr_msg_shared_api_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_shared_api *m) {
    return tr_wire_encode(mem, out, TR_MSG_SHARED_API, 0, request_id, m);
}

static inline const char *tr_msg_create_user_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_create_user *m) {
    return tr_wire_decode(TR_MSG_CREATE_USER, bytes, len, m);
}
static inline int tr_msg_create_user_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_create_user *m) {
    return tr_wire_encode(mem, out, TR_MSG_CREATE_USER, 0, request_id, m);
}

static inline const char *tr_msg_free_user_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_free_user *m) {
    return tr_wire_decode(TR_MSG_FREE_USER, bytes, len, m);
}
static inline int tr_msg_free_user_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_free_user *m) {
    return tr_wire_encode(mem, out, TR_MSG_FREE_USER, 0, request_id, m);
}

static inline const char *tr_msg_set_user_rules_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_user_rules *m) {
    return tr_wire_decode(TR_MSG_SET_USER_RULES, bytes, len, m);
}
static inline int tr_msg_set_user_rules_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_user_rules *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_USER_RULES, 0, request_id, m);
}

static inline const char *tr_msg_set_user_rules_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_set_user_rules_answer *m) {
    return tr_wire_decode(TR_MSG_SET_USER_RULES_ANSWER, bytes, len, m);
}
static inline int tr_msg_set_user_rules_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_set_user_rules_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SET_USER_RULES_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_user_rules_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_user_rules *m) {
    return tr_wire_decode(TR_MSG_USER_RULES, bytes, len, m);
}
static inline int tr_msg_user_rules_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_user_rules *m) {
    return tr_wire_encode(mem, out, TR_MSG_USER_RULES, 0, request_id, m);
}

static inline const char *tr_msg_user_rules_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_user_rules_answer *m) {
    return tr_wire_decode(TR_MSG_USER_RULES_ANSWER, bytes, len, m);
}
static inline int tr_msg_user_rules_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_user_rules_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_USER_RULES_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_find_user_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_find_user *m) {
    return tr_wire_decode(TR_MSG_FIND_USER, bytes, len, m);
}
static inline int tr_msg_find_user_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_find_user *m) {
    return tr_wire_encode(mem, out, TR_MSG_FIND_USER, 0, request_id, m);
}

static inline const char *tr_msg_find_user_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_find_user_answer *m) {
    return tr_wire_decode(TR_MSG_FIND_USER_ANSWER, bytes, len, m);
}
static inline int tr_msg_find_user_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_find_user_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_FIND_USER_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_check_user_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_check_user *m) {
    return tr_wire_decode(TR_MSG_CHECK_USER, bytes, len, m);
}
static inline int tr_msg_check_user_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_check_user *m) {
    return tr_wire_encode(mem, out, TR_MSG_CHECK_USER, 0, request_id, m);
}

static inline const char *tr_msg_check_user_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_check_user_answer *m) {
    return tr_wire_decode(TR_MSG_CHECK_USER_ANSWER, bytes, len, m);
}
static inline int tr_msg_check_user_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_check_user_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CHECK_USER_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_acl_log_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_acl_log *m) {
    return tr_wire_decode(TR_MSG_ACL_LOG, bytes, len, m);
}
static inline int tr_msg_acl_log_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_acl_log *m) {
    return tr_wire_encode(mem, out, TR_MSG_ACL_LOG, 0, request_id, m);
}

static inline const char *tr_msg_register_auth_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_auth *m) {
    return tr_wire_decode(TR_MSG_REGISTER_AUTH, bytes, len, m);
}
static inline int tr_msg_register_auth_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_auth *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_AUTH, 0, request_id, m);
}

static inline const char *tr_msg_run_auth_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_auth *m) {
    return tr_wire_decode(TR_MSG_RUN_AUTH, bytes, len, m);
}
static inline int tr_msg_run_auth_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_auth *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_AUTH, 0, request_id, m);
}

static inline const char *tr_msg_run_auth_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_run_auth_answer *m) {
    return tr_wire_decode(TR_MSG_RUN_AUTH_ANSWER, bytes, len, m);
}
static inline int tr_msg_run_auth_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_run_auth_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RUN_AUTH_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_authenticate_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_authenticate *m) {
    return tr_wire_decode(TR_MSG_AUTHENTICATE, bytes, len, m);
}
static inline int tr_msg_authenticate_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_authenticate *m) {
    return tr_wire_encode(mem, out, TR_MSG_AUTHENTICATE, 0, request_id, m);
}

static inline const char *tr_msg_authenticate_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_authenticate_answer *m) {
    return tr_wire_decode(TR_MSG_AUTHENTICATE_ANSWER, bytes, len, m);
}
static inline int tr_msg_authenticate_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_authenticate_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_AUTHENTICATE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_user_changed_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_user_changed *m) {
    return tr_wire_decode(TR_MSG_USER_CHANGED, bytes, len, m);
}
static inline int tr_msg_user_changed_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_user_changed *m) {
    return tr_wire_encode(mem, out, TR_MSG_USER_CHANGED, 0, request_id, m);
}

static inline const char *tr_msg_user_changed_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_user_changed_answer *m) {
    return tr_wire_decode(TR_MSG_USER_CHANGED_ANSWER, bytes, len, m);
}
static inline int tr_msg_user_changed_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_user_changed_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_USER_CHANGED_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_deauthenticate_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_deauthenticate *m) {
    return tr_wire_decode(TR_MSG_DEAUTHENTICATE, bytes, len, m);
}
static inline int tr_msg_deauthenticate_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_deauthenticate *m) {
    return tr_wire_encode(mem, out, TR_MSG_DEAUTHENTICATE, 0, request_id, m);
}

static inline const char *tr_msg_deauthenticate_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_deauthenticate_answer *m) {
    return tr_wire_decode(TR_MSG_DEAUTHENTICATE_ANSWER, bytes, len, m);
}
static inline int tr_msg_deauthenticate_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_deauthenticate_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_DEAUTHENTICATE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_register_config_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_config *m) {
    return tr_wire_decode(TR_MSG_REGISTER_CONFIG, bytes, len, m);
}
static inline int tr_msg_register_config_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_config *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_CONFIG, 0, request_id, m);
}

static inline const char *tr_msg_register_config_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_register_config_answer *m) {
    return tr_wire_decode(TR_MSG_REGISTER_CONFIG_ANSWER, bytes, len, m);
}
static inline int tr_msg_register_config_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_register_config_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_REGISTER_CONFIG_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_config_get_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_config_get *m) {
    return tr_wire_decode(TR_MSG_CONFIG_GET, bytes, len, m);
}
static inline int tr_msg_config_get_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_config_get *m) {
    return tr_wire_encode(mem, out, TR_MSG_CONFIG_GET, 0, request_id, m);
}

static inline const char *tr_msg_config_get_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_config_get_answer *m) {
    return tr_wire_decode(TR_MSG_CONFIG_GET_ANSWER, bytes, len, m);
}
static inline int tr_msg_config_get_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_config_get_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CONFIG_GET_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_config_set_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_config_set *m) {
    return tr_wire_decode(TR_MSG_CONFIG_SET, bytes, len, m);
}
static inline int tr_msg_config_set_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_config_set *m) {
    return tr_wire_encode(mem, out, TR_MSG_CONFIG_SET, 0, request_id, m);
}

static inline const char *tr_msg_config_set_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_config_set_answer *m) {
    return tr_wire_decode(TR_MSG_CONFIG_SET_ANSWER, bytes, len, m);
}
static inline int tr_msg_config_set_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_config_set_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CONFIG_SET_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_config_apply_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_config_apply *m) {
    return tr_wire_decode(TR_MSG_CONFIG_APPLY, bytes, len, m);
}
static inline int tr_msg_config_apply_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_config_apply *m) {
    return tr_wire_encode(mem, out, TR_MSG_CONFIG_APPLY, 0, request_id, m);
}

static inline const char *tr_msg_config_apply_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_config_apply_answer *m) {
    return tr_wire_decode(TR_MSG_CONFIG_APPLY_ANSWER, bytes, len, m);
}
static inline int tr_msg_config_apply_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_config_apply_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CONFIG_APPLY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_load_configs_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_load_configs *m) {
    return tr_wire_decode(TR_MSG_LOAD_CONFIGS, bytes, len, m);
}
static inline int tr_msg_load_configs_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_load_configs *m) {
    return tr_wire_encode(mem, out, TR_MSG_LOAD_CONFIGS, 0, request_id, m);
}

static inline const char *tr_msg_load_configs_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_load_configs_answer *m) {
    return tr_wire_decode(TR_MSG_LOAD_CONFIGS_ANSWER, bytes, len, m);
}
static inline int tr_msg_load_configs_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_load_configs_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_LOAD_CONFIGS_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_scan_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_scan *m) {
    return tr_wire_decode(TR_MSG_SCAN, bytes, len, m);
}
static inline int tr_msg_scan_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_scan *m) {
    return tr_wire_encode(mem, out, TR_MSG_SCAN, 0, request_id, m);
}

static inline const char *tr_msg_scan_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_scan_answer *m) {
    return tr_wire_decode(TR_MSG_SCAN_ANSWER, bytes, len, m);
}
static inline int tr_msg_scan_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_scan_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SCAN_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_scan_key_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_scan_key *m) {
    return tr_wire_decode(TR_MSG_SCAN_KEY, bytes, len, m);
}
static inline int tr_msg_scan_key_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_scan_key *m) {
    return tr_wire_encode(mem, out, TR_MSG_SCAN_KEY, 0, request_id, m);
}

static inline const char *tr_msg_scan_key_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_scan_key_answer *m) {
    return tr_wire_decode(TR_MSG_SCAN_KEY_ANSWER, bytes, len, m);
}
static inline int tr_msg_scan_key_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_scan_key_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_SCAN_KEY_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_list_push_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_push *m) {
    return tr_wire_decode(TR_MSG_LIST_PUSH, bytes, len, m);
}
static inline int tr_msg_list_push_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_push *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_PUSH, 0, request_id, m);
}

static inline const char *tr_msg_list_pop_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_pop *m) {
    return tr_wire_decode(TR_MSG_LIST_POP, bytes, len, m);
}
static inline int tr_msg_list_pop_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_pop *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_POP, 0, request_id, m);
}

static inline const char *tr_msg_list_pop_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_pop_answer *m) {
    return tr_wire_decode(TR_MSG_LIST_POP_ANSWER, bytes, len, m);
}
static inline int tr_msg_list_pop_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_pop_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_POP_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_list_get_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_get *m) {
    return tr_wire_decode(TR_MSG_LIST_GET, bytes, len, m);
}
static inline int tr_msg_list_get_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_get *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_GET, 0, request_id, m);
}

static inline const char *tr_msg_list_get_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_get_answer *m) {
    return tr_wire_decode(TR_MSG_LIST_GET_ANSWER, bytes, len, m);
}
static inline int tr_msg_list_get_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_get_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_GET_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_list_change_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_change *m) {
    return tr_wire_decode(TR_MSG_LIST_CHANGE, bytes, len, m);
}
static inline int tr_msg_list_change_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_change *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_CHANGE, 0, request_id, m);
}

static inline const char *tr_msg_list_change_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_list_change_answer *m) {
    return tr_wire_decode(TR_MSG_LIST_CHANGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_list_change_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_list_change_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_LIST_CHANGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_hash_set_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_hash_set *m) {
    return tr_wire_decode(TR_MSG_HASH_SET, bytes, len, m);
}
static inline int tr_msg_hash_set_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_hash_set *m) {
    return tr_wire_encode(mem, out, TR_MSG_HASH_SET, 0, request_id, m);
}

static inline const char *tr_msg_hash_set_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_hash_set_answer *m) {
    return tr_wire_decode(TR_MSG_HASH_SET_ANSWER, bytes, len, m);
}
static inline int tr_msg_hash_set_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_hash_set_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_HASH_SET_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_hash_get_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_hash_get *m) {
    return tr_wire_decode(TR_MSG_HASH_GET, bytes, len, m);
}
static inline int tr_msg_hash_get_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_hash_get *m) {
    return tr_wire_encode(mem, out, TR_MSG_HASH_GET, 0, request_id, m);
}

static inline const char *tr_msg_hash_get_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_hash_get_answer *m) {
    return tr_wire_decode(TR_MSG_HASH_GET_ANSWER, bytes, len, m);
}
static inline int tr_msg_hash_get_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_hash_get_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_HASH_GET_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_zset_add_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_add *m) {
    return tr_wire_decode(TR_MSG_ZSET_ADD, bytes, len, m);
}
static inline int tr_msg_zset_add_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_add *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_ADD, 0, request_id, m);
}

static inline const char *tr_msg_zset_add_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_add_answer *m) {
    return tr_wire_decode(TR_MSG_ZSET_ADD_ANSWER, bytes, len, m);
}
static inline int tr_msg_zset_add_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_add_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_ADD_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_zset_score_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_score *m) {
    return tr_wire_decode(TR_MSG_ZSET_SCORE, bytes, len, m);
}
static inline int tr_msg_zset_score_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_score *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_SCORE, 0, request_id, m);
}

static inline const char *tr_msg_zset_score_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_score_answer *m) {
    return tr_wire_decode(TR_MSG_ZSET_SCORE_ANSWER, bytes, len, m);
}
static inline int tr_msg_zset_score_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_score_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_SCORE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_zset_remove_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_remove *m) {
    return tr_wire_decode(TR_MSG_ZSET_REMOVE, bytes, len, m);
}
static inline int tr_msg_zset_remove_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_remove *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_REMOVE, 0, request_id, m);
}

static inline const char *tr_msg_zset_remove_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_remove_answer *m) {
    return tr_wire_decode(TR_MSG_ZSET_REMOVE_ANSWER, bytes, len, m);
}
static inline int tr_msg_zset_remove_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_remove_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_REMOVE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_zset_range_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_range *m) {
    return tr_wire_decode(TR_MSG_ZSET_RANGE, bytes, len, m);
}
static inline int tr_msg_zset_range_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_range *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_RANGE, 0, request_id, m);
}

static inline const char *tr_msg_zset_range_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_zset_range_answer *m) {
    return tr_wire_decode(TR_MSG_ZSET_RANGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_zset_range_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_zset_range_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_ZSET_RANGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_stream_add_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_add *m) {
    return tr_wire_decode(TR_MSG_STREAM_ADD, bytes, len, m);
}
static inline int tr_msg_stream_add_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_add *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_ADD, 0, request_id, m);
}

static inline const char *tr_msg_stream_add_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_add_answer *m) {
    return tr_wire_decode(TR_MSG_STREAM_ADD_ANSWER, bytes, len, m);
}
static inline int tr_msg_stream_add_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_add_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_ADD_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_stream_delete_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_delete *m) {
    return tr_wire_decode(TR_MSG_STREAM_DELETE, bytes, len, m);
}
static inline int tr_msg_stream_delete_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_delete *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_DELETE, 0, request_id, m);
}

static inline const char *tr_msg_stream_delete_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_delete_answer *m) {
    return tr_wire_decode(TR_MSG_STREAM_DELETE_ANSWER, bytes, len, m);
}
static inline int tr_msg_stream_delete_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_delete_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_DELETE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_stream_range_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_range *m) {
    return tr_wire_decode(TR_MSG_STREAM_RANGE, bytes, len, m);
}
static inline int tr_msg_stream_range_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_range *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_RANGE, 0, request_id, m);
}

static inline const char *tr_msg_stream_range_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_range_answer *m) {
    return tr_wire_decode(TR_MSG_STREAM_RANGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_stream_range_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_range_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_RANGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_stream_trim_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_trim *m) {
    return tr_wire_decode(TR_MSG_STREAM_TRIM, bytes, len, m);
}
static inline int tr_msg_stream_trim_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_trim *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_TRIM, 0, request_id, m);
}

static inline const char *tr_msg_stream_trim_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_stream_trim_answer *m) {
    return tr_wire_decode(TR_MSG_STREAM_TRIM_ANSWER, bytes, len, m);
}
static inline int tr_msg_stream_trim_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_stream_trim_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_STREAM_TRIM_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_cluster_send_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_send *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_SEND, bytes, len, m);
}
static inline int tr_msg_cluster_send_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_send *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_SEND, 0, request_id, m);
}

static inline const char *tr_msg_cluster_send_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_send_answer *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_SEND_ANSWER, bytes, len, m);
}
static inline int tr_msg_cluster_send_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_send_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_SEND_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_cluster_receive_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_receive *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_RECEIVE, bytes, len, m);
}
static inline int tr_msg_cluster_receive_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_receive *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_RECEIVE, 0, request_id, m);
}

static inline const char *tr_msg_cluster_message_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_message *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_MESSAGE, bytes, len, m);
}
static inline int tr_msg_cluster_message_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_message *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_MESSAGE, 0, request_id, m);
}

static inline const char *tr_msg_cluster_message_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_message_answer *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_MESSAGE_ANSWER, bytes, len, m);
}
static inline int tr_msg_cluster_message_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_message_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_MESSAGE_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_cluster_nodes_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_nodes *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_NODES, bytes, len, m);
}
static inline int tr_msg_cluster_nodes_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_nodes *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_NODES, 0, request_id, m);
}

static inline const char *tr_msg_cluster_nodes_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_cluster_nodes_answer *m) {
    return tr_wire_decode(TR_MSG_CLUSTER_NODES_ANSWER, bytes, len, m);
}
static inline int tr_msg_cluster_nodes_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_cluster_nodes_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_CLUSTER_NODES_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_rdb_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_rdb *m) {
    return tr_wire_decode(TR_MSG_RDB, bytes, len, m);
}
static inline int tr_msg_rdb_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_rdb *m) {
    return tr_wire_encode(mem, out, TR_MSG_RDB, 0, request_id, m);
}

static inline const char *tr_msg_rdb_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_rdb_answer *m) {
    return tr_wire_decode(TR_MSG_RDB_ANSWER, bytes, len, m);
}
static inline int tr_msg_rdb_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_rdb_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RDB_ANSWER, 0, request_id, m);
}

static inline const char *tr_msg_reset_dataset_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_reset_dataset *m) {
    return tr_wire_decode(TR_MSG_RESET_DATASET, bytes, len, m);
}
static inline int tr_msg_reset_dataset_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_reset_dataset *m) {
    return tr_wire_encode(mem, out, TR_MSG_RESET_DATASET, 0, request_id, m);
}

static inline const char *tr_msg_reset_dataset_answer_decode(const uint8_t *bytes, size_t len,
                                               tr_msg_reset_dataset_answer *m) {
    return tr_wire_decode(TR_MSG_RESET_DATASET_ANSWER, bytes, len, m);
}
static inline int tr_msg_reset_dataset_answer_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,
                                       const tr_msg_reset_dataset_answer *m) {
    return tr_wire_encode(mem, out, TR_MSG_RESET_DATASET_ANSWER, 0, request_id, m);
}

#endif
