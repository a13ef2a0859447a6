#include "curl_shim.h"
#include <curl/curl.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int            begun;

static void begin(void) { begun = (int)curl_global_init(CURL_GLOBAL_DEFAULT); }

int coffer_curl_begin(void)
{
    pthread_once(&once, begin);
    return begun;
}
