//! The output of `kafka-delegation-tokens`, to the letter.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::client::admin::delegation_tokens::DelegationToken;
use crate::java::date_format;

/// Principals as Java prints a list.
pub(super) fn list(principals: &[String]) -> String {
    format!("[{}]", principals.join(", "))
}

/// A time in milliseconds since 1970, to the minute.
pub(super) fn minute(time_ms: i64) -> String {
    let time = Timestamp::from_millisecond(time_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    date_format::format("yyyy-MM-dd'T'HH:mm", &time.to_zoned(TimeZone::system())).unwrap_or_default()
}

fn row(cells: [&str; 8]) -> String {
    let [id, hmac, owner, requester, renewers, issued, expires, max] = cells;
    format!(
        "\n{id:<15} {hmac:<30} {owner:<15} {requester:<15} {renewers:<25} {issued:<15} {expires:<15} {max:<15}"
    )
}

/// The table of tokens; each line begins with a line end.
pub(super) fn table(tokens: &[DelegationToken]) -> String {
    let headings = [
        "TOKENID",
        "HMAC",
        "OWNER",
        "REQUESTER",
        "RENEWERS",
        "ISSUEDATE",
        "EXPIRYDATE",
        "MAXDATE",
    ];
    let mut text = row(headings) + "\n";
    for token in tokens {
        let dates = [token.issued_ms, token.expires_ms, token.max_ms].map(minute);
        let [issued, expires, max] = &dates;
        text += &row([
            &token.id,
            token.hmac.reveal(),
            &token.owner,
            &token.requester,
            &list(&token.renewers),
            issued,
            expires,
            max,
        ]);
        text += "\n";
    }
    text
}
