"""What lies within a scope."""

import pytest

from carapulse.kernel.call import Actor, Scope

SHOP = {"environment": "dev", "service": "shop", "cluster": "east"}
NAMELESS = {"environment": "dev", "service": None, "cluster": None}


@pytest.mark.parametrize(
    ("scope", "place", "inside"),
    [
        ({}, SHOP, True),
        ({}, NAMELESS, True),
        ({"environments": ("dev",), "services": ("shop",), "clusters": ("east",)}, SHOP, True),
        ({"environments": ("prod",)}, SHOP, False),
        ({"services": ("billing",)}, SHOP, False),
        ({"clusters": ("west",)}, SHOP, False),
        ({"services": ("shop",)}, NAMELESS, False),
        ({"clusters": ("east",)}, NAMELESS, False),
        ({"environments": ()}, SHOP, False),
    ],
)
def test_a_place_is_inside_if_every_list_has_its_name(scope, place, inside):
    assert Scope(**scope).covers(**place) is inside


@pytest.mark.parametrize(
    ("narrow", "wide", "fits"),
    [
        ({}, {}, True),
        ({"environments": ("dev",)}, {}, True),
        ({"environments": ("dev",)}, {"environments": ("dev", "prod")}, True),
        ({"environments": ("dev", "prod")}, {"environments": ("dev",)}, False),
        ({}, {"environments": ("dev",)}, False),
        ({"services": ("shop",)}, {"environments": ("dev",)}, False),
        ({"environments": ()}, {"environments": ("dev",)}, True),
    ],
)
def test_a_scope_fits_into_another_that_has_all_its_names(narrow, wide, fits):
    assert Scope(**narrow).within(Scope(**wide)) is fits


def test_an_actor_without_a_scope_is_kept_as_before_there_were_any():
    actor = Actor(id="ada", roles=frozenset({"operator"}))

    assert actor.model_dump(mode="json", exclude_defaults=True) == {"id": "ada", "roles": ["operator"]}
    assert Actor.model_validate({"id": "ada", "kind": "person", "roles": ["operator"]}) == actor


def test_an_actor_comes_back_from_a_message_with_its_scope():
    actor = Actor(id="key:key_1", kind="service", scope=Scope(environments=("dev", "dev", "a")), owner="ada")

    assert Actor.model_validate_json(actor.model_dump_json(exclude_defaults=True)) == actor
    assert actor.scope.environments == ("a", "dev")
