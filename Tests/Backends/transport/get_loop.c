/* A bare loop of GETs over libcurl's multi interface: `get_loop URL CONNECTIONS MILLISECONDS` prints how many a second. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char   kept[1 << 20]; /* where a body goes: a caller wants the bytes */
static size_t filled;

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    size_t length = size * count;
    (void)context;
    if (filled + length > sizeof kept)
        filled = 0;
    memcpy(kept + filled, bytes, length);
    filled += length;
    return length;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int       connections = atoi(argv[2]);
    long long length = atoll(argv[3]), end;
    long      done = 0;
    int       running;
    CURLM    *multi;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    for (int i = 0; i < connections; i++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_multi_add_handle(multi, easy);
    }
    end = now_ms() + length;
    do {
        CURLMsg *message;
        int      left;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            CURL *easy   = message->easy_handle;
            long  status = 0;
            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            if (message->data.result != CURLE_OK || status != 200) {
                fprintf(stderr, "a request failed: %s, status %ld\n", curl_easy_strerror(message->data.result), status);
                return 1;
            }
            done++;
            curl_multi_remove_handle(multi, easy);
            curl_multi_add_handle(multi, easy);
        }
        curl_multi_poll(multi, NULL, 0, 1, NULL);
    } while (now_ms() < end);
    printf("%lld\n", done * 1000LL / length);
    return 0;
}
