//! Names: from `PascalCase` types to `snake_case` tables and back, and the names
//! that PostgreSQL would give to constraints and indexes.

/// Longest identifier, in bytes (PostgreSQL's `NAMEDATALEN` - 1).
pub const MAX_IDENTIFIER_BYTES: usize = 63;

/// `OrderItem` → `order_item`, `HTTPRoute` → `http_route`.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(index + 1);
        let starts_word = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `product_tag` → `ProductTag`.
#[must_use]
pub fn pascal_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// `table_columns_label`, the longer of the first two parts cut until it fits, as
/// PostgreSQL's `makeObjectName` does.
#[must_use]
pub fn object_name(table: &str, columns: &str, label: &str) -> String {
    let separators = if columns.is_empty() { 1 } else { 2 };
    let room = MAX_IDENTIFIER_BYTES.saturating_sub(label.len() + separators);
    let (mut table_len, mut columns_len) = (table.len(), columns.len());
    while table_len + columns_len > room {
        if table_len > columns_len {
            table_len -= 1;
        } else {
            columns_len -= 1;
        }
    }
    let table = table.get(..table_len).unwrap_or(table);
    let columns = columns.get(..columns_len).unwrap_or(columns);
    if columns.is_empty() { format!("{table}_{label}") } else { format!("{table}_{columns}_{label}") }
}

/// A name that every database takes: one that is too long keeps its beginning and ends in a
/// hash of all of it (FNV-1a), so that two long names of one table stay two.
#[must_use]
pub fn fitted(name: String) -> String {
    if name.len() <= MAX_IDENTIFIER_BYTES {
        return name;
    }
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut room = MAX_IDENTIFIER_BYTES - 9;
    while !name.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}_{hash:08x}", name.get(..room).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (type_name, table) in [
            ("Product", "product"),
            ("OrderItem", "order_item"),
            ("HTTPRoute", "http_route"),
            ("Base64Text", "base64_text"),
            ("_BackstayApiKey", "_backstay_api_key"),
        ] {
            assert_eq!(snake_case(type_name), table);
        }
        assert_eq!(pascal_case("product_tag"), "ProductTag");
        assert_eq!(pascal_case("order_item_tag"), "OrderItemTag");
    }

    #[test]
    fn names_that_fit_stay_and_long_ones_stay_apart() {
        assert_eq!(fitted("product_price_check".to_owned()), "product_price_check");
        let long = |last: &str| fitted("c".repeat(70) + last);
        assert_eq!(long("a").len(), MAX_IDENTIFIER_BYTES);
        assert_ne!(long("a"), long("b"));
        assert_eq!(fitted("ä".repeat(40)).len(), MAX_IDENTIFIER_BYTES);
    }

    #[test]
    fn long_names_are_cut_as_postgresql_cuts_them() {
        assert_eq!(object_name("product", "slug", "key"), "product_slug_key");
        assert_eq!(object_name("product", "", "pkey"), "product_pkey");
        let long = object_name(&"t".repeat(60), &"c".repeat(60), "fkey");
        assert_eq!(long.len(), MAX_IDENTIFIER_BYTES);
        assert_eq!(long, format!("{}_{}_fkey", "t".repeat(29), "c".repeat(28)));
    }
}
