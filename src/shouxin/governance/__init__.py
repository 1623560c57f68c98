"""Governance: who may do what, who agreed to it, and the proof that nobody rewrote the story.

Operators sign in with a password and a code; a role says what each is permitted to do, and whoever
asks for something is never the one who approves it. Programs come with keys of narrow scope.
Personal values are sealed under a key of their own subject and named by blind tokens. Everything of
weight is written to an audit chain in which a changed, removed or inserted entry shows.
"""

from shouxin.governance.ciphers import SealingCipher, UnableToOpen
from shouxin.governance.domain import (
    PASSWORD_LENGTH_MIN,
    PERMISSIONS,
    ROLE_NAMES,
    SEALED_FIELDS,
    TOKEN_FIELDS,
    ApiKey,
    ApprovalRefusal,
    ApprovalRefusalReason,
    ApprovalRequest,
    ApprovalState,
    AuditEntry,
    AuditVerdict,
    Invitation,
    OpenInvitation,
    Operator,
    Permission,
    Role,
    Scope,
    Session,
    SetupRefusal,
    SetupRefusalReason,
    SetupSecret,
    SignInRefusal,
    SignInRefusalReason,
    UnableToInvite,
    may,
    normalised,
)
from shouxin.governance.key_file import UnableToLoadKey
from shouxin.governance.keys import Keyring, load_keyring
from shouxin.governance.service.api_keys import UnableToAddKey, add_api_key, find_api_key, revoke_api_key
from shouxin.governance.service.approvals import (
    UnableToRequest,
    approve,
    list_approvals,
    reject,
    request_approval,
)
from shouxin.governance.service.audit import list_audit, record_audit, verify_audit
from shouxin.governance.service.invitations import (
    complete_setup,
    find_invitation,
    find_operator,
    invite_operator,
    list_operators,
    prepare_setup,
    renew_invitation,
)
from shouxin.governance.service.privileges import append_only_tables
from shouxin.governance.service.sealing import (
    Sealer,
    UnableToSeal,
    check_keyring,
    erase_subjects,
    erased_subjects,
    sealer,
)
from shouxin.governance.service.sign_ins import find_session, sign_in, sign_out
from shouxin.governance.service.turning import (
    KeysStatus,
    UnableToChangeMaster,
    change_master,
    destroy_erased_keys,
    keys_status,
    rotate_keys,
)
from shouxin.governance.store.data_keys import UnableToErase

__all__ = [
    "PASSWORD_LENGTH_MIN",
    "PERMISSIONS",
    "ROLE_NAMES",
    "SEALED_FIELDS",
    "TOKEN_FIELDS",
    "ApiKey",
    "ApprovalRefusal",
    "ApprovalRefusalReason",
    "ApprovalRequest",
    "ApprovalState",
    "AuditEntry",
    "AuditVerdict",
    "Invitation",
    "Keyring",
    "KeysStatus",
    "OpenInvitation",
    "Operator",
    "Permission",
    "Role",
    "Scope",
    "Sealer",
    "SealingCipher",
    "Session",
    "SetupRefusal",
    "SetupRefusalReason",
    "SetupSecret",
    "SignInRefusal",
    "SignInRefusalReason",
    "UnableToAddKey",
    "UnableToChangeMaster",
    "UnableToErase",
    "UnableToInvite",
    "UnableToLoadKey",
    "UnableToOpen",
    "UnableToRequest",
    "UnableToSeal",
    "add_api_key",
    "append_only_tables",
    "approve",
    "change_master",
    "check_keyring",
    "complete_setup",
    "destroy_erased_keys",
    "erase_subjects",
    "erased_subjects",
    "find_api_key",
    "find_invitation",
    "find_operator",
    "find_session",
    "invite_operator",
    "keys_status",
    "list_approvals",
    "list_audit",
    "list_operators",
    "load_keyring",
    "may",
    "normalised",
    "prepare_setup",
    "record_audit",
    "reject",
    "renew_invitation",
    "request_approval",
    "revoke_api_key",
    "rotate_keys",
    "sealer",
    "sign_in",
    "sign_out",
    "verify_audit",
]
