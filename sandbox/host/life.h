/* life.h - the life of the process: greeting, jail, loading, serving, unloading; and the control channel.
 *
 *   main thread     hello -> load_module -> jail 1 -> grant: load -> jail 2 -> serve ... grant: unload -> end
 *   control thread                          | ping, limits, unload, stop: also while the module runs
 */
#ifndef TR_HOST_LIFE_H
#define TR_HOST_LIFE_H

#include "sandbox/host/host.h"
#include "sandbox/jail.h"

#define TR_LIFE_PATHS_MAX TR_JAIL_PATHS_MAX
#define TR_LIFE_VARIABLES_MAX 64
#define TR_CONTROL_BYTES_MAX (1 << 20) /* of one message on the control channel */

/* From the command line. */
typedef struct tr_options {
    int control_fd, shm_fd, host_wake_fd, engine_wake_fd;
    tr_jail_policy policy;
    tr_jail_path paths[TR_LIFE_PATHS_MAX];
    const char *environment[TR_LIFE_VARIABLES_MAX];
} tr_options;

/* 0; else the exit status, after a line on stderr or the help on stdout. */
int tr_options_parse(tr_options *options, int argc, char **argv, int *done);

/* The program. Returns the exit status only when there was nothing to run. */
int tr_life_run(int argc, char **argv);
/* The floor was granted for it. */
void tr_life_load(void);
void tr_life_unload(void);
/* The grant has been answered: what goes out after that. */
void tr_life_floor_returned(void);

#endif
