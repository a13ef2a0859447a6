/* Which fault each instance of broken.c has, and what the faults of keys make of a key. After the template. */

/* Which fault an instance has: several trials run at once in one process. */
static pthread_mutex_t faults_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct fault {
    const coffer_instance *instance;
    char name[40];
} faults[512];

static int faulty(const coffer_instance *self, const char *name)
{
    int found = 0;
    pthread_mutex_lock(&faults_mutex);
    for (size_t i = 0; i < 512 && !found; i++) found = faults[i].instance == self && !strcmp(faults[i].name, name);
    pthread_mutex_unlock(&faults_mutex);
    return self && found;
}

static void name_fault(const coffer_instance *old, const coffer_instance *new, coffer_str name)
{
    pthread_mutex_lock(&faults_mutex);
    for (size_t i = 0; i < 512; i++) {
        if (faults[i].instance != old) continue;
        faults[i].instance = new;
        snprintf(faults[i].name, sizeof faults[i].name, "%.*s", (int)name.len, name.len ? name.ptr : "");
        break;
    }
    pthread_mutex_unlock(&faults_mutex);
}

static coffer_str option(const coffer_open_args *args, const char *name)
{
    for (size_t i = 0; i < args->n_options; i++)
        if (is(args->options[i].key, name)) return args->options[i].value;
    return (coffer_str){NULL, 0};
}

/* ---- keys: what a store makes of them ------------------------------------------------------------------------------- */

typedef struct changed_key {
    char bytes[4096];
    size_t len;
} changed_key;

/* The key as the fault has it; `to` holds it. */
static coffer_str changed(const coffer_instance *self, coffer_str key, changed_key *to)
{
    if (!self || !key.ptr || key.len > 2048) return key;
    const unsigned char *from = (const unsigned char *)key.ptr;
    to->len = 0;
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = from[i];
        if (faulty(self, "plus-is-a-blank") && c == '+') c = ' ';
        if (faulty(self, "one-letter-case") && c >= 'A' && c <= 'Z') c += 32;
        if (faulty(self, "backslash-is-a-slash") && c == '\\') c = '/';
        if (faulty(self, "bad-utf8-is-replaced") && (c == 0xFF || c == 0xC0)) c = '?';
        if (faulty(self, "tab-is-a-blank") && c == '\t') c = ' ';
        if (faulty(self, "emoji-are-replaced") && c >= 0xF0) c = '?';
        if (faulty(self, "decodes-percent") && c == '%' && i + 2 < key.len && from[i + 1] == '4' && from[i + 2] == '6')
            c = 'F', i += 2;
        if (faulty(self, "composes-accents") && c == 'e' && i + 2 < key.len && from[i + 1] == 0xCC && from[i + 2] == 0x81)
            to->bytes[to->len++] = (char)0xC3, c = 0xA9, i += 2;
        if (faulty(self, "collapses-slashes") && c == '/' && i && from[i - 1] == '/') continue;
        if (faulty(self, "resolves-dots") && c == '/' && i + 2 < key.len && from[i + 1] == '.' && from[i + 2] == '/') {
            i += 1;
            continue;
        }
        if (faulty(self, "ends-at-nul") && !c) break;
        to->bytes[to->len++] = (char)c;
    }
    if (faulty(self, "trims-blanks"))
        while (to->len && to->bytes[to->len - 1] == ' ') to->len--;
    if (faulty(self, "cuts-long-keys") && to->len > 1000) to->len = 1000;
    return (coffer_str){to->bytes, to->len};
}
