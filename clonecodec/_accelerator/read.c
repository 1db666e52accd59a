/* _reader in C: one value of versions 13 to 16.
 *
 * Whatever is not as expected (a wrong byte, the end of the data, a hole, a reference to a tuple that is still open)
 * makes the whole value be read again by Python, which knows what to do or to say.  It happens once for a value, so
 * it costs no more than Python would have taken in the first place.
 */

#include "accelerator.h"

typedef enum { ROOT, LIST, TUPLE, OBJECT_, MAP_, SET_, FROZENSET } Kind;

/* A container that is being read. */
typedef struct {
    Kind kind;
    bool indexed;        /* OBJECT_: all keys are array indices, ascending, so far */
    bool unordered;      /* OBJECT_: array indices that do not come first */
    PyObject *target;    /* held; a set for a frozenset */
    PyObject *key;       /* OBJECT_, MAP_: where the next value goes; held */
    PyObject *keys;      /* MAP_, SET_, FROZENSET: the Keys, once they are needed; held */
    Py_ssize_t length;   /* LIST, TUPLE: as claimed */
    Py_ssize_t left;     /* LIST, TUPLE: items that are still to come */
    Py_ssize_t owed;     /* the sum of *left* of all containers around it: each takes a byte at least */
    Py_ssize_t count;    /* MAP_, SET_, FROZENSET: values read */
    Py_ssize_t number;
    uint32_t index;      /* OBJECT_: the last array index */
} Frame;

#define FEW 16
#define MANY 8

typedef struct {
    State *state;
    const uint8_t *start, *at, *end;
    bool plain;             /* let Python do it all instead of calling it: there is no Deserializer to ask */
    bool node;              /* host objects are Node's, as DefaultDeserializer knows them */
    bool copied;            /* and their bytes are copied: not zero_copy */
    bool shown;             /* or shown where they are, by loads */
    bool paused;            /* whether the collector is to be resumed */
    PyObject *data;         /* loads: what is read; borrowed */
    PyObject *whole;        /* a memoryview of it, once there is one; held */
    PyObject *deserializer; /* NULL as long as loads needs none; held */
    PyObject *wire;         /* held */
    PyObject *objects;      /* by number, a list; held */
    Py_ssize_t max_depth;   /* for this value, which may lie in a host object */
    Py_ssize_t depth;
    Py_ssize_t room;
    Frame *frames;
    Frame few[FEW];
} Reader;

/* NULL without an exception means: let Python do it. */
#define GIVE_UP NULL

/* ---- Numbers and text ---- */

static bool
long_varint(Reader *reader, int longest, uint64_t *value)
{
    const uint8_t *at = reader->at;
    *value = 0;
    for (int i = 0; i < longest; i++) {
        if (at >= reader->end)
            return false;
        *value |= (uint64_t)(*at & 0x7F) << 7 * i;
        if (*at++ < 0x80) {
            reader->at = at;
            return true;
        }
    }
    reader->at = at;
    return at < reader->end; /* V8 looks at the byte behind the longest form */
}

static inline bool
varint(Reader *reader, uint32_t *value)
{
    if (LIKELY(reader->at < reader->end && *reader->at < 0x80)) {
        *value = *reader->at++;
        return true;
    }
    uint64_t wide;
    bool there = long_varint(reader, 5, &wide);
    *value = (uint32_t)wide;
    return there;
}

/* Whether the tag *end* comes next; if so, read it. */
static inline bool
ends(Reader *reader, uint8_t end)
{
    const uint8_t *at = reader->at;
    while (at < reader->end && *at == PADDING)
        at++;
    if (at >= reader->end || *at != end)
        return false;
    reader->at = at + 1;
    return true;
}

static inline double
get_double(const uint8_t *at)
{
    double value;
    uint64_t bits = 0;
#if PY_BIG_ENDIAN
    for (int i = 7; i >= 0; i--)
        bits = bits << 8 | at[i];
#else
    memcpy(&bits, at, sizeof bits);
#endif
    memcpy(&value, &bits, sizeof bits);
    return value;
}

