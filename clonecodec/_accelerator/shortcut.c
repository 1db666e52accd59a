/* Shortcuts to Python functions.
 *
 * In C because the call of a Python function takes a quarter of the time of a small message. */

#include "accelerator.h"

#include <structmember.h>

typedef enum { DUMPS, LOADS, STRUCTURED_CLONE, CLONE_WITH_TRANSFER } Which;

/* A Python function, before which C does what it can: called with one argument, which is how these are called, or
 * with an empty transfer list, it goes there at once. */
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

/* Call C, if the arguments are what it takes; else, or if it gives up, the function. */
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

PyType_Spec shortcut_spec = {
    .name = "clonecodec._accelerator.Shortcut",
    .basicsize = sizeof(Shortcut),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = shortcut_slots,
};

/* shortcut(function): the same, faster; the function is one of those named here */
PyObject *
accelerator_shortcut(PyObject *module, PyObject *function)
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
