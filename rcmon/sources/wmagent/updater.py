"""What the sources file says of an agent's own configuration, which its database does not hold."""

from typing import Annotated

from msgspec import Meta, Struct

from rcmon.model import UpdaterSettings

Percent = Annotated[int, Meta(ge=0, le=1000, description="must be per cent, from 0 to 1000")]
ShortText = Annotated[str, Meta(min_length=1, max_length=200)]


class UpdaterTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`[source.updater]`: the agent's `config.AgentStatusWatcher`, with the defaults of WMAgentConfig.py."""

    team: ShortText | None = None
    """`config.Agent.teamName`; without it the agent's report says."""
    tier0: bool | None = None
    """Whether the configuration has a Tier0Feeder; without it the agent's components say."""
    enabled: bool = True
    only_ssb: bool = False
    force_site_down: tuple[ShortText, ...] = ()
    pending_slots_site_percent: Percent = 50
    pending_slots_task_percent: Percent = 45
    running_express_percent: Percent = 30
    running_repack_percent: Percent = 10
    t1_sites_cores: Percent = 30

    def settings(self) -> UpdaterSettings:
        """Give the settings as the rules take them."""
        return UpdaterSettings(**{name: getattr(self, name) for name in self.__struct_fields__})
