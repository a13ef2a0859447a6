/* What Swift cannot say of Linux: function-like macros, variadic calls, and what glibc's module leaves out. */
#ifndef COFFER_LINUX_SHIM_H
#define COFFER_LINUX_SHIM_H

/* A new eventfd (close-on-exec, non-blocking) with `initial` as its count, or -1 with errno. */
int coffer_eventfd(unsigned int initial);

/* Adds one to an eventfd's count. */
void coffer_eventfd_signal(int fd);

#endif
