/* What Swift cannot say to libcurl: variadic options and callbacks. */
#ifndef COFFER_CURL_SHIM_H
#define COFFER_CURL_SHIM_H

/* Initialises libcurl once for the process; 0, or what curl_global_init answered. Any thread. */
int coffer_curl_begin(void);

#endif
