/// Writes MessagePack as the scripts read it: what serde writes as bytes, Redis does not know, and takes texts for bytes.
#[derive(Default)]
pub(super) struct Pack(Vec<u8>);

impl Pack {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A list of so many, which come next.
    pub(super) fn list(&mut self, length: usize) -> &mut Self {
        match u8::try_from(length) {
            Ok(length @ 0..=15) => self.0.push(0x90 | length),
            _ => self.long(0xdd, length),
        }
        self
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.begin(bytes.len());
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Bytes that are put together in place.
    pub(super) fn bytes_of(&mut self, parts: &[&[u8]]) -> &mut Self {
        self.begin(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| self.0.extend(*part));
        self
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        match u8::try_from(number) {
            Ok(small @ 0..=127) => self.0.push(small),
            _ => {
                self.0.push(0xd3);
                self.0.extend(number.to_be_bytes());
            }
        }
        self
    }

    pub(super) fn nothing(&mut self) -> &mut Self {
        self.0.push(0xc0);
        self
    }

    pub(super) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T) -> &mut Self) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => self.nothing(),
        }
    }

    pub(super) fn boolean(&mut self, is: bool) -> &mut Self {
        self.0.push(0xc2 | u8::from(is));
        self
    }

    fn begin(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(length @ 0..=31) => self.0.push(0xa0 | length),
            Ok(length) => self.0.extend([0xd9, length]),
            Err(_) => self.long(0xdb, length),
        }
    }

    fn long(&mut self, kind: u8, length: usize) {
        self.0.push(kind);
        // What is longer, Redis does not take at all.
        self.0.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_messagepack() {
        let long = "x".repeat(300);
        let mut pack = Pack::default();
        pack.list(3).text("a").number(5).list(20);
        for number in [0, 127, 128, -1, i64::MIN, i64::MAX] {
            pack.number(number);
        }
        for text in ["", &long[..31], &long[..32], &long[..255], &long] {
            pack.text(text);
        }
        pack.nothing().boolean(true).boolean(false).maybe(Some("b"), Pack::text).maybe(None, Pack::text);
        pack.bytes_of(&[b"c", b"d"]).number(7).number(8).number(9);
        let bytes = pack.finish();
        let read: Vec<serde_json::Value> = rmp_serde::from_slice(&bytes).unwrap();
        let list = read[2].as_array().unwrap();
        assert_eq!((read[0].as_str(), read[1].as_u64(), list.len()), (Some("a"), Some(5), 20));
        let numbers: Vec<_> = list[..6].iter().map(|number| number.as_i64().unwrap()).collect();
        assert_eq!(numbers, [0, 127, 128, -1, i64::MIN, i64::MAX]);
        let lengths: Vec<_> = list[6..11].iter().map(|text| text.as_str().unwrap().len()).collect();
        assert_eq!(lengths, [0, 31, 32, 255, 300]);
        assert_eq!(serde_json::to_string(&list[11..]).unwrap(), r#"[null,true,false,"b",null,"cd",7,8,9]"#);
    }
}
