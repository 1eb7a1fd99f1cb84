/* The jail of a system without any walls that we know: it says so. To require a wall fails. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/jail.h"

static const char *const wall_texts[TR_JAIL_WALL_COUNT] = {
#define TR_X(name, text) [TR_JAIL_##name] = text,
    TR_JAIL_WALLS(TR_X)
#undef TR_X
};

const char *tr_jail_wall_text(tr_jail_wall wall) {
    tr_assert((unsigned)wall < TR_JAIL_WALL_COUNT);
    return wall_texts[wall];
}

int tr_jail_prepare(const tr_jail_policy *policy, tr_jail *jail, tr_jail_report *report) {
    memset(jail, 0, sizeof(*jail));
    memset(report, 0, sizeof(*report));
    jail->policy = *policy;
    jail->null_fd = -1;
    return 0;
}

void tr_jail_discard(tr_jail *jail) {
    jail->path_count = 0;
}

int tr_jail_enter(tr_jail *jail, tr_jail_stage stage, tr_jail_report *report) {
    report->failure[0] = '\0';
    if (jail->entered || jail->next != stage) return TR_EINVAL;
    for (int wall = 0; wall < TR_JAIL_WALL_COUNT; wall++) {
        report->walls[wall].state = TR_JAIL_UNSUPPORTED;
        snprintf(report->walls[wall].reason, TR_JAIL_REASON_MAX, "not available on this system");
    }
    jail->next = TR_JAIL_SERVING;
    jail->entered = stage == TR_JAIL_SERVING;
    if (jail->policy.required == 0) return 0;
    snprintf(report->failure, TR_JAIL_REASON_MAX, "this system has no walls");
    return TR_ENOTSUP;
}
