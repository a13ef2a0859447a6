/* Calls of Linux that Swift does not see: GNU's own names. Each answers a number, or -errno. */
#ifndef FTP_SYSTEM_H
#define FTP_SYSTEM_H

/* The next connection of a listening socket; it does not block and does not outlive an exec. */
int ftp_accept(int listener);
/* A descriptor that becomes readable once it is signalled. */
int ftp_event(void);
void ftp_signal(int event);

#endif
