"""The palette editor and the API: `tintype serve`, and the visual Turing test: `tintype study`.

app.py    the routes of the editor          study.py  the routes of the study
store.py  encoded photos, and work in turns guard.py  who may ask, and how much
static/   the pages
"""
