//! Documents generated from the code; CI compares the committed copies.

use runtime::auth::Role;
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
    println!("# Permissions\n");
    println!(
        "What a caller may do follows from the role in the organisation: the bearer token's `org_role` (`admin` or `org:admin`), or"
    );
    println!(
        "the role that the user had when the API key was made. Without an organisation one is the owner; a name that is none of"
    );
    println!(
        "these is a viewer's. What a role does not allow is a 403; what another tenant has is a 404, whatever the role. Printed"
    );
    println!("by `retrace permissions`.\n");
    let roles = Role::ALL.map(Role::as_str);
    println!("| route | needs | {} |\n|---|---|{}", roles.join(" | "), "---|".repeat(roles.len()));
    for route in routes() {
        let needs = match route.needs {
            Needs::Nothing => "nothing",
            Needs::Reading => "reading",
            Needs::Recording => "recording",
            Needs::Writing => "writing",
        };
        let allowed = Role::ALL.map(|role| if role.allows(route.needs) { "yes" } else { "–" });
        println!("| `{} {}` | {needs} | {} |", route.method, route.path, allowed.join(" | "));
    }
    Ok(())
}
