"""How our checkpoints are made, measured and described; they lie beside it, in `llmnotes/checkpoints`.

`recipes` holds the whole making of each model; `corpus` reads texts into batches; `measure` gives the figures of merit;
`saving` writes what `from_pretrained` reads, and `llama2c` turns a stranger's file into it; `cards` writes the model
cards; `audit`, `features` and `first_look` make what the bench in the page needs besides; `retold` tells the fairy
tales in other ways, on which `tale_adapters` trains Fairytale's adapters, and `adapter_card` writes their card;
`scaling`, `loops` and `formation` are the trainings behind labs, whose histories ship as JSON.
"""
