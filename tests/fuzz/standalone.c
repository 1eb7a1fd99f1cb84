#include "driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "mutator.h"

#define MAX_LEN 4096       /* bytes of a usual input */
#define TIMEOUT_SECONDS 20 /* of CPU for one input */
#define LARGE_EVERY 64     /* every so many inputs may be larger */
#define LARGE_FACTOR 32
#define MUTATIONS_MAX 8    /* changes to a seed */
#define PATH_MAX_BYTES 1024

typedef struct input {
    uint8_t *data;
    size_t size;
} input;

typedef struct options {
    uint64_t runs;
    uint64_t seed;
    uint64_t first;
    size_t max_len;
    uint64_t timeout_seconds;
    uint64_t report_slow_ms; /* 0: never */
    const char *artifact_prefix;
} options;

/* What took longest so far. */
typedef struct slowest {
    clock_t ticks;
    uint64_t number;
    input in; /* owned */
} slowest;

typedef struct corpus {
    input *inputs;
    size_t count;
} corpus;

/* The input being run. A signal handler takes no argument of ours, so this is the one static of
 * the driver. */
static struct {
    const uint8_t *data;
    size_t size;
    char artifact[PATH_MAX_BYTES];
} running;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Present in sanitizer builds only. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static void say(const char *text) {
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n;
}

/* Only what a signal handler may do. */
static void save_running(void) {
    if (running.data == NULL || running.artifact[0] == '\0') return;
    int fd = open(running.artifact, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    ssize_t n = fd < 0 ? -1 : write(fd, running.data, running.size);
    say(n == (ssize_t)running.size ? "input saved, replay it with this program and the file "
                                   : "input could not be saved to ");
    say(running.artifact);
    say("\n");
    running.data = NULL;
    if (fd >= 0) close(fd);
}

static void on_signal(int number) {
    if (number == SIGPROF) say("an input takes too long\n");
    save_running();
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_for_death(void) {
    signal(SIGABRT, on_signal);
    signal(SIGPROF, on_signal);
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(save_running);
        return;
    }
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGILL, on_signal);
    signal(SIGFPE, on_signal);
}

/* Runs a copy that ends where its allocation ends. */
static void run_one(tr_fuzz_target target, const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    tr_assert(copy != NULL);
    if (size != 0) memcpy(copy, data, size);
    running.data = copy;
    running.size = size;
    tr_assert(target(copy, size) == 0);
    running.data = NULL;
    free(copy);
}

static void limit_time(uint64_t seconds) {
    const struct itimerval limit = {.it_value.tv_sec = (time_t)seconds};
    tr_assert(setitimer(ITIMER_PROF, &limit, NULL) == 0);
}

static int read_file(const char *path, input *in) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return 0;
    struct stat st;
    int ok = fstat(fileno(file), &st) == 0;
    *in = (input){.data = malloc(ok ? (size_t)st.st_size + 1 : 1)};
    tr_assert(in->data != NULL);
    if (ok) in->size = fread(in->data, 1, (size_t)st.st_size, file);
    fclose(file);
    return ok;
}

static void corpus_add(corpus *c, input in) {
    c->inputs = realloc(c->inputs, (c->count + 1) * sizeof(*c->inputs));
    tr_assert(c->inputs != NULL);
    c->inputs[c->count++] = in;
}

static int by_content(const void *a, const void *b) {
    const input *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return memcmp(x->data, y->data, x->size);
}

static int corpus_load(corpus *c, const char *folder) {
    DIR *dir = opendir(folder);
    if (dir == NULL) return 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[PATH_MAX_BYTES];
        struct stat st;
        input in;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && read_file(path, &in)) corpus_add(c, in);
    }
    closedir(dir);
    /* the order of a folder is nobody's promise */
    if (c->count > 1) qsort(c->inputs, c->count, sizeof(*c->inputs), by_content);
    return 1;
}

static void corpus_free(corpus *c) {
    for (size_t i = 0; i < c->count; i++) free(c->inputs[i].data);
    free(c->inputs);
}

/* A beginning of one seed, and sometimes the rest of another. */
static size_t pick_seed(const corpus *c, uint8_t *out, size_t max, tr_rng *rng) {
    if (c->count == 0) return 0;
    const input *a = &c->inputs[tr_rng_below(rng, c->count)];
    size_t n = a->size < max ? a->size : max;
    if (n != 0) memcpy(out, a->data, n);
    if (tr_rng_below(rng, 8) != 0) return n;
    const input *b = &c->inputs[tr_rng_below(rng, c->count)];
    n = (size_t)tr_rng_below(rng, n + 1);
    size_t from = (size_t)tr_rng_below(rng, b->size + 1);
    size_t rest = b->size - from < max - n ? b->size - from : max - n;
    if (rest != 0) memcpy(out + n, b->data + from, rest);
    return n + rest;
}

