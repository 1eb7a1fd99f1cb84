#include "sandbox/host/host.h"

int tr_rm_GetContextFlagsAll(void) {
    TR_NOTE(GetContextFlagsAll);
    return _REDISMODULE_CTX_FLAGS_NEXT - 1;
}

int tr_rm_GetModuleOptionsAll(void) {
    TR_NOTE(GetModuleOptionsAll);
    return _REDISMODULE_OPTIONS_FLAGS_NEXT - 1;
}

int tr_rm_GetKeyspaceNotificationFlagsAll(void) {
    TR_NOTE(GetKeyspaceNotificationFlagsAll);
    return _REDISMODULE_NOTIFY_NEXT - 1;
}

int tr_rm_GetOpenKeyModesAll(void) {
    TR_NOTE(GetOpenKeyModesAll);
    return _REDISMODULE_OPEN_KEY_ALL;
}

/* 0x00MMmmpp, as the greeting told it. */
int tr_rm_GetServerVersion(void) {
    TR_NOTE(GetServerVersion);
    return (int)tr_host_here.server_version;
}

int tr_rm_GetTypeMethodVersion(void) {
    TR_NOTE(GetTypeMethodVersion);
    return REDISMODULE_TYPE_METHOD_VERSION;
}

/* How many subevents an event has. Those that never fire by a subevent have none, not even 0. */
int tr_rm_IsSubEventSupported(RedisModuleEvent event, uint64_t subevent) {
    TR_NOTE(IsSubEventSupported, event.id, subevent);
    static const uint8_t counts[_REDISMODULE_EVENT_NEXT] = {
        [REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED] = _REDISMODULE_EVENT_REPLROLECHANGED_NEXT,
        [REDISMODULE_EVENT_PERSISTENCE] = _REDISMODULE_SUBEVENT_PERSISTENCE_NEXT,
        [REDISMODULE_EVENT_FLUSHDB] = _REDISMODULE_SUBEVENT_FLUSHDB_NEXT,
        [REDISMODULE_EVENT_LOADING] = _REDISMODULE_SUBEVENT_LOADING_NEXT,
        [REDISMODULE_EVENT_CLIENT_CHANGE] = _REDISMODULE_SUBEVENT_CLIENT_CHANGE_NEXT,
        [REDISMODULE_EVENT_REPLICA_CHANGE] = _REDISMODULE_SUBEVENT_REPLICA_CHANGE_NEXT,
        [REDISMODULE_EVENT_MASTER_LINK_CHANGE] = _REDISMODULE_SUBEVENT_MASTER_NEXT,
        [REDISMODULE_EVENT_MODULE_CHANGE] = _REDISMODULE_SUBEVENT_MODULE_NEXT,
        [REDISMODULE_EVENT_LOADING_PROGRESS] = _REDISMODULE_SUBEVENT_LOADING_PROGRESS_NEXT,
        [REDISMODULE_EVENT_FORK_CHILD] = _REDISMODULE_SUBEVENT_FORK_CHILD_NEXT,
        [REDISMODULE_EVENT_REPL_ASYNC_LOAD] = _REDISMODULE_SUBEVENT_REPL_ASYNC_LOAD_NEXT,
        [REDISMODULE_EVENT_EVENTLOOP] = _REDISMODULE_SUBEVENT_EVENTLOOP_NEXT,
        [REDISMODULE_EVENT_CONFIG] = _REDISMODULE_SUBEVENT_CONFIG_NEXT,
        [REDISMODULE_EVENT_KEY] = _REDISMODULE_SUBEVENT_KEY_NEXT,
    };
    return event.id < _REDISMODULE_EVENT_NEXT && subevent < counts[event.id];
}
