#include "accelerator.h"
PyObject *accelerator_clone(PyObject *module, PyObject *const *arguments, Py_ssize_t count) { Py_RETURN_NOTIMPLEMENTED; }
