//! Where a page ended: the sort value and the id of its last row, bound to the list that it came from.

use runtime::position::Signer;

use crate::params::Params;

pub struct Cursor {
    pub value: String,
    pub id: String,
}

impl Cursor {
    /// The parameter `cursor`.
    pub fn asked(params: &mut Params, signer: &Signer, purpose: &str) -> Option<Cursor> {
        let token = params.text("cursor")?;
        let cursor = Cursor::read(signer, purpose, &token);
        if cursor.is_none() {
            params.fault("cursor is not one of this list with these filters and this sort".to_owned());
        }
        cursor
    }

    /// `purpose` names the list, its filters and its sort.
    pub fn write(&self, signer: &Signer, purpose: &str) -> String {
        signer.sign(purpose, format!("{}\0{}", self.value, self.id).as_bytes())
    }

    fn read(signer: &Signer, purpose: &str, token: &str) -> Option<Cursor> {
        let payload = String::from_utf8(signer.verify(purpose, token)?).ok()?;
        let (value, id) = payload.split_once('\0')?;
        Some(Cursor { value: value.to_owned(), id: id.to_owned() })
    }
}
