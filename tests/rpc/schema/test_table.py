"""The table of methods against itself: examples fit their models, and the rules of the API hold for every method."""

import pytest

from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.models.wire import Change, Changed
from tests.rpc.secret_params import as_received

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@every_method
def test_example_fits_the_models(method: Method) -> None:
    assert method.params.model_validate(as_received(method.example), by_name=False)
    assert method.result.model_validate(method.answer, by_name=False)


@every_method
def test_changing_methods_answer_with_seq_and_take_an_idempotency_key_unless_secret(method: Method) -> None:
    assert issubclass(method.params, Change) == (method.changes and not method.secret)
    assert issubclass(method.result, Changed) == method.changes
