//! The steps of `users list`, `create`, `alter` and `delete`: users that authenticate with SCRAM.

mod password;

pub use password::PasswordSource;

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::admin::scram_users::{NewCredential, ScramHash, ScramUser};
use crate::error::{Error, Result};
use crate::output::{confirm, plural, user as output};
use crate::spelling::closest;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// These users, or all.
    List(Vec<String>),
    /// A user that must not be there yet.
    Create(Password),
    /// One that must.
    Alter(Password),
    Delete(Deletion),
}

/// A password for a user.
#[derive(Debug)]
pub struct Password {
    pub user: String,
    pub mechanisms: Vec<ScramHash>,
    pub iterations: i32,
    pub source: PasswordSource,
    pub is_dry_run: bool,
}

/// Users to delete.
#[derive(Debug)]
pub struct Deletion {
    pub users: Vec<String>,
    /// Only the passwords for these; all without any.
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
    let (doing, done) = if must_exist {
        ("would alter", "altered")
    } else {
        ("would create", "created")
    };
    if password.is_dry_run {
        return output::outcomes(
            &mut context.printer,
            doing,
            std::slice::from_ref(user),
            &format!("{doing}d"),
        );
    }
    let secret = password::read(&password.source, user)?;
    context.client.restart_deadline();
    let added: Vec<NewCredential> = mechanisms
        .into_iter()
        .map(|mechanism| NewCredential {
            mechanism,
            iterations: password.iterations,
            password: secret.clone(),
        })
        .collect();
    let outcome = context.client.admin()?.alter_scram_user(user, &[], &added)?;
    outcome
        .map_err(|refusal| Error::from(refusal).context(format_args!("cannot set the password of {user}")))?;
    output::outcomes(&mut context.printer, done, std::slice::from_ref(user), done)
}

/// The mechanisms that get the password: those asked for; else those the user has, so that no old password stays; else
/// the stronger one.
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
        let credentials = user.credentials.unwrap_or_default().into_iter();
        let doomed: Vec<ScramHash> = credentials
            .map(|(mechanism, _)| mechanism)
            .filter(|mechanism| deletion.mechanisms.is_empty() || deletion.mechanisms.contains(mechanism))
            .collect();
        match context
            .client
            .admin()?
            .alter_scram_user(&user.name, &doomed, &[])?
        {
            Ok(()) => deleted.push(user.name),
            Err(refusal) => {
                failures.push(Error::from(refusal).context(format_args!("cannot delete user {}", user.name)));
            }
        }
    }
    output::outcomes(&mut context.printer, "deleted", &deleted, "deleted")?;
    context.outcome_of(failures)
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
