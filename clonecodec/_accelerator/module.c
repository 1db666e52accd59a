/* The accelerator's module: what it is told by Python, and what Python calls. */

#include "accelerator.h"

#include <structmember.h>

/* know(**what): take the classes, functions and constants that the C code needs; see KNOWN. */
static PyObject *
know(PyObject *module, PyObject *arguments, PyObject *what)
{
    State *state = state_of(module);
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (what == NULL)
        Py_RETURN_NONE;
    while (PyDict_Next(what, &position, &name, &value)) {
#define X(field)                                                                                                       \
    if (PyUnicode_CompareWithASCIIString(name, #field) == 0) {                                                         \
        Py_XSETREF(state->field, Py_NewRef(value));                                                                    \
        continue;                                                                                                      \
    }
        KNOWN(X)
#undef X
        PyErr_Format(PyExc_TypeError, "%R is nothing to know", name);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- Shortcuts ---- */

typedef enum { DUMPS, LOADS, STRUCTURED_CLONE, CLONE_WITH_TRANSFER } Which;

/* A Python function, before which C does what it can: called with one argument, which is how these are called, or
 * with an empty transfer list, it goes there at once.  (A call of a Python function takes a quarter of the time of a
 * small message.) */
typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *function;
    Which which;
} Shortcut;

/* Whether *arguments* are a value, and a transfer list in which there is nothing. */
static bool
value_alone(Which which, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || which < STRUCTURED_CLONE)
        return count == 1;
    return (PyTuple_CheckExact(arguments[1]) && PyTuple_GET_SIZE(arguments[1]) == 0) ||
           (PyList_CheckExact(arguments[1]) && PyList_GET_SIZE(arguments[1]) == 0);
}

/* (clone, []); the reference is taken. */
static PyObject *
with_nothing(PyObject *clone)
{
    PyObject *moved = PyList_New(0), *both = moved == NULL ? NULL : PyTuple_New(2);
    if (both == NULL) {
        Py_XDECREF(moved);
        Py_DECREF(clone);
        return NULL;
    }
    PyTuple_SET_ITEM(both, 0, clone);
    PyTuple_SET_ITEM(both, 1, moved);
    return both;
}

static PyObject *
call_shortcut(PyObject *self, PyObject *const *arguments, size_t count, PyObject *keywords)
{
    Shortcut *shortcut = (Shortcut *)self;
    State *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *result;
    if ((keywords == NULL || PyTuple_GET_SIZE(keywords) == 0) &&
        value_alone(shortcut->which, arguments, PyVectorcall_NARGS(count))) {
        switch (shortcut->which) {
        case DUMPS: return accelerator_dumps(state, arguments[0], false);
        case LOADS: result = accelerator_loads(state, arguments[0], COPYING); break;
        default: result = accelerator_clone(state, arguments[0], MAX_DEPTH);
        }
    }
    else if (shortcut->which == LOADS && PyVectorcall_NARGS(count) == 1 && PyBytes_CheckExact(arguments[0]) &&
             PyTuple_GET_SIZE(keywords) == 1 && PyTuple_GET_ITEM(keywords, 0) == state->names.zero_copy &&
             arguments[1] == Py_True)
        result = accelerator_loads(state, arguments[0], SHOWING);
    else
        return PyObject_Vectorcall(shortcut->function, arguments, count, keywords);
    if (result != Py_NotImplemented)
        return result != NULL && shortcut->which == CLONE_WITH_TRANSFER ? with_nothing(result) : result;
    Py_DECREF(result);
    return PyObject_Vectorcall(shortcut->function, arguments, count, keywords);
}

/* Its name, its documentation and all that are those of the function. */
static PyObject *
shortcut_attribute(PyObject *self, PyObject *name)
{
    PyObject *function = ((Shortcut *)self)->function;
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL || function == NULL)
        return NULL;
    if (strcmp(text, "__wrapped__") == 0)
        return Py_NewRef(function);
    if (strcmp(text, "__module__") == 0)
        return PyUnicode_FromString("clonecodec");
    if (strcmp(text, "__class__") == 0 || strncmp(text, "__reduce", 8) == 0)
        return PyObject_GenericGetAttr(self, name);
    return PyObject_GetAttr(function, name);
}

static PyObject *
shortcut_text(PyObject *self)
{
    return PyUnicode_FromFormat("<shortcut to %R>", ((Shortcut *)self)->function);
}

/* As with builtin functions, an instance of a class that has it does not become its first argument; and who asks
 * for a routine (help) finds one. */
static PyObject *
shortcut_get(PyObject *self, PyObject *Py_UNUSED(object), PyObject *Py_UNUSED(type))
{
    return Py_NewRef(self);
}

/* It pickles as functions do, by its name. */
static PyObject *
shortcut_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyObject_GetAttrString(((Shortcut *)self)->function, "__name__");
}

static int
shortcut_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Shortcut *)self)->function);
    return 0;
}

static int
shortcut_clear(PyObject *self)
{
    Py_CLEAR(((Shortcut *)self)->function);
    return 0;
}

static void
shortcut_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)shortcut_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef shortcut_methods[] = {
    {"__reduce__", shortcut_reduce, METH_NOARGS, NULL},
    {NULL},
};

