//! Text of statements whose length varies: lists for `IN (…)` and rows for `VALUES …`.
//!
//! Only placeholders are generated, never a value, so the text is safe whatever is bound.

use std::fmt::Write as _;

/// Most rows that one statement inserts: SQLite takes 32,766 binds, and 500 rows are past the gain.
pub const ROWS_PER_STATEMENT: usize = 500;

/// `$1,$2,…` for `count` binds, the first being `$<first>`; `NULL` for none, which nothing equals, because Postgres
/// refuses `IN ()`.
pub fn placeholders(first: usize, count: usize) -> String {
    if count == 0 {
        return "NULL".to_owned();
    }
    let mut text = String::with_capacity(count * 5);
    for number in first..first + count {
        let comma = if number == first { "" } else { "," };
        write!(text, "{comma}${number}").expect("writing to a string does not fail");
    }
    text
}

/// `($1,$2),($3,$4),…` for `rows` rows of `columns` binds, the first being `$<first>`.
pub fn rows(first: usize, rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        let comma = if row == 0 { "" } else { "," };
        write!(text, "{comma}({})", placeholders(first + row * columns, columns))
            .expect("writing to a string does not fail");
    }
    text
}

/// The values, made a power of two long by repeating the last: an `IN` list means the same, and the database sees
/// few different texts, so that it can keep their plans. An empty list stays empty.
pub fn padded<T: Copy>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    if let Some(&last) = values.last() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// The pattern of `LIKE … ESCAPE '\'` for texts that begin with `text`, in lower case.
pub fn prefix(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{padded, placeholders, prefix, rows};

    #[test]
    fn a_pattern_takes_every_letter_as_itself() {
        assert_eq!(prefix(r"50%_Ä\"), r"50\%\_ä\\%");
    }

    #[test]
    fn placeholders_count_from_the_first() {
        assert_eq!(placeholders(3, 3), "$3,$4,$5");
        assert_eq!(placeholders(1, 0), "NULL");
    }

    #[test]
    fn rows_count_on() {
        assert_eq!(rows(2, 2, 3), "($2,$3,$4),($5,$6,$7)");
    }

    #[test]
    fn a_list_is_padded_with_its_last_value() {
        assert_eq!(padded([7, 8, 9]), [7, 8, 9, 9]);
        assert_eq!(padded([7]), [7]);
        assert!(padded(Vec::<i32>::new()).is_empty());
    }
}
