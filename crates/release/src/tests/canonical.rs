//! The vectors of RFC 8785: section 3.2.2 and 3.2.3, Appendix B.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::canonical::{digest, text, to_string};

fn canonical(text: &str) -> String {
    to_string(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
}

#[test]
fn sample_of_section_3_2_2() {
    let sample = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let expected = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(canonical(sample), expected);
}

#[test]
fn keys_are_sorted_by_utf_16_code_units() {
    let sample =
        r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7,"<\/script>":8}"#;
    let order: Vec<u64> = {
        let text = canonical(sample);
        text.split(':').skip(1).map(|rest| u64::from(rest.as_bytes()[0] - b'0')).collect()
    };
    assert_eq!(order, [2, 4, 8, 6, 7, 1, 5, 3]);
}

#[test]
fn numbers_of_appendix_b() {
    for (bits, expected) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        assert_eq!(to_string(&f64::from_bits(bits)).unwrap(), expected);
    }
    assert_eq!(canonical("[1e21, 1e-7, -0, -0.0, 1.0, 100, 1e2]"), "[1e+21,1e-7,0,0,1,100,100]");
}

#[test]
fn integers_that_no_double_holds_keep_their_digits() {
    assert_eq!(
        canonical(
            "[9007199254740991, 9007199254740992, 9007199254740993, -9007199254740993, 18446744073709551615]"
        ),
        r#"[9007199254740991,9007199254740992,"9007199254740993","-9007199254740993","18446744073709551615"]"#
    );
}

#[test]
fn digests_do_not_depend_on_key_order_or_spelling_of_numbers() {
    let same = [json!({"a": 1, "b": {"c": 1.5, "d": []}}), json!({"b": {"d": [], "c": 1.50}, "a": 1.0})];
    assert_eq!(digest(&same[0]), digest(&same[1]));
    assert_ne!(digest(&same[0]), digest(&json!({"a": "1", "b": {"c": 1.5, "d": []}})));
    // SHA-256 of `{"a":1}`, as sha256sum prints it.
    let known = "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    assert_eq!(digest(&json!({"a": 1})).as_str(), known);
}

#[test]
fn values_without_canonical_json_never_share_a_digest() {
    let [one, two] = [1_u8, 2].map(|key| BTreeMap::from([(vec![key], 1)]));
    assert!(to_string(&one).is_err());
    let empty = Sha256::digest(b"");
    assert_ne!(digest(&one), crate::Digest::from_bytes(empty.as_slice()));
    assert_ne!(digest(&one), digest(&two));
    assert!(!text(&one).is_empty());
}
