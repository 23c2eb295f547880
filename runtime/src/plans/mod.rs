//! Plans: what each allows a month, and which of them a tenant has ([`Standing`]).

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use time::OffsetDateTime;

use crate::Settings;

pub use standing::{COLUMNS, Standing};

const LONGEST_NAME: usize = 64;

/// What is allowed a month; none: any number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub name: String,
    pub traces: Option<u64>,
    pub spans: Option<u64>,
    pub ai_requests: Option<u64>,
}

/// The plans that there are, and what the provider sells them as.
#[derive(Clone, Debug)]
pub struct Plans {
    by_name: BTreeMap<String, Plan>,
    default: Plan,
    /// (plan, product); of a plan the first is the one that is sold.
    products: Vec<(String, String)>,
}

impl Plans {
    pub fn of(settings: &Settings) -> anyhow::Result<Plans> {
        let by_name = plans(&settings.plans).context("the setting `plans`")?;
        let default = by_name.get(&settings.plan_default).cloned();
        let default = default.with_context(|| {
            format!("the setting `plan_default`: `{}` is not one of the setting `plans`", settings.plan_default)
        })?;
        let mut products: Vec<(String, String)> = Vec::new();
        for item in Settings::list(&settings.dodo_products) {
            let read = || -> anyhow::Result<(String, String)> {
                let (plan, product) = item.split_once('=').with_context(|| format!("`{item}` is not plan=product"))?;
                let (plan, product) = (plan.trim(), product.trim());
                ensure!(by_name.contains_key(plan), "`{plan}` is not one of the setting `plans`");
                ensure!(!product.is_empty(), "`{plan}` has no product");
                Ok((plan.to_owned(), product.to_owned()))
            };
            let (plan, product) = read().context("the setting `dodo_products`")?;
            let is_taken = products.iter().any(|(_, other)| *other == product);
            ensure!(!is_taken, "the setting `dodo_products`: `{item}` names a product again");
            products.push((plan, product));
        }
        Ok(Plans { by_name, default, products })
    }

    pub fn find(&self, name: &str) -> Option<&Plan> {
        self.by_name.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// What a tenant has of whom nothing is said.
    pub fn default_plan(&self) -> &Plan {
        &self.default
    }

    /// What holds for a tenant. A plan that the settings do not have any more has no limits: somebody may pay for it.
    pub fn in_force(&self, standing: Option<&Standing>, now: OffsetDateTime) -> Plan {
        let Some(standing) = standing.filter(|standing| standing.holds(now)) else { return self.default.clone() };
        let named = || Plan { name: standing.plan.clone(), ..Plan::default() };
        self.find(&standing.plan).cloned().unwrap_or_else(named)
    }

    pub fn product_of(&self, plan: &str) -> Option<&str> {
        self.products.iter().find(|(other, _)| other == plan).map(|(_, product)| product.as_str())
    }

    pub fn plan_of(&self, product: &str) -> Option<&str> {
        self.products.iter().find(|(_, other)| *other == product).map(|(plan, _)| plan.as_str())
    }

    /// Those that can be bought.
    pub fn sold(&self) -> BTreeSet<&str> {
        self.products.iter().map(|(plan, _)| plan.as_str()).collect()
    }
}

fn plans(text: &str) -> anyhow::Result<BTreeMap<String, Plan>> {
    let mut plans = BTreeMap::new();
    for item in text.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        let (name, limits) = item.split_once(':').unwrap_or((item, ""));
        let name = name.trim();
        let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_word) {
            bail!("`{name}` is not a name of 1 to {LONGEST_NAME} lower-case letters, digits, `_` and `-`");
        }
        let mut plan = Plan { name: name.to_owned(), ..Plan::default() };
        for limit in Settings::list(limits) {
            let (what, most) = limit.split_once('=').unwrap_or((limit, ""));
            let place = match what.trim() {
                "traces" => &mut plan.traces,
                "spans" => &mut plan.spans,
                "ai_requests" => &mut plan.ai_requests,
                other => bail!("{name}: `{other}` is not one of traces, spans, ai_requests"),
            };
            let most = most.trim().parse();
            *place = Some(most.with_context(|| format!("{name}: `{limit}` is not a name, `=` and a whole number"))?);
        }
        ensure!(plans.insert(name.to_owned(), plan).is_none(), "`{name}` is there twice");
    }
    Ok(plans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(plans: &str, default: &str, products: &str) -> Result<Plans, String> {
        let settings = Settings {
            plans: plans.to_owned(),
            plan_default: default.to_owned(),
            dodo_products: products.to_owned(),
            ..Settings::default()
        };
        Plans::of(&settings).map_err(|cause| format!("{cause:#}"))
    }

    #[test]
    fn the_settings_say_what_each_plan_allows() {
        let plans =
            of("free: traces=10, spans = 200 ; team:spans=5;open", "open", "team=pdt_1, team = pdt_1_yearly").unwrap();
        let free = plans.find("free").unwrap();
        assert_eq!((free.traces, free.spans, free.ai_requests), (Some(10), Some(200), None));
        assert_eq!(plans.default_plan(), &Plan { name: "open".to_owned(), ..Plan::default() });
        assert_eq!((plans.product_of("team"), plans.plan_of("pdt_1")), (Some("pdt_1"), Some("team")));
        assert_eq!((plans.product_of("free"), plans.plan_of("pdt_2")), (None, None));
        assert_eq!(plans.plan_of("pdt_1_yearly"), Some("team"));
        assert_eq!(plans.sold().into_iter().collect::<Vec<_>>(), ["team"]);
    }

    #[test]
    fn the_defaults_hold_together_and_limit_nobody() {
        let plans = Plans::of(&Settings::default()).unwrap();
        assert_eq!(plans.names().collect::<Vec<_>>(), ["enterprise", "free", "pro", "team", "unlimited"]);
        assert_eq!(plans.default_plan(), &Plan { name: "unlimited".to_owned(), ..Plan::default() });
        assert!(plans.find("free").unwrap().traces < plans.find("pro").unwrap().traces);
    }

    #[test]
    fn what_is_wrong_is_said_by_its_setting() {
        for (plans, default, products, fault) in [
            ("Free", "Free", "", "the setting `plans`: `Free` is not a name of 1 to 64"),
            ("free;free", "free", "", "the setting `plans`: `free` is there twice"),
            ("free: tokens=1", "free", "", "the setting `plans`: free: `tokens` is not one of traces, spans"),
            ("free: spans=many", "free", "", "`spans=many` is not a name, `=` and a whole number"),
            ("free", "pro", "", "the setting `plan_default`: `pro` is not one of the setting `plans`"),
            ("free", "free", "pro=pdt_1", "the setting `dodo_products`: `pro` is not one of the setting `plans`"),
            ("free", "free", "free", "the setting `dodo_products`: `free` is not plan=product"),
            ("a;b", "a", "a=p,b=p", "the setting `dodo_products`: `b=p` names a product again"),
        ] {
            let said = of(plans, default, products).unwrap_err();
            assert!(said.contains(fault), "{said}");
        }
    }
}
