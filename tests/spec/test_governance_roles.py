"""Who may do what: the table of roles, and the separation of duties in it."""

import pytest

from shouxin.governance import PERMISSIONS, ROLE_NAMES, Operator, Permission, Role, may

#                     analyst manager reviewer collector auditor executive admin
TABLE = """
overview.read       |    x   |   x   |    x   |    x    |   x   |    x    |
customers.read      |    x   |   x   |    x   |    x    |   x   |         |
customers.reveal    |    x   |   x   |    x   |    x    |       |         |
customers.export    |    x   |   x   |        |         |       |         |
customers.erase     |    x   |   x   |        |         |       |         |
customers.merge     |    x   |   x   |    x   |         |       |         |
alerts.read         |    x   |   x   |    x   |    x    |   x   |         |
alerts.handle       |    x   |   x   |    x   |    x    |       |         |
cases.read          |    x   |   x   |    x   |    x    |   x   |         |
cases.handle        |    x   |   x   |    x   |    x    |       |         |
lines.freeze        |        |   x   |    x   |         |       |         |
lines.approve       |        |   x   |        |         |       |         |
decisions.read      |    x   |   x   |    x   |         |   x   |         |
policies.read       |    x   |   x   |        |         |   x   |         |
policies.draft      |    x   |       |        |         |       |         |
policies.approve    |        |   x   |        |         |       |         |
models.read         |    x   |   x   |        |         |   x   |         |
models.draft        |    x   |       |        |         |       |         |
models.approve      |        |   x   |        |         |       |         |
write_offs.approve  |        |   x   |        |         |       |         |
approvals.decide    |        |   x   |        |         |       |         |
reports.read        |    x   |   x   |        |         |   x   |    x    |
audit.read          |        |   x   |        |         |   x   |         |
operators.manage    |        |       |        |         |       |         |   x
api_keys.manage     |        |       |        |         |       |         |   x
quality.read        |    x   |   x   |        |         |   x   |         |
quarantine.repair   |    x   |   x   |        |         |       |         |
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_roles_that_hold_a_permission(row):
    permission, *marks = row
    drawn = {role for role, mark in zip(Role, marks, strict=True) if mark}
    assert {role for role in Role if Permission(permission) in PERMISSIONS[role]} == drawn


def test_the_table_is_complete():
    assert {row[0] for row in ROWS} == {str(permission) for permission in Permission}
    assert set(ROLE_NAMES) == set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("kind", ["policies", "models"])
def test_no_role_both_drafts_and_approves(kind):
    both = {Permission(f"{kind}.draft"), Permission(f"{kind}.approve")}
    assert not [role for role in Role if both <= PERMISSIONS[role]]


def test_an_administrator_has_no_business_permission():
    business = frozenset().union(*(PERMISSIONS[role] for role in Role if role is not Role.ADMIN))
    assert PERMISSIONS[Role.ADMIN].isdisjoint(business)


def test_an_operator_may_what_any_role_permits():
    both = Operator("op_1", "a.b", "A", frozenset({Role.COLLECTOR, Role.AUDITOR}))
    assert may(both, Permission.CASES_HANDLE)
    assert may(both, Permission.AUDIT_READ)
    assert not may(both, Permission.POLICIES_APPROVE)
