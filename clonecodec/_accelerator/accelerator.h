/* What the parts of the accelerator share.  Each C file mirrors a Python module, which says what it does and why;
 * the C says only what is different here.
 *
 *     module.c       the module's functions; what Python tells (``know``)
 *     shortcut.c     dumps, loads, structured_clone, as they are called
 *     numbers.c      the numbers of objects                        for write.c and clone.c
 *     walk.c         containers that are walked                    for both, too
 *     properties.c   what a dict is in JavaScript                  for all three
 *     dates.c        datetimes in UTC                          for all three
 *     build.c        property names, keys of Maps and sets         for read.c and clone.c
 *     writer.c       what Python sees of a Serializer's bytes and numbers
 *     write.c        _writer.Serializer._walk, with write_scalars.h
 *     reader.c       what is called to read, and what is handed over to Python
 *     read.c         _reader.Deserializer._walk, with read_scalars.h and read_views.c
 *     clone.c        _cloner.Cloner._walk
 *
 * What is in C is what most of any message is made of: None, bool, int, float, str, bytes, list, tuple, dict, Map,
 * set, frozenset, datetime and references.  Everything else is handed to the Python methods, value by value where a value
 * can be made alone; and where not even that will do (a hole in a list, a tuple in a cycle, bytes that are no
 * value) the reader and the clone return NotImplemented, and Python does it all again from the start.  So every
 * error has one wording, in Python.
 *
 * "Quiet" is a walk as long as no Python code has run: until then nothing can have changed, so that containers need
 * no snapshot, and what only one reference holds cannot be met again.
 */
#ifndef ACCELERATOR_H
#define ACCELERATOR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define NOINLINE __attribute__((noinline))
#if !defined(__GNUC__) && !defined(__clang__)
#undef LIKELY
#undef UNLIKELY
#undef NOINLINE
#define LIKELY(x) (x)
#define UNLIKELY(x) (x)
#define NOINLINE
#endif

#if PY_VERSION_HEX >= 0x030C0000
#define SMALL_INT(object) PyUnstable_Long_IsCompact((PyLongObject *)(object))
#define SMALL_INT_VALUE(object) PyUnstable_Long_CompactValue((PyLongObject *)(object))
#define MEDIUM_INT(object) (((PyLongObject *)(object))->long_value.lv_tag >> 3 == 2)
#define MEDIUM_INT_VALUE(object)                                                                                       \
    two_digits(((PyLongObject *)(object))->long_value.ob_digit, (((PyLongObject *)(object))->long_value.lv_tag & 3) == 2)
#define READY(object) 0
#else
#define SMALL_INT(object) (Py_SIZE(object) >= -1 && Py_SIZE(object) <= 1)
#define SMALL_INT_VALUE(object) ((Py_ssize_t)Py_SIZE(object) * (Py_ssize_t)((PyLongObject *)(object))->ob_digit[0])
#define MEDIUM_INT(object) (Py_SIZE(object) == 2 || Py_SIZE(object) == -2)
#define MEDIUM_INT_VALUE(object) two_digits(((PyLongObject *)(object))->ob_digit, Py_SIZE(object) < 0)
#define READY(object) PyUnicode_READY(object)
#endif

/* An int of 31 to 60 bits: times and identifiers, for which a call takes longer than all else. */
static inline int64_t
two_digits(const digit *digits, bool negative)
{
    int64_t value = (int64_t)digits[0] | (int64_t)digits[1] << PyLong_SHIFT;
    return negative ? -value : value;
}

/* The tags of _tags.py that are read or written here. */
enum {
    VERSION = 0xFF,
    PADDING = 0x00,
    UNDEFINED = '_',
    NULL_TAG = '0',
    TRUE_TAG = 'T',
    FALSE_TAG = 'F',
    INT32 = 'I',
    UINT32 = 'U',
    DOUBLE = 'N',
    BIG_INT = 'Z',
    DATE = 'D',
    ONE_BYTE_STRING = '"',
    TWO_BYTE_STRING = 'c',
    UTF8_STRING = 'S',
    REFERENCE = '^',
    BEGIN_OBJECT = 'o',
    END_OBJECT = '{',
    BEGIN_DENSE_ARRAY = 'A',
    END_DENSE_ARRAY = '$',
    BEGIN_MAP = ';',
    END_MAP = ':',
    BEGIN_SET = '\'',
    END_SET = ',',
    ARRAY_BUFFER = 'B',
    ARRAY_BUFFER_VIEW = 'V',
    UINT8_SUBTAG = 'B',
    HOST_OBJECT = '\\',
    NODE_BUFFER = 10,
    UINT8_VIEW = 1, /* Node's index of a Uint8Array */
};

#define MAX_SAFE_INTEGER ((int64_t)9007199254740991)
#define MAX_STRING_LENGTH ((1 << 29) - 24)
#define WRITTEN_VERSION 15
#define MAX_DEPTH 100000
#define MAX_ARRAY_LENGTH 0xFFFFFFFFu
#define PLAIN_OCTETS (1 << 16) /* from so many on, bytes are not plain */