static inline bool
double_value(Reader *reader, double *value)
{
    if (reader->end - reader->at < 8)
        return false;
    *value = get_double(reader->at);
    reader->at += 8;
    return true;
}

/* The length of a string, of which so many bytes are there. */
static inline bool
text_length(Reader *reader, uint32_t *length)
{
    return varint(reader, length) && *length <= reader->end - reader->at;
}

static inline PyObject *
one_byte_text(const uint8_t *bytes, Py_ssize_t length)
{
    if (length > 64)
        return PyUnicode_DecodeLatin1((const char *)bytes, length, NULL);
    uint8_t all = 0;
    for (Py_ssize_t i = 0; i < length; i++)
        all |= bytes[i];
    if (UNLIKELY(all >= 0x80 || length <= 1)) /* Python has one object for each character */
        return PyUnicode_DecodeLatin1((const char *)bytes, length, NULL);
    PyObject *text = PyUnicode_New(length, 0x7F);
    if (text != NULL)
        memcpy(PyUnicode_1BYTE_DATA(text), bytes, length);
    return text;
}

static PyObject *
two_byte_text(Reader *reader)
{
    uint32_t length;
    if (!text_length(reader, &length) || length & 1 || length / 2 > MAX_STRING_LENGTH)
        return GIVE_UP;
    int order = -1;
    PyObject *text = PyUnicode_DecodeUTF16((const char *)reader->at, length, "surrogatepass", &order);
    reader->at += length;
    return text;
}

static PyObject *
big_int(Reader *reader)
{
    uint32_t bitfield;
    if (!varint(reader, &bitfield) || bitfield >> 1 != 8 || reader->end - reader->at < 8)
        return GIVE_UP;
    uint64_t digits = 0;
    for (int i = 7; i >= 0; i--)
        digits = digits << 8 | reader->at[i];
    reader->at += 8;
    PyObject *number = PyLong_FromUnsignedLongLong(digits);
    if (number != NULL && bitfield & 1)
        Py_SETREF(number, PyNumber_Negative(number));
    if (number != NULL && digits <= (uint64_t)MAX_SAFE_INTEGER)
        Py_SETREF(number, PyObject_CallOneArg(reader->state->BigInt, number));
    return number;
}

/* ---- Handing over to Python ---- */

static int
need_deserializer(Reader *reader)
{
    if (reader->deserializer == NULL) {
        reader->deserializer = PyObject_CallFunctionObjArgs(reader->state->deserializer, reader->data,
                                                            reader->objects, reader->shown ? Py_True : Py_False, NULL);
        if (reader->deserializer != NULL)
            reader->wire = PyObject_GetAttr(reader->deserializer, reader->state->names._wire);
    }
    return reader->wire == NULL ? -1 : 0;
}

/* Let *method* of the Deserializer read what follows the tag. */
static PyObject *
by_python(Reader *reader, PyObject *method, bool hinted)
{
    State *state = reader->state;
    PyObject *offset = NULL, *value = NULL;
    if (reader->paused)
        PyGC_Enable();
    if (need_deserializer(reader) < 0 || (offset = PyLong_FromSsize_t(reader->at - reader->start)) == NULL ||
        PyObject_SetAttr(reader->wire, state->names.offset, offset) < 0)
        goto done;
    PyObject *arguments[] = {reader->deserializer, hinted ? Py_True : Py_False};
    value = PyObject_Vectorcall(method, arguments, 2, NULL);
    if (value == NULL)
        goto done;
    Py_SETREF(offset, PyObject_GetAttr(reader->wire, state->names.offset));
    Py_ssize_t now = offset == NULL ? -1 : PyLong_AsSsize_t(offset);
    if (now < 0 || now > reader->end - reader->start)
        Py_CLEAR(value);
    else
        reader->at = reader->start + now;
done:
    Py_XDECREF(offset);
    if (reader->paused)
        PyGC_Disable();
    return value;
}

static PyObject *
leaf(Reader *reader, uint8_t tag, bool hinted)
{
    if (reader->plain)
        return GIVE_UP;
    PyObject *key = PyLong_FromLong(tag);
    PyObject *method = key == NULL ? NULL : PyDict_GetItemWithError(reader->state->leaves, key);
    Py_XDECREF(key);
    return method == NULL ? GIVE_UP : by_python(reader, method, hinted);
}

