//! Where a page ended: the sort value and the id of its last row, bound to the list that it came from.

use runtime::position::Signer;

pub struct Cursor {
    pub value: String,
    pub id: String,
}

impl Cursor {
    /// `purpose` names the list, its filters and its sort.
    pub fn write(&self, signer: &Signer, purpose: &str) -> String {
        signer.sign(purpose, format!("{}\0{}", self.value, self.id).as_bytes())
    }

    pub fn read(signer: &Signer, purpose: &str, token: &str) -> Option<Cursor> {
        let payload = String::from_utf8(signer.verify(purpose, token)?).ok()?;
        let (value, id) = payload.split_once('\0')?;
        Some(Cursor { value: value.to_owned(), id: id.to_owned() })
    }
}
