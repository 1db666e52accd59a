/* What read.c and clone.c have in common: names of properties, and keys of Maps and sets.
 *
 * In C because every key that is read, or put into a Map or a set, passes here. */

#include "build.h"

/* Eight bytes at once, wherever they stand. */
static inline uint64_t
load8(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t
load4(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Where in the cache the name of these bytes is: a hash of its length, first and last bytes. */
static inline unsigned
slot_of(const uint8_t *bytes, Py_ssize_t length)
{
    uint64_t first, last;
    if (length >= 8) {
        first = load8(bytes);
        last = load8(bytes + length - 8);
    }
    else if (length >= 4) {
        first = load4(bytes);
        last = load4(bytes + length - 4);
    }
    else {
        first = length ? bytes[0] : 0;
        last = length ? (unsigned)bytes[length / 2] << 8 | bytes[length - 1] : 0;
    }
    uint64_t mixed = (first ^ (last << 29 | last >> 35) ^ (uint64_t)length) * UINT64_C(0x9E3779B97F4A7C15);
    return (unsigned)(mixed >> (64 - NAME_BITS));
}

/* _names: the str of a property name of Latin-1, most often without decoding it. */
PyObject *
property_name(State *state, const uint8_t *bytes, Py_ssize_t length)
{
    if (length > MAX_NAME_LENGTH)
        return PyUnicode_DecodeLatin1((const char *)bytes, length, NULL);
    NameSlot *slot = &state->property_names[slot_of(bytes, length)];
    PyObject *name = slot->name;
    if (LIKELY(name != NULL && PyUnicode_GET_LENGTH(name) == length &&
               memcmp(PyUnicode_1BYTE_DATA(name), bytes, length) == 0))
        return Py_NewRef(name);
    name = PyUnicode_DecodeLatin1((const char *)bytes, length, NULL);
    if (name != NULL)
        Py_XSETREF(slot->name, Py_NewRef(name));
    return name;
}

/* Whether *key* is text, None or an int of JavaScript's, which is put into a Map as it is. */
bool
is_own_key(PyObject *key)
{
    if (PyUnicode_CheckExact(key) || key == Py_None)
        return true;
    if (!PyLong_CheckExact(key))
        return false;
    int overflow = 0;
    int64_t value = SMALL_INT(key) ? SMALL_INT_VALUE(key) : PyLong_AsLongLongAndOverflow(key, &overflow);
    return !overflow && -MAX_SAFE_INTEGER <= value && value <= MAX_SAFE_INTEGER;
}

/* _keys.Keys.admit: what to put into the container for *key*, whose reference is taken.
 *
 * Keys that are text, None or numbers of JavaScript's are never told apart where Python merges them, so that they
 * need no Keys as long as there are no others.  *paused*: whether the collector is paused. */
static PyObject *
admitted(State *state, PyObject *container, PyObject **keys, PyObject *key, bool paused)
{
    if (PyUnicode_CheckExact(key))
        return key;
    if (*keys == NULL) {
        if (is_own_key(key))
            return key;
        if (PyFloat_CheckExact(key)) {
            double value = PyFloat_AS_DOUBLE(key);
            if (value != value)
                Py_SETREF(key, Py_NewRef(state->nan));
            else if (value == 0)
                Py_SETREF(key, PyFloat_FromDouble(0.0));
            return key;
        }
    }
    if (paused)
        PyGC_Enable();
    if (*keys == NULL)
        *keys = PyObject_CallOneArg(state->Keys, container);
    PyObject *admitted = *keys == NULL ? NULL : PyObject_CallMethodOneArg(*keys, state->names.admit, key);
    if (paused)
        PyGC_Disable();
    Py_DECREF(key);
    return admitted;
}

/* Put *item*, whose reference is taken, into a Map: as a key if *key* is NULL, else under it. */
int
put_into_map(State *state, PyObject *map, PyObject **keys, PyObject **key, PyObject *item, bool paused)
{
    if (*key != NULL)
        return put_into_dict(map, key, item);
    *key = admitted(state, map, keys, item, paused);
    return *key == NULL ? -1 : 0;
}

/* Put *item*, whose reference is taken, into a set. */
int
put_into_set(State *state, PyObject *set, PyObject **keys, PyObject *item, bool paused)
{
    PyObject *member = admitted(state, set, keys, item, paused);
    int status = member == NULL ? -1 : PySet_Add(set, member);
    Py_XDECREF(member);
    return status;
}