/* ---- Objects ---- */

static PyObject *
numbered(Reader *reader, PyObject *value)
{
    if (value != NULL && PyList_Append(reader->objects, value) < 0)
        Py_CLEAR(value);
    return value;
}

/* _node.DefaultDeserializer._shown: the bytes that have just been read, where they are. */
static PyObject *
shown(Reader *reader, Py_ssize_t length)
{
    if (reader->whole == NULL && (reader->whole = PyMemoryView_FromObject(reader->data)) == NULL)
        return NULL;
    Py_ssize_t end = reader->at - reader->start;
    return PySequence_GetSlice(reader->whole, end - length, end);
}

/* A view that is no Buffer, as a memoryview; NULL without an exception also if it is of a kind that is none. */
static PyObject *
node_view(Reader *reader, uint8_t index, Py_ssize_t length)
{
    PyObject *formats = reader->state->view_formats, *format = NULL, *view, *memory;
    Py_ssize_t size = 1;
    if (index < PyTuple_GET_SIZE(formats) && (format = PyTuple_GET_ITEM(formats, index)) != Py_None)
        size = PyLong_AsSsize_t(PyTuple_GET_ITEM(format, 1));
    if (format == NULL || format == Py_None || length < size || length % size)
        return GIVE_UP;
    if (reader->shown)
        view = shown(reader, length);
    else {
        memory = PyByteArray_FromStringAndSize((const char *)reader->at - length, length);
        view = memory == NULL ? NULL : PyMemoryView_FromObject(memory);
        Py_XDECREF(memory);
    }
    if (view != NULL && index != UINT8_VIEW)
        Py_SETREF(view, PyObject_CallMethodOneArg(view, reader->state->names.cast, PyTuple_GET_ITEM(format, 0)));
    return view;
}

/* A view of Node's: _node.DefaultDeserializer.read_host_object. */
static PyObject *
node_buffer(Reader *reader, bool hinted)
{
    uint64_t length;
    const uint8_t *before = reader->at;
    if (!reader->node)
        return GIVE_UP;
    if ((!reader->copied && !reader->shown) || reader->at >= reader->end)
        return leaf(reader, HOST_OBJECT, hinted);
    uint8_t index = *reader->at++;
    if (!long_varint(reader, 10, &length) || length > (uint64_t)(reader->end - reader->at))
        return GIVE_UP;
    reader->at += length;
    if (index != NODE_BUFFER) {
        PyObject *view = node_view(reader, index, (Py_ssize_t)length);
        if (view != NULL || PyErr_Occurred())
            return numbered(reader, view);
        reader->at = before;
        return leaf(reader, HOST_OBJECT, hinted);
    }
    if (reader->shown)
        return numbered(reader, shown(reader, (Py_ssize_t)length));
    const char *bytes = (const char *)reader->at - length;
    if (hinted)
        return numbered(reader, PyByteArray_FromStringAndSize(bytes, (Py_ssize_t)length));
    if (length != 1)
        return numbered(reader, PyBytes_FromStringAndSize(bytes, (Py_ssize_t)length));
    /* Python has one object for all bytes of length 1 that are equal; two Buffers that were two stay two. */
    PyObject *single = PyBytes_FromStringAndSize(NULL, 1);
    if (single != NULL)
        PyBytes_AS_STRING(single)[0] = bytes[0];
    return numbered(reader, single);
}

