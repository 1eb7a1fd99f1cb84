/* Group 20: timers, and the event loop. All of it is the helper's own: events.c. */
#include <errno.h>

#include "sandbox/host/events.h"

RedisModuleTimerID tr_rm_CreateTimer(RedisModuleCtx *ctx, mstime_t period, RedisModuleTimerProc callback, void *data) {
    TR_NOTE(CreateTimer, ctx, period, callback, data);
    return tr_events_add_timer(period, callback, data, ctx == NULL ? 0 : ctx->db);
}

int tr_rm_StopTimer(RedisModuleCtx *ctx, RedisModuleTimerID id, void **data) {
    TR_NOTE(StopTimer, ctx, id);
    return tr_events_stop_timer(id, data) ? REDISMODULE_OK : REDISMODULE_ERR;
}

int tr_rm_GetTimerInfo(RedisModuleCtx *ctx, RedisModuleTimerID id, uint64_t *remaining, void **data) {
    TR_NOTE(GetTimerInfo, ctx, id);
    return tr_events_timer_info(id, remaining, data) ? REDISMODULE_OK : REDISMODULE_ERR;
}

/* 0, or the errno for a number that no descriptor has, or a mask with other bits. */
static int why_refused(int fd, int mask) {
    if (fd < 0 || fd >= TR_EVENTS_FDS_MAX) return ERANGE;
    return (mask & ~(REDISMODULE_EVENTLOOP_READABLE | REDISMODULE_EVENTLOOP_WRITABLE)) != 0 ? EINVAL : 0;
}

static int done(int why) {
    if (why == 0) return REDISMODULE_OK;
    errno = why;
    return REDISMODULE_ERR;
}

int tr_rm_EventLoopAdd(int fd, int mask, RedisModuleEventLoopFunc func, void *user_data) {
    TR_NOTE(EventLoopAdd, fd, mask, func, user_data);
    int why = why_refused(fd, mask);
    if (why == 0 && func == NULL) why = EINVAL;
    return done(why != 0 ? why : tr_events_add_fd(fd, mask, func, user_data));
}

int tr_rm_EventLoopDel(int fd, int mask) {
    TR_NOTE(EventLoopDel, fd, mask);
    int why = why_refused(fd, mask);
    if (why == 0) tr_events_drop_fd(fd, mask);
    return done(why);
}

int tr_rm_EventLoopAddOneShot(RedisModuleEventLoopOneShotFunc func, void *user_data) {
    TR_NOTE(EventLoopAddOneShot, func, user_data);
    if (func == NULL) return done(EINVAL);
    tr_events_add_one_shot(func, user_data);
    return REDISMODULE_OK;
}
