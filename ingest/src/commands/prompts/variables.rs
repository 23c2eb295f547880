//! The `{{variables}}` of a prompt.

use std::collections::HashSet;

/// Their names, in the order of their first appearance. What stands in double braces and is no name is text.
pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for mut rest in texts {
        while let Some(at) = rest.find("{{") {
            match name(&rest[at + 2..]) {
                Some((name, behind)) => {
                    if seen.insert(name) {
                        found.push(name);
                    }
                    rest = behind;
                }
                // Of three braces the last two may open one.
                None => rest = &rest[at + 1..],
            }
        }
    }
    found
}

/// From behind the opening braces: the name, and what is behind the closing ones.
fn name(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ');
    let (name, behind) = text.split_at(text.find(|c| !is_of_name(c)).unwrap_or(text.len()));
    let behind = behind.trim_start_matches(' ').strip_prefix("}}")?;
    (!name.is_empty()).then_some((name, behind))
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_listed_once_in_the_order_of_their_first_appearance() {
        assert_eq!(of(["{{b}} {{ a }}{{b}}", "{{c}} {{a}}"]), ["b", "a", "c"]);
        assert_eq!(of(["{{user.first-name}}{{  _1}}{{größe  }}"]), ["user.first-name", "_1", "größe"]);
    }

    #[test]
    fn are_names_in_two_braces() {
        for text in ["{x}", "{{}}", "{{ }}", "{{x}", "{{a b}}", "{{#if x}}", "{{x", "{{", "{ {x}}", "{{x} }", "{{\tx}}"]
        {
            assert!(of([text]).is_empty(), "{text}");
        }
        assert_eq!(of(["{{{x}}}"]), ["x"]);
        assert_eq!(of(["{{a {{b}}"]), ["b"]);
        // Texts do not run into each other.
        assert!(of(["{{a", "}}"]).is_empty());
    }
}