static PyMemberDef shortcut_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Shortcut, vectorcall), READONLY, NULL},
    {NULL},
};

static PyType_Slot shortcut_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_getattro, shortcut_attribute},
    {Py_tp_repr, shortcut_text},
    {Py_tp_descr_get, shortcut_get},
    {Py_tp_traverse, shortcut_traverse},
    {Py_tp_clear, shortcut_clear},
    {Py_tp_dealloc, shortcut_dealloc},
    {Py_tp_methods, shortcut_methods},
    {Py_tp_members, shortcut_members},
    {0, NULL},
};

static PyType_Spec shortcut_spec = {
    .name = "clonecodec._accelerator.Shortcut",
    .basicsize = sizeof(Shortcut),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = shortcut_slots,
};

/* shortcut(function): the same, faster; the function is one of those named here */
static PyObject *
shortcut_to(PyObject *module, PyObject *function)
{
    static const char *const names[] = {"dumps", "loads", "structured_clone", "clone_with_transfer"};
    State *state = state_of(module);
    PyObject *name = PyObject_GetAttrString(function, "__name__");
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    int which = 0;
    while (text != NULL && which <= CLONE_WITH_TRANSFER && strcmp(text, names[which]) != 0)
        which++;
    Py_XDECREF(name);
    if (text == NULL)
        return NULL;
    if (which > CLONE_WITH_TRANSFER)
        return PyErr_Format(PyExc_TypeError, "there is no shortcut to %R", function);
    Shortcut *shortcut = (Shortcut *)state->shortcut_type->tp_alloc(state->shortcut_type, 0);
    if (shortcut == NULL)
        return NULL;
    shortcut->vectorcall = call_shortcut;
    shortcut->function = Py_NewRef(function);
    shortcut->which = (Which)which;
    return (PyObject *)shortcut;
}

/* clone(value, max_depth): for clone_with_transfer, when there is nothing to transfer */
static PyObject *
clone_value(PyObject *module, PyObject *arguments)
{
    PyObject *value, *depth;
    if (!PyArg_ParseTuple(arguments, "OO:clone", &value, &depth))
        return NULL;
    Py_ssize_t max_depth = PyNumber_AsSsize_t(depth, NULL);
    if (max_depth == -1 && PyErr_Occurred())
        return NULL;
    return accelerator_clone(state_of(module), value, max_depth);
}

/* What plain.py is with the accelerator. */

static PyObject *
dumps_plain(PyObject *module, PyObject *value)
{
    return accelerator_dumps(state_of(module), value, true);
}

static PyObject *
loads_plain(PyObject *module, PyObject *data)
{
    return accelerator_loads(state_of(module), data, PLAINLY);
}

static PyMethodDef methods[] = {
    {"know", (PyCFunction)(void (*)(void))know, METH_VARARGS | METH_KEYWORDS, NULL},
    {"writer", accelerator_writer, METH_VARARGS, NULL},
    {"read", accelerator_read, METH_O, NULL},
    {"clone", clone_value, METH_VARARGS, NULL},
    {"shortcut", shortcut_to, METH_O, NULL},
    {"dumps_plain", dumps_plain, METH_O, NULL},
    {"loads_plain", loads_plain, METH_O, NULL},
    {NULL},
};

static int
execute(PyObject *module)
{
    State *state = state_of(module);
#define X(name)                                                                                                        \
    if ((state->names.name = PyUnicode_InternFromString(#name)) == NULL)                                               \
        return -1;
    NAMES(X)
#undef X
    state->writer_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &writer_spec, NULL);
    state->objects_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &objects_spec, NULL);
    state->shortcut_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &shortcut_spec, NULL);
    return state->writer_type == NULL || state->objects_type == NULL || state->shortcut_type == NULL ? -1 : 0;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = state_of(module);
#define X(name) Py_VISIT(state->name);
    KNOWN(X)
#undef X
    Py_VISIT(state->writer_type);
    Py_VISIT(state->objects_type);
    Py_VISIT(state->shortcut_type);
    Py_VISIT(state->spare);
    return 0;
}

static int
clear(PyObject *module)
{
    State *state = state_of(module);
#define X(name) Py_CLEAR(state->name);
    KNOWN(X)
#undef X
#define X(name) Py_CLEAR(state->names.name);
    NAMES(X)
#undef X
    for (int i = 0; i < NAME_SLOTS; i++)
        Py_CLEAR(state->property_names[i].name);
    Py_CLEAR(state->spare);
    cloning_free(state->spare_cloning);
    state->spare_cloning = NULL;
    Py_CLEAR(state->writer_type);
    Py_CLEAR(state->objects_type);
    Py_CLEAR(state->shortcut_type);
    return 0;
}

static void
release(void *module)
{
    (void)clear((PyObject *)module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

struct PyModuleDef accelerator_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "clonecodec._accelerator",
    .m_doc = "The codec's hot paths; clonecodec._accelerate is the only module to import it.",
    .m_size = sizeof(State),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC
PyInit__accelerator(void)
{
    return PyModuleDef_Init(&accelerator_module);
}
