// both.cpp - the header from C++17, beside the header of plugins.
#include <coffer.h>

#include <coffer_backend.h>

int main() {
    coffer_failure failure = COFFER_FAILURE_INIT;
    coffer_read_options reading = COFFER_READ_OPTIONS_INIT;
    coffer_write_options writing = COFFER_WRITE_OPTIONS_INIT;
    coffer_copy_options copying = COFFER_COPY_OPTIONS_INIT;
    coffer_link_options linking = COFFER_LINK_OPTIONS_INIT;
    coffer_list_options listing = COFFER_LIST_OPTIONS_INIT;
    coffer_client_options options = COFFER_CLIENT_OPTIONS_INIT;
    coffer_client *client = nullptr;
    (void)reading, (void)writing, (void)copying, (void)linking, (void)listing;
    int code = coffer_client_open("/nowhere", &options, &client, &failure);
    if (code == COFFER_CODE_OK) code = coffer_stat(client, "s", "k", nullptr, nullptr, &failure);
    coffer_client_close(client);
    return code == COFFER_CODE_UNAVAILABLE && failure.code == code && failure.retry_after < 0 ? 0 : 1;
}
