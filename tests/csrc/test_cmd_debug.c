/* DEBUG: each subcommand and each refusal as a step of a script, in RESP2 and RESP3, and POPULATE
 * with each allocation failing in turn. */
#include "check.h"
#include "cmd_harness.h"

#define UNKNOWN(name)                                                                              \
    "-ERR unknown subcommand or wrong number of arguments for '" name "'. Try DEBUG HELP."
#define ZEROS "0000000000000000000000000000000000000000"
#define RESP3_ONLY "-ERR RESP2 is not supported by this command"

static void samples_of_types(void) {
    static const cmd_step steps[] = {
        {"DEBUG PROTOCOL string", "$11 Hello World"},
        {"DEBUG PROTOCOL INTEGER", ":12345"},
        {"DEBUG PROTOCOL double", "$5 3.141", ",3.141"},
        {"DEBUG PROTOCOL bignum", "$37 1234567999999999999999999999999999999",
         "(1234567999999999999999999999999999999"},
        {"DEBUG PROTOCOL null", "$-1", "_"},
        {"DEBUG PROTOCOL array", "*3 :0 :1 :2"},
        {"DEBUG PROTOCOL set", "*3 :0 :1 :2", "~3 :0 :1 :2"},
        {"DEBUG PROTOCOL map", "*6 :0 :0 :1 :1 :2 :0", "%3 :0 #f :1 #t :2 #f"},
        {"DEBUG PROTOCOL attrib", RESP3_ONLY,
         "|1 $14 key-popularity *2 $7 key:123 :90 $39 Some real reply following the attribute"},
        {"DEBUG PROTOCOL push", RESP3_ONLY,
         "$40 Some real reply following the push reply >2 $16 server-cpu-usage :42"},
        {"DEBUG PROTOCOL verbatim", "$25 This is a verbatim\\x0astring",
         "=29 txt:This is a verbatim\\x0astring"},
        {"DEBUG PROTOCOL true", ":1", "#t"},
        {"DEBUG PROTOCOL false", ":0", "#f"},
        {"DEBUG PROTOCOL nosuch",
         "-ERR Wrong protocol type name. Please use one of the following: string|integer|double|"
         "bignum|null|array|set|map|attrib|push|verbatim|true|false"},
        {"DEBUG PROTOCOL", UNKNOWN("PROTOCOL")},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void looks(void) {
    static const cmd_step steps[] = {
        {"SET k v", "+OK"},
        {"DEBUG DIGEST-VALUE", "*0"},
        {"DEBUG DIGEST-VALUE none none", "*2 +" ZEROS " +" ZEROS},
        {"DEBUG DIGEST-VALUE k", "*1 +d79ee9fe5d5ad902d7f6620efc3b07b75ddd742f"},
        {"DEBUG DIGEST x", UNKNOWN("DIGEST")},
        {"DEBUG OBJECT none", "-ERR no such key"},
        {"DEBUG OBJECT", UNKNOWN("OBJECT")},
        {"DEBUG HTSTATS 99", "-ERR Out of range database"},
        {"DEBUG HTSTATS x", "-ERR value is not an integer or out of range"},
        {"DEBUG HTSTATS-KEY none", "-ERR no such key"},
        {"DEBUG HTSTATS-KEY k",
         "-ERR The value stored at the specified key is not represented using an hash table"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void object_tells_of_a_value(void) {
    static const struct {
        const char *value, *told;
    } cases[] = {
        {"1", "encoding:int serializedlength:2 "},
        {"-129", "encoding:int serializedlength:3 "},
        {"70000", "encoding:int serializedlength:5 "},
        {"3000000000", "encoding:int serializedlength:11 "},
        {"text", "encoding:embstr serializedlength:5 "},
        {"0123456789012345678901234567890123456789012345678901234567890123",
         "encoding:raw serializedlength:66 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cmd_harness *h = harness_new(2);
        char command[128];
        snprintf(command, sizeof(command), "SET k %s", cases[i].value);
        harness_run(h, command);
        harness_run(h, "@advance 3000");
        const char *text = harness_run(h, "DEBUG OBJECT k");
        CHECK(strncmp(text, "+Value at:0x", 12) == 0);
        CHECK(strstr(text, cases[i].told) != NULL);
        CHECK(strstr(text, " lru_seconds_idle:3") != NULL);
        harness_free(h);
    }
}

static void tables_are_described(void) {
    cmd_harness *h = harness_new(2);
    harness_run(h, "DEBUG POPULATE 3");
    harness_run(h, "EXPIRE key:1 100");
    const char *text = harness_run(h, "DEBUG HTSTATS 0");
    CHECK(strstr(text, "[Dictionary HT]") != NULL);
    CHECK(strstr(text, "number of elements: 3") != NULL);
    CHECK(strstr(text, "[Expires heap]\\x0a number of elements: 1") != NULL);
    harness_free(h);
}

static void populate(void) {
    static const cmd_step steps[] = {
        {"SET key:1 mine", "+OK"},
        {"DEBUG POPULATE 3", "+OK"},
        {"@dump", "0:key:0=value:0(embstr) 0:key:1=mine(embstr) 0:key:2=value:2(embstr)"},
        {"@clear", ""},
        {"DEBUG POPULATE 0", "+OK"},
        {"DBSIZE", ":0"},
        {"DEBUG POPULATE 1 p", "+OK"},
        {"DEBUG POPULATE 1 short 3", "+OK"},
        {"DEBUG POPULATE 1 padded 9", "+OK"},
        {"DEBUG POPULATE 1 long 100", "+OK"},
        {"GET p:0", "$7 value:0"},
        {"GET short:0", "$3 val"},
        {"GET padded:0", "$9 value:0\\x00\\x00"},
        {"STRLEN long:0", ":100"},
        {"GETRANGE long:0 0 8", "$9 value:0\\x00\\x00"},
        {"GETRANGE long:0 99 99", "$1 \\x00"},
        {"OBJECT ENCODING long:0", "$3 raw"},
        {"DEBUG POPULATE x", "-ERR value is not an integer or out of range"},
        {"DEBUG POPULATE -1", "-ERR value is out of range, must be positive"},
        {"DEBUG POPULATE 1 p -1", "-ERR value is out of range, must be positive"},
        {"@string-max 50", ""},
        {"DEBUG POPULATE 1 q 51", "-ERR prefix or value is too long"},
        {"DEBUG POPULATE 1 p 1 1", UNKNOWN("POPULATE")},
        {"DBSIZE", ":4"},
    };
    CHECK(harness_script(STEPS(steps)));
}

static void switches(void) {
    static const cmd_step steps[] = {
        {"DEBUG SLEEP 0", "+OK"},
        {"DEBUG SLEEP -1", "+OK"},
        {"DEBUG SLEEP nan", "+OK"},
        {"DEBUG SLEEP soon", "+OK"},
        {"DEBUG SLEEP", UNKNOWN("SLEEP")},
        {"DEBUG ERROR \"MYERR some text\"", "-MYERR some text"},
        {"DEBUG ERROR \"A\\r\\nB\"", "-A  B"},
        {"DEBUG REPLYBUFFER PEAK-RESET-TIME never", "+OK"},
        {"DEBUG REPLYBUFFER PEAK-RESET-TIME reset", "+OK"},
        {"DEBUG REPLYBUFFER PEAK-RESET-TIME 100", "+OK"},
        {"DEBUG REPLYBUFFER PEAK-RESET-TIME x", "-ERR value is not an integer or out of range"},
        {"DEBUG REPLYBUFFER RESIZING 0", "+OK"},
        {"DEBUG REPLYBUFFER OTHER 0", "-ERR syntax error"},
        {"DEBUG NOSUCH", UNKNOWN("NOSUCH")},
        {"DEBUG JMAP x", UNKNOWN("JMAP")},
        {"DEBUG RELOAD", UNKNOWN("RELOAD")},
    };
    CHECK(harness_script(STEPS(steps)));
}

/* Switched off, nothing dies in the background, only when it is asked for. */
static void set_active_expire(void) {
    cmd_harness *h = harness_new(2);
    CHECK(h->store.active_expire);
    CHECK_EQ_STR(harness_run(h, "DEBUG SET-ACTIVE-EXPIRE 0"), "+OK");
    CHECK(!h->store.active_expire);
    harness_run(h, "SET k v PX 10");
    harness_run(h, "@advance 20");
    CHECK_EQ_INT(tr_store_expire_due(&h->store, 1000000, NULL, NULL), 0);
    CHECK_EQ_STR(harness_run(h, "DBSIZE"), ":1");
    CHECK_EQ_STR(harness_run(h, "EXISTS k"), ":0");
    CHECK_EQ_STR(harness_run(h, "DEBUG SET-ACTIVE-EXPIRE 1"), "+OK");
    CHECK(h->store.active_expire);
    harness_free(h);
}

static void help_has_two_lines_for_each(void) {
    cmd_harness *h = harness_new(2);
    const char *text = harness_run(h, "DEBUG HELP");
    CHECK(strncmp(text, "*25 +DEBUG <subcommand>", 23) == 0);
    CHECK(strstr(text, "+SLEEP seconds +    Stops") != NULL);
    harness_free(h);
}

static void memory_fails(void) {
    CHECK(harness_fail_sweep(NULL, 0, "DEBUG POPULATE 1") >= 1);
    CHECK(harness_fail_sweep(NULL, 0, "DEBUG POPULATE 1 long 1000") >= 2);
    CHECK(harness_fail_sweep(NULL, 0, "DEBUG DIGEST-VALUE a b c") >= 0);
}

int main(void) {
    RUN(samples_of_types);
    RUN(looks);
    RUN(object_tells_of_a_value);
    RUN(tables_are_described);
    RUN(populate);
    RUN(switches);
    RUN(set_active_expire);
    RUN(help_has_two_lines_for_each);
    RUN(memory_fails);
    return CHECK_DONE();
}
