"""The creation backlog: who waits for which site, by workflow priority."""

import pytest

from tests.sources.small import SmallAgent


@pytest.fixture
def agent(small: SmallAgent) -> SmallAgent:
    """File 1 is at T1_DE_KIT, file 2 at T2_CH_CERN, file 3 at both."""
    small.run("INSERT INTO wmbs_file_location VALUES (1, 1), (2, 2), (3, 1), (3, 2)")
    return small


def backlogs(agent: SmallAgent) -> tuple[dict[int, int], dict[int, int]]:
    sites = agent.poll().sites
    return dict(sites["T1_DE_KIT"].backlog), dict(sites["T2_CH_CERN"].backlog)


def test_assigned_jobs_wait_unless_they_run(agent: SmallAgent) -> None:
    """One of the two jobs runs; 0 stands for sites that no unassigned job waits for."""
    assert backlogs(agent) == ({0: 0, 100: 1}, {0: 0})


def test_a_priority_whose_jobs_all_run_is_kept(agent: SmallAgent) -> None:
    agent.job("executing", site=2, status="Running", group=2)
    assert backlogs(agent)[1] == {0: 0, 200: 0}


@pytest.mark.parametrize("state", ["success", "complete", "exhausted", "cleanout", "killed"])
def test_finished_jobs_do_not_wait(agent: SmallAgent, state: str) -> None:
    agent.job(state, site=2)
    assert backlogs(agent)[1] == {0: 0}


@pytest.mark.parametrize("state", ["new", "created", "jobcooloff", "retrydone", "submitfailed"])
def test_all_other_assigned_jobs_wait(agent: SmallAgent, state: str) -> None:
    agent.job(state, site=2)
    assert backlogs(agent)[1] == {0: 0, 100: 1}


def test_an_unassigned_job_waits_once_at_each_site_with_any_of_its_input(agent: SmallAgent) -> None:
    agent.job("created", files=(1, 3))
    agent.job("created", files=(2,), group=2)
    assert backlogs(agent) == ({100: 2}, {100: 1, 200: 1})


def test_a_site_with_two_storages_counts_a_job_once(agent: SmallAgent) -> None:
    agent.run("INSERT INTO wmbs_location_pnns VALUES (2, 1)")
    agent.job("created", files=(3,))
    assert backlogs(agent)[1] == {100: 1}


@pytest.mark.parametrize("state", ["killed", "cleanout"])
def test_unassigned_jobs_that_ended_do_not_wait(agent: SmallAgent, state: str) -> None:
    agent.job(state, files=(1,))
    assert backlogs(agent)[0] == {0: 0, 100: 1}


@pytest.mark.parametrize("state", ["success", "complete", "exhausted"])
def test_other_unassigned_jobs_wait_as_in_wmcore(agent: SmallAgent, state: str) -> None:
    agent.job(state, files=(1,))
    assert backlogs(agent)[0] == {100: 2}


def test_where_valid_sites_are_listed_only_they_count(agent: SmallAgent) -> None:
    agent.run("INSERT INTO wmbs_subscription_validation VALUES (1, 2, 1)")
    agent.job("created", files=(3,))
    assert backlogs(agent) == ({0: 0, 100: 1}, {100: 1})


def test_where_only_barred_sites_are_listed_all_others_count(agent: SmallAgent) -> None:
    agent.run("INSERT INTO wmbs_subscription_validation VALUES (1, 2, 0)")
    agent.job("created", files=(3,))
    assert backlogs(agent) == ({100: 2}, {0: 0})


def test_a_validation_that_says_nothing_bars_nothing(agent: SmallAgent) -> None:
    agent.run("INSERT INTO wmbs_subscription_validation VALUES (1, 2, NULL)")
    agent.job("created", files=(3,))
    assert backlogs(agent) == ({100: 2}, {100: 1})


def test_validation_is_read_for_more_subscriptions_than_one_statement_names(agent: SmallAgent) -> None:
    agent.run("BEGIN")
    for number in range(10, 1110):
        agent.run("INSERT INTO wmbs_subscription VALUES (?, 1, 1, 'x', 1, 0, 0)", number)
        agent.run(
            "INSERT INTO wmbs_jobgroup (id, subscription, last_update) VALUES (?, ?, 0)", number, number
        )
        agent.run("INSERT INTO wmbs_subscription_validation VALUES (?, 1, 1)", number)
        agent.job("created", files=(3,), group=number)
    agent.run("COMMIT")
    assert backlogs(agent) == ({100: 1101}, {0: 0})


def test_jobs_of_one_input_file_are_counted_each(agent: SmallAgent) -> None:
    for state in ("new", "created", "created"):
        agent.job(state, files=(3,))
    agent.job("created", files=(3,), group=2)
    agent.job("created", files=(3, 1), group=2)
    agent.job("created", files=(1, 3), group=2)
    assert backlogs(agent) == ({100: 4, 200: 3}, {100: 3, 200: 3})


def test_a_finished_job_that_still_runs_takes_nothing_away(agent: SmallAgent) -> None:
    agent.job("complete", site=2, status="Running")
    agent.job("jobcooloff", site=2)
    assert backlogs(agent)[1] == {0: 0, 100: 1}


def test_a_job_of_another_state_that_still_runs_does_not_wait(agent: SmallAgent) -> None:
    agent.job("jobcooloff", site=2, status="Running")
    assert backlogs(agent)[1] == {0: 0, 100: 0}
