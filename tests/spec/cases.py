"""The definitions, case by case. Every counter must give these figures; a stranger should be able to read them."""

from tests.spec.cases_ends import ENDS
from tests.spec.cases_groups import GROUPS
from tests.spec.cases_legs import LEGS
from tests.spec.cases_lifetimes import LIFETIMES
from tests.spec.cases_people import PEOPLE
from tests.spec.cases_plain import PLAIN
from tests.spec.cases_time import THRESHOLD, WINDOW

CASES = (*THRESHOLD, *WINDOW, *PEOPLE, *GROUPS, *LIFETIMES, *LEGS, *PLAIN, *ENDS)
