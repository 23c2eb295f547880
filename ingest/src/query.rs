//! The query of a write: at most one parameter, of a few values.

use runtime::Problem;

pub fn choice<'a>(pairs: &'a [(String, String)], of: &str, all: &[&str]) -> Result<Option<&'a str>, Problem> {
    let (mut chosen, mut faults) = (None, Vec::new());
    for (name, value) in pairs {
        if name != of {
            faults.push(format!("there is no parameter `{name}`"));
        } else if chosen.is_some() {
            faults.push(format!("{of} is given twice"));
        } else if all.contains(&value.as_str()) {
            chosen = Some(value.as_str());
        } else {
            faults.push(format!("{of} is not one of {}", all.join(", ")));
        }
    }
    if faults.is_empty() { Ok(chosen) } else { Err(Problem::faults(faults)) }
}
