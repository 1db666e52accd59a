#include "accelerator.h"
PyObject *accelerator_loads(PyObject *module, PyObject *const *arguments, Py_ssize_t count) { Py_RETURN_NOTIMPLEMENTED; }
PyObject *accelerator_read(PyObject *module, PyObject *d) { Py_RETURN_NOTIMPLEMENTED; }
