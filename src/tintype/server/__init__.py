"""The palette editor and the API: `tintype serve`, and the visual Turing test: `tintype study`.

app.py      the routes of the editor          security.py    who may ask, and how much
schemas.py  what comes in and goes out        work_queue.py  bounded turns
service.py  what the routes do                problems.py    what is answered to odd requests
store.py    photos that were encoded          run.py         listen (address.py), open the browser
study.py    the study, of pairs.py            connection.py  how long a client may take
static/     the pages                         asker.py       work ends when who asked has gone
"""
