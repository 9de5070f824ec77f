"""What answers each method of the API, made from the parts of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from config.output.outlet import OutletState
from config.running_settings import RunningSettings
from daemon.api.audit import AuditMethods
from daemon.api.contacts import ContactMethods
from daemon.api.info import InfoMethods, bootstrap_problems, log_problems, policy_problems
from daemon.api.keys import KeyMethods
from daemon.api.peers import PeerMethods
from daemon.api.policy import PolicyMethods
from daemon.api.reachability import reach_problems
from daemon.api.settings import SettingsMethods
from daemon.api.tokens import TokenMethods
from daemon.api.webhooks import WebhookMethods
from daemon.discovery.own.rows import is_advertised
from daemon.keys.ports import Use
from daemon.signing.store.reads import has_unsettled
from rpc.handlers import Backend

if TYPE_CHECKING:
    from daemon.app import App


USES_OF_A_KEY = (
    Use(is_advertised, "it is advertised; withdrawAdvertisement first."),
    Use(has_unsettled, "requests that it has joined are not finished; decline or cancel them, or wait."),
)


def backend_of(app: App, running: RunningSettings, log_state: Callable[[], OutletState]) -> Backend:
    """`app` has made its services, and its health."""
    info = InfoMethods(
        version=app.version,
        settings=app.settings,
        network=app.network,
        keystore=app.keystore,
        store=app.store,
        events=app.events,
        health=app.health,
        clock=app.clock,
        problems=lambda: [
            *app.discovery.problems.found(),
            *bootstrap_problems(app.network.bootstrap_faults),
            *reach_problems(
                app.network.reachability,
                relay_service=app.settings.p2p.relay_service,
                relay_client=app.settings.p2p.relay_client,
            ),
            *log_problems(log_state()),
            *app.file_watch.problems(),
            *policy_problems(app.policy.problem),
        ],
    )
    return Backend(
        info=info,
        settings=SettingsMethods(running),
        peers=PeerMethods(
            network=app.network,
            network_name=app.settings.network,
            bans=app.bans,
            clock=app.clock,
            keys_of=app.discovery.signers.keys_of_peer,
        ),
        contacts=ContactMethods(
            network=app.network, network_name=app.settings.network, store=app.store, clock=app.clock
        ),
        keys=KeyMethods(
            keystore=app.keystore,
            tokens=app.tokens,
            paused=app.signing.own_keys.on_locked,
            lock_told=app.lock_events.told,
            uses=USES_OF_A_KEY,
            deleted=app.signing.own_keys.on_deleted,
        ),
        tokens=TokenMethods(tokens=app.tokens, keystore=app.keystore, withdraw=app.policy.withdraw),
        discovery=app.discovery.methods,
        requests=app.signing.requests,
        sessions=app.signing.sessions,
        unwanted=app.signing.unwanted,
        webhooks=WebhookMethods(app.webhooks),
        audit=AuditMethods(app.store),
        approvals=app.signing.approvals,
        policy=_policy_methods(app),
    )


def _policy_methods(app: App) -> PolicyMethods:
    return PolicyMethods(
        policy=app.policy,
        foresight=app.signing.foresight(app.policy),
        on_record=app.rules_on_record,
        requests=app.signing.finder,
        store=app.store,
        events=app.events,
    )
