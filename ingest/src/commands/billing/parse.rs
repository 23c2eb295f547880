//! A request's body → what is to be bought and where to come back to, or all of its faults.

use runtime::Problem;
use runtime::plans::Plans;

use crate::billing::Billing;
use crate::json::{Reader, object};

const LONGEST_URL: usize = 2_048;
const LONGEST_PLAN: usize = 64;

#[derive(Debug)]
pub struct Checkout {
    pub product: String,
    pub return_url: Option<String>,
}

pub fn checkout(body: &[u8], plans: &Plans, billing: &Billing) -> Result<Checkout, Problem> {
    object(body, |reader| {
        let return_url = return_url(reader, billing);
        if reader.fields.get("plan").is_none() {
            reader.fault("plan", "is missing");
        }
        let product = reader.name("plan", LONGEST_PLAN).and_then(|plan| {
            let product = plans.product_of(&plan).map(str::to_owned);
            if product.is_none() {
                let sold: Vec<&str> = plans.sold().into_iter().collect();
                reader.fault("plan", format_args!("is not one of those for sale: {}", sold.join(", ")));
            }
            product
        });
        Checkout { product: product.unwrap_or_default(), return_url }
    })
}

fn return_url(reader: &mut Reader<'_, '_>, billing: &Billing) -> Option<String> {
    let text = reader.name("return_url", LONGEST_URL)?;
    billing.return_url(&text).map_err(|fault| reader.fault("return_url", fault)).ok()
}

#[cfg(test)]
mod tests {
    use runtime::Settings;

    use super::*;

    #[test]
    fn what_is_not_for_sale_is_not_sold() {
        let settings = Settings {
            dodo_products: "team=pdt_2,pro=pdt_1".to_owned(),
            public_url: "https://retrace.example.com".to_owned(),
            ..Settings::default()
        };
        let (plans, billing) = (Plans::of(&settings).unwrap(), Billing::new(&settings).unwrap());
        let read = |body: &str| checkout(body.as_bytes(), &plans, &billing).map_err(|problem| problem.message);
        let sold = read(r#"{"plan": "pro", "return_url": "/done"}"#).unwrap();
        assert_eq!(
            (sold.product.as_str(), sold.return_url.as_deref()),
            ("pdt_1", Some("https://retrace.example.com/done"))
        );
        assert_eq!(read(r#"{"plan": "team", "return_url": null}"#).unwrap().return_url, None);
        let unknown = "is not one of those for sale: pro, team";
        let return_url = "return_url is neither a path nor a URL of a host in the setting billing_return_hosts";
        for (body, fault) in [
            ("{}", "plan is missing".to_owned()),
            (r#"{"plan": "free"}"#, format!("plan {unknown}")),
            (r#"{"plan": "a\u0000"}"#, "plan contains NUL".to_owned()),
            (r#"{"plan": 1}"#, "plan is not text".to_owned()),
            (r#"{"plan": "x", "return_url": "//evil"}"#, format!("{return_url}; plan {unknown}")),
        ] {
            assert_eq!(read(body).unwrap_err(), fault);
        }
    }
}
