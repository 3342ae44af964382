"""How a rotation and a retirement go, as tables of named rules over one vocabulary of facts.

Theory of operation. The journal holds facts; `fold` turns the facts of one credential into a `View`; `decide` asks the
rows of the tables (`recreate`, `roll`, `retire`) what to do next and answers `Do`, `Wait` or `Operator`. The engine
performs one step, makes its outcome durable as a fact and asks again: recovery after a crash is ordinary operation.
`steps` says which fact may follow which; the journal refuses the rest. Nothing here knows a provider or a target kind.
"""
