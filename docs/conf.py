# SPDX-License-Identifier: BSD-2-Clause
# docs/conf.py - Sphinx: sphinx-build docs docs/_build
project = 'Patchbay'
author = 'the Patchbay authors'
master_doc = 'index'
exclude_patterns = ['_build']
html_theme = 'alabaster'
