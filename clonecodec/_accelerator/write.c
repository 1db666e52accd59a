/* _writer in C: a Writer holds the bytes and the numbers of a Serializer, and walks for it.
 *
 * To Python's methods a Writer is a bytearray that is only added to.  (It is not one, because the bytes are to be
 * given away in the end, without a copy.)
 */

#include "accelerator.h"

#define SMALL_BUFFER 512
#define KEPT_BUFFER (3 << 19)
#define FEW 8
#define FLOATS 64

typedef struct {
    PyObject_HEAD
    Numbers numbers;
    char *buffer;      /* small, or the bytes of *bytes* */
    Py_ssize_t used;
    Py_ssize_t room;
    PyObject *bytes;   /* shared with whom it was given to, or nobody's but ours */
    Py_ssize_t depth;  /* of all walks that are going on: one may begin within another */
    Py_ssize_t max_depth;
    int hint;          /* so many padding bytes mark Python's own kinds */
    int version;
    char small[SMALL_BUFFER];
} Writer;

/* The objects that have a number, as a list. */
typedef struct {
    PyObject_HEAD
    Writer *writer;
} Objects;

/* One walk. */
typedef struct {
    State *state;
    Writer *writer;
    PyObject *serializer; /* NULL as long as dumps needs none; held */
    bool plain;           /* give up (-1 without an exception) instead of calling Python */
    bool claims;          /* is_host_object is overridden: ask Python for every object */
    bool buffers;         /* whether bytes are Node's Buffers, as DefaultSerializer has it */
    Walked *frames;
    Py_ssize_t depth;
    Py_ssize_t room;
    Py_ssize_t secured;   /* so many frames walk snapshots */
    Walked few[FEW];
} Run;

/* ---- Bytes ---- */

static void
use_small_buffer(Writer *writer)
{
    writer->buffer = writer->small;
    writer->room = SMALL_BUFFER;
    writer->used = 0;
    Py_CLEAR(writer->bytes);
}

static int
grow(Writer *writer, Py_ssize_t more)
{
    if (more > PY_SSIZE_T_MAX / 4 - writer->used) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t needed = writer->used + more;
    /* A long piece is likely the last.  (malloc keeps what is freed for what is no larger: room that is given back
     * in the end would cost new pages each time.) */
    Py_ssize_t room = more > writer->used ? needed + 64 : needed + (needed >> 1);
    if (writer->bytes != NULL && Py_REFCNT(writer->bytes) == 1) {
        if (_PyBytes_Resize(&writer->bytes, room) < 0) { /* the old ones are gone */
            use_small_buffer(writer);
            return -1;
        }
    }
    else {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, room);
        if (bytes == NULL)
            return -1;
        memcpy(PyBytes_AS_STRING(bytes), writer->buffer, writer->used);
        Py_XSETREF(writer->bytes, bytes);
    }
    writer->buffer = PyBytes_AS_STRING(writer->bytes);
    writer->room = room;
    return 0;
}

/* Make room for *more* bytes. */
static inline int
reserve(Writer *writer, Py_ssize_t more)
{
    return LIKELY(writer->room - writer->used >= more) ? 0 : grow(writer, more);
}

#define VARINT_SIZE 10

