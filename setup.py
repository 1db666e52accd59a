"""The optional part of the build: the accelerator in C.  Everything else is in pyproject.toml."""

from __future__ import annotations

import os
import sys
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = "clonecodec/_accelerator"
WHOLE = "-flto"
"""All files are optimized as one: 5 % of the time of most payloads."""


class Optional(build_ext):
    """Builds the accelerator, or says that it was not built: the package does without it."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # whatever compilers raise
            self._go_on(error)

    def build_extension(self, ext: Extension) -> None:
        try:
            try:
                super().build_extension(ext)
            except Exception:
                if WHOLE not in ext.extra_compile_args:
                    raise
                ext.extra_compile_args.remove(WHOLE)  # this linker cannot
                ext.extra_link_args.clear()
                super().build_extension(ext)
        except Exception as error:
            self._go_on(error)

    def copy_extensions_to_source(self) -> None:
        """For an editable install: what was not built is not copied."""
        self.extensions = [ext for ext in self.extensions if os.path.exists(self._built(ext))]  # noqa: PTH110
        super().copy_extensions_to_source()

    def _built(self, ext: Extension) -> str:
        return os.path.join(self.build_lib, self.get_ext_filename(ext.name))  # noqa: PTH118

    def _go_on(self, error: Exception) -> None:
        print(
            f"clonecodec: the accelerator was not built ({error}); the codec works without it, slower",
            file=sys.stderr,
        )


def flags() -> list[str]:
    """What GCC and Clang are told; ``make asan`` says more in CFLAGS, and wants to hear of lines."""
    if sys.platform == "win32":
        return []
    speed = ["-O1", "-g"] if "sanitize" in os.environ.get("CFLAGS", "") else ["-O3", "-g0", WHOLE]
    return ["-std=c11", "-fvisibility=hidden", *speed]


setup(
    ext_modules=[
        Extension(
            "clonecodec._accelerator",
            sources=sorted(glob(f"{SOURCES}/*.c")),  # noqa: PTH207
            depends=sorted(glob(f"{SOURCES}/*.h")),  # noqa: PTH207
            extra_compile_args=flags(),
            extra_link_args=["-O3", WHOLE] if WHOLE in flags() else [],
            optional=True,
        )
    ],
    exclude_package_data={"clonecodec": ["_accelerator/*", "_accelerator.pyi"]},  # of no use once it is built
    cmdclass={"build_ext": Optional},
)
