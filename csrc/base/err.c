#include "base/err.h"

const char *tr_err_text(int code) {
    switch (code) {
    case TR_OK:
        return "no error";
#define TR_X(name, value, text)                                                                    \
    case name:                                                                                     \
        return text;
        TR_ERRORS(TR_X)
#undef TR_X
    default:
        return "unknown error";
    }
}
