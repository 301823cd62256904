//! The pages a person sees while signing in. Each works without JavaScript.

use askama::Template;

use crate::answer::Answer;
use crate::entra::error::EntraError;
use crate::world::World;

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignIn<'a> {
    tenant: &'a str,
    context: &'a str,
    hint: &'a str,
    known: &'a [String],
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent<'a> {
    tenant: &'a str,
    context: &'a str,
    app: &'a str,
    user: &'a str,
    scopes: &'a [String],
    may: bool,
    admin: bool,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    number: u32,
    description: String,
}

#[derive(Template)]
#[template(path = "form-post.html")]
struct FormPost<'a> {
    action: &'a str,
    fields: &'a [(String, String)],
}

pub(crate) fn sign_in(
    world: &mut World,
    tenant: &str,
    context: &str,
    hint: &str,
    known: &[String],
    problem: Option<&EntraError>,
) -> Answer {
    world.page_shown(if known.is_empty() { "sign_in" } else { "pick_account" }, hint);
    let problem = problem.map(|error| world.describe(error).0);
    page(200, &SignIn { tenant, context, hint, known, problem })
}

pub(crate) fn consent(
    world: &mut World,
    tenant: &str,
    context: &str,
    app: &str,
    user: &str,
    scopes: &[String],
    may: bool,
) -> Answer {
    world.page_shown("consent", user);
    page(200, &Consent { tenant, context, app, user, scopes, may, admin: false })
}

pub(crate) fn admin_consent(
    world: &mut World,
    tenant: &str,
    context: &str,
    app: &str,
    user: &str,
    scopes: &[String],
    may: bool,
) -> Answer {
    world.page_shown("admin_consent", user);
    page(200, &Consent { tenant, context, app, user, scopes, may, admin: true })
}

/// An error the client is not told of.
pub(crate) fn error(world: &mut World, error: &EntraError) -> Answer {
    world.page_shown("error", &format!("AADSTS{}", error.number));
    let description = world.describe(error).0;
    page(400, &ErrorPage { number: error.number, description })
}

/// `response_mode=form_post`: the page posts itself, or by its button.
pub(crate) fn form_post(action: &str, fields: &[(String, String)]) -> Answer {
    page(200, &FormPost { action, fields })
}

pub(crate) fn page(status: u16, template: &impl Template) -> Answer {
    match template.render() {
        Ok(text) => Answer::html(status, text),
        Err(error) => Answer::text(500, "text/plain; charset=utf-8", error.to_string()),
    }
}
