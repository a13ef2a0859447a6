/* Uploads in parts for broken.c, over the template's own writes, with their faults. After broken_faults.h. */

struct part {
    struct part *next; /* in the order of their commits */
    uint32_t number;
    object *o;
};

/* An upload, pending or done. Guarded by the mutex below, all of it. */
struct upload {
    struct upload *next;
    coffer_instance *self;
    char id[32];
    object *target; /* key, properties and metadata; once done, the object as it was published */
    int64_t begun_ns;
    int is_done;
    struct part *parts;
};

/* The streams that are parts. */
struct sending {
    struct sending *next;
    const coffer_wstream *stream;
    char id[32];
    uint32_t number;
};

static pthread_mutex_t uploads_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct upload *uploads;
static struct sending *sendings;
static unsigned uploads_begun;

static struct upload *find_upload(coffer_instance *self, coffer_str id) /* mutex held */
{
    struct upload *u = uploads;
    while (u && (u->self != self || !is(id, u->id))) u = u->next;
    return u;
}

static void drop_parts(struct upload *u)
{
    while (u->parts) {
        struct part *p = u->parts;
        u->parts = p->next;
        destroy(p->o);
        free(p);
    }
}

/* Ends every upload of an instance that is about to close. */
static void forget_uploads(coffer_instance *self)
{
    pthread_mutex_lock(&uploads_mutex);
    for (struct upload **at = &uploads; *at;) {
        struct upload *u = *at;
        if (u->self != self) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        drop_parts(u);
        if (u->is_done) let_go(self, u->target);
        else destroy(u->target);
        free(u);
    }
    pthread_mutex_unlock(&uploads_mutex);
}

static coffer_status no_upload(coffer_error *error) { return fail(error, COFFER_E_NOT_FOUND, "no such upload"); }

static coffer_status u_create(coffer_instance *self, const coffer_call *call, const coffer_write_args *args,
                              const coffer_sink *sink, coffer_error *error)
{
    coffer_status status = check_write(self, args, error);
    if (status) return status;
    coffer_wstream *stream = NULL;
    coffer_write_args mine = *args;
    mine.size = -1;
    status = write_begin(self, call, &mine, &stream, error);
    if (status) return status;
    struct upload *u = NULL;
    pthread_mutex_lock(&uploads_mutex);
    if (faulty(self, "one-upload-a-key"))
        for (u = uploads; u && (u->is_done || u->self != self || compare(u->target->key, args->key));) u = u->next;
    if (!u) {
        u = calloc(1, sizeof *u);
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        u->begun_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
        u->self = self;
        u->target = stream->object;
        stream->object = NULL;
        snprintf(u->id, sizeof u->id, "up-%u", ++uploads_begun);
        u->next = uploads;
        uploads = u;
    }
    coffer_str id = {u->id, strlen(u->id)};
    pthread_mutex_unlock(&uploads_mutex);
    write_close(stream);
    if (faulty(self, "pending-is-an-object")) {
        coffer_write_args early = {.struct_size = sizeof early, .key = args->key, .size = 0,
                                   .if_none_match = {"*", 1}};
        if (!write_begin(self, call, &early, &stream, NULL)) write_commit(stream, call, NULL, NULL, NULL), write_close(stream);
    }
    if (sink && sink->on_value) sink->on_value(sink->ctx, COFFER_VAL_NEXT, (coffer_str){NULL, 0}, id);
    return COFFER_OK;
}

static coffer_status u_part(coffer_instance *self, const coffer_call *call, coffer_str id, uint32_t number, int64_t size,
                            coffer_wstream **result, coffer_error *error)
{
    if (!self || !result || !number) return fail(error, COFFER_E_INVALID_ARGUMENT, "no number");
    pthread_mutex_lock(&uploads_mutex);
    struct upload *u = find_upload(self, id);
    coffer_write_args args = {.struct_size = sizeof args, .size = size};
    changed_key key = {.len = 0};
    if (u && !u->is_done) {
        memcpy(key.bytes, u->target->key.ptr, key.len = u->target->key.len);
        args.key = (coffer_str){key.bytes, key.len};
    }
    pthread_mutex_unlock(&uploads_mutex);
    if (!key.len) return no_upload(error);
    coffer_status status = write_begin(self, call, &args, result, error);
    if (status) return status;
    struct sending *s = calloc(1, sizeof *s);
    snprintf(s->id, sizeof s->id, "%.*s", (int)id.len, id.ptr);
    s->stream = *result;
    s->number = number;
    pthread_mutex_lock(&uploads_mutex);
    s->next = sendings;
    sendings = s;
    pthread_mutex_unlock(&uploads_mutex);
    return COFFER_OK;
}