static void note_time(slowest *s, clock_t ticks, uint64_t number, const input *in) {
    if (ticks <= s->ticks) return;
    free(s->in.data);
    *s = (slowest){.ticks = ticks, .number = number, .in = {malloc(in->size + 1), in->size}};
    tr_assert(s->in.data != NULL);
    if (in->size != 0) memcpy(s->in.data, in->data, in->size);
}

/* Tells of the slowest input, and keeps it when it was too slow. */
static void report_slowest(const options *o, slowest *s) {
    uint64_t ms = (uint64_t)s->ticks * 1000 / CLOCKS_PER_SEC;
    printf("slowest: number %" PRIu64 ", %zu bytes, %" PRIu64 " ms\n", s->number, s->in.size, ms);
    if (o->report_slow_ms != 0 && ms > o->report_slow_ms) {
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof(path), "%sslow-%" PRIu64, o->artifact_prefix, o->seed);
        FILE *file = fopen(path, "wb");
        tr_assert(file != NULL);
        size_t n = fwrite(s->in.data, 1, s->in.size, file);
        tr_assert(fclose(file) == 0 && n == s->in.size);
        printf("kept as %s\n", path);
    }
    free(s->in.data);
}

static void run_mutated(const options *o, const corpus *c, tr_fuzz_target target) {
    size_t large = o->max_len * LARGE_FACTOR, longest = 0;
    uint8_t *data = malloc(large);
    slowest slow = {0};
    tr_assert(data != NULL);
    clock_t start = clock(), before = start;
    for (uint64_t i = o->first; i < o->first + o->runs; i++) {
        tr_rng rng = {o->seed * 0x9e3779b97f4a7c15u + i};
        size_t max = i % LARGE_EVERY == 0 ? large : o->max_len;
        size_t size = pick_seed(c, data, max, &rng);
        uint64_t changes = 1 + tr_rng_below(&rng, MUTATIONS_MAX);
        while (changes-- > 0) size = tr_fuzz_mutate(data, size, max, &rng);
        if (size > longest) longest = size;
        snprintf(running.artifact, sizeof(running.artifact), "%scrash-%" PRIu64 "-%" PRIu64,
                 o->artifact_prefix, o->seed, i);
        limit_time(o->timeout_seconds);
        run_one(target, data, size);
        limit_time(0);
        clock_t now = clock();
        note_time(&slow, now - before, i, &(input){data, size});
        before = now;
    }
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%" PRIu64 " executions from %zu seeds, seed %" PRIu64, o->runs, c->count, o->seed);
    printf(", longest input %zu bytes, %.1f s of CPU\n", longest, seconds);
    report_slowest(o, &slow);
    free(data);
}

static int replay(const char *path, tr_fuzz_target target) {
    input in;
    if (!read_file(path, &in)) {
        fprintf(stderr, "can't read %s\n", path);
        return 2;
    }
    running.artifact[0] = '\0'; /* it is a file already */
    run_one(target, in.data, in.size);
    printf("%s: %zu bytes, passed\n", path, in.size);
    free(in.data);
    return 0;
}

/* 1: taken, 0: no option of ours. */
static int take_option(const char *arg, options *o) {
    char *end = NULL;
    const char *value = strchr(arg, '=');
    if (*arg != '-' || value == NULL) return 0;
    value++;
    if (strncmp(arg, "-artifact_prefix=", 17) == 0) {
        o->artifact_prefix = value;
        return 1;
    }
    unsigned long long n = strtoull(value, &end, 10);
    if (*value == '\0' || *end != '\0') return 0;
    if (strncmp(arg, "-runs=", 6) == 0) o->runs = n;
    else if (strncmp(arg, "-seed=", 6) == 0) o->seed = n;
    else if (strncmp(arg, "-first=", 7) == 0) o->first = n;
    else if (strncmp(arg, "-timeout=", 9) == 0) o->timeout_seconds = n;
    else if (strncmp(arg, "-report_slow_ms=", 16) == 0) o->report_slow_ms = n;
    else if (strncmp(arg, "-max_len=", 9) == 0 && n > 0) o->max_len = (size_t)n;
    else return 0;
    return 1;
}

int tr_fuzz_drive(int argc, char **argv, tr_fuzz_target target) {
    options o = {
        .runs = 100000,
        .seed = 1,
        .max_len = MAX_LEN,
        .timeout_seconds = TIMEOUT_SECONDS,
        .artifact_prefix = "./",
    };
    corpus c = {0};
    int rc = 0, replayed = 0;
    watch_for_death();
    for (int i = 1; i < argc && rc == 0; i++) {
        if (take_option(argv[i], &o) || corpus_load(&c, argv[i])) continue;
        if (*argv[i] == '-') {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            rc = 2;
        } else {
            rc = replay(argv[i], target);
            replayed = 1;
        }
    }
    if (rc == 0 && !replayed) run_mutated(&o, &c, target);
    corpus_free(&c);
    return rc;
}

int main(int argc, char **argv) {
    return tr_fuzz_drive(argc, argv, LLVMFuzzerTestOneInput);
}
