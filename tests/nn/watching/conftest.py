"""The core of the pages in a browser: what `nn/watching/page` computes."""

import pytest

import nn
from nn.watching.kit import kit
from nn.watching.page import CORE, source
from tests.autograd.conftest import browser  # noqa: F401
from tests.autograd.drawing.conftest import PATIENCE

LOGITS = nn.binary_cross_entropy_with_logits


@pytest.fixture(scope="module")
def core(browser):  # noqa: F811
    """Calls the body of a JavaScript function with the core, a kit and `given` in its scope."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)

    def call(body, given=None, loss=LOGITS, outputs=1, task="binary", **options):
        scripts = "\n".join(map(source, CORE))
        printed = kit(loss, outputs, task, **options)
        return page.evaluate(f'(given) => {{ "use strict"; const KIT = {printed};\n{scripts}\n{body} }}', given)

    yield call
    page.close()
