/* _reader in C: one value of versions 13 to 16.
 *
 * In C are the containers that messages are made of, and what is asked for each item of them.
 *
 * Whatever is not as expected (a wrong byte, the end of the data, a hole, a reference to a tuple that is still open)
 * makes the whole value be read again by Python, which knows what to do or to say.  It happens once for a value, so
 * it costs no more than Python would have taken in the first place.
 */

#include "dates.h"
#include "properties.h"
#include "read_scalars.h"

#define MANY 8

/* ---- References ---- */

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

/* The object that a reference is to: asked for each, and most are containers. */
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
        type == &PyBytes_Type || type == &PyByteArray_Type || type == &PyMemoryView_Type ||
        is_date(&state->dates, value))
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

/* Begin a container: *target*, whose reference is taken, or what it will be made of. */
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

/* Let go of a container that is not finished. */
void
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

/* Begin a list or a tuple, with as much room as bytes back its length. */
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

/* Whether the number at the end of a container is *actual*. */
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

/* See whether a key puts the properties out of the order of JavaScript: array indices come first. */
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
    PyObject *target = frame->target;
    switch (frame->kind) {
    case LIST: put_into_list(target, value); return 0;
    case TUPLE: PyTuple_SET_ITEM(target, frame->length - frame->left - 1, value); return 0;
    case OBJECT_: {
        Py_ssize_t size = PyDict_GET_SIZE(target);
        if (put_into_dict(target, &frame->key, value) < 0)
            return -1;
        /* If the key occurs twice: no exception, so Python is to say so. */
        return LIKELY(PyDict_GET_SIZE(target) > size) ? 0 : -1;
    }
    case MAP_: return put_into_map(reader->state, target, &frame->keys, &frame->key, value, reader->paused);
    default: return put_into_set(reader->state, target, &frame->keys, value, reader->paused);
    }
}

/* Payloads._date */
static PyObject *
date(Reader *reader)
{
    double milliseconds;
    if (!double_value(reader, &milliseconds))
        return GIVE_UP;
    PyObject *value = date_of(&reader->state->dates, milliseconds);
    if (value != NULL || PyErr_Occurred())
        return numbered(reader, value);
    reader->at -= 8;
    return leaf(reader, DATE, false);
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
    case DATE: return date(reader);
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

/* Read a value: in one loop, since nothing here recurses. */
PyObject *
read_walk(Reader *reader)
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
