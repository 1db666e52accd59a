/* The accelerator's module: what it is told by Python, and what Python calls.
 *
 * In C because that is what a module of C is. */

#include "dates.h"

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

/* ---- The collector ---- */

/* The collector runs when a container is allocated, and it is not paused: a program that makes all its containers here
 * would never see it, and what is garbage would stay. */
void
let_collect(State *state)
{
    state->unseen = 0;
    PyObject *container = state->objects_type->tp_alloc(state->objects_type, 0);
    if (container == NULL)
        PyErr_Clear();
    Py_XDECREF(container);
}

/* ---- What Python calls ---- */

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
    {"shortcut", accelerator_shortcut, METH_O, NULL},
    {"dumps_plain", dumps_plain, METH_O, NULL},
    {"loads_plain", loads_plain, METH_O, NULL},
    {NULL},
};

/* Per interpreter: names and types. */
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
    if (state->writer_type == NULL || state->objects_type == NULL || state->shortcut_type == NULL)
        return -1;
    return dates_import(&state->dates);
}

/* What the module holds, for the garbage collector. */
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
    Py_VISIT(state->dates.type);
    Py_VISIT(state->dates.utc);
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
    Py_CLEAR(state->dates.type);
    Py_CLEAR(state->dates.utc);
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
