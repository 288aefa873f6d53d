"""Do no_grad and strict hold where they should, and nowhere else?"""

import asyncio
import copy
import math
import pickle
import threading

import pytest

import autograd
from autograd import DomainError, Value, modes, no_grad, strict


@pytest.fixture(autouse=True)
def _every_block_is_closed_again():
    yield
    assert modes.active == 0


def test_no_grad_records_nothing_and_keeps_the_numbers():
    a = Value(2.0)
    with no_grad():
        results = [a * 3, a.tanh(), autograd.dot([a], [a], a), autograd.where(a > 0, a, 0.0), -a]
    assert all(not r.parents and not r.operation for r in results)
    assert [r.data for r in results] == [6.0, math.tanh(2.0), 6.0, 2.0, -2.0]
    assert (a * 3).parents == (a,)


@pytest.mark.parametrize("decorate", [no_grad, no_grad()])
def test_no_grad_decorates_functions_that_call_themselves(decorate):
    @decorate
    def power(x, n):
        return x if n == 0 else power(x, n - 1) * x

    assert power(Value(2.0), 3).parents == ()
    assert (Value(2.0) * 2).parents != ()


def test_no_grad_nests_and_is_left_by_errors():
    a = Value(1.0)
    with no_grad():
        with no_grad():
            assert not (a + a).parents
        assert not (a + a).parents
        with pytest.raises(KeyError), no_grad():
            raise KeyError
        assert not (a + a).parents
    assert (a + a).parents


def test_no_grad_in_one_thread_leaves_the_others_alone():
    inside, done, seen = threading.Event(), threading.Event(), []

    def silent():
        with no_grad():
            inside.set()
            done.wait(5)
            seen.append((Value(1.0) * 2).parents)

    thread = threading.Thread(target=silent)
    thread.start()
    inside.wait(5)
    assert len((Value(1.0) * 2).parents) == 1
    done.set()
    thread.join()
    assert seen == [()]


def test_no_grad_in_one_task_leaves_the_others_alone():
    async def silent(started, finish):
        with no_grad():
            started.set()
            await finish.wait()
            return (Value(1.0) * 2).parents

    async def main():
        started, finish = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(silent(started, finish))
        await started.wait()
        outside = (Value(1.0) * 2).parents
        finish.set()
        return outside, await task

    outside, inside = asyncio.run(main())
    assert len(outside) == 1
    assert inside == ()


def test_a_task_that_outlives_the_block_records_whatever_others_do():
    async def late(go):
        await go.wait()
        return (Value(1.0) * 2).parents

    async def main():
        go = asyncio.Event()
        with no_grad():
            task = asyncio.create_task(late(go))
        go.set()
        with strict():
            await asyncio.sleep(0)
            return await task

    assert len(asyncio.run(main())) == 1


def test_a_generator_that_is_closed_after_the_block_around_it_leaves_nothing_behind():
    def inner():
        with no_grad():
            yield

    iterator = inner()
    with no_grad():
        next(iterator)
    iterator.close()
    with strict():
        assert (Value(1.0) * 2).parents


def test_one_block_may_be_entered_by_two_threads_at_once():
    block, entered, leave, seen = no_grad(), threading.Event(), threading.Event(), []

    def work():
        with no_grad():
            with block:
                entered.set()
                leave.wait(5)
            seen.append((Value(1.0) * 2).parents)

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait(5)
    with block:
        assert not (Value(1.0) * 2).parents
    assert (Value(1.0) * 2).parents
    leave.set()
    thread.join()
    assert seen == [()]


def test_coroutine_functions_are_decorated_and_generator_functions_refused():
    @no_grad
    async def silent():
        await asyncio.sleep(0)
        return (Value(1.0) * 2).parents

    assert asyncio.run(silent()) == ()
    with pytest.raises(TypeError, match=r"strict cannot decorate the generator function numbers: put `with strict"):

        @strict
        def numbers():
            yield 1


def test_strict_names_the_operation_its_operands_and_the_line():
    x = Value(-1.0)
    with strict(), pytest.raises(DomainError) as caught:
        autograd.log(x)
    error = caught.value
    assert (error.operation, error.operands) == ("log", (-1.0,))
    assert error.filename == __file__
    with open(__file__, encoding="utf-8") as file:
        assert "autograd.log(x)" in file.readlines()[error.lineno - 1]
    assert str(error).startswith(f"log(-1.0) is nan at line {error.lineno} of {__file__}; ")
    assert isinstance(error, ArithmeticError)


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda x: x / 0, "div"),
        (lambda x: 0 / (x - 1), "div"),
        (lambda x: (x * 1e200) * 1e200, "mul"),
        (lambda x: (x * 1000).exp(), "exp"),
        (lambda x: (x - 1).sqrt(), "sqrt"),  # the value is 0, but the derivative is inf
        (lambda x: (x * 1e-50) / (x * 1e-200), "div"),  # only the derivative for the divisor is inf
        (lambda x: x + 1.7e308 + 1.7e308, "add"),
        (lambda x: autograd.dot([x, x], [1e308, 1e308]), "dot"),
        (lambda x: autograd.sum([x * 1e308, x * 1e308]), "sum"),
        (lambda x: (-x) ** 0.5, "pow"),
    ],
)
def test_strict_raises_at_the_first_number_that_is_not_finite(call, operation):
    call(Value(1.0))
    with strict(), pytest.raises(DomainError) as caught:
        call(Value(1.0))
    assert caught.value.operation == operation


def test_strict_lets_infinities_of_the_user_and_everything_finite_through():
    with strict():
        assert (Value(math.inf) + 1).data == math.inf
        assert math.isnan((Value(math.nan) * 2).data)
        assert Value(2.0).log().data == math.log(2.0)


def test_strict_and_no_grad_combine():
    with strict(), no_grad():
        assert (Value(1.0) * 2).parents == ()
        with pytest.raises(DomainError):
            Value(-1.0).log()


def test_a_domain_error_can_be_sent_to_another_process():
    with strict(), pytest.raises(DomainError) as caught:
        Value(0.0).log()
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (str(twin), twin.operation, twin.lineno) == (str(caught.value), "log", caught.value.lineno)
    assert str(copy.copy(caught.value)) == str(caught.value)