/* What a stream is a part of; NULL if it is an object's. */
static struct sending *sending_of(const coffer_wstream *stream) /* mutex held */
{
    struct sending *s = sendings;
    while (s && s->stream != stream) s = s->next;
    return s;
}

static int is_part(const coffer_wstream *stream)
{
    pthread_mutex_lock(&uploads_mutex);
    int found = sending_of(stream) != NULL;
    pthread_mutex_unlock(&uploads_mutex);
    return found;
}

static void end_part(coffer_wstream *stream)
{
    pthread_mutex_lock(&uploads_mutex);
    for (struct sending **at = &sendings; *at; at = &(*at)->next) {
        if ((*at)->stream != stream) continue;
        struct sending *s = *at;
        *at = s->next;
        free(s);
        break;
    }
    pthread_mutex_unlock(&uploads_mutex);
    write_close(stream);
}

static coffer_status commit_part(coffer_wstream *stream, const coffer_sink *sink, coffer_error *error)
{
    coffer_instance *self = stream->self;
    object *o = stream->object;
    if (stream->ended || !o) return fail(error, COFFER_E_INVALID_ARGUMENT, "nothing to commit");
    if (stream->size >= 0 && o->size != (uint64_t)stream->size) return fail(error, COFFER_E_INVALID_ARGUMENT, "too short");
    pthread_mutex_lock(&self->mutex);
    snprintf(o->etag, sizeof o->etag, "p%llu", (unsigned long long)++self->generation);
    pthread_mutex_unlock(&self->mutex);
    pthread_mutex_lock(&uploads_mutex);
    struct sending *s = sending_of(stream);
    coffer_str id = {s->id, strlen(s->id)};
    struct upload *u = find_upload(self, id);
    coffer_status status = u && !u->is_done ? COFFER_OK : COFFER_E_NOT_FOUND;
    if (!u && faulty(self, "abort-lets-parts-through")) status = COFFER_OK;
    if (!status) {
        tell(sink, o);
        stream->ended = 1;
        struct part **at = u ? &u->parts : NULL;
        while (at && *at && (*at)->number != s->number) at = &(*at)->next;
        if (at && *at && faulty(self, "first-part-stays")) at = NULL;
        if (at && *at) {
            destroy((*at)->o);
            (*at)->o = o;
            stream->object = NULL;
        } else if (at) {
            struct part *p = *at = calloc(1, sizeof *p);
            p->number = s->number;
            p->o = o;
            stream->object = NULL;
        }
    }
    pthread_mutex_unlock(&uploads_mutex);
    return status ? no_upload(error) : COFFER_OK;
}

static struct part *part_of(struct upload *u, uint32_t number) /* mutex held */
{
    struct part *p = u->parts;
    while (p && p->number != number) p = p->next;
    return p;
}

static coffer_status u_list_parts(coffer_instance *self, const coffer_call *call, coffer_str id, const coffer_sink *sink,
                                  coffer_error *error)
{
    (void)call;
    coffer_status status = COFFER_E_NOT_FOUND;
    pthread_mutex_lock(&uploads_mutex);
    struct upload *u = find_upload(self, id);
    if (u && !u->is_done) status = COFFER_OK;
    for (uint32_t number = 1; !status && number < 100; number++) {
        struct part *p = part_of(u, number);
        char text[12];
        coffer_entry e = {.struct_size = sizeof e, .kind = COFFER_KIND_OBJECT, .mtime_ns = COFFER_TIME_UNKNOWN,
                          .ctime_ns = COFFER_TIME_UNKNOWN};
        if (!p) continue;
        e.key = (coffer_str){text, (size_t)snprintf(text, sizeof text, "%u", number)};
        e.etag = (coffer_str){p->o->etag, strlen(p->o->etag)};
        e.size = (int64_t)p->o->size;
        sink->on_entry(sink->ctx, &e);
    }
    pthread_mutex_unlock(&uploads_mutex);
    return status ? no_upload(error) : COFFER_OK;
}

/* Which parts, in which order; 0 where they are wrong. Mutex held. */
static int choose(struct upload *u, const coffer_upload_part *parts, size_t n, size_t stride, int64_t size, object **chosen)
{
    coffer_instance *self = u->self;
    uint32_t last = 0;
    int64_t sum = 0;
    if (!n || !parts) return faulty(self, "completes-with-nothing");
    for (size_t i = 0; i < n; i++) {
        const coffer_upload_part *given = (const void *)((const char *)parts + i * stride);
        struct part *p = part_of(u, given->number);
        chosen[i] = p ? p->o : NULL;
        if (!p && faulty(self, "takes-missing-parts")) continue;
        if (!p || (!is(given->etag, p->o->etag) && !faulty(self, "takes-any-part-tag"))) return 0;
        if (given->size >= 0 && (uint64_t)given->size != p->o->size) return 0;
        if (given->number <= last && !(faulty(self, "sorts-parts") && given->number < last)) return 0;
        last = given->number;
        sum += (int64_t)p->o->size;
    }
    if (faulty(self, "parts-in-order-of-arrival")) {
        size_t i = 0;
        for (struct part *p = u->parts; p && i < n; p = p->next) chosen[i++] = p->o;
    }
    return size < 0 || size == sum;
}