static inline char *
put_varint(char *at, uint64_t number)
{
    while (number > 0x7F) {
        *at++ = (char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

static inline Py_ssize_t
varint_size(uint64_t number)
{
    Py_ssize_t size = 1;
    while (number >>= 7)
        size++;
    return size;
}

static inline char *
put_double(char *at, double number)
{
    uint64_t bits = UINT64_C(0x7FF8000000000000); /* the one NaN that is written */
    if (number == number)
        memcpy(&bits, &number, sizeof bits);
#if PY_BIG_ENDIAN
    for (int i = 0; i < 8; i++)
        at[i] = (char)(bits >> 8 * i);
#else
    memcpy(at, &bits, sizeof bits);
#endif
    return at + 8;
}

static inline char *
end_of(Writer *writer)
{
    return writer->buffer + writer->used;
}

static inline void
written_to(Writer *writer, char *at)
{
    writer->used = at - writer->buffer;
}

static int
put(Writer *writer, const void *bytes, Py_ssize_t length)
{
    if (length == 0) /* of an empty view, bytes may be NULL */
        return 0;
    if (reserve(writer, length) < 0)
        return -1;
    memcpy(end_of(writer), bytes, length);
    writer->used += length;
    return 0;
}

/* Add a tag and a number. */
static int
put_tagged(Writer *writer, int hint, char tag, uint64_t number)
{
    if (reserve(writer, hint + 1 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    for (; hint > 0; hint--)
        *at++ = PADDING;
    *at++ = tag;
    written_to(writer, put_varint(at, number));
    return 0;
}

/* ---- Scalars ---- */

/* memcpy of what is mostly short, which takes less time than the call of a function. */
static inline char *
put_octets(char *at, const char *octets, Py_ssize_t length)
{
    if (length > 16)
        memcpy(at, octets, length);
    else if (length >= 8) { /* the first and the last eight, which may overlap */
        memcpy(at, octets, 8);
        memcpy(at + length - 8, octets + length - 8, 8);
    }
    else if (length >= 4) {
        memcpy(at, octets, 4);
        memcpy(at + length - 4, octets + length - 4, 4);
    }
    else if (length) {
        at[0] = octets[0];
        at[length / 2] = octets[length / 2];
        at[length - 1] = octets[length - 1];
    }
    return at + length;
}

static inline char *
put_unit(char *at, uint32_t unit)
{
    *at++ = (char)unit;
    *at++ = (char)(unit >> 8);
    return at;
}

/* Characters that may lie beyond 0xFFFF.  Which of them do nobody can foresee, so there is no branch: two units are
 * written for each, and kept or not.  (With branches, text full of emoji takes twice the time.) */
static inline char *
put_utf16(char *at, const Py_UCS4 *characters, Py_ssize_t length)
{
    for (Py_ssize_t i = 0; i < length; i++) {
        uint32_t character = characters[i], beyond = character > 0xFFFF;
        uint32_t high = 0xD7C0 + (character >> 10), low = 0xDC00 | (character & 0x3FF);
        uint32_t both = (beyond ? high : character) | low << 16;
        for (int octet = 0; octet < 4; octet++) /* compiled to one store */
            at[octet] = (char)(both >> 8 * octet);
        at += 2 + 2 * beyond;
    }
    return at;
}

static inline int
write_str(Writer *writer, PyObject *text)
{
    if (READY(text) < 0)
        return -1;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    const void *data = PyUnicode_DATA(text);
    int kind = PyUnicode_KIND(text);
    if (LIKELY(kind == PyUnicode_1BYTE_KIND)) {
        if (reserve(writer, length + 1 + VARINT_SIZE) < 0)
            return -1;
        char *at = end_of(writer);
        *at++ = ONE_BYTE_STRING;
        at = put_varint(at, (uint64_t)length);
        written_to(writer, put_octets(at, data, length));
        return 0;
    }
    Py_ssize_t units = length;
    if (kind == PyUnicode_4BYTE_KIND)
        for (Py_ssize_t i = 0; i < length; i++)
            units += ((const Py_UCS4 *)data)[i] > 0xFFFF;
    /* Two bytes more than needed, see put_utf16. */
    if (reserve(writer, 2 * units + 2 + VARINT_SIZE + 2) < 0)
        return -1;
    char *at = end_of(writer);
    /* V8 has its two-byte characters start at an even offset from the start of the buffer. */
    if ((writer->used + 1 + varint_size(2 * (uint64_t)units)) & 1)
        *at++ = PADDING;
    *at++ = TWO_BYTE_STRING;
    at = put_varint(at, 2 * (uint64_t)units);
    if (kind == PyUnicode_4BYTE_KIND)
        at = put_utf16(at, data, length);
    else if (PY_BIG_ENDIAN)
        for (Py_ssize_t i = 0; i < length; i++)
            at = put_unit(at, ((const Py_UCS2 *)data)[i]);
    else {
        memcpy(at, data, 2 * length);
        at += 2 * length;
    }
    written_to(writer, at);
    return 0;
}

/* Returns 1 for an int of more than 64 bits, which Python is to write. */
static inline int
write_int(Writer *writer, PyObject *object)
{
    int64_t value;
    if (LIKELY(SMALL_INT(object)))
        value = SMALL_INT_VALUE(object);
    else if (MEDIUM_INT(object))
        value = MEDIUM_INT_VALUE(object);
    else {
        int overflow;
        value = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (overflow)
            return 1;
        if (value == -1 && PyErr_Occurred())
            return -1;
    }
    if (reserve(writer, 2 + 1 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    if (INT32_MIN <= value && value <= INT32_MAX) {
        *at++ = INT32;
        at = put_varint(at, ((uint32_t)value << 1) ^ (uint32_t)(value >> 31));
    }
    else if (-MAX_SAFE_INTEGER <= value && value <= MAX_SAFE_INTEGER) {
        for (int i = 0; i < writer->hint; i++)
            *at++ = PADDING;
        *at++ = DOUBLE;
        at = put_double(at, (double)value);
    }
    else {
        uint64_t digits = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        *at++ = BIG_INT;
        *at++ = (char)(8 << 1 | (value < 0));
        for (int i = 0; i < 8; i++)
            *at++ = (char)(digits >> 8 * i);
    }
    written_to(writer, at);
    return 0;
}

/* Returns 1 for what is no scalar, or an int for Python to write. */
static inline int
write_scalar(State *state, Writer *writer, PyObject *item)
{
    PyTypeObject *type = Py_TYPE(item);
    if (type == &PyUnicode_Type)
        return write_str(writer, item);
    if (type == &PyLong_Type)
        return write_int(writer, item);
    if (type == &PyFloat_Type) {
        if (reserve(writer, 9) < 0)
            return -1;
        char *at = end_of(writer);
        *at++ = DOUBLE;
        written_to(writer, put_double(at, PyFloat_AS_DOUBLE(item)));
        return 0;
    }
    if (item == Py_None || type == &PyBool_Type || item == state->undefined) {
        if (reserve(writer, 1) < 0)
            return -1;
        writer->buffer[writer->used++] =
            item == Py_None ? NULL_TAG : item == Py_True ? TRUE_TAG : item == Py_False ? FALSE_TAG : UNDEFINED;
        return 0;
    }
    return 1;
}

/* Write *item* if it is a scalar, or has a number; returns 1 for anything else. */
static inline int
write_simple(Run *run, PyObject *item)
{
    int status = write_scalar(run->state, run->writer, item);
    if (status <= 0 || (run->writer->numbers.quiet && Py_REFCNT(item) == 1))
        return status;
    Py_ssize_t number = numbers_find(&run->writer->numbers, item);
    return number < 0 ? 1 : put_tagged(run->writer, 0, REFERENCE, (uint64_t)number);
}

/* ---- Handing over to Python ---- */

/* Python code will run: it may change what is walked, and use this writer. */
static int
let_go(Run *run)
{
    for (; run->secured < run->depth; run->secured++)
        if (snapshot(&run->frames[run->secured]) < 0)
            return -1;
    return numbers_settle(&run->writer->numbers);
}

/* The core of a Serializer: a Writer, and what stands for _out, _ids and _objects. */
static PyObject *
core_of(State *state, Writer *writer)
{
    Objects *objects = (Objects *)state->objects_type->tp_alloc(state->objects_type, 0);
    if (objects == NULL)
        return NULL;
    objects->writer = (Writer *)Py_NewRef((PyObject *)writer);
    PyObject *core = PyTuple_Pack(4, writer, writer, writer, objects);
    Py_DECREF(objects);
    return core;
}

static int
need_serializer(Run *run)
{
    Writer *writer = run->writer;
    if (run->serializer != NULL)
        return 0;
    PyObject *core = core_of(run->state, writer);
    if (core != NULL)
        run->serializer = PyObject_CallFunction(run->state->serializer, "NOin", core,
                                                writer->hint ? Py_True : Py_False, writer->version, writer->max_depth);
    return run->serializer == NULL ? -1 : 0;
}

/* Whether one more container may lie in those that are being walked. */
static int
check_depth(Run *run)
{
    if (LIKELY(run->writer->depth <= run->writer->max_depth))
        return 0;
    if (run->plain)
        return -1;
    PyObject *reason = PyUnicode_FromFormat("nested more than %zd deep", run->writer->max_depth);
    PyObject *error = reason == NULL ? NULL : PyObject_CallOneArg(run->state->DataCloneError, reason);
    if (error != NULL)
        PyErr_SetObject(run->state->DataCloneError, error);
    Py_XDECREF(error);
    Py_XDECREF(reason);
    return -1;
}

static Walked *
push(Run *run)
{
    if (check_depth(run) < 0)
        return NULL;
    if (run->depth == run->room) {
        Py_ssize_t room = run->room * 2;
        Walked *old = run->frames == run->few ? NULL : run->frames;
        Walked *frames = PyMem_Realloc(old, room * sizeof *frames);
        if (frames == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        if (old == NULL)
            memcpy(frames, run->few, sizeof run->few);
        run->frames = frames;
        run->room = room;
    }
    Walked *frame = &run->frames[run->depth++];
    run->writer->depth++;
    memset(frame, 0, sizeof *frame);
    return frame;
}

static void
pop(Run *run)
{
    walked_clear(&run->frames[--run->depth]);
    run->writer->depth--;
    if (run->secured > run->depth)
        run->secured = run->depth;
}

/* Walk what a Python method returned: a frame as _writer describes it, or None.  The reference is taken. */
static int
push_python_frame(Run *run, PyObject *returned)
{
    if (returned == NULL)
        return -1;
    if (returned == Py_None) {
        Py_DECREF(returned);
        return 0;
    }
    PyObject *items, *end, *layout, *iterator;
    Walked *frame = NULL;
    if (PyArg_ParseTuple(returned, "OSOO", &iterator, &end, &layout, &items) &&
        (items = PySequence_Fast(items, "a frame's items")) != NULL) {
        if ((frame = push(run)) != NULL) {
            frame->source = PyList_CheckExact(items) ? IN_LIST : IN_TUPLE;
            frame->shape = OTHER;
            frame->size = PySequence_Fast_GET_SIZE(items);
            frame->items = Py_NewRef(items);
            frame->frame = Py_NewRef(returned);
        }
        Py_DECREF(items);
    }
    Py_DECREF(returned);
    return frame == NULL ? -1 : 0;
}

static int
hand_over(Run *run, PyObject *name, PyObject *item)
{
    if (run->plain || let_go(run) < 0 || need_serializer(run) < 0)
        return -1;
    Py_INCREF(item);
    PyObject *returned = PyObject_CallMethodOneArg(run->serializer, name, item);
    Py_DECREF(item);
    return push_python_frame(run, returned);
}

/* write_list looks for holes; here one is no item. */
static int
write_hole(Run *run)
{
    PyObject *error = run->plain ? NULL : PyObject_CallNoArgs(run->state->no_item);
    if (error != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return -1;
}

/* ---- Objects ---- */

/* Encodings._native_view of bytes (marked as read-only) or a bytearray: a buffer of its own, and the view on it.  If
 * there are many, ports have better ways. */
static int
write_octets(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    bool frozen = PyBytes_CheckExact(value);
    Py_ssize_t length = Py_SIZE(value);
    if (length >= PLAIN_OCTETS || numbers_begin(&writer->numbers, NULL, true) < 0 ||
        numbers_begin(&writer->numbers, value, alone) < 0 ||
        put_tagged(writer, frozen ? writer->hint : 0, ARRAY_BUFFER, (uint64_t)length) < 0 ||
        reserve(writer, length + 2 + 2 * VARINT_SIZE + 1) < 0)
        return -1;
    char *at = end_of(writer);
    at = put_octets(at, frozen ? PyBytes_AS_STRING(value) : PyByteArray_AS_STRING(value), length);
    *at++ = ARRAY_BUFFER_VIEW;
    *at++ = UINT8_SUBTAG;
    *at++ = 0; /* where it begins */
    at = put_varint(at, (uint64_t)length);
    *at++ = 0; /* flags */
    written_to(writer, at);
    return 0;
}

/* DefaultSerializer._node_view of bytes. */
static int
write_bytes(Run *run, PyObject *value)
{
    Writer *writer = run->writer;
    Py_ssize_t length = PyBytes_GET_SIZE(value);
    if (reserve(writer, 2 + VARINT_SIZE + length) < 0)
        return -1;
    char *at = end_of(writer);
    *at++ = HOST_OBJECT;
    *at++ = NODE_BUFFER;
    at = put_varint(at, (uint64_t)length);
    memcpy(at, PyBytes_AS_STRING(value), length);
    written_to(writer, at + length);
    return 0;
}

/* Close a container of so many flat items. */
static int
write_end(Writer *writer, Shape shape, Py_ssize_t size)
{
    if (reserve(writer, 2 + VARINT_SIZE) < 0)
        return -1;
    char *at = end_of(writer);
    switch (shape) {
    case ARRAY:
        *at++ = END_DENSE_ARRAY;
        *at++ = 0;
        break;
    case OBJECT:
        *at++ = END_OBJECT;
        size /= 2;
        break;
    case MAP: *at++ = END_MAP; break;
    default: *at++ = END_SET;
    }
    written_to(writer, put_varint(at, (uint64_t)size));
    return 0;
}

static int
enter(Run *run, Source source, Shape shape, PyObject *items, Py_ssize_t size, bool live)
{
    Walked *frame = items == NULL ? NULL : push(run);
    if (frame == NULL) {
        Py_XDECREF(items);
        return -1;
    }
    frame->source = source;
    frame->shape = shape;
    frame->items = items;
    frame->size = size;
    frame->live = live;
    return 0;
}

/* A dict whose names stand in no order of their own is an object whose properties can be written while its names are
 * still being looked at; for any other all is taken back.  Returns 1 then. */
static int
write_plain(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    Py_ssize_t start = writer->used, number = writer->numbers.count;
    if (numbers_begin(&writer->numbers, value, alone) < 0 || reserve(writer, 1) < 0)
        return -1;
    writer->buffer[writer->used++] = BEGIN_OBJECT;
    PyObject *key, *item;
    Py_ssize_t position = 0, before = 0, written = 0, size = 2 * PyDict_GET_SIZE(value);
    bool simple = true; /* so far */
    while (PyDict_Next(value, &position, &key, &item)) {
        if (UNLIKELY(!plain_name(key))) {
            writer->used = start;
            numbers_forget(&writer->numbers, number);
            return 1;
        }
        if (!simple)
            continue;
        Py_ssize_t used = writer->used;
        int status = write_str(writer, key);
        if (status == 0)
            status = write_simple(run, item);
        if (status < 0)
            return -1;
        simple = status == 0;
        if (simple) {
            before = position;
            written += 2;
        }
        else
            writer->used = used;
    }
    if (check_depth(run) < 0)
        return -1;
    if (simple) /* as most dicts are: it needs no frame */
        return write_end(writer, OBJECT, size);
    if (enter(run, IN_DICT, OBJECT, Py_NewRef(value), size, true) < 0)
        return -1;
    run->frames[run->depth - 1].position = before;
    run->frames[run->depth - 1].index = written;
    return 0;
}

/* The keys and values of a Map that has been begun, as far as they are simple, and a frame for the rest. */
static int
write_pairs(Run *run, PyObject *value, Py_ssize_t size)
{
    Writer *writer = run->writer;
    PyObject *key, *item;
    Py_ssize_t position = 0, before = 0, written = 0, used = writer->used;
    while (PyDict_Next(value, &position, &key, &item)) {
        int status = write_simple(run, key);
        if (status == 0)
            status = write_simple(run, item);
        if (status < 0)
            return -1;
        if (status)
            break;
        before = position;
        used = writer->used;
        written += 2;
    }
    if (check_depth(run) < 0)
        return -1;
    if (written == size)
        return write_end(writer, MAP, size);
    writer->used = used;
    if (enter(run, IN_PAIRS, MAP, Py_NewRef(value), size, true) < 0)
        return -1;
    run->frames[run->depth - 1].position = before;
    run->frames[run->depth - 1].index = written;
    return 0;
}

static int
write_dict(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    Dictionary kind = MAPPED;
    if (PyDict_CheckExact(value)) {
        int status = write_plain(run, value, alone);
        if (status <= 0)
            return status;
        kind = classify(run->state, value);
    }
    else {
        PyObject *key, *item;
        Py_ssize_t position = 0;
        while (PyDict_Next(value, &position, &key, &item))
            if (doubtful_key(run->state, key))
                kind = ODD;
    }
    if (kind == ODD)
        return hand_over(run, run->state->names._other, value);
    Py_ssize_t size = 2 * PyDict_GET_SIZE(value);
    if (numbers_begin(&writer->numbers, value, alone) < 0 || reserve(writer, 1) < 0)
        return -1;
    writer->buffer[writer->used++] = kind == MAPPED ? BEGIN_MAP : BEGIN_OBJECT;
    if (kind == MAPPED)
        return write_pairs(run, value, size);
    return enter(run, IN_FLAT, OBJECT, indexed_items(value, false), size, false);
}

/* Write the floats that *items* begins with, at least one, but not too many at once; returns how many. */
static inline Py_ssize_t
write_floats(Writer *writer, PyObject *const *items, Py_ssize_t size)
{
    Py_ssize_t count = 0;
    if (size > FLOATS)
        size = FLOATS;
    if (reserve(writer, 9 * size) < 0)
        return -1;
    char *at = end_of(writer);
    do {
        *at++ = DOUBLE;
        at = put_double(at, PyFloat_AS_DOUBLE(items[count]));
    } while (++count < size && PyFloat_CheckExact(items[count]));
    written_to(writer, at);
    return count;
}

/* Write the items of a list or a tuple up to the first that begins a container; returns how many. */
static Py_ssize_t
write_items(Run *run, PyObject *const *items, Py_ssize_t size)
{
    Py_ssize_t index = 0;
    /* A float is often followed by floats only; the list itself takes as much room as they do. */
    if (size > FLOATS && PyFloat_CheckExact(items[0]) && reserve(run->writer, 9 * size) < 0)
        return -1;
    while (index < size) {
        if (PyFloat_CheckExact(items[index])) {
            Py_ssize_t count = write_floats(run->writer, items + index, size - index);
            if (count < 0)
                return -1;
            index += count;
            continue;
        }
        int status = write_simple(run, items[index]);
        if (status < 0)
            return -1;
        if (status)
            break;
        index++;
    }
    return index;
}

/* Go on with a list or a tuple of which so many items have been written. */
static int
enter_items(Run *run, Source source, PyObject *value, Py_ssize_t size, Py_ssize_t index)
{
    if (check_depth(run) < 0)
        return -1;
    if (index == size)
        return write_end(run->writer, ARRAY, size);
    if (enter(run, source, ARRAY, Py_NewRef(value), size, source == IN_LIST) < 0)
        return -1;
    run->frames[run->depth - 1].index = index;
    return 0;
}

static int
write_list(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    PyObject *const *items = ((PyListObject *)value)->ob_item;
    Py_ssize_t size = PyList_GET_SIZE(value), offset = writer->used, number = writer->numbers.count;
    if (numbers_begin(&writer->numbers, value, alone) < 0 ||
        put_tagged(writer, 0, BEGIN_DENSE_ARRAY, (uint64_t)size) < 0)
        return -1;
    Py_ssize_t index = write_items(run, items, size);
    if (index < 0)
        return -1;
    for (Py_ssize_t i = index; i < size; i++)
        if (UNLIKELY(items[i] == run->state->hole)) { /* V8 writes such arrays in the sparse form */
            writer->used = offset;
            numbers_forget(&writer->numbers, number);
            return hand_over(run, run->state->names._other, value);
        }
    return enter_items(run, IN_LIST, value, size, index);
}

static int
write_tuple(Run *run, PyObject *value, bool alone)
{
    Py_ssize_t size = PyTuple_GET_SIZE(value);
    if (numbers_begin(&run->writer->numbers, value, alone) < 0 ||
        put_tagged(run->writer, run->writer->hint, BEGIN_DENSE_ARRAY, (uint64_t)size) < 0)
        return -1;
    Py_ssize_t index = write_items(run, ((PyTupleObject *)value)->ob_item, size);
    return index < 0 ? -1 : enter_items(run, IN_TUPLE, value, size, index);
}

static int
write_set(Run *run, PyObject *value, bool alone)
{
    Writer *writer = run->writer;
    PyObject *members = list_of(value);
    if (members == NULL)
        return -1;
    Py_ssize_t size = PyList_GET_SIZE(members);
    for (Py_ssize_t i = 0; i < size; i++)
        if ((PyObject *)Py_TYPE(PyList_GET_ITEM(members, i)) == run->state->ByIdentity) {
            Py_DECREF(members);
            return hand_over(run, run->state->names._other, value);
        }
    int hint = PyFrozenSet_CheckExact(value) ? writer->hint : 0;
    if (reserve(writer, hint + 1) < 0 || numbers_begin(&writer->numbers, value, alone) < 0) {
        Py_DECREF(members);
        return -1;
    }
    for (; hint > 0; hint--)
        writer->buffer[writer->used++] = PADDING;
    writer->buffer[writer->used++] = BEGIN_SET;
    return enter(run, IN_LIST, SET, members, size, false);
}

/* An object that has no number yet. */
static int
write_object(Run *run, PyObject *item)
{
    Writer *writer = run->writer;
    bool alone = writer->numbers.quiet && Py_REFCNT(item) == 1;
    PyTypeObject *type = Py_TYPE(item);
    bool ours = type == &PyDict_Type || type == &PyList_Type || type == &PyTuple_Type ||
                (PyObject *)type == run->state->Map || type == &PySet_Type || type == &PyFrozenSet_Type ||
                (type == &PyBytes_Type && run->buffers && (uint64_t)PyBytes_GET_SIZE(item) <= UINT32_MAX);
    if (run->plain && (type == &PyBytes_Type || type == &PyByteArray_Type))
        return write_octets(run, item, alone);
    if (!ours || UNLIKELY(run->claims))
        return hand_over(run, run->state->names._other, item);
    if (type == &PyDict_Type || (PyObject *)type == run->state->Map)
        return write_dict(run, item, alone);
    if (type == &PyList_Type)
        return write_list(run, item, alone);
    if (type == &PyTuple_Type)
        return write_tuple(run, item, alone);
    if (type == &PyBytes_Type)
        return numbers_begin(&writer->numbers, item, alone) < 0 ? -1 : write_bytes(run, item);
    return write_set(run, item, alone);
}

/* ---- The loop ---- */

static int
put_end(Writer *writer, PyObject *frame)
{
    PyObject *end = PyTuple_GET_ITEM(frame, 1);
    return put(writer, PyBytes_AS_STRING(end), PyBytes_GET_SIZE(end));
}

static inline int
write_item(Run *run, PyObject *item)
{
    int status = write_simple(run, item);
    if (status <= 0)
        return status;
    if (PyLong_CheckExact(item))
        return hand_over(run, run->state->names._other, item);
    if (UNLIKELY(item == run->state->hole))
        return write_hole(run);
    return write_object(run, item);
}

static int
walk(Run *run)
{
    while (run->depth > 1) {
        Walked *frame = &run->frames[run->depth - 1];
        PyObject *key = NULL, *item;
        Py_ssize_t depth = run->depth;
        do {
            item = next_item(frame, &key);
            if (item == NULL) {
                int status = frame->shape == OTHER
                                 ? put_end(run->writer, frame->frame)
                                 : write_end(run->writer, frame->shape, frame->size);
                if (status < 0)
                    return -1;
                pop(run);
                break;
            }
            if (key != NULL && (LIKELY(PyUnicode_CheckExact(key)) ? write_str(run->writer, key) : write_item(run, key)) < 0)
                return -1;
            if (write_item(run, item) < 0)
                return -1;
            frame = &run->frames[run->depth - 1]; /* they may have moved */
        } while (run->depth == depth);
    }
    return 0;
}

static void
relocate(Run *run)
{
    if (!PyErr_ExceptionMatches(run->state->DataCloneError))
        return;
    PyObject *type, *error, *traceback, *steps = PyList_New(0);
    PyErr_Fetch(&type, &error, &traceback);
    for (Py_ssize_t i = 1; steps != NULL && i < run->depth; i++) { /* the outermost only holds the value */
        PyObject *step = step_of(run->state, &run->frames[i]);
        if (step == NULL || PyList_Append(steps, step) < 0)
            Py_CLEAR(steps);
        Py_XDECREF(step);
    }
    if (steps == NULL) { /* no memory */
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(traceback);
        return;
    }
    PyErr_Restore(type, error, traceback);
    raise_inside(run->state, steps);
    Py_DECREF(steps);
}

static int
write_value(Run *run, PyObject *value)
{
    run->frames = run->few;
    run->room = FEW;
    run->depth = run->secured = 0;
    /* The outermost frame is there only to be counted, as in Python. */
    Walked *root = &run->frames[run->depth++];
    memset(root, 0, sizeof *root);
    root->source = IN_TUPLE;
    run->writer->depth++;
    int status = write_item(run, value);
    if (status == 0)
        status = walk(run);
    bool failed = status < 0 && !run->plain;
    if (failed || run->serializer != NULL)
        numbers_own(&run->writer->numbers);
    if (failed)
        relocate(run);
    while (run->depth)
        pop(run);
    if (run->frames != run->few)
        PyMem_Free(run->frames);
    return status;
}

/* ---- What Python sees ---- */

static void
writer_init(Writer *writer, int hint, int version, Py_ssize_t max_depth)
{
    writer->depth = 0;
    writer->max_depth = max_depth;
    writer->hint = hint;
    writer->version = version;
}

static Writer *
new_writer(State *state)
{
    Writer *writer = (Writer *)state->writer_type->tp_alloc(state->writer_type, 0);
    if (writer != NULL) {
        numbers_init(&writer->numbers);
        use_small_buffer(writer);
    }
    return writer;
}

static int
writer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return numbers_visit(&((Writer *)self)->numbers, visit, arg);
}

static int
writer_clear(PyObject *self)
{
    numbers_clear(&((Writer *)self)->numbers);
    return 0;
}

static void
writer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    numbers_free(&((Writer *)self)->numbers);
    Py_CLEAR(((Writer *)self)->bytes);
    type->tp_free(self);
    Py_DECREF(type);
}

/* write(serializer, value, claims): _walk, for one value */
static PyObject *
writer_write(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "write(serializer, value, claims)");
        return NULL;
    }
    Run run;
    run.state = PyType_GetModuleState(Py_TYPE(self));
    run.writer = (Writer *)self;
    run.plain = false;
    run.claims = arguments[2] == Py_True;
    run.buffers = false;
    if ((PyObject *)Py_TYPE(arguments[0]) == run.state->DefaultSerializer) {
        PyObject *treat = PyObject_GetAttr(arguments[0], run.state->names.treat_array_buffer_views_as_host_objects);
        if (treat == NULL)
            return NULL;
        run.buffers = treat == Py_True;
        Py_DECREF(treat);
    }
    Numbers *numbers = &run.writer->numbers;
    if (numbers->count && numbers_settle(numbers) < 0) /* what has been written may be met again */
        return NULL;
    run.serializer = Py_NewRef(arguments[0]);
    int status = write_value(&run, arguments[1]);
    Py_DECREF(run.serializer);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
writer_append(PyObject *self, PyObject *byte)
{
    long value = PyLong_AsLong(byte);
    if (value == -1 && PyErr_Occurred())
        return NULL;
    char octet = (char)value;
    return put((Writer *)self, &octet, 1) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
writer_add(PyObject *self, PyObject *octets)
{
    Py_buffer view;
    if (PyObject_GetBuffer(octets, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    int status = put((Writer *)self, view.buf, view.len);
    PyBuffer_Release(&view);
    return status < 0 ? NULL : Py_NewRef(self);
}

/* The numbers, as a dict whose keys are what id() returns. */

static Py_ssize_t
number_by_id(PyObject *self, PyObject *id)
{
    void *address = PyLong_AsVoidPtr(id);
    Numbers *numbers = &((Writer *)self)->numbers;
    if ((address == NULL && PyErr_Occurred()) || numbers_settle(numbers) < 0)
        return -2;
    return address == NULL ? -1 : numbers_find(numbers, address);
}

static PyObject *
writer_get(PyObject *self, PyObject *id)
{
    Py_ssize_t number = number_by_id(self, id);
    if (number < 0)
        return number == -1 ? Py_NewRef(Py_None) : NULL;
    return PyLong_FromSsize_t(number);
}

static PyObject *
writer_item(PyObject *self, PyObject *id)
{
    Py_ssize_t number = number_by_id(self, id);
    if (number == -1)
        PyErr_SetObject(PyExc_KeyError, id);
    return number < 0 ? NULL : PyLong_FromSsize_t(number);
}

static int
writer_contains(PyObject *self, PyObject *id)
{
    Py_ssize_t number = number_by_id(self, id);
    return number == -2 ? -1 : number >= 0;
}

static int
writer_set_item(PyObject *self, PyObject *id, PyObject *number)
{
    Numbers *numbers = &((Writer *)self)->numbers;
    void *address = PyLong_AsVoidPtr(id);
    Py_ssize_t value = number == NULL ? -1 : PyLong_AsSsize_t(number);
    if (PyErr_Occurred() || numbers_settle(numbers) < 0)
        return -1;
    if (address == NULL || value < 0) {
        PyErr_SetString(PyExc_TypeError, "the numbers of objects, by id");
        return -1;
    }
    return numbers_enter(numbers, address, value);
}

static Py_ssize_t
writer_length(PyObject *self)
{
    return ((Writer *)self)->used;
}

/* Whether the room is for the next dumps, as far as it is not too much, and more than these bytes need.  (To cut it
 * and to ask for more again takes new pages each time, which takes longer than a copy.) */
static inline bool
keeps(Writer *writer)
{
    return writer->room <= KEPT_BUFFER && writer->room - writer->used > writer->room >> 4;
}

/* Give the bytes away, without a copy if there are many. */
static PyObject *
writer_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    Writer *writer = (Writer *)self;
    if (writer->bytes == NULL || writer->used <= SMALL_BUFFER || keeps(writer) ||
        (Py_REFCNT(writer->bytes) > 1 && PyBytes_GET_SIZE(writer->bytes) != writer->used))
        return PyBytes_FromStringAndSize(writer->buffer, writer->used);
    if (PyBytes_GET_SIZE(writer->bytes) != writer->used) {
        Py_ssize_t used = writer->used;
        if (_PyBytes_Resize(&writer->bytes, used) < 0) {
            use_small_buffer(writer); /* the old ones are gone */
            return NULL;
        }
        writer->buffer = PyBytes_AS_STRING(writer->bytes);
        writer->room = used; /* so that the next byte looks whose they are */
    }
    return Py_NewRef(writer->bytes);
}

static PyObject *
writer_clear_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    use_small_buffer((Writer *)self);
    return Py_NewRef(Py_None);
}

static PyMethodDef writer_methods[] = {
    {"write", (PyCFunction)(void (*)(void))writer_write, METH_FASTCALL, NULL},
    {"get", writer_get, METH_O, NULL},
    {"append", writer_append, METH_O, NULL},
    {"clear", writer_clear_bytes, METH_NOARGS, NULL},
    {"__bytes__", writer_bytes, METH_NOARGS, NULL},
    {NULL},
};

static PyType_Slot writer_slots[] = {
    {Py_tp_doc, "The bytes that a Serializer has written, and the objects that have a number."},
    {Py_tp_dealloc, writer_dealloc},
    {Py_tp_traverse, writer_traverse},
    {Py_tp_clear, writer_clear},
    {Py_tp_methods, writer_methods},
    {Py_nb_inplace_add, writer_add},
    {Py_sq_length, writer_length},
    {Py_sq_contains, writer_contains},
    {Py_mp_subscript, writer_item},
    {Py_mp_ass_subscript, writer_set_item},
    {0, NULL},
};

PyType_Spec writer_spec = {
    .name = "clonecodec._accelerator.Writer",
    .basicsize = sizeof(Writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = writer_slots,
};

static int
objects_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Objects *)self)->writer);
    return 0;
}

static int
objects_clear(PyObject *self)
{
    Py_CLEAR(((Objects *)self)->writer);
    return 0;
}

static void
objects_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)objects_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t
objects_length(PyObject *self)
{
    Writer *writer = ((Objects *)self)->writer;
    return writer == NULL ? 0 : writer->numbers.count;
}

/* The object is in the dict already, unless it is None, which stands for what is no object here. */
static PyObject *
objects_append(PyObject *self, PyObject *value)
{
    Writer *writer = ((Objects *)self)->writer;
    if (writer == NULL || numbers_settle(&writer->numbers) < 0)
        return writer == NULL ? PyErr_Format(PyExc_RuntimeError, "no writer") : NULL;
    return numbers_append(&writer->numbers, value) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef objects_methods[] = {
    {"append", objects_append, METH_O, NULL},
    {NULL},
};

static PyType_Slot objects_slots[] = {
    {Py_tp_doc, "The objects that have a number."},
    {Py_tp_dealloc, objects_dealloc},
    {Py_tp_traverse, objects_traverse},
    {Py_tp_clear, objects_clear},
    {Py_tp_methods, objects_methods},
    {Py_sq_length, objects_length},
    {0, NULL},
};

PyType_Spec objects_spec = {
    .name = "clonecodec._accelerator.Objects",
    .basicsize = sizeof(Objects),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = objects_slots,
};

/* writer(hint, version, max_depth): the core of a Serializer */
PyObject *
accelerator_writer(PyObject *module, PyObject *arguments)
{
    State *state = state_of(module);
    Py_ssize_t hint;
    int version;
    PyObject *depth;
    if (!PyArg_ParseTuple(arguments, "niO:writer", &hint, &version, &depth))
        return NULL;
    Py_ssize_t max_depth = PyNumber_AsSsize_t(depth, NULL);
    if (max_depth == -1 && PyErr_Occurred())
        return NULL;
    Writer *writer = new_writer(state);
    if (writer == NULL)
        return NULL;
    writer_init(writer, (int)hint, version, max_depth);
    PyObject *core = core_of(state, writer);
    Py_DECREF(writer);
    return core;
}

/* dumps(value): what DefaultSerializer does, and without one if the value needs none.  *plain*: only what every
 * Serializer does alike, else None. */
PyObject *
accelerator_dumps(State *state, PyObject *value, bool plain)
{
    Writer *writer = (Writer *)state->spare;
    state->spare = NULL;
    if (writer == NULL && (writer = new_writer(state)) == NULL)
        return NULL;
    writer_init(writer, 1, WRITTEN_VERSION, MAX_DEPTH);
    Run run;
    run.state = state;
    run.writer = writer;
    run.serializer = NULL;
    run.plain = plain;
    run.claims = false;
    run.buffers = !plain;
    writer->buffer[0] = (char)VERSION;
    writer->buffer[1] = WRITTEN_VERSION;
    writer->used = 2;
    PyObject *bytes = NULL;
    if (write_value(&run, value) == 0)
        bytes = writer_bytes((PyObject *)writer, NULL);
    Py_XDECREF(run.serializer);
    numbers_clear(&writer->numbers);
    if (writer->bytes != NULL && (Py_REFCNT(writer->bytes) > 1 || !keeps(writer)))
        use_small_buffer(writer);
    if (Py_REFCNT(writer) == 1 && state->spare == NULL)
        state->spare = (PyObject *)writer;
    else
        Py_DECREF(writer);
    if (bytes == NULL && plain && !PyErr_Occurred())
        Py_RETURN_NONE;
    return bytes;
}
