"""A cron expression that no document promises: `validate` and `plan` say so, and apply goes on."""

from __future__ import annotations

from stage import Stage, agent

ODD = """\
    - name: odd
      cron: "0 0 2 1,2W * ?"
      startTime: 2026-01-01T02:00:00
      timeZone: UTC
"""


def test_validate_and_plan_warn_of_what_is_not_documented(stage: Stage) -> None:
    stage.write(agent(ODD))
    (problem,) = stage.run("validate", "--format", "json").document["problems"]
    assert (problem["code"], problem["severity"], problem["address"]) == (
        "undocumented-cron",
        "warning",
        "schedule/prices/odd",
    )
    assert (problem["path"], problem["line"]) == ("manifests/retail.yaml", 8)
    assert [one["code"] for one in stage.plan()["warnings"] if one["address"] == "schedule/prices/odd"] == [
        "undocumented-cron"
    ]
    assert "2W in a list" in stage.run("plan").said
    assert stage.apply().code == 0
    assert stage.live("odd").cron == "0 0 2 1,2W * ?"
