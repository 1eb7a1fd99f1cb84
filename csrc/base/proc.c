#include "base/proc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ARG_START_FIELD 48 /* of /proc/self/stat, counted from 1 */
#define SHORT_NAME_MAX 16  /* of a thread, NUL included */

/* Where the kernel finds the command line. 0 or TR_EIO. */
static int find_args(char **start, char **end) {
    char stat[2048];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return TR_EIO;
    ssize_t n = read(fd, stat, sizeof(stat) - 1);
    close(fd);
    if (n <= 0) return TR_EIO;
    stat[n] = '\0';
    const char *at = strrchr(stat, ')'); /* ends the second field, which may hold anything */
    for (int field = 2; at != NULL && field < ARG_START_FIELD; field++) at = strchr(at + 1, ' ');
    uint64_t from, to;
    if (at == NULL || sscanf(at, " %" SCNu64 " %" SCNu64, &from, &to) != 2) return TR_EIO;
    if (from == 0 || to <= from || to - from > (1u << 21)) return TR_EIO;
    *start = (char *)(uintptr_t)from;
    *end = (char *)(uintptr_t)to;
    return TR_OK;
}

static void set_short_name(const char *title) {
    char name[SHORT_NAME_MAX] = "";
    size_t len = strcspn(title, " ");
    for (size_t i = 0; i < len; i++) {
        if (title[i] != '/') continue;
        title += i + 1;
        len -= i + 1;
        i = (size_t)-1;
    }
    memcpy(name, title, len < SHORT_NAME_MAX - 1 ? len : SHORT_NAME_MAX - 1);
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

int tr_proc_set_title(const char *title) {
    char *start, *end;
    int rc = find_args(&start, &end);
    if (rc != TR_OK) return rc;
    size_t room = (size_t)(end - start) - 1; /* with another last byte the kernel would read on into the environment */
    size_t len = strnlen(title, TR_PROC_TITLE_MAX);
    if (len > room) len = room;
    memcpy(start, title, len);
    memset(start + len, 0, (size_t)(end - start) - len);
    set_short_name(title);
    return TR_OK;
}

int tr_proc_disable_huge_pages(void) {
    return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0 ? TR_OK : TR_EIO;
}

#else

int tr_proc_set_title(const char *title) {
    (void)title;
    return TR_ENOTSUP;
}

int tr_proc_disable_huge_pages(void) {
    return TR_ENOTSUP;
}

#endif
