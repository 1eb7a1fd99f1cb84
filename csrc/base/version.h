/* version.h - which Redis we answer as. Our own version comes from the build. */
#ifndef TR_BASE_VERSION_H
#define TR_BASE_VERSION_H

#define TR_REDIS_VERSION "7.4.0"

#endif
