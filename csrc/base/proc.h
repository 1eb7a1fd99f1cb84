/* proc.h - what a process may say about itself to the system and what only C can say: its title, and no huge pages.
 *
 * Not of the engine but of the whole process: for a server that has one of its own. Linux only; elsewhere TR_ENOTSUP.
 */
#ifndef TR_BASE_PROC_H
#define TR_BASE_PROC_H

#define TR_PROC_TITLE_MAX 4096

/* What ps shows instead of the command line, cut to the length that this had, and in short (15 bytes, up to the first
 * space, without folders) as the name of the calling thread. TR_EIO, TR_ENOTSUP. */
int tr_proc_set_title(const char *title);
/* No transparent huge pages for this process and its children. TR_EIO (errno), TR_ENOTSUP. */
int tr_proc_disable_huge_pages(void);

#endif
