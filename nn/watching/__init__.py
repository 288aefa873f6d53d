"""How is a network watched as it learns? In a page that trains it, a film of a training, and live in a notebook.

`playground.py` has `nn.playground`, `film.py` has `nn.film`, and `live.py` has `nn.Live`. The JavaScript is in `page/`:
`random.js`, `network.js` and `training.js` compute, and all else shows it.
"""
