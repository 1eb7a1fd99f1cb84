/* Group 1 without its pure queries: who the module is, and its assertions. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/host/link.h"

#define MODULE_NAME_MAX 63 /* bytes; the server has room for no more */

int tr_rm_GetApi(const char *name, void *target) {
    return tr_loader_get_api(name, target);
}

static void tell_options(const char *function) {
    tr_host *h = &tr_host_here;
    tr_msg_module_options m = {.options = h->options, .version = h->module_version, .api_version = h->api_version};
    if (h->module_name != NULL) {
        m.name = (tr_wire_bytes){(const uint8_t *)h->module_name, (uint32_t)strlen(h->module_name)};
    }
    tr_link_tell(function, TR_MSG_MODULE_OPTIONS, &m);
}

void tr_rm_SetModuleAttribs(RedisModuleCtx *ctx, const char *name, int ver, int apiver) {
    TR_NOTE(SetModuleAttribs, ctx, name, ver, apiver);
    tr_host *h = &tr_host_here;
    if (h->module_name != NULL) return; /* said already */
    size_t len = strlen(name);
    if (len > MODULE_NAME_MAX) tr_host_die(TR_DIE_HOST, "the module's name is longer than %d bytes", MODULE_NAME_MAX);
    h->module_name = tr_need_copy(name, len);
    h->module_version = ver;
    h->api_version = apiver;
    tell_options("RedisModule_SetModuleAttribs");
}

int tr_rm_IsModuleNameBusy(const char *name) {
    TR_NOTE(IsModuleNameBusy, name);
    tr_msg_name_busy m = {.name = {(const uint8_t *)name, (uint32_t)strlen(name)}};
    tr_msg_name_busy_answer answer;
    tr_answer hold = {0};
    tr_link_ask("RedisModule_IsModuleNameBusy", TR_MSG_NAME_BUSY, &m, &answer, &hold);
    tr_answer_drop(&hold);
    if (answer.busy) {
        tr_host *h = &tr_host_here;
        free(h->busy_name);
        h->busy_name = tr_need_copy(name, strlen(name));
    }
    return answer.busy;
}

void tr_rm_SetModuleOptions(RedisModuleCtx *ctx, int options) {
    TR_NOTE(SetModuleOptions, ctx, options);
    tr_host_here.options = (uint64_t)(unsigned)options;
    tell_options("RedisModule_SetModuleOptions");
}

void tr_rm__Assert(const char *estr, const char *file, int line) {
    TR_NOTE(_Assert, estr, file, line);
    tr_host_die(TR_DIE_ASSERT, "assertion failed: %s (%s:%d)", estr, file, line);
}
