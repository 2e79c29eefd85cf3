//! Whatever condition is written down is read back the same, and no text makes the parser or a path panic.

use kafkit::filter::json_path::{JsonPath, Step};
use kafkit::filter::{Comparison, Expression, Field, Literal, Number, Operand, Pattern, parse};
use proptest::prelude::*;

fn field() -> impl Strategy<Value = Field> {
    let step = prop_oneof![
        ".{0,6}".prop_map(Step::Member),
        (0..20_usize).prop_map(Step::Item),
    ];
    prop_oneof![
        proptest::collection::vec(step, 0..4).prop_map(|steps| Field::Path(JsonPath::new(steps))),
        ".{0,6}".prop_map(Field::Header),
        Just(Field::Value),
        Just(Field::Key),
        Just(Field::Topic),
        Just(Field::Partition),
        Just(Field::Offset),
        Just(Field::Time),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<i64>().prop_map(|number| Literal::Number(Number::Whole(number))),
        any::<f64>()
            .prop_filter("a number", |number| number.is_finite())
            .prop_map(|number| Literal::Number(Number::Float(number))),
        any::<bool>().prop_map(Literal::Bool),
        Just(Literal::Null),
    ]
}

fn text() -> impl Strategy<Value = Literal> {
    ".{0,6}".prop_map(Literal::Text)
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        field().prop_map(Operand::Field),
        literal().prop_map(Operand::Literal),
    ]
}

fn condition() -> impl Strategy<Value = Expression> {
    let comparison = || {
        prop_oneof![
            Just(Comparison::Equal),
            Just(Comparison::NotEqual),
            Just(Comparison::Less),
            Just(Comparison::LessOrEqual),
            Just(Comparison::Greater),
            Just(Comparison::GreaterOrEqual),
        ]
    };
    let pattern = prop_oneof![Just("^a\"\\\\b.*$"), Just(""), Just("ü|'x'")];
    prop_oneof![
        field().prop_map(Expression::Exists),
        (operand(), comparison(), operand())
            .prop_map(|(one, sign, other)| Expression::Compare(one, sign, other)),
        // A text beside a time is read as a time, and written as its number.
        (comparison(), text()).prop_map(|(sign, text)| {
            Expression::Compare(Operand::Field(Field::Key), sign, Operand::Literal(text))
        }),
        (field(), pattern)
            .prop_map(|(field, pattern)| Expression::Matches(field, Pattern::new(pattern).unwrap())),
        (field(), proptest::collection::vec(literal(), 1..4))
            .prop_map(|(field, literals)| Expression::In(field, literals)),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    condition().prop_recursive(4, 32, 2, |inner| {
        let pair = || (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            pair().prop_map(|(one, other)| Expression::And(one, other)),
            pair().prop_map(|(one, other)| Expression::Or(one, other)),
            inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(expression in expression()) {
        let text = expression.to_string();
        let read = parse(&text, &|_| Err("no time".into()));
        prop_assert_eq!(read, Ok(expression), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in r#"([ .a"'\\()\[\]<>=!~,0-9-]|and|or|not|in|exists|key|headers\.|\PC){0,24}"#) {
        let read = parse(&text, &|_| Ok(0));
        if let Err(error) = read {
            prop_assert!(error.column <= text.chars().count() + 1, "{} in {}", error, text);
        }
    }

    #[test]
    fn no_bytes_make_a_path_panic(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(br#"{}[]",:\a1"#.to_vec())], 0..40),
        path in r"(\.a|\[[0-2]\]){1,4}",
    ) {
        let path = format!(".{}", path.trim_start_matches('.'));
        if let Ok((path, _)) = JsonPath::parse(&path) {
            let found = path.find(&bytes);
            prop_assert!(found.is_none_or(|found| found.len() <= bytes.len()));
        }
    }

    #[test]
    fn a_path_finds_what_a_decoder_finds(
        object in proptest::collection::btree_map("[a-c\"\\\\ü]{0,2}", ".{0,4}", 0..5),
        name in "[a-c\"\\\\ü]{0,2}",
    ) {
        let json = serde_json::json!({ "in": [0, object] }).to_string();
        let steps = vec![Step::Member("in".into()), Step::Item(1), Step::Member(name.clone())];
        let found = JsonPath::new(steps).find(json.as_bytes());
        let found = found.map(|found| serde_json::from_slice::<String>(found).unwrap());
        prop_assert_eq!(found.as_ref(), object.get(&name));
    }
}