/* Payloads._view_of_bytes, of bytes that are marked as read-only: a buffer, and a view over the whole of it. */
static PyObject *
read_only_view(Reader *reader)
{
    uint64_t size, offset, length;
    if (reader->start[1] < 14 || !long_varint(reader, 10, &size) ||
        size > (uint64_t)(reader->end - reader->at))
        return GIVE_UP;
    const char *octets = (const char *)reader->at;
    reader->at += size;
    if (!ends(reader, ARRAY_BUFFER_VIEW) || reader->end - reader->at < 1 || *reader->at++ != UINT8_SUBTAG ||
        !long_varint(reader, 10, &offset) || offset != 0 || !long_varint(reader, 10, &length) || length != size ||
        reader->at == reader->end || *reader->at++ != 0)
        return GIVE_UP;
    /* The buffer has a number, too; who refers to that wants it to be one. */
    if (PyList_Append(reader->objects, reader->state->not_yet) < 0)
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(octets, (Py_ssize_t)size);
    PyObject *view = bytes == NULL ? NULL : PyMemoryView_FromObject(bytes);
    Py_XDECREF(bytes);
    return numbered(reader, view);
}

/* Whether the object *number* is a container that is being read. */
static bool
is_open(Reader *reader, Py_ssize_t number)
{
    Py_ssize_t low = 0, high = reader->depth; /* inner ones have higher numbers */
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (reader->frames[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reader->depth && reader->frames[low].number == number;
}

static PyObject *
reference(Reader *reader)
{
    State *state = reader->state;
    const uint8_t *before = reader->at;
    uint32_t number;
    if (!varint(reader, &number) || number >= PyList_GET_SIZE(reader->objects))
        return GIVE_UP;
    PyObject *value = PyList_GET_ITEM(reader->objects, number);
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyDict_Type || (PyObject *)type == state->Map || type == &PyTuple_Type || PyAnySet_CheckExact(value) ||
        type == &PyBytes_Type || type == &PyByteArray_Type || type == &PyMemoryView_Type)
        return Py_NewRef(value);
    if (type == &PyList_Type) {
        Frame *frame = &reader->frames[reader->depth - 1];
        bool patched = frame->kind <= LIST || frame->kind == OBJECT_ || (frame->kind == MAP_ && frame->key != NULL);
        if (!patched && is_open(reader, number))
            return GIVE_UP;
        return Py_NewRef(value);
    }
    if (value == state->not_yet || type == &PyLong_Type)
        return GIVE_UP;
    int unfinished = PyObject_IsInstance(value, state->Unfinished);
    if (unfinished)
        return GIVE_UP;
    reader->at = before;
    return leaf(reader, REFERENCE, false);
}

/* ---- Containers ---- */

static Frame *
push(Reader *reader, Kind kind, PyObject *target)
{
    if (target == NULL)
        return NULL;
    if (reader->depth > reader->max_depth) {
        Py_DECREF(target);
        return GIVE_UP;
    }
    if (reader->depth == reader->room) {
        Py_ssize_t room = reader->room * 2;
        Frame *old = reader->frames == reader->few ? NULL : reader->frames;
        Frame *frames = PyMem_Realloc(old, room * sizeof *frames);
        if (frames == NULL) {
            Py_DECREF(target);
            PyErr_NoMemory();
            return NULL;
        }
        if (old == NULL)
            memcpy(frames, reader->few, sizeof reader->few);
        reader->frames = frames;
        reader->room = room;
    }
    /* What stands for it in the table until it is there; lists and dicts are. */
    PyObject *known = kind == TUPLE || kind == FROZENSET ? reader->state->not_yet : target;
    if (PyList_Append(reader->objects, known) < 0) {
        Py_DECREF(target);
        return NULL;
    }
    Frame *outer = &reader->frames[reader->depth - 1], *frame = &reader->frames[reader->depth++];
    memset(frame, 0, sizeof *frame);
    frame->kind = kind;
    frame->target = target;
    frame->owed = outer->owed + outer->left;
    frame->number = PyList_GET_SIZE(reader->objects) - 1;
    return frame;
}

static void
drop(Frame *frame)
{
    Py_CLEAR(frame->target);
    Py_CLEAR(frame->key);
    Py_CLEAR(frame->keys);
}

/* Read the numbers that a list begins with, since it often holds nothing else; -1 if there is no memory.  The last
 * bytes of the data, and ints of more than three bytes, are left to value_of. */
static int
read_numbers(Reader *reader, Frame *frame)
{
    const uint8_t *at = reader->at;
    Py_ssize_t size = PyList_GET_SIZE(frame->target), left = frame->left;
    int status = 0;
    for (; left && reader->end - at > 9; left--) {
        PyObject *item;
        if (*at == INT32) {
            uint32_t number = at[1];
            if (number < 0x80)
                at += 2;
            else if (at[2] < 0x80) {
                number = (number & 0x7F) | (uint32_t)at[2] << 7;
                at += 3;
            }
            else if (at[3] < 0x80) {
                number = (number & 0x7F) | (uint32_t)(at[2] & 0x7F) << 7 | (uint32_t)at[3] << 14;
                at += 4;
            }
            else
                break;
            item = PyLong_FromLong((int32_t)((number >> 1) ^ (0 - (number & 1))));
        }
        else if (*at == DOUBLE) {
            item = PyFloat_FromDouble(get_double(at + 1));
            at += 9;
        }
        else
            break;
        if (item == NULL) {
            status = -1;
            break;
        }
        PyList_SET_ITEM(frame->target, size, item);
        size++;
    }
    Py_SET_SIZE(frame->target, size);
    frame->left = left;
    reader->at = at;
    return status;
}

static Frame *
begin_array(Reader *reader, bool hinted)
{
    uint32_t length;
    Frame *outer = &reader->frames[reader->depth - 1];
    if (!varint(reader, &length) || length > reader->end - reader->at - outer->owed - outer->left)
        return GIVE_UP;
    PyObject *target = hinted ? PyTuple_New(length) : PyList_New(length);
    if (target != NULL && !hinted)
        Py_SET_SIZE(target, 0); /* it grows as it is filled */
    else if (target != NULL && length)
        PyObject_GC_UnTrack(target); /* nobody is to see it before it is filled */
    Frame *frame = push(reader, hinted ? TUPLE : LIST, target);
    if (frame == NULL)
        return NULL;
    frame->length = frame->left = length;
    return hinted || length < MANY || read_numbers(reader, frame) == 0 ? frame : NULL;
}

/* Begin the container whose tag has been read; NULL also if it is none. */
static Frame *
begin(Reader *reader, uint8_t tag, bool hinted)
{
    Frame *frame;
    switch (tag) {
    case BEGIN_OBJECT:
        frame = push(reader, OBJECT_, PyDict_New());
        if (frame != NULL)
            frame->indexed = true;
        return frame;
    case BEGIN_DENSE_ARRAY: return begin_array(reader, hinted);
    case BEGIN_MAP: return push(reader, MAP_, PyObject_CallNoArgs(reader->state->Map));
    case BEGIN_SET: return push(reader, hinted ? FROZENSET : SET_, PySet_New(NULL));
    default: return NULL;
    }
}

static inline bool
counts(Reader *reader, Py_ssize_t actual)
{
    uint32_t claimed;
    return varint(reader, &claimed) && claimed == (uint32_t)actual;
}

/* Read a property key: text, or an int that becomes text. */
static PyObject *
property_key(Reader *reader)
{
    while (reader->at < reader->end && *reader->at == PADDING)
        reader->at++;
    if (reader->at >= reader->end)
        return GIVE_UP;
    uint32_t number;
    char digits[12];
    switch (*reader->at++) {
    case ONE_BYTE_STRING:
        if (!text_length(reader, &number) || number > MAX_STRING_LENGTH)
            return GIVE_UP;
        reader->at += number;
        return property_name(reader->state, reader->at - number, number);
    case TWO_BYTE_STRING: return two_byte_text(reader);
    case INT32: {
        if (!varint(reader, &number))
            return GIVE_UP;
        bool negative = number & 1;
        number = (number >> 1) + negative; /* its absolute value */
        int i = sizeof digits;
        do
            digits[--i] = (char)('0' + number % 10);
        while (number /= 10);
        if (negative)
            digits[--i] = '-';
        return property_name(reader->state, (const uint8_t *)digits + i, (Py_ssize_t)sizeof digits - i);
    }
    default: return GIVE_UP;
    }
}

static inline void
note_index(Frame *frame, PyObject *key)
{
    uint32_t index;
    bool is_index = PyUnicode_GET_LENGTH(key) && PyUnicode_IS_COMPACT_ASCII(key) &&
                    PyUnicode_1BYTE_DATA(key)[0] <= '9' && array_index(key, &index);
    if (LIKELY(!is_index)) {
        frame->indexed = false;
        return;
    }
    if (!frame->indexed || (PyDict_GET_SIZE(frame->target) && index < frame->index))
        frame->unordered = true;
    frame->index = index;
}

/* Take the finished value out of the innermost frame. */
static PyObject *
closed(Reader *reader)
{
    Frame *frame = &reader->frames[reader->depth - 1];
    PyObject *value = frame->target;
    if (frame->kind == FROZENSET)
        value = PyFrozenSet_New(frame->target);
    else if (frame->kind == TUPLE && frame->length)
        PyObject_GC_Track(value);
    else if (frame->kind == OBJECT_ && frame->unordered) {
        PyObject *ordered = PyObject_CallOneArg(reader->state->in_order, value);
        if (ordered == NULL)
            return NULL;
        PyDict_Clear(value);
        int status = PyDict_Update(value, ordered);
        Py_DECREF(ordered);
        if (status < 0)
            return NULL;
    }
    if (value == NULL)
        return NULL;
    if (value == frame->target)
        frame->target = NULL;
    if (frame->kind == TUPLE || frame->kind == FROZENSET)
        (void)PyList_SetItem(reader->objects, frame->number, Py_NewRef(value));
    drop(frame);
    reader->depth--;
    return value;
}

/* Put *value* into the innermost container; its reference is taken. */
static inline int
store(Reader *reader, PyObject *value)
{
    Frame *frame = &reader->frames[reader->depth - 1];
    Py_ssize_t size;
    int status;
    switch (frame->kind) {
    case LIST:
        size = PyList_GET_SIZE(frame->target);
        PyList_SET_ITEM(frame->target, size, value);
        Py_SET_SIZE(frame->target, size + 1);
        return 0;
    case TUPLE: PyTuple_SET_ITEM(frame->target, frame->length - frame->left - 1, value); return 0;
    case OBJECT_:
        size = PyDict_GET_SIZE(frame->target);
        status = PyDict_SetItem(frame->target, frame->key, value);
        Py_CLEAR(frame->key);
        if (UNLIKELY(status == 0 && PyDict_GET_SIZE(frame->target) == size))
            status = -1; /* the key occurs twice: no exception, so Python is to say so */
        break;
    case MAP_:
        if (frame->key == NULL) {
            frame->key = admitted(reader->state, frame->target, &frame->keys, value, reader->paused);
            return frame->key == NULL ? -1 : 0;
        }
        status = PyDict_SetItem(frame->target, frame->key, value);
        Py_CLEAR(frame->key);
        break;
    default:
        value = admitted(reader->state, frame->target, &frame->keys, value, reader->paused);
        status = value == NULL ? -1 : PySet_Add(frame->target, value);
        Py_XDECREF(value);
        return status;
    }
    Py_DECREF(value);
    return status;
}

/* ---- The loop ---- */

/* Read a value that is no container of ours.  *began* is set if it was one. */
static inline PyObject *
value_of(Reader *reader, bool *began)
{
    uint32_t number;
    double real;
    const uint8_t *before = reader->at;
    while (reader->at < reader->end && *reader->at == PADDING)
        reader->at++;
    if (UNLIKELY(reader->at >= reader->end))
        return GIVE_UP;
    bool hinted = reader->at != before;
    uint8_t tag = *reader->at++;
    switch (tag) {
    case ONE_BYTE_STRING:
        if (!text_length(reader, &number) || number > MAX_STRING_LENGTH)
            return GIVE_UP;
        reader->at += number;
        return one_byte_text(reader->at - number, number);
    case INT32:
        if (!varint(reader, &number))
            return GIVE_UP;
        return PyLong_FromLong((int32_t)((number >> 1) ^ (0 - (number & 1))));
    case DOUBLE:
        if (!double_value(reader, &real))
            return GIVE_UP;
        if (hinted && -(double)MAX_SAFE_INTEGER <= real && real <= (double)MAX_SAFE_INTEGER &&
            real == (double)(int64_t)real)
            return PyLong_FromLongLong((int64_t)real);
        return PyFloat_FromDouble(real);
    case NULL_TAG: return Py_NewRef(Py_None);
    case TRUE_TAG: return Py_NewRef(Py_True);
    case FALSE_TAG: return Py_NewRef(Py_False);
    case BEGIN_OBJECT:
    case BEGIN_DENSE_ARRAY:
    case BEGIN_MAP:
    case BEGIN_SET: *began = begin(reader, tag, hinted) != NULL; return NULL;
    case REFERENCE: return reference(reader);
    case TWO_BYTE_STRING: return two_byte_text(reader);
    case UNDEFINED: return Py_NewRef(reader->state->undefined);
    case HOST_OBJECT: return node_buffer(reader, hinted);
    case ARRAY_BUFFER: return hinted && reader->plain ? read_only_view(reader) : leaf(reader, tag, hinted);
    case UINT32: return varint(reader, &number) ? PyLong_FromUnsignedLong(number) : GIVE_UP;
    case BIG_INT:
        before = reader->at;
        PyObject *value = big_int(reader);
        if (value != NULL || PyErr_Occurred())
            return value;
        reader->at = before;
        return leaf(reader, tag, hinted);
    default: return leaf(reader, tag, hinted);
    }
}

static PyObject *
walk(Reader *reader)
{
    for (;;) {
        Frame *frame = &reader->frames[reader->depth - 1];
        bool complete = false;
        switch (frame->kind) {
        case ROOT: break;
        case LIST:
        case TUPLE:
            if (LIKELY(frame->left)) {
                frame->left--;
                break;
            }
            if (!ends(reader, END_DENSE_ARRAY) || !counts(reader, 0) || !counts(reader, frame->length))
                return GIVE_UP;
            complete = true;
            break;
        case OBJECT_:
            if (ends(reader, END_OBJECT)) {
                if (!counts(reader, PyDict_GET_SIZE(frame->target)))
                    return GIVE_UP;
                complete = true;
                break;
            }
            frame->key = property_key(reader);
            if (frame->key == NULL)
                return NULL;
            note_index(frame, frame->key);
            break;
        case MAP_:
            if (frame->key == NULL && ends(reader, END_MAP)) {
                if (!counts(reader, frame->count))
                    return GIVE_UP;
                complete = true;
            }
            frame->count++;
            break;
        default:
            if (ends(reader, END_SET)) {
                if (!counts(reader, frame->count))
                    return GIVE_UP;
                complete = true;
            }
            frame->count++;
        }
        bool began = false;
        PyObject *value = complete ? closed(reader) : value_of(reader, &began);
        if (began)
            continue;
        if (value == NULL)
            return NULL;
        if (reader->frames[reader->depth - 1].kind == ROOT)
            return value;
        if (store(reader, value) < 0)
            return NULL;
    }
}

/* Read one value.  NULL without an exception if Python is to do it; then the objects are as they were. */
static PyObject *
read_value(Reader *reader)
{
    Py_ssize_t known = PyList_GET_SIZE(reader->objects);
    reader->frames = reader->few;
    reader->room = FEW;
    memset(&reader->few[0], 0, sizeof reader->few[0]);
    reader->few[0].kind = ROOT;
    reader->few[0].number = -1;
    reader->paused = pause_collector(reader->state);
    PyObject *value = walk(reader);
    end_pause(reader->state, reader->paused, PyList_GET_SIZE(reader->objects) - known);
    PyObject *type = NULL, *error = NULL, *traceback = NULL;
    if (value == NULL) {
        if (PyErr_ExceptionMatches(reader->state->DecodeError))
            PyErr_Clear();
        PyErr_Fetch(&type, &error, &traceback);
    }
    while (reader->depth)
        drop(&reader->frames[--reader->depth]);
    if (reader->frames != reader->few)
        PyMem_Free(reader->frames);
    if (value == NULL) {
        (void)PyList_SetSlice(reader->objects, known, PyList_GET_SIZE(reader->objects), NULL);
        PyErr_Restore(type, error, traceback);
    }
    return value;
}

/* Returns NotImplemented where the others return NULL without an exception. */
static PyObject *
finish(Reader *reader, Py_buffer *view, PyObject *value)
{
    PyBuffer_Release(view);
    Py_XDECREF(reader->deserializer);
    Py_XDECREF(reader->wire);
    Py_XDECREF(reader->whole);
    Py_XDECREF(reader->objects);
    if (value == NULL && !PyErr_Occurred())
        Py_RETURN_NOTIMPLEMENTED;
    return value;
}

static void
look_at(Reader *reader, State *state, Py_buffer *view)
{
    memset(reader, 0, offsetof(Reader, few));
    reader->state = state;
    reader->start = reader->at = view->buf;
    reader->end = reader->start + view->len;
    reader->depth = 1;
}

/* loads(data): what DefaultDeserializer does, and without one if the value needs none. */
PyObject *
accelerator_loads(State *state, PyObject *data, Loads how)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    Reader reader;
    look_at(&reader, state, &view);
    reader.data = data;
    reader.plain = how == PLAINLY;
    reader.node = !reader.plain;
    reader.copied = how == COPYING;
    reader.shown = how == SHOWING;
    reader.max_depth = MAX_DEPTH;
    if (view.len < 2 || reader.at[0] != VERSION || reader.at[1] < 13 || reader.at[1] > 16)
        return finish(&reader, &view, NULL);
    reader.at += 2;
    reader.objects = PyList_New(0);
    PyObject *value = reader.objects == NULL ? NULL : read_value(&reader);
    return finish(&reader, &view, value);
}

