"""The palette editor and the API: `tintype serve`, and the visual Turing test: `tintype study`.

app.py    the routes of the editor          guard.py  who may ask, and how much
desk.py   what they do, through Colorizer   study.py  the study
store.py  encoded photos, and work in turns run.py    listen (address.py), open the browser
static/   the pages
"""
