/* The command line of the host program; the supervisor writes it. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/life.h"

#define EXIT_USAGE 2

enum {
    OPT_CONTROL = 256, OPT_SHM, OPT_HOST_WAKE, OPT_ENGINE_WAKE, OPT_PARENT, OPT_MEMORY, OPT_FILE_SIZE, OPT_FILES,
    OPT_THREADS, OPT_PROCESSES, OPT_CPU, OPT_NETWORK, OPT_FORK, OPT_EXEC, OPT_CODE, OPT_READ, OPT_WRITE, OPT_ENV,
    OPT_REQUIRE, OPT_HELP,
};

static const struct option long_options[] = {
    {"control", required_argument, NULL, OPT_CONTROL},
    {"shm", required_argument, NULL, OPT_SHM},
    {"host-wake", required_argument, NULL, OPT_HOST_WAKE},
    {"engine-wake", required_argument, NULL, OPT_ENGINE_WAKE},
    {"parent", required_argument, NULL, OPT_PARENT},
    {"memory", required_argument, NULL, OPT_MEMORY},
    {"file-size", required_argument, NULL, OPT_FILE_SIZE},
    {"files", required_argument, NULL, OPT_FILES},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"processes", required_argument, NULL, OPT_PROCESSES},
    {"cpu", required_argument, NULL, OPT_CPU},
    {"network", required_argument, NULL, OPT_NETWORK},
    {"fork", no_argument, NULL, OPT_FORK},
    {"exec", no_argument, NULL, OPT_EXEC},
    {"code", no_argument, NULL, OPT_CODE},
    {"read", required_argument, NULL, OPT_READ},
    {"write", required_argument, NULL, OPT_WRITE},
    {"env", required_argument, NULL, OPT_ENV},
    {"require", required_argument, NULL, OPT_REQUIRE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "trioredis-modhost: runs one Redis module for a trioredis server, inside walls.\n"
    "\n"
    "The server starts it; there is nothing to do with it by hand. MODULE.so is what the walls let it open.\n"
    "\n"
    "  --control FD --shm FD --host-wake FD --engine-wake FD   what it shares with the server\n"
    "  --parent PID        end when this process is not the parent\n"
    "  --memory BYTES      address space; 0: no limit\n"
    "  --file-size BYTES   largest file that may be written\n"
    "  --files N           open files; 0: no limit\n"
    "  --threads N         threads that the module may start\n"
    "  --processes N       children at once, with --fork\n"
    "  --cpu SECONDS       processor time; 0: no limit\n"
    "  --network WHAT      none, tcp or all\n"
    "  --fork --exec --code  allow new processes, programs, executable memory\n"
    "  --read PATH, --write PATH, --env NAME=VALUE   may be given several times\n"
    "  --require WALL      end if this wall can't be had (its number)\n";

static int wrong(const char *option, const char *value) {
    fprintf(stderr, "trioredis-modhost: bad value for --%s: %s\n", option, value);
    return EXIT_USAGE;
}

static int number(const char *text, uint64_t max, uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || n > max) return 0;
    *out = n;
    return 1;
}

static int network(const char *text, tr_jail_network *out) {
    static const char *const names[] = {"none", "tcp", "all"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (tr_jail_network)i;
        return 1;
    }
    return 0;
}

static int add_path(tr_options *o, const char *path, bool writable) {
    if (o->policy.path_count == TR_LIFE_PATHS_MAX) return 0;
    o->paths[o->policy.path_count++] = (tr_jail_path){.path = path, .writable = writable};
    return 1;
}

static int add_variable(tr_options *o, const char *text) {
    if (o->policy.environment_count == TR_LIFE_VARIABLES_MAX || strchr(text, '=') == NULL) return 0;
    o->environment[o->policy.environment_count++] = text;
    return 1;
}

/* 1: the option is taken. */
static int take(tr_options *o, int option, const char *value) {
    tr_jail_policy *p = &o->policy;
    uint64_t n = 0;
    switch (option) {
        case OPT_CONTROL: return number(value, INT_MAX, &n) && ((o->control_fd = (int)n), 1);
        case OPT_SHM: return number(value, INT_MAX, &n) && ((o->shm_fd = (int)n), 1);
        case OPT_HOST_WAKE: return number(value, INT_MAX, &n) && ((o->host_wake_fd = (int)n), 1);
        case OPT_ENGINE_WAKE: return number(value, INT_MAX, &n) && ((o->engine_wake_fd = (int)n), 1);
        case OPT_PARENT: return number(value, INT_MAX, &n) && ((p->parent = (pid_t)n), 1);
        case OPT_MEMORY: return number(value, UINT64_MAX, &p->memory_bytes_max);
        case OPT_FILE_SIZE: return number(value, UINT64_MAX, &p->file_bytes_max);
        case OPT_FILES: return number(value, UINT32_MAX, &n) && ((p->open_files_max = (uint32_t)n), 1);
        /* Two more: the control channel has a thread of its own, and so has who reads what a child saves. */
        case OPT_THREADS: return number(value, UINT32_MAX - 2, &n) && ((p->threads_max = (uint32_t)n + 2), 1);
        case OPT_PROCESSES: return number(value, UINT32_MAX, &n) && ((p->processes_max = (uint32_t)n), 1);
        case OPT_CPU: return number(value, UINT32_MAX, &n) && ((p->cpu_seconds_max = (uint32_t)n), 1);
        case OPT_NETWORK: return network(value, &p->network);
        case OPT_FORK: return (p->fork_allowed = true);
        case OPT_EXEC: return (p->exec_allowed = true);
        case OPT_CODE: return (p->code_allowed = true);
        case OPT_READ: return add_path(o, value, false);
        case OPT_WRITE: return add_path(o, value, true);
        case OPT_ENV: return add_variable(o, value);
        case OPT_REQUIRE: return number(value, TR_JAIL_WALL_COUNT - 1, &n) && ((p->required |= UINT64_C(1) << n), 1);
        default: return 0;
    }
}

int tr_options_parse(tr_options *o, int argc, char **argv, int *done) {
    *o = (tr_options){.control_fd = -1, .shm_fd = -1, .host_wake_fd = -1, .engine_wake_fd = -1};
    o->policy.threads_max = 2;
    o->policy.trap_violations = true;
    o->policy.host_forks = true; /* checkpoints */
    o->policy.paths = o->paths;
    o->policy.environment = o->environment;
    *done = 1;
    int index = 0;
    for (int option; (option = getopt_long(argc, argv, "", long_options, &index)) != -1;) {
        if (option == '?') return EXIT_USAGE;
        if (option == OPT_HELP) {
            fputs(help_text, stdout);
            return 0;
        }
        if (!take(o, option, optarg)) return wrong(long_options[index].name, optarg == NULL ? "" : optarg);
    }
    if (o->control_fd < 0 || o->shm_fd < 0 || o->host_wake_fd < 0 || o->engine_wake_fd < 0 || optind != argc - 1) {
        fputs("trioredis-modhost: started without a server; see --help\n", stderr);
        return EXIT_USAGE;
    }
    o->policy.module_path = argv[optind];
    *done = 0;
    return 0;
}