static Py_ssize_t
size_attribute(PyObject *object, PyObject *name)
{
    PyObject *attribute = PyObject_GetAttr(object, name);
    Py_ssize_t value = attribute == NULL ? -1 : PyNumber_AsSsize_t(attribute, NULL);
    Py_XDECREF(attribute);
    return value;
}

/* read(deserializer): its next value */
PyObject *
accelerator_read(PyObject *module, PyObject *deserializer)
{
    State *state = state_of(module);
    Reader reader;
    Py_buffer view;
    PyObject *wire = PyObject_GetAttr(deserializer, state->names._wire);
    if (wire == NULL)
        return NULL;
    if ((PyObject *)Py_TYPE(wire) != state->WireReader) { /* a file, which may not have been read yet */
        Py_DECREF(wire);
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *data = PyObject_GetAttr(wire, state->names.data);
    if (data == NULL || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        Py_XDECREF(data);
        Py_DECREF(wire);
        return NULL;
    }
    look_at(&reader, state, &view);
    reader.deserializer = Py_NewRef(deserializer);
    reader.wire = wire;
    reader.node = (PyObject *)Py_TYPE(deserializer) == state->DefaultDeserializer;
    PyObject *value = NULL, *stack = PyObject_GetAttr(deserializer, state->names._stack);
    PyObject *zero_copy = PyObject_GetAttr(deserializer, state->names._zero_copy);
    Py_ssize_t offset = size_attribute(wire, state->names.offset);
    Py_ssize_t around = stack == NULL ? -1 : PyObject_Size(stack);
    reader.max_depth = size_attribute(deserializer, state->names._max_depth);
    reader.objects = PyObject_GetAttr(deserializer, state->names._objects);
    if (PyErr_Occurred() || !PyList_CheckExact(reader.objects) || offset > view.len)
        goto done;
    reader.max_depth -= around;
    reader.copied = !PyObject_IsTrue(zero_copy);
    reader.at += offset;
    value = read_value(&reader);
    if (value == NULL && PyErr_Occurred())
        goto done;
    PyObject *end = PyLong_FromSsize_t(value == NULL ? offset : reader.at - reader.start);
    if (end == NULL || PyObject_SetAttr(wire, state->names.offset, end) < 0)
        Py_CLEAR(value);
    Py_XDECREF(end);
done:
    Py_DECREF(data);
    Py_XDECREF(stack);
    Py_XDECREF(zero_copy);
    return finish(&reader, &view, value);
}
