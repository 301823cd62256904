//! What the administrator set: connectors, policy, settings, hook secrets; and the small named values.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::columns::{Columns, json, scope as parts};
use crate::store::{ConnectorRow, HookSecretRow, PolicyRow, Scope, SettingRow};

pub(super) fn all(c: &Connection) -> Result<Vec<ConnectorRow>> {
    c.prepare_cached(
        "SELECT id, name, enabled, authorize_url, token_url, services, redirect_url, scopes, client_id, secret, proxy,
             ca_file, dead, dead_message FROM connectors ORDER BY name",
    )?
    .query_map([], |row| {
        let mut c = Columns::of(row);
        Ok(ConnectorRow {
            id: c.take()?,
            name: c.take()?,
            enabled: c.take()?,
            authorize_url: c.take()?,
            token_url: c.take()?,
            services: c.json()?,
            redirect_url: c.take()?,
            scopes: c.take()?,
            client_id: c.take()?,
            secret: c.take()?,
            proxy: c.take()?,
            ca_file: c.take()?,
            dead: c.take()?,
            dead_message: c.take()?,
        })
    })?
    .collect()
}

pub(super) fn put(c: &Connection, row: &ConnectorRow) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO connectors (id, name, enabled, authorize_url, token_url, services, redirect_url, scopes, client_id,
             secret, proxy, ca_file, dead, dead_message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (id) DO UPDATE SET name = ?2, enabled = ?3, authorize_url = ?4, token_url = ?5, services = ?6,
             redirect_url = ?7, scopes = ?8, client_id = ?9, secret = ?10, proxy = ?11, ca_file = ?12, dead = ?13,
             dead_message = ?14",
    )?
    .execute(params![
        row.id,
        row.name,
        row.enabled,
        row.authorize_url,
        row.token_url,
        json(&row.services),
        row.redirect_url,
        row.scopes,
        row.client_id,
        row.secret,
        row.proxy,
        row.ca_file,
        row.dead,
        row.dead_message,
    ])
    .map(drop)
}

pub(super) fn remove(c: &Connection, id: &str) -> Result<()> {
    c.prepare_cached("DELETE FROM connectors WHERE id = ?1")?.execute([id]).map(drop)
}

pub(super) fn policy(c: &Connection) -> Result<Vec<PolicyRow>> {
    c.prepare_cached("SELECT level, scope, allow FROM policy ORDER BY level, scope")?
        .query_map([], |row| {
            let mut c = Columns::of(row);
            Ok(PolicyRow { scope: c.scope()?, allow: c.take()? })
        })?
        .collect()
}

pub(super) fn put_policy(c: &Connection, scope: &Scope, allow: Option<bool>) -> Result<()> {
    let (level, name) = parts(scope);
    match allow {
        Some(allow) => c
            .prepare_cached("INSERT OR REPLACE INTO policy (level, scope, allow) VALUES (?1, ?2, ?3)")?
            .execute(params![level, name, allow]),
        None => c.prepare_cached("DELETE FROM policy WHERE level = ?1 AND scope = ?2")?.execute([level, name]),
    }
    .map(drop)
}

pub(super) fn settings(c: &Connection, account: Option<&str>) -> Result<Vec<SettingRow>> {
    c.prepare_cached(
        "SELECT level, scope, name, value FROM settings WHERE level NOT IN ('account', 'own') OR scope = ?1
             ORDER BY level, scope, name",
    )?
    .query_map([account], |row| {
        let mut c = Columns::of(row);
        Ok(SettingRow { scope: c.scope()?, name: c.take()?, value: c.take()? })
    })?
    .collect()
}

pub(super) fn put_setting(c: &Connection, scope: &Scope, name: &str, value: Option<&str>) -> Result<()> {
    let (level, of) = parts(scope);
    match value {
        Some(value) => c
            .prepare_cached("INSERT OR REPLACE INTO settings (level, scope, name, value) VALUES (?1, ?2, ?3, ?4)")?
            .execute([level, of, name, value]),
        None => c
            .prepare_cached("DELETE FROM settings WHERE level = ?1 AND scope = ?2 AND name = ?3")?
            .execute([level, of, name]),
    }
    .map(drop)
}

pub(super) fn hook_secrets(c: &Connection) -> Result<Vec<HookSecretRow>> {
    c.prepare_cached("SELECT name, digest, domains, created_at FROM hook_secrets ORDER BY name")?
        .query_map([], |row| {
            let mut c = Columns::of(row);
            Ok(HookSecretRow { name: c.take()?, digest: c.digest()?, domains: c.json()?, created_at: c.take()? })
        })?
        .collect()
}

pub(super) fn put_hook_secret(c: &Connection, row: &HookSecretRow) -> Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO hook_secrets (name, digest, domains, created_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![row.name, row.digest, json(&row.domains), row.created_at])
        .map(drop)
}

pub(super) fn remove_hook_secret(c: &Connection, name: &str) -> Result<bool> {
    Ok(c.prepare_cached("DELETE FROM hook_secrets WHERE name = ?1")?.execute([name])? > 0)
}

pub(super) fn meta(c: &Connection, name: &str) -> Result<Option<String>> {
    c.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |r| r.get(0)).optional()
}

pub(super) fn put_meta(c: &Connection, name: &str, value: &str) -> Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute([name, value]).map(drop)
}