static coffer_status u_complete(coffer_instance *self, const coffer_call *call, coffer_str id, const coffer_write_args *args,
                                const coffer_upload_part *parts, size_t n, size_t stride, const coffer_sink *sink,
                                coffer_error *error)
{
    if (!self || !WHOLE(args) || n > 99) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    object *chosen[100] = {NULL};
    coffer_wstream *stream = NULL;
    coffer_status status = COFFER_OK;
    pthread_mutex_lock(&uploads_mutex);
    struct upload *u = find_upload(self, id);
    if (!u || (u->is_done && faulty(self, "complete-once"))) status = no_upload(error);
    else if (u->is_done && !faulty(self, "complete-publishes-again")) status = tell(sink, u->target);
    else if (!u->is_done && !choose(u, parts, n, stride, args->size, chosen))
        status = fail(error, COFFER_E_INVALID_ARGUMENT, "a part is missing or wrong");
    else {
        coffer_write_args mine = *args;
        mine.size = -1;
        mine.n_meta = faulty(self, "parts-lose-metadata") ? 0 : u->target->meta.n;
        mine.meta = u->target->meta.kv;
        mine.n_props = u->target->props.n;
        mine.props = u->target->props.kv;
        if (faulty(self, "complete-ignores-conditions")) mine.if_match.len = mine.if_none_match.len = 0;
        status = write_begin(self, call, &mine, &stream, error);
        for (size_t i = 0; !status && i < n; i++)
            if (chosen[i]) status = write_append(stream, call, chosen[i]->bytes, chosen[i]->size, error);
        if (!status) status = write_commit(stream, call, NULL, sink, error);
        write_close(stream);
        if (!status && !u->is_done) {
            drop_parts(u);
            destroy(u->target);
            pthread_mutex_lock(&self->mutex);
            u->target = hold(self->objects[find(self, args->key)]);
            pthread_mutex_unlock(&self->mutex);
            u->is_done = 1;
        }
    }
    pthread_mutex_unlock(&uploads_mutex);
    return status;
}

static coffer_status u_abort(coffer_instance *self, const coffer_call *call, coffer_str id, coffer_error *error)
{
    (void)call;
    pthread_mutex_lock(&uploads_mutex);
    struct upload *u = find_upload(self, id);
    int is_there = u && !u->is_done;
    if (is_there && !faulty(self, "abort-is-forgetful")) {
        struct upload **at = &uploads;
        while (*at != u) at = &(*at)->next;
        *at = u->next;
        drop_parts(u);
        destroy(u->target);
        free(u);
    }
    pthread_mutex_unlock(&uploads_mutex);
    return is_there ? COFFER_OK : no_upload(error);
}

static coffer_status u_list(coffer_instance *self, const coffer_call *call, coffer_str prefix, int64_t before_ns,
                            const coffer_sink *sink, coffer_error *error)
{
    (void)call, (void)error;
    if (faulty(self, "uploads-are-not-listed")) return COFFER_OK;
    if (faulty(self, "ignores-upload-time")) before_ns = INT64_MAX;
    if (faulty(self, "uploads-of-every-key")) prefix.len = 0;
    pthread_mutex_lock(&uploads_mutex);
    for (struct upload *u = uploads; u; u = u->next) {
        if (u->self != self || u->is_done || u->begun_ns >= before_ns || !starts_with(u->target->key, prefix)) continue;
        coffer_entry e = {.struct_size = sizeof e, .kind = COFFER_KIND_OBJECT, .size = -1, .key = u->target->key,
                          .mtime_ns = u->begun_ns, .ctime_ns = COFFER_TIME_UNKNOWN, .version = {u->id, strlen(u->id)}};
        sink->on_entry(sink->ctx, &e);
    }
    pthread_mutex_unlock(&uploads_mutex);
    return COFFER_OK;
}

static const coffer_upload upload_table = {
    .struct_size = sizeof upload_table,
    .create = u_create,
    .part = u_part,
    .list_parts = u_list_parts,
    .complete = u_complete,
    .abort = u_abort,
    .list_uploads = u_list,
};

static const void *broken_extension(const char *id)
{
    return strcmp(id, COFFER_EXT_UPLOAD) ? NULL : &upload_table;
}
