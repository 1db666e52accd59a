/* _properties: what a dict is in JavaScript.
 *
 * In C because every key of a message that is written or cloned is looked at. */

#include "properties.h"

/* _properties.is_index */
bool
array_index(PyObject *key, uint32_t *index)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(key);
    if (length == 0 || length > 10 || !PyUnicode_IS_ASCII(key))
        return false;
    const Py_UCS1 *text = PyUnicode_1BYTE_DATA(key);
    uint64_t number = 0;
    if (text[0] == '0' && length > 1)
        return false;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *index = (uint32_t)number;
    return number < MAX_ARRAY_LENGTH;
}

/* Whether *text* has halves of surrogate pairs, which are one character here and another in JavaScript. */
bool
has_surrogates(PyObject *text)
{
    if (PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND)
        return false;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < length; i++)
        if (Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, i)))
            return true;
    return false;
}

/* _keys.check_keys: whether a Map may have a key that is this one to JavaScript, and another to Python. */
bool
doubtful_key(State *state, PyObject *key)
{
    if (PyUnicode_Check(key))
        return READY(key) < 0 || has_surrogates(key);
    if (PyFloat_Check(key))
        return PyFloat_AS_DOUBLE(key) != PyFloat_AS_DOUBLE(key);
    return (PyObject *)Py_TYPE(key) == state->ByIdentity;
}

/* _properties.property_list, as far as it is a question */
Dictionary
classify(State *state, PyObject *dict)
{
    Dictionary kind = PLAIN;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    uint32_t index;
    while (PyDict_Next(dict, &position, &key, &value)) {
        if (UNLIKELY(!PyUnicode_CheckExact(key))) {
            if (!PyUnicode_Check(key)) {
                kind = MAPPED;
                break;
            }
            kind = ODD;
        }
        else if (UNLIKELY(!PyUnicode_IS_COMPACT_ASCII(key))) {
            if (READY(key) < 0 || has_surrogates(key))
                kind = ODD;
        }
        else if (PyUnicode_GET_LENGTH(key) && PyUnicode_1BYTE_DATA(key)[0] <= '9' && array_index(key, &index)) {
            if (kind == PLAIN)
                kind = INDEXED;
        }
    }
    if (kind == MAPPED) {
        position = 0;
        while (PyDict_Next(dict, &position, &key, &value))
            if (doubtful_key(state, key))
                return ODD;
    }
    return kind;
}

typedef struct {
    uint32_t index;
    PyObject *key, *value;
} Indexed;

static int
by_index(const void *left, const void *right)
{
    uint32_t a = ((const Indexed *)left)->index, b = ((const Indexed *)right)->index;
    return (a > b) - (a < b);
}

/* _properties.property_list of a dict with array indices: those first, as numbers or (*named*) as they are. */
PyObject *
indexed_items(PyObject *dict, bool named)
{
    PyObject *key, *value;
    Py_ssize_t size = PyDict_GET_SIZE(dict), position = 0, count = 0, i = 0;
    uint32_t index;
    Indexed *indexed = PyMem_Malloc(size * sizeof *indexed);
    if (indexed == NULL)
        return PyErr_NoMemory();
    int collecting = PyGC_Disable();
    PyObject *flat = PyList_New(2 * size);
    if (collecting)
        PyGC_Enable();
    if (flat == NULL)
        goto done;
    bool ascending = true; /* as they do in what loads has made */
    while (PyDict_Next(dict, &position, &key, &value))
        if (array_index(key, &index)) {
            ascending = ascending && (count == 0 || indexed[count - 1].index < index);
            indexed[count++] = (Indexed){index, key, value};
        }
    if (!ascending)
        qsort(indexed, count, sizeof *indexed, by_index);
    for (; i < count; i++) {
        index = indexed[i].index;
        key = named                 ? Py_NewRef(indexed[i].key)
              : index < 0x80000000u ? PyLong_FromUnsignedLong(index)
                                    : PyFloat_FromDouble(index);
        if (key == NULL) {
            Py_CLEAR(flat);
            goto done;
        }
        PyList_SET_ITEM(flat, 2 * i, key);
        PyList_SET_ITEM(flat, 2 * i + 1, Py_NewRef(indexed[i].value));
    }
    position = 0;
    while (i < size && PyDict_Next(dict, &position, &key, &value))
        if (!array_index(key, &index)) {
            PyList_SET_ITEM(flat, 2 * i, Py_NewRef(key));
            PyList_SET_ITEM(flat, 2 * i + 1, Py_NewRef(value));
            i++;
        }
done:
    PyMem_Free(indexed);
    return flat;
}
