"""Keys of programs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.governance.domain.access import ApiKey, Scope


def add(db: Connection, key: ApiKey, *, secret_hash: str, now: datetime) -> bool:
    """Keep a new key; False when the name is taken."""
    result = db.execute(
        text(
            """
            INSERT INTO governance.api_key (key_id, name, secret_hash, scopes, source, made_at)
            VALUES (:key_id, :name, :secret_hash, :scopes, :source, :now)
            ON CONFLICT (name) DO NOTHING
            """
        ),
        {
            "key_id": key.key_id,
            "name": key.name,
            "secret_hash": secret_hash,
            "scopes": sorted(key.scopes),
            "source": key.source,
            "now": now,
        },
    )
    return result.rowcount == 1


def by_secret(db: Connection, secret_hash: str, *, now: datetime) -> ApiKey | None:
    """The key of this secret, unless it is revoked by now."""
    row = db.execute(
        text(
            """
            SELECT k.key_id, k.name, k.scopes, k.source
            FROM governance.api_key k LEFT JOIN governance.api_key_revocation r USING (key_id)
            WHERE k.secret_hash = :secret_hash AND (r.revoked_at IS NULL OR r.revoked_at > :now)
            """
        ),
        {"secret_hash": secret_hash, "now": now},
    ).one_or_none()
    if row is None:
        return None
    return ApiKey(row.key_id, row.name, frozenset(Scope(scope) for scope in row.scopes), row.source)


def revoke(db: Connection, key_id: str, *, now: datetime) -> bool:
    """Revoke a key; False when there is none, or it is revoked already."""
    result = db.execute(
        text(
            """
            INSERT INTO governance.api_key_revocation (key_id, revoked_at)
            SELECT key_id, :now FROM governance.api_key WHERE key_id = :key_id
            ON CONFLICT (key_id) DO NOTHING
            """
        ),
        {"key_id": key_id, "now": now},
    )
    return result.rowcount == 1