/* What Python has told the module, by name. */
#define KNOWN(X)                                                                                                       \
    X(Map)                                                                                                             \
    X(BigInt)                                                                                                          \
    X(ByIdentity)                                                                                                      \
    X(hole)                                                                                                            \
    X(undefined)                                                                                                       \
    X(nan)                                                                                                             \
    X(not_yet)                                                                                                         \
    X(Keys)                                                                                                            \
    X(Unfinished)                                                                                                      \
    X(DataCloneError)                                                                                                  \
    X(DecodeError)                                                                                                     \
    X(in_order)                                                                                                        \
    X(inside)                                                                                                          \
    X(OBJECT)                                                                                                          \
    X(MAP)                                                                                                             \
    X(SET)                                                                                                             \
    X(no_item)                                                                                                         \
    X(DefaultSerializer)                                                                                               \
    X(DefaultDeserializer)                                                                                             \
    X(WireReader)                                                                                                      \
    X(serializer)                                                                                                      \
    X(deserializer)                                                                                                    \
    X(cloner)                                                                                                          \
    X(leaves)                                                                                                          \
    X(view_formats)                                                                                                    \
    X(datetime)                                                                                                        \
    X(timezone)                                                                                                        \
    X(clone_leaves)

/* Names that are looked up. */
#define NAMES(X)                                                                                                       \
    X(_other)                                                                                                          \
    X(treat_array_buffer_views_as_host_objects)                                                                        \
    X(_wire)                                                                                                           \
    X(_objects)                                                                                                        \
    X(_stack)                                                                                                          \
    X(_zero_copy)                                                                                                      \
    X(_max_depth)                                                                                                      \
    X(data)                                                                                                            \
    X(offset)                                                                                                          \
    X(admit)                                                                                                           \
    X(cast)                                                                                                            \
    X(zero_copy)                                                                                                       \
    X(leaf)                                                                                                            \
    X(tzinfo)

#define NAME_BITS 10
#define NAME_SLOTS (1 << NAME_BITS)
#define MAX_NAME_LENGTH 64 /* longer ones are data rather than names */

typedef struct {
    PyObject *name; /* a str of Latin-1, or NULL */
} NameSlot;

typedef struct Cloning Cloning; /* clone.c */

/* What _datetime shows to C; all NULL if datetime is the one in Python. */
typedef struct {
    PyTypeObject *type;
    PyObject *utc;
    PyObject *(*make)(int, int, int, int, int, int, int, PyObject *, int, PyTypeObject *);
} Dates;

typedef struct {
#define X(name) PyObject *name;
    KNOWN(X)
#undef X
    struct {
#define X(name) PyObject *name;
        NAMES(X)
#undef X
    } names;
    PyTypeObject *writer_type;
    PyTypeObject *objects_type;
    PyTypeObject *shortcut_type;
    Dates dates;
    PyObject *spare;        /* a Writer that dumps can use again */
    Cloning *spare_cloning; /* what structured_clone can use again */
    Py_ssize_t unseen;      /* containers made since the collector had a chance to run */
    NameSlot property_names[NAME_SLOTS];
} State;

extern struct PyModuleDef accelerator_module;
extern PyType_Spec writer_spec, objects_spec, shortcut_spec;

#define MANY_UNSEEN (1 << 18)

void let_collect(State *state);

/* The garbage collector is paused while nothing but C runs, since nothing that is built here is garbage yet.  What
 * was built by the calls before may be. */
static inline bool
pause_collector(State *state)
{
    if (UNLIKELY(state->unseen > MANY_UNSEEN))
        let_collect(state);
    return PyGC_Disable();
}

/* *made*: so many objects have been built since. */
static inline void
end_pause(State *state, bool paused, Py_ssize_t made)
{
    state->unseen += made;
    if (paused)
        PyGC_Enable();
}

/* ---- writer.c, reader.c, shortcut.c, clone.c ---- */

PyObject *accelerator_writer(PyObject *module, PyObject *arguments);
PyObject *accelerator_read(PyObject *module, PyObject *deserializer);
PyObject *accelerator_shortcut(PyObject *module, PyObject *function);

typedef enum {
    COPYING, /* the bytes of views */
    SHOWING, /* them where they are: zero_copy=True, of bytes */
    PLAINLY, /* only what every Deserializer does alike */
} Loads;

/* The functions of their names with all but the first argument at its default.  The last two return NotImplemented
 * if Python is to do it; the first returns None, if it is to be *plain*. */
PyObject *accelerator_dumps(State *state, PyObject *value, bool plain);
PyObject *accelerator_loads(State *state, PyObject *data, Loads how);
PyObject *accelerator_clone(State *state, PyObject *value, Py_ssize_t max_depth);
void cloning_free(Cloning *cloning);

static inline State *
state_of(PyObject *module)
{
    return (State *)PyModule_GetState(module);
}

#endif
