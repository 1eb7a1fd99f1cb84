/* Aim: every name finds its own entry and nothing else does. Method: walk the whole table, spell each name in
 * several cases, then damage it byte by byte; names are read at the end of a page that nothing follows. */
#include "exec/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "table_handlers.h"

#define NAME_MAX_TESTED 64

/* `len` bytes whose next neighbour is out of bounds. */
static const char *at_page_end(const char *name, size_t len) {
    static char *page;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    if (page == NULL) {
        page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED || mprotect(page + size, size, PROT_NONE) != 0)
            abort();
    }
    return memcpy(page + size - len, name, len);
}

static const tr_command *find(const char *name, size_t len) {
    return tr_command_find(at_page_end(name, len), len);
}

static const tr_command *find_entry(const tr_command *cmd, const char *name, size_t len) {
    if (cmd->parent != NULL)
        return tr_command_find_sub(cmd->parent, at_page_end(name, len), len);
    return find(name, len);
}

static void test_every_name_finds_its_entry(void) {
    for (uint16_t id = 0; id < tr_command_count(); id++) {
        const tr_command *cmd = tr_command_by_id(id);
        size_t len = strlen(cmd->name);
        char upper[NAME_MAX_TESTED];
        CHECK_EQ_INT(cmd->id, id);
        CHECK_EQ_INT(cmd->name_len, len);
        CHECK(len < sizeof(upper));
        for (size_t i = 0; i < len; i++)
            upper[i] = (char)(i % 2 ? tolower(cmd->name[i]) : toupper(cmd->name[i]));
        CHECK(find_entry(cmd, cmd->name, len) == cmd);
        CHECK(find_entry(cmd, upper, len) == cmd);
    }
}

static void test_no_other_name_does(void) {
    for (uint16_t id = 0; id < tr_command_count(); id++) {
        const tr_command *cmd = tr_command_by_id(id);
        size_t len = strlen(cmd->name);
        char name[NAME_MAX_TESTED];
        const tr_command *found;
        for (size_t i = 0; i < len; i++) {
            memcpy(name, cmd->name, len);
            name[i] = (char)(name[i] ^ 0x60); /* other bits than the one for case */
            CHECK(find_entry(cmd, name, len) == NULL);
            name[i] = (char)(cmd->name[i] | 0x80);
            CHECK(find_entry(cmd, name, len) == NULL);
        }
        memcpy(name, cmd->name, len);
        name[len] = '\0';
        CHECK(find_entry(cmd, name, len + 1) == NULL);
        found = find_entry(cmd, name, len - 1);
        CHECK(found == NULL || found->name_len == len - 1);
    }
    CHECK(find("", 0) == NULL);
    CHECK(find("nosuch", 6) == NULL);
    CHECK(find("client|list", 11) == NULL);
}

/* Every other byte that could be taken for a letter by a careless fold. */
static void test_only_letters_fold(void) {
    for (int c = 0; c < 256; c++) {
        char name[3] = {(char)c, 'e', 't'};
        const tr_command *want = c == 'g' || c == 'G'   ? tr_command_find("get", 3)
                                 : c == 's' || c == 'S' ? tr_command_find("set", 3)
                                                        : NULL;
        CHECK(find(name, 3) == want);
    }
}

static void test_subcommands_know_their_parent(void) {
    const tr_command *client = tr_command_find("client", 6);
    const tr_command *list = tr_command_find_sub(client, "LIST", 4);
    CHECK(list != NULL && list->parent == client);
    CHECK_EQ_STR(list->fullname, "client|list");
    CHECK_EQ_STR(list->name, "list");
    CHECK(tr_command_find_sub(client, "nosuch", 6) == NULL);
    CHECK(tr_command_find_sub(tr_command_find("get", 3), "list", 4) == NULL);
    CHECK_EQ_INT(client->handler_kind, TR_HANDLER_CONTAINER);
    CHECK_EQ_INT(tr_command_find("command", 7)->handler_kind, TR_HANDLER_PY_SYNC);
    CHECK_EQ_INT(tr_command_find("shutdown", 8)->handler_kind, TR_HANDLER_PY_ASYNC);
}

static void test_entries_are_whole(void) {
    for (uint16_t id = 0; id < tr_command_count(); id++) {
        const tr_command *cmd = tr_command_by_id(id);
        CHECK((cmd->fn != NULL) == (cmd->handler_kind == TR_HANDLER_C));
        CHECK((cmd->key_specs != NULL) == (cmd->key_spec_count > 0));
        int is_sharded = cmd->key_specs != NULL && cmd->key_specs[0].flags & TR_KEY_NOT_KEY;
        CHECK((cmd->first_key > 0) <= (tr_command_has_keys(cmd) || is_sharded));
        CHECK(id == 0 || strcmp(tr_command_by_id((uint16_t)(id - 1))->fullname, cmd->fullname) < 0);
        for (int i = 0; i < cmd->subcommand_count; i++)
            CHECK(cmd->subcommands[i].parent == cmd);
    }
}

static void test_fields_come_from_the_data(void) {
    const tr_command *set = tr_command_find("set", 3);
    const tr_command *debug = tr_command_find("debug", 5);
    CHECK_EQ_INT(set->arity, -3);
    CHECK_EQ_INT(set->flags, TR_CMD_WRITE | TR_CMD_DENYOOM);
    CHECK_EQ_INT(set->acl_categories, TR_CAT_WRITE | TR_CAT_STRING | TR_CAT_SLOW);
    CHECK_EQ_INT(set->group, TR_GROUP_STRING);
    CHECK(set->fn == tr_cmd_set);
    CHECK(set->keys_fn == tr_getkeys_set);
    CHECK_EQ_INT(set->key_specs[0].flags,
                 TR_KEY_RW | TR_KEY_ACCESS | TR_KEY_UPDATE | TR_KEY_VARIABLE_FLAGS);
    CHECK(debug->flags & TR_CMD_PROTECTED);
    CHECK_EQ_INT(TR_ID_SET, set->id);
    CHECK_EQ_INT(TR_COMMAND_COUNT, tr_command_count());
}

static void test_arity(void) {
    const tr_command *get = tr_command_find("get", 3);
    const tr_command *set = tr_command_find("set", 3);
    CHECK(!tr_command_arity_ok(get, 1) && tr_command_arity_ok(get, 2) && !tr_command_arity_ok(get, 3));
    CHECK(!tr_command_arity_ok(set, 2) && tr_command_arity_ok(set, 3) && tr_command_arity_ok(set, 9));
}

static void test_resolve(void) {
    tr_arg argv[3] = {{.ptr = "Object", .len = 6}, {.ptr = "FREQ", .len = 4}, {.ptr = "k", .len = 1}};
    CHECK(tr_command_resolve(argv, 0) == NULL);
    CHECK_EQ_STR(tr_command_resolve(argv, 1)->fullname, "object");
    CHECK_EQ_STR(tr_command_resolve(argv, 3)->fullname, "object|freq");
    CHECK(tr_command_resolve(argv + 1, 2) == NULL);
    argv[1] = argv[2];
    CHECK(tr_command_resolve(argv, 2) == NULL);
}

int main(void) {
    RUN(test_every_name_finds_its_entry);
    RUN(test_no_other_name_does);
    RUN(test_only_letters_fold);
    RUN(test_subcommands_know_their_parent);
    RUN(test_entries_are_whole);
    RUN(test_fields_come_from_the_data);
    RUN(test_arity);
    RUN(test_resolve);
    return CHECK_DONE();
}
