/* A plugin that is right in all but one thing, which a macro names. */
#ifdef NO_ENTRY
#define coffer_backend_entry_v1 something_else
#endif
#ifdef MAJOR_BY_NAME
#define coffer_backend_entry_v1 coffer_backend_entry_v2
#endif
#include <coffer_backend.h>
#include <string.h>

#ifndef MAGIC
#define MAGIC COFFER_MAGIC
#endif
#ifndef ABI
#define ABI COFFER_ABI_CURRENT
#endif
#ifndef ID
#define ID "bad"
#endif
#ifndef CAPS
#define CAPS 0
#endif
#ifndef TYPE
#define TYPE COFFER_OPT_INT
#endif
#ifndef DEFAULT
#define DEFAULT "1"
#endif
#ifndef OPTION
#define OPTION "number"
#endif
#ifndef SIZE
#define SIZE sizeof(coffer_plugin)
#endif
#ifndef STRIDE
#define STRIDE sizeof(coffer_option)
#endif
#ifndef NATIVE
#define NATIVE 0
#endif

static coffer_status b_open(const coffer_open_args *a, const coffer_call *c, coffer_open_result *r, coffer_error *e)
{
    (void)a, (void)c, (void)e;
    r->instance = (coffer_instance *)(void *)&r;
    r->native = NATIVE;
    return COFFER_OK;
}

static void b_close(coffer_instance *in) { (void)in; }

static const coffer_option options[] = {
    { .name = "first", .type = COFFER_OPT_STRING },
    { .name = OPTION, .type = TYPE, .default_value = DEFAULT },
};

static const coffer_ops operations = {
    .struct_size = sizeof operations,
#ifndef NO_OPEN
    .open = b_open,
#endif
    .close = b_close,
};

static const coffer_plugin plugin = {
    .magic = MAGIC, .struct_size = SIZE, .abi = ABI, .option_size = STRIDE, .caps = CAPS, .id = ID, .version = "1",
    .n_options = 2, .options = options,
#ifndef NO_OPS
    .ops = &operations,
#endif
#ifdef THREADS
    .threads = THREADS,
#endif
};

#ifdef UNDEFINED
int a_function_that_nobody_has(void);
#endif

COFFER_EXPORT const coffer_plugin *coffer_backend_entry_v1(const coffer_host *host, coffer_error *err)
{
    (void)host;
#ifdef UNDEFINED
    a_function_that_nobody_has();
#endif
#ifdef REFUSE
    static const char text[] = "this kernel is too old";
    err->code = COFFER_E_UNSUPPORTED;
    err->message_len = sizeof text - 1;
    memcpy(err->message, text, sizeof text - 1);
    return NULL;
#else
    (void)err;
    return &plugin;
#endif
}
