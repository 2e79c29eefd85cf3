//! The steps of `users list`, `create`, `alter` and `delete`: users who authenticate with SCRAM.

mod password;

pub use password::PasswordSource;

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::admin::ApiError;
use crate::client::admin::scram_users::{NewCredential, ScramHash, ScramUser};
use crate::error::{Error, Result};
use crate::output::{confirm, plural, user as output};
use crate::spelling::closest;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// These users; all if empty.
    List(Vec<String>),
    /// A user who must not exist yet.
    Create(Password),
    /// A user who must exist.
    Alter(Password),
    Delete(Deletion),
}

/// A password for a user.
#[derive(Debug)]
pub struct Password {
    pub user: String,
    pub mechanisms: Vec<ScramHash>,
    /// Iterations of the hash.
    pub iterations: i32,
    pub source: PasswordSource,
    pub is_dry_run: bool,
}

/// Users to delete.
#[derive(Debug)]
pub struct Deletion {
    pub users: Vec<String>,
    /// Only the passwords for these mechanisms; all if empty.
    pub mechanisms: Vec<ScramHash>,
    pub if_exists: bool,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Action::List(names) => list(&names, context),
            Action::Create(password) => set(&password, false, context),
            Action::Alter(password) => set(&password, true, context),
            Action::Delete(deletion) => delete(&deletion, context),
        }
    }
}

fn list(names: &[String], context: &mut Context) -> Result<()> {
    let mut users = context.client.admin()?.scram_users(names)??;
    users.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(name) = names.iter().find(|name| !has(&users, name)) {
        return Err(not_found(name, context));
    }
    output::list(&mut context.printer, &users)
}

fn set(password: &Password, must_exist: bool, context: &mut Context) -> Result<()> {
    let user = &password.user;
    let there = context
        .client
        .admin()?
        .scram_users(std::slice::from_ref(user))??;
    match (has(&there, user), must_exist) {
        (true, false) => {
            let error = Error::failed(format!("user {user} exists already"));
            return Err(error.hint(format!("`kafkit users alter {user}` changes its password")));
        }
        (false, true) => return Err(not_found(user, context)),
        _ => {}
    }
    let mechanisms = chosen(password, &there, must_exist);
    let (doing, would_be, done) = if must_exist {
        ("would alter", "would be altered", "altered")
    } else {
        ("would create", "would be created", "created")
    };
    if password.is_dry_run {
        return output::outcomes(&mut context.printer, doing, std::slice::from_ref(user), would_be);
    }
    let secret = password::read(&password.source, user)?;
    context.client.restart_deadline();
    // A controller refuses two changes of one user in a request.
    for mechanism in mechanisms {
        let credential = NewCredential {
            mechanism,
            iterations: password.iterations,
            password: secret.clone(),
        };
        let admin = context.client.admin()?;
        let outcome = admin.alter_scram_user(user, &[], std::slice::from_ref(&credential))?;
        outcome.map_err(|refusal| {
            Error::from(refusal).context(format_args!("cannot set the password of {user}"))
        })?;
    }
    output::outcomes(&mut context.printer, done, std::slice::from_ref(user), done)
}

/// The mechanisms that get the password: those of the option; else those the user has, so that no old password stays
/// valid; else the stronger one.
fn chosen(password: &Password, there: &[ScramUser], must_exist: bool) -> Vec<ScramHash> {
    if !password.mechanisms.is_empty() {
        return password.mechanisms.clone();
    }
    let has: Vec<ScramHash> = there
        .iter()
        .filter_map(|user| user.credentials.as_ref().ok())
        .flatten()
        .map(|(mechanism, _)| *mechanism)
        .collect();
    if must_exist && !has.is_empty() {
        return has;
    }
    vec![ScramHash::Sha512]
}

fn delete(deletion: &Deletion, context: &mut Context) -> Result<()> {
    let there = context.client.admin()?.scram_users(&deletion.users)??;
    if let Some(name) = deletion.users.iter().find(|name| !has(&there, name))
        && !deletion.if_exists
    {
        return Err(not_found(name, context));
    }
    let names: Vec<String> = there.iter().map(|user| user.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    if deletion.is_dry_run {
        return output::outcomes(&mut context.printer, "would delete", &names, "would be deleted");
    }
    let what = plural(names.len() as u64, "user");
    if !deletion.is_sure {
        if !confirm::can_ask() {
            return Err(Error::usage(format!(
                "would delete {what} ({}); without a terminal say --yes",
                names.join(", ")
            )));
        }
        let lines = output::table(&there).aligned();
        let question = format!("Delete {what}? Their passwords cannot be restored.");
        context.consent(&lines, &question, "nothing deleted")?;
    }
    let mut deleted = Vec::new();
    let mut failures = Vec::new();
    for user in there {
        match take_away(&user, &deletion.mechanisms, context)? {
            Ok(()) => deleted.push(user.name),
            Err(refusal) => {
                let what = format!("cannot delete user {}", user.name);
                failures.push(Error::from(refusal).context(what));
            }
        }
    }
    output::outcomes(&mut context.printer, "deleted", &deleted, "deleted")?;
    context.outcome_of(failures)
}

/// Deletes the passwords of a user, for these mechanisms or for all, one after the other: a controller refuses two
/// changes of one user in a request.
fn take_away(
    user: &ScramUser,
    mechanisms: &[ScramHash],
    context: &mut Context,
) -> Result<std::result::Result<(), ApiError>> {
    for (mechanism, _) in user.credentials.as_ref().map_or(&[][..], Vec::as_slice) {
        if !mechanisms.is_empty() && !mechanisms.contains(mechanism) {
            continue;
        }
        let admin = context.client.admin()?;
        if let Err(refusal) = admin.alter_scram_user(&user.name, std::slice::from_ref(mechanism), &[])? {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

fn has(users: &[ScramUser], name: &str) -> bool {
    users.iter().any(|user| user.name == name)
}

fn not_found(name: &str, context: &mut Context) -> Error {
    let all = context
        .client
        .admin()
        .and_then(|admin| Ok(admin.scram_users(&[])??));
    let all = all.unwrap_or_default();
    let error = Error::not_found(format!("user {name} not found"));
    match closest(name, all.iter().map(|user| user.name.as_str())) {
        Some(meant) => error.hint(format!("did you mean {meant}?")),
        None => error,
    }
}
