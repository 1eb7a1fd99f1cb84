/* driver.h - runs a fuzz target without libFuzzer, with libFuzzer's spelling of the options.
 *
 *   fuzz_x [-runs=N] [-seed=S] [-first=F] [-max_len=L] [-timeout=T] [-report_slow_ms=M]
 *          [-artifact_prefix=P] [folders]       run mutated seeds, from number F on
 *   fuzz_x file...                              run these inputs
 *
 * The same seed and corpus make the same inputs. When an input fails, or takes more than T seconds
 * of CPU, its bytes are written to <P>crash-<seed>-<number> and the way to replay it is printed;
 * those of the slowest one, when it took more than M milliseconds of CPU, to <P>slow-<seed>.
 */
#ifndef TR_FUZZ_DRIVER_H
#define TR_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; a broken invariant aborts. */
typedef int (*tr_fuzz_target)(const uint8_t *data, size_t size);

/* Exit status for main(): 0, or 2 when the options or files are wrong. */
int tr_fuzz_drive(int argc, char **argv, tr_fuzz_target target);

#endif
