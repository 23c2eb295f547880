//! Documents generated from the code; CI compares the committed copies.

use runtime::auth::{Role, Scope};
use runtime::http::routes::{Needs, routes};
use runtime::settings::documented;

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn openapi() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&crate::services::document())?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn settings() -> anyhow::Result<()> {
    println!("# Settings\n");
    println!(
        "As keys of a TOML file (`--config`), or in the environment as `RETRACE_` and the key in capitals. An unknown key is"
    );
    println!("an error. Printed by `retrace settings`.\n");
    println!("| key | default | meaning |\n|---|---|---|");
    for (key, default, meaning) in documented() {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        println!("| `{key}` | {default} | {} |", meaning.replace('\n', " ").replace('|', "\\|"));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn permissions() -> anyhow::Result<()> {
    println!("{PERMISSIONS}");
    let roles = Role::ALL.map(Role::as_str);
    let scopes = Scope::ALL.map(|scope| format!("`{}`", scope.as_str()));
    let columns = roles.len() + scopes.len();
    println!("| route | needs | {} | {} |\n|---|---|{}", roles.join(" | "), scopes.join(" | "), "---|".repeat(columns));
    for route in routes() {
        let needs = match route.needs {
            Needs::Nothing => "nothing",
            Needs::Credentials => "credentials",
            Needs::OwnKeys => "own keys",
            Needs::Reading => "reading",
            Needs::Recording => "recording",
            Needs::Writing => "writing",
            Needs::Administering => "administering",
        };
        let shown = |allowed: bool| if allowed { "yes" } else { "–" };
        let by_role = Role::ALL.map(|role| shown(role.allows(route.needs))).join(" | ");
        let by_scope = Scope::ALL.map(|scope| shown(scope.allows(route.needs))).join(" | ");
        println!("| `{} {}` | {needs} | {by_role} | {by_scope} |", route.method, route.path);
    }
    Ok(())
}

const PERMISSIONS: &str = "\
# Permissions

What a caller may do follows from the role in the organisation: the bearer token's `org_role` (`admin` or `org:admin`), or
the role that the user had when the API key was made. Without an organisation one is the owner; a name that is none of
these is a viewer's. What a role does not allow is a 403; what another tenant has is a 404, whatever the role. Printed
by `retrace permissions`.

An API key may be used for what its role *and* one of its scopes allow; what its scopes do not allow is a 403 that names the
scope which is missing. A user's current key (`POST /api/v1/api-keys`) has the scope `admin`: all that the role allows.

A user makes, changes and revokes keys of its own; owners and admins see, change and revoke everybody's. Keys are made by
a bearer token or a key of the scope `admin`, never by one of fewer scopes, so that no key gives more than it has: its
role at the most, and where it expires, none that lives longer. Only owners and admins give a key further scopes later.

`GET /ws/v1/stream` needs what `POST /api/v1/traces` needs, of the credentials in its first frame. Routes of the services
among themselves (`/api/v1/internal/live/…`) answer 404 to everybody else.
";
